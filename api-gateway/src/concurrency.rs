//! How much one client address may have in progress at once: otherwise one that reads and sends nothing could hold every
//! place of an upstream.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use service_kit::proxies::ClientAddr;

/// How much more than one address an undeclared proxy may have: it stands for many people.
const PROXY_FACTOR: u32 = 20;
const SHARDS: usize = 16;

/// Requests in progress, by address.
#[derive(Clone)]
pub(crate) struct Concurrency(Arc<Counts>);

struct Counts {
    shards: [Mutex<HashMap<IpAddr, u32>>; SHARDS],
    hasher: RandomState,
}

/// One request in progress, given back on drop.
pub(crate) struct Held {
    counts: Arc<Counts>,
    subject: IpAddr,
}

impl Concurrency {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Counts { shards: Default::default(), hasher: RandomState::new() }))
    }

    /// Counts one more request of this client; nothing when it has `most` in progress.
    pub(crate) fn enter(&self, client: ClientAddr, most: u32) -> Option<Held> {
        let (subject, most) = match client.undeclared_proxy {
            Some(proxy) => (network(proxy), most.saturating_mul(PROXY_FACTOR)),
            None => (network(client.ip), most),
        };
        let mut counts = self.0.shard(subject);
        let count = counts.entry(subject).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Held { counts: Arc::clone(&self.0), subject })
    }
}

impl Counts {
    fn shard(&self, subject: IpAddr) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        let number = self.hasher.hash_one(subject) as usize % SHARDS;
        self.shards[number].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.counts.shard(self.subject);
        if let Some(count) = counts.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.subject);
            }
        }
    }
}

/// The /64 of an IPv6 address: one customer commands all of it.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) & (u128::MAX << 64)).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(ip: &str) -> ClientAddr {
        ClientAddr { ip: ip.parse().unwrap(), undeclared_proxy: None }
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let concurrency = Concurrency::new();
        let held: Vec<_> = (0..3).map(|_| concurrency.enter(client("203.0.113.7"), 3).unwrap()).collect();
        assert!(concurrency.enter(client("203.0.113.7"), 3).is_none());
        assert!(concurrency.enter(client("203.0.113.8"), 3).is_some(), "another's share is its own");
        drop(held);
        assert!(concurrency.enter(client("203.0.113.7"), 3).is_some());
        assert!(
            concurrency.0.shards.iter().all(|shard| shard.lock().unwrap().is_empty()),
            "nothing is kept of anybody"
        );
    }

    #[test]
    fn a_network_of_one_customer_is_one_address() {
        let concurrency = Concurrency::new();
        let _held = concurrency.enter(client("2001:db8::1"), 1).unwrap();
        assert!(concurrency.enter(client("2001:db8::2"), 1).is_none());
        assert!(concurrency.enter(client("2001:db8:0:1::1"), 1).is_some());
    }
}
