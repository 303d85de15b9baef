//! How near to us is a network address? The nearer, the more a stranger could gain by making us ask there.
//!
//! Deliberately elsewhere: who may send us where (`transport`), name resolution (`transport_ureq`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ordered from far to near. A server may point us at addresses that are no nearer than itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nearness {
    Public,
    /// The local network: RFC 1918, RFC 6598, RFC 4193.
    Private,
    /// One link; clouds keep their metadata services here.
    Link,
    /// This machine, or no certain one.
    Machine,
}

impl Nearness {
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => of_v4(ip),
            IpAddr::V6(ip) => of_v6(ip),
        }
    }
}

fn of_v4(ip: Ipv4Addr) -> Nearness {
    let [first, second, ..] = ip.octets();
    if ip.is_loopback() || first == 0 || ip.is_broadcast() || ip.is_multicast() {
        Nearness::Machine
    } else if ip.is_link_local() {
        Nearness::Link
    } else if ip.is_private() || (first == 100 && (64..128).contains(&second)) {
        Nearness::Private
    } else {
        Nearness::Public
    }
}

fn of_v6(ip: Ipv6Addr) -> Nearness {
    // NAT64 leads to the IPv4 address in its last 32 bits.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = ip.segments() {
        return of_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    }
    if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
        Nearness::Machine
    } else if ip.is_unicast_link_local() {
        Nearness::Link
    } else if ip.is_unique_local() {
        Nearness::Private
    } else {
        Nearness::Public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_has_its_nearness() {
        for (ip, nearness) in [
            ("1.1.1.1", Nearness::Public),
            ("2606:4700::1111", Nearness::Public),
            ("10.1.2.3", Nearness::Private),
            ("172.31.0.1", Nearness::Private),
            ("100.100.100.200", Nearness::Private),
            ("fd00::1", Nearness::Private),
            ("169.254.169.254", Nearness::Link),
            ("fe80::1", Nearness::Link),
            ("::ffff:169.254.169.254", Nearness::Link),
            ("64:ff9b::a9fe:a9fe", Nearness::Link),
            ("127.0.0.1", Nearness::Machine),
            ("0.0.0.0", Nearness::Machine),
            ("::1", Nearness::Machine),
            ("::ffff:127.0.0.1", Nearness::Machine),
        ] {
            assert_eq!(Nearness::of(ip.parse().unwrap()), nearness, "{ip}");
        }
    }
}
