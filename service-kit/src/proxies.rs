//! The client's address: only declared proxies are believed, and only about the hop before them.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::Env;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The socket's other end; in the extensions of every request that `serve` accepted.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddr(pub SocketAddr);

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
pub struct TrustedProxies(Vec<Network>);

/// One CIDR block; a bare address is a block of one.
#[derive(Clone, Copy, Debug)]
struct Network(IpNet);

impl TrustedProxies {
    /// Reads `TRUSTED_PROXIES`.
    pub fn read(env: &mut Env) -> Self {
        let help = "Proxies whose X-Forwarded-For is believed: addresses or CIDR blocks, separated by commas.";
        Self(env.list("TRUSTED_PROXIES", help))
    }

    /// The client behind `peer`. `X-Forwarded-Host` and `X-Forwarded-Proto` are never read, here or elsewhere.
    #[must_use]
    pub fn client_addr(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddr {
        let peer = peer.to_canonical();
        let direct = ClientAddr { ip: peer, undeclared_proxy: None };
        if !headers.contains_key(X_FORWARDED_FOR) {
            return direct;
        }
        if self.trusts(peer) {
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

    fn trusts(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.0.contains(&ip))
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.parse::<IpAddr>().map(|ip| IpNet::from(ip.to_canonical()));
        address.or_else(|_| text.parse()).map(Self).map_err(|_| "write addresses or CIDR blocks such as 10.0.0.0/8")
    }
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
        proxies.client_addr(peer.parse().unwrap(), &lines.collect())
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
    fn a_block_that_does_not_parse_is_refused() {
        let mut env = Env::from_pairs([("TRUSTED_PROXIES", "10.0.0.0/33")]);
        TrustedProxies::read(&mut env);
        assert!(env.finish().unwrap_err().0[0].starts_with("TRUSTED_PROXIES: write"));
    }
}
