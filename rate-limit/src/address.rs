//! Whom an address stands for when requests are counted.

use std::net::{IpAddr, Ipv6Addr};

use service_kit::proxies::ClientAddr;

use crate::quota::Quota;

/// How much more than one address an undeclared proxy may send: it stands for many people.
const PROXY_FACTOR: u32 = 20;

/// Whom a request of this client counts for, each with its quota: what an undeclared proxy claims can be made up, so the
/// proxy is held to a quota of its own.
pub fn address_subjects(quota: Quota, client: ClientAddr) -> impl Iterator<Item = (Quota, String)> {
    let of_proxy = |proxy| (quota.times(PROXY_FACTOR), format!("proxy:{}", address_subject(proxy)));
    client.undeclared_proxy.map(of_proxy).into_iter().chain([(quota, address_subject(client.ip))])
}

/// The subject of a per-address limit: an IPv4 address (also one written as IPv6), or the /64 of an IPv6 address,
/// for one customer commands all of it and could otherwise send each request from a new one.
pub fn address_subject(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            format!("{}/64", Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> String {
        address_subject(text.parse().unwrap())
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_subject() {
        assert_eq!(subject("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff::"));
        assert_ne!(subject("2001:db8:1:2::1"), subject("2001:db8:1:3::1"));
    }

    #[test]
    fn an_ipv4_address_written_as_ipv6_is_the_ipv4_address() {
        assert_eq!(subject("::ffff:203.0.113.7"), "203.0.113.7");
        assert_ne!(subject("::ffff:203.0.113.7"), subject("::ffff:203.0.113.8"));
    }
}
