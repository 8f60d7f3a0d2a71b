//! How far away an address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Who may be on the way to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// This machine.
    Loopback,
    /// A network of one's own.
    Private,
    /// A name, which says nothing certain.
    Unknown,
    /// Anybody.
    Public,
}

/// Endings of names that the public DNS does not have.
const PRIVATE_ENDINGS: &[&str] = &["internal", "local", "lan", "svc", "cluster", "home.arpa", "test", "localdomain"];

impl Place {
    /// Of an address that is listened on: all addresses are public ones, too.
    pub fn of_listener(address: IpAddr) -> Self {
        if address.is_unspecified() { Self::Public } else { Self::of(address) }
    }

    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            address if address.is_loopback() => Self::Loopback,
            IpAddr::V4(v4) if is_private_v4(v4) => Self::Private,
            IpAddr::V6(v6) if v6.is_unique_local() || v6.is_unicast_link_local() => Self::Private,
            _ => Self::Public,
        }
    }

    pub fn of_url(url: &Url) -> Self {
        let host =
            url.host_str().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        if let Ok(address) = host.parse::<IpAddr>() {
            return Self::of(address);
        }
        let ends =
            |ending: &&str| host.strip_suffix(*ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if ends(&"localhost") {
            Self::Loopback
        } else if !host.contains('.') || PRIVATE_ENDINGS.iter().any(ends) {
            Self::Private
        } else {
            Self::Unknown
        }
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    // 100.64.0.0/10 is shared by the customers of a provider, and used inside by clouds and overlay networks.
    let [first, second, ..] = address.octets();
    address.is_private() || address.is_link_local() || (first == 100 && (64..128).contains(&second))
}

/// The narrowest check that a network covers the whole Internet.
pub(super) fn is_everybody(contains: impl Fn(IpAddr) -> bool) -> bool {
    let v4 = [Ipv4Addr::new(8, 8, 8, 8), Ipv4Addr::new(203, 0, 113, 9)].map(IpAddr::V4);
    let v6 = ["2001:4860::8888", "2a00::1"]
        .map(|text| text.parse::<Ipv6Addr>().unwrap_or(Ipv6Addr::LOCALHOST))
        .map(IpAddr::V6);
    v4.into_iter().all(&contains) || v6.into_iter().all(&contains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sorted_by_who_may_be_on_the_way() {
        for (url, place) in [
            ("http://127.0.0.1:8123", Place::Loopback),
            ("http://[::1]:8123", Place::Loopback),
            ("http://localhost:8123", Place::Loopback),
            ("http://10.1.2.3:8123", Place::Private),
            ("http://100.100.0.1", Place::Private),
            ("http://[fd00::1]", Place::Private),
            ("http://[::ffff:192.168.0.1]", Place::Private),
            ("http://clickhouse:8123", Place::Private),
            ("http://ch.db.svc.cluster.local.:8123", Place::Private),
            ("http://ch.example.org", Place::Unknown),
            ("http://notlocal", Place::Private),
            ("http://x.notlocal", Place::Unknown),
            ("http://8.8.8.8", Place::Public),
            ("http://100.128.0.1", Place::Public),
        ] {
            assert_eq!(Place::of_url(&url.parse().unwrap()), place, "{url}");
        }
        assert_eq!(Place::of_listener("0.0.0.0".parse().unwrap()), Place::Public);
        assert_eq!(Place::of_listener("::".parse().unwrap()), Place::Public);
    }
}
