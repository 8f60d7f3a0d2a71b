//! Where a request comes from, as far as it can be known.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use poem::http::HeaderMap;
use poem::{Addr, Endpoint, IntoResponse, Middleware, Request, Response, Result};

use crate::config::{EdgeConfig, ForwardedHeader, Network};

/// More hops than anybody has; what is before them is not read.
const MOST_HOPS: usize = 32;

/// The client's address: the peer's, or what trusted proxies say. In the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// That of a request; unspecified where the middleware was not there, so that all such requests count as one client.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let unknown = Self(IpAddr::from([0, 0, 0, 0]));
        request.extensions().get::<Self>().copied().unwrap_or(unknown)
    }

    /// What counts as one client: the address, or the /64 of an IPv6 address, of which everybody has a whole one.
    #[must_use]
    pub fn network(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
            v4 => v4,
        }
    }
}

/// The proxies that are believed.
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    networks: Arc<[Network]>,
    header: ForwardedHeader,
}

impl TrustedProxies {
    /// As configured.
    #[must_use]
    pub fn new(config: &EdgeConfig) -> Self {
        Self { networks: config.trusted_proxies.clone().into(), header: config.forwarded_header }
    }

    /// Whether an address is a proxy's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The right-most address of the header that is no trusted proxy's, if the peer is one; else the peer. Each proxy appends the
    /// address that it saw, so what is left of the first stranger is that stranger's word.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut nearest = peer.to_canonical();
        if !self.contains(nearest) {
            return ClientAddress(nearest);
        }
        let name = match self.header {
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
            ForwardedHeader::Forwarded => "forwarded",
        };
        let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(MOST_HOPS) {
            let address = match self.header {
                ForwardedHeader::XForwardedFor => node(hop.trim()),
                ForwardedHeader::Forwarded => forwarded_for(hop),
            };
            // Something that is no address ends what can be known: it came by way of the proxy before.
            let Some(address) = address else { break };
            nearest = address;
            if !self.contains(nearest) {
                break;
            }
        }
        ClientAddress(nearest)
    }
}

/// `for=` of one element of `Forwarded` (RFC 7239 §4). Quoted strings with commas or semicolons in them are none of the forms that
/// an address has.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut values = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let (value, None) = (values.next()?, values.next()) else { return None };
    node(value.strip_prefix('"').map_or(Some(value), |rest| rest.strip_suffix('"'))?)
}

/// An address, with or without a port; IPv6 with or without brackets.
fn node(text: &str) -> Option<IpAddr> {
    let bare = || IpAddr::from_str(text).ok();
    let with_port = || SocketAddr::from_str(text).ok().map(|address| address.ip());
    let bracketed = || IpAddr::from_str(text.strip_prefix('[')?.strip_suffix(']')?).ok().filter(IpAddr::is_ipv6);
    bare().or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

/// Middleware: puts the [`ClientAddress`] into each request.
#[derive(Debug, Clone)]
pub struct FindClientAddress(pub TrustedProxies);

impl<E: Endpoint> Middleware<E> for FindClientAddress {
    type Output = FindClientAddressEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        FindClientAddressEndpoint { inner, proxies: self.0.clone() }
    }
}

/// What [`FindClientAddress`] makes of an endpoint.
#[derive(Debug)]
pub struct FindClientAddressEndpoint<E> {
    inner: E,
    proxies: TrustedProxies,
}

impl<E: Endpoint> Endpoint for FindClientAddressEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        if let Addr::SocketAddr(peer) = &**request.remote_addr() {
            let client = self.proxies.client(peer.ip(), request.headers());
            request.extensions_mut().insert(client);
        }
        self.inner.call(request).await.map(IntoResponse::into_response)
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn proxies(header: ForwardedHeader) -> TrustedProxies {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        TrustedProxies { networks: networks.into(), header }
    }

    fn headers(name: &'static str, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn the_client_is_the_first_stranger_from_the_right() {
        let proxies = proxies(ForwardedHeader::XForwardedFor);
        for (peer, lines, client) in [
            ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["1.1.1.1, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", vec!["1.1.1.1", "198.51.100.7", "10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", vec!["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", vec!["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", vec!["[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec![""], "10.0.0.1"),
            ("10.0.0.1", vec!["unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.7, what?, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("fd00::1", vec!["198.51.100.7"], "198.51.100.7"),
        ] {
            let found = proxies.client(peer.parse().unwrap(), &headers("x-forwarded-for", &lines));
            assert_eq!(found, ClientAddress(client.parse().unwrap()), "{peer} {lines:?}");
        }
        let other = proxies.client("10.0.0.1".parse().unwrap(), &headers("forwarded", &["for=198.51.100.7"]));
        assert_eq!(other, ClientAddress("10.0.0.1".parse().unwrap()), "the header that is not configured says nothing");
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_says() {
        let proxies = proxies(ForwardedHeader::Forwarded);
        for (lines, client) in [
            (vec!["for=198.51.100.7"], "198.51.100.7"),
            (vec!["For=\"[2001:db8::7]:4711\";proto=https"], "2001:db8::7"),
            (vec!["proto=https; for = 198.51.100.7 ;by=10.0.0.9"], "198.51.100.7"),
            (vec!["for=1.1.1.1, for=198.51.100.7, for=10.0.0.2"], "198.51.100.7"),
            (vec!["for=_hidden"], "10.0.0.1"),
            (vec!["for=198.51.100.7;for=1.1.1.1"], "10.0.0.1"),
            (vec!["for=\"198.51.100.7"], "10.0.0.1"),
            (vec!["198.51.100.7"], "10.0.0.1"),
        ] {
            let found = proxies.client("10.0.0.1".parse().unwrap(), &headers("forwarded", &lines));
            assert_eq!(found, ClientAddress(client.parse().unwrap()), "{lines:?}");
        }
    }

    #[test]
    fn a_network_is_one_client() {
        for (address, network) in [
            ("198.51.100.7", "198.51.100.7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            assert_eq!(ClientAddress(address.parse().unwrap()).network(), network.parse::<IpAddr>().unwrap());
        }
    }

    proptest! {
        #[test]
        fn a_stranger_is_who_it_is_whatever_it_says(lines in proptest::collection::vec("[ -~]{0,60}", 0..4)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            for (header, name) in
                [(ForwardedHeader::XForwardedFor, "x-forwarded-for"), (ForwardedHeader::Forwarded, "forwarded")]
            {
                let found = proxies(header).client("192.0.2.1".parse().unwrap(), &headers(name, &lines));
                prop_assert_eq!(found, ClientAddress("192.0.2.1".parse().unwrap()));
                let _ = proxies(header).client("10.0.0.1".parse().unwrap(), &headers(name, &lines));
            }
        }

        #[test]
        fn what_a_client_writes_itself_never_counts(forged in "[0-9a-f:., \\[\\]\"=;]{0,60}", real in any::<u32>()) {
            let real = IpAddr::from(real.to_be_bytes());
            prop_assume!(!proxies(ForwardedHeader::XForwardedFor).contains(real));
            let lines = [forged.as_str(), &real.to_string()];
            let found = proxies(ForwardedHeader::XForwardedFor)
                .client("10.0.0.1".parse().unwrap(), &headers("x-forwarded-for", &lines));
            prop_assert_eq!(found, ClientAddress(real));
        }
    }
}
