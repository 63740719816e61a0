//! The client's address: only declared proxies are believed, and only about the hop before them.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::Env;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who is asking; in the extensions of every request that passed the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr {
    /// The right-most hop that is no declared proxy; IPv4 also when it came mapped into IPv6.
    pub ip: IpAddr,
    /// A private peer that forwards for others without being declared: `ip` is then only what it claims.
    pub undeclared_proxy: Option<IpAddr>,
}

/// `TRUSTED_PROXIES`: whose `X-Forwarded-For` is believed. None by default.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    own: OwnConnections,
}

/// The connections that this process has open to one of its own listeners. Their word is taken, and no other's on
/// loopback: any program on the machine could connect from there. One set for each listener, as two connections to
/// different listeners may have the same address at this end.
#[derive(Clone, Debug, Default)]
pub struct OwnConnections(Arc<RwLock<HashSet<SocketAddr>>>);

/// A connection's membership; drop it no later than the connection, whose address may be another's from then on.
#[derive(Debug)]
pub struct OwnConnection {
    set: OwnConnections,
    address: SocketAddr,
}

impl OwnConnections {
    /// Admits the connection with this address at our end, before anything is sent on it.
    #[must_use]
    pub fn enter(&self, address: SocketAddr) -> OwnConnection {
        let address = canonical(address);
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(address);
        OwnConnection { set: self.clone(), address }
    }

    fn contains(&self, peer: SocketAddr) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&canonical(peer))
    }
}

impl Drop for OwnConnection {
    fn drop(&mut self) {
        self.set.0.write().unwrap_or_else(PoisonError::into_inner).remove(&self.address);
    }
}

/// One CIDR block; a bare address is a block of one.
#[derive(Clone, Copy, Debug)]
struct Network(IpNet);

impl TrustedProxies {
    /// Reads `TRUSTED_PROXIES`.
    pub fn read(env: &mut Env) -> Self {
        let help = "Proxies whose X-Forwarded-For is believed: addresses or CIDR blocks, separated by commas.";
        Self { networks: env.list("TRUSTED_PROXIES", help), own: OwnConnections::default() }
    }

    /// Believes these connections as well.
    #[must_use]
    pub fn with_own(self, own: OwnConnections) -> Self {
        Self { own, ..self }
    }

    /// The client behind `peer`. `X-Forwarded-Host` and `X-Forwarded-Proto` are never read, here or elsewhere.
    #[must_use]
    pub fn client_addr(&self, peer: SocketAddr, headers: &HeaderMap) -> ClientAddr {
        let (socket, peer) = (peer, peer.ip().to_canonical());
        let direct = ClientAddr { ip: peer, undeclared_proxy: None };
        if !headers.contains_key(X_FORWARDED_FOR) {
            return direct;
        }
        if self.trusts(peer) || self.own.contains(socket) {
            return ClientAddr { ip: self.right_most_untrusted(peer, headers), ..direct };
        }
        if is_private(peer) {
            let claimed = forwarded_hops(headers).next().flatten();
            return ClientAddr { ip: claimed.unwrap_or(peer), undeclared_proxy: Some(peer) };
        }
        direct
    }

    fn right_most_untrusted(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for hop in forwarded_hops(headers) {
            // Left of something unreadable anybody may have written anything: the last good hop stands.
            let Some(hop) = hop else { break };
            client = hop;
            if !self.trusts(hop) {
                break;
            }
        }
        client
    }

    /// Whether the address is a declared proxy's.
    #[must_use]
    pub fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.networks.iter().any(|network| network.0.contains(&ip))
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.parse::<IpAddr>().map(|ip| IpNet::from(ip.to_canonical()));
        address.or_else(|_| text.parse()).map(Self).map_err(|_| "write addresses or CIDR blocks such as 10.0.0.0/8")
    }
}

/// IPv4 also when it came mapped into IPv6, as on a listener for both.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The hops of all header lines from right to left; `None` for one that is no address.
fn forwarded_hops(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(',')).map(|hop| parse_hop(hop.trim()))
}

/// An address, also with a port or in brackets as some proxies write it.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|ip| ip.to_canonical())
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let carrier_grade_nat = first == 100 && (64..128).contains(&second);
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || carrier_grade_nat
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn client(trusted: &str, peer: &str, lines: &[&'static str]) -> ClientAddr {
        let mut env = Env::from_pairs([("TRUSTED_PROXIES", trusted)]);
        let proxies = TrustedProxies::read(&mut env);
        env.finish().unwrap();
        let lines = lines.iter().map(|line| (X_FORWARDED_FOR, HeaderValue::from_static(line)));
        proxies.client_addr(SocketAddr::new(peer.parse().unwrap(), 4711), &lines.collect())
    }

    fn ip(trusted: &str, peer: &str, lines: &[&'static str]) -> String {
        let client = client(trusted, peer, lines);
        assert_eq!(client.undeclared_proxy, None);
        client.ip.to_string()
    }

    #[test]
    fn strangers_cannot_choose_their_address() {
        assert_eq!(ip("", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(ip("10.0.0.0/8", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn a_declared_proxy_is_believed_about_the_hop_before_it_only() {
        let trusted = "10.0.0.0/8, 192.0.2.7";
        assert_eq!(ip(trusted, "10.0.0.1", &["6.6.6.6, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(ip(trusted, "10.0.0.1", &["6.6.6.6, 198.51.100.1, 192.0.2.7"]), "198.51.100.1");
        assert_eq!(ip(trusted, "10.0.0.1", &["6.6.6.6", "198.51.100.1", "10.2.2.2"]), "198.51.100.1");
        assert_eq!(ip(trusted, "10.0.0.1", &["10.9.9.9, 10.2.2.2"]), "10.9.9.9");
        assert_eq!(ip(trusted, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn garbage_ends_the_chain_at_the_last_good_hop() {
        assert_eq!(ip("10.0.0.0/8", "10.0.0.1", &["198.51.100.1, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(ip("10.0.0.0/8", "10.0.0.1", &["198.51.100.1,"]), "10.0.0.1");
    }

    #[test]
    fn mapped_bracketed_and_ported_addresses_are_normalised() {
        assert_eq!(ip("10.0.0.0/8", "::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(ip("::1", "::1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(ip("::1", "::1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(ip("::ffff:10.0.0.1", "10.0.0.1", &["[2001:db8::1]"]), "2001:db8::1");
    }

    #[test]
    fn a_private_peer_that_forwards_undeclared_is_noticed() {
        let noticed = client("", "172.18.0.3", &["6.6.6.6, 198.51.100.1"]);
        assert_eq!(noticed.ip.to_string(), "198.51.100.1");
        assert_eq!(noticed.undeclared_proxy, Some("172.18.0.3".parse().unwrap()));
        let garbled = client("", "fd00::3", &["nobody"]);
        assert_eq!(garbled.ip, "fd00::3".parse::<IpAddr>().unwrap());
        assert_eq!(garbled.undeclared_proxy, Some(garbled.ip));
    }

    #[test]
    fn own_connections_are_believed_while_they_last_and_their_neighbours_never() {
        let own = OwnConnections::default();
        let proxies = TrustedProxies::default().with_own(own.clone());
        let headers = HeaderMap::from_iter([(X_FORWARDED_FOR, HeaderValue::from_static("6.6.6.6, 198.51.100.1"))]);
        let believed = |peer: &str| proxies.client_addr(peer.parse().unwrap(), &headers).undeclared_proxy.is_none();
        assert!(!believed("127.0.0.1:5000"));
        let entered = own.enter("127.0.0.1:5000".parse().unwrap());
        assert!(believed("127.0.0.1:5000") && believed("[::ffff:127.0.0.1]:5000"));
        assert!(!believed("127.0.0.1:5001") && !believed("[::1]:5000"));
        let client = proxies.client_addr("127.0.0.1:5000".parse().unwrap(), &headers);
        assert_eq!(client.ip.to_string(), "198.51.100.1");
        drop(entered);
        assert!(!believed("127.0.0.1:5000"));
    }

    #[test]
    fn a_block_that_does_not_parse_is_refused() {
        let mut env = Env::from_pairs([("TRUSTED_PROXIES", "10.0.0.0/33")]);
        TrustedProxies::read(&mut env);
        assert!(env.finish().unwrap_err().0[0].starts_with("TRUSTED_PROXIES: write"));
    }
}
