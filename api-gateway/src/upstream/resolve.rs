//! From the names of servers to addresses, again and again.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Weak;
use std::time::Duration;

use futures_util::future::join_all;

use crate::upstream::config::ServerUrl;
use crate::upstream::group::Group;

/// As long as there is no address at all.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// One name that hangs must not hold up the others for long.
const TIMEOUT: Duration = Duration::from_secs(5);
/// More addresses of one name are left out: each costs a pool and checks.
const MOST_ADDRESSES: usize = 64;

/// Who knows the addresses of names.
pub(super) enum Resolver {
    /// The system.
    System,
    /// A test.
    #[cfg(test)]
    Told(std::sync::Arc<Names>),
}

impl Resolver {
    async fn find(&self, url: &ServerUrl) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = literal(url) {
            return Ok(vec![address]);
        }
        match tokio::time::timeout(TIMEOUT, self.look_up(url)).await {
            Ok(found) => found,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn look_up(&self, url: &ServerUrl) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => {
                let found = tokio::net::lookup_host((url.host.as_str(), url.port)).await?;
                let mut seen = HashSet::new();
                Ok(found.filter(|address| seen.insert(*address)).take(MOST_ADDRESSES).collect())
            }
            #[cfg(test)]
            Self::Told(names) => names.find(&url.host),
        }
    }
}

/// The address of a server that is given by address.
pub(super) fn literal(url: &ServerUrl) -> Option<SocketAddr> {
    url.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, url.port))
}

/// Resolves the names of a group until it is gone.
pub(super) async fn keep_resolved(group: Weak<Group>, resolver: Resolver, interval: Duration) {
    let mut troubled = HashSet::new();
    loop {
        let Some(servers) = group.upgrade().map(|group| group.servers.clone()) else { return };
        let answers = join_all(servers.iter().map(|server| resolver.find(&server.url))).await;
        let found: Vec<_> = servers
            .iter()
            .zip(answers)
            .map(|(server, addresses)| note(addresses, &server.url.host, &mut troubled))
            .collect();
        let Some(group) = group.upgrade() else { return };
        group.set_addresses(&found);
        let pause = if group.endpoints.load().is_empty() { FIRST_RETRY.min(interval) } else { interval };
        drop(group);
        tokio::time::sleep(pause).await;
    }
}

/// Nothing where the old addresses stay. Says each change once.
fn note(addresses: io::Result<Vec<SocketAddr>>, host: &str, troubled: &mut HashSet<String>) -> Option<Vec<SocketAddr>> {
    let why = match addresses {
        Ok(addresses) if !addresses.is_empty() => {
            if troubled.remove(host) {
                tracing::info!(host, "the name of a server resolves again");
            }
            return Some(addresses);
        }
        Ok(_) => "it has no address".to_owned(),
        Err(error) => error.to_string(),
    };
    if troubled.insert(host.to_owned()) {
        tracing::warn!(host, why, "the name of a server does not resolve; the addresses known so far stay");
    }
    None
}

/// What a test says, and how often it was asked.
#[cfg(test)]
pub(super) struct Names {
    known: std::sync::Mutex<std::collections::HashMap<String, Vec<SocketAddr>>>,
    asked: tokio::sync::watch::Sender<usize>,
}

#[cfg(test)]
impl Names {
    pub fn new(known: std::collections::HashMap<String, Vec<SocketAddr>>) -> Self {
        Self { known: known.into(), asked: tokio::sync::watch::Sender::default() }
    }

    pub fn set(&self, name: &str, addresses: Option<Vec<SocketAddr>>) {
        let mut known = self.known.lock().unwrap();
        match addresses {
            Some(addresses) => known.insert(name.to_owned(), addresses),
            None => known.remove(name),
        };
    }

    pub fn count(&self) -> tokio::sync::watch::Receiver<usize> {
        self.asked.subscribe()
    }

    fn find(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        self.asked.send_modify(|count| *count += 1);
        self.known.lock().unwrap().get(name).cloned().ok_or_else(|| io::Error::other("unknown name"))
    }
}
