//! Which web pages may speak to this host.

use std::collections::HashSet;
use std::sync::Arc;

use poem::http::{HeaderMap, Uri, header};

use crate::config::{EdgeConfig, WebOrigin};

/// The origins that the operator named, and the host's own.
#[derive(Debug, Clone)]
pub struct Origins {
    named: Arc<HashSet<String>>,
    own: Option<Arc<str>>,
}

/// What `Origin` says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sender {
    /// Nothing: no page, or one that needs to say nothing.
    Unsaid,
    /// A page of an origin that the operator named.
    Named(String),
    /// A page of this host.
    Own,
    /// Any other page.
    Foreign,
}

impl Origins {
    /// As configured.
    #[must_use]
    pub fn new(config: &EdgeConfig) -> Self {
        let named = config.cors_origins.iter().map(|origin| origin.as_str().to_owned()).collect();
        let own = config.public_origin.as_ref().map(|origin| origin.as_str().into());
        Self { named: Arc::new(named), own }
    }

    /// Whether the answer depends on `Origin` at all.
    pub(super) fn are_named(&self) -> bool {
        !self.named.is_empty()
    }

    /// Who sends this.
    pub(super) fn sender(&self, uri: &Uri, headers: &HeaderMap) -> Sender {
        let mut sent = headers.get_all(header::ORIGIN).iter();
        let origin = match (sent.next(), sent.next()) {
            (None, _) => return Sender::Unsaid,
            (Some(origin), None) => origin.to_str().unwrap_or_default(),
            (Some(_), Some(_)) => return Sender::Foreign,
        };
        if self.named.contains(origin) {
            return Sender::Named(origin.to_owned());
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = uri.authority().map(poem::http::uri::Authority::as_str).or(host);
        let own = self.own.as_deref() == Some(origin) || host.is_some_and(|host| is_at(origin, host));
        if own { Sender::Own } else { Sender::Foreign }
    }
}

/// Whether a page of `origin` was asked for under `host`. TLS may have ended before us, so the scheme says nothing here, but it
/// says which port need not be written.
fn is_at(origin: &str, host: &str) -> bool {
    let Ok(parsed) = origin.parse::<WebOrigin>() else { return false };
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    parsed.as_str() == origin && parsed.authority().eq_ignore_ascii_case(host.strip_suffix(port).unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(host: &str, origins: &[&str]) -> Sender {
        let config = crate::edge::tests::config(|config| {
            config.cors_origins = vec!["https://ops.example.org".parse().unwrap()];
            config.public_origin = Some("https://chm.example.org".parse().unwrap());
        });
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        for origin in origins {
            headers.append(header::ORIGIN, origin.parse().unwrap());
        }
        Origins::new(&config).sender(&Uri::from_static("/x"), &headers)
    }

    #[test]
    fn the_sender_is_what_origin_says_and_nothing_near_it() {
        assert_eq!(sender("h", &[]), Sender::Unsaid);
        assert_eq!(sender("h", &["https://ops.example.org"]), Sender::Named("https://ops.example.org".to_owned()));
        for (host, origin) in [
            ("upstream:3000", "https://chm.example.org"),
            ("localhost:3000", "http://localhost:3000"),
            ("Example.org", "https://example.org"),
            ("example.org:443", "https://example.org"),
            ("example.org:80", "http://example.org"),
        ] {
            assert_eq!(sender(host, &[origin]), Sender::Own, "{origin}");
        }
        for (host, origins) in [
            ("example.org", vec!["null"]),
            ("example.org", vec!["https://evil.example"]),
            ("example.org", vec!["https://ops.example.org.evil.example"]),
            ("example.org", vec!["https://ops.example.org:444"]),
            ("example.org", vec!["http://ops.example.org"]),
            ("example.org:8080", vec!["https://example.org"]),
            ("example.org:80", vec!["https://example.org"]),
            ("example.org", vec!["https://example.org/"]),
            ("example.org", vec!["example.org"]),
            ("example.org", vec!["https://example.org", "https://ops.example.org"]),
        ] {
            assert_eq!(sender(host, &origins), Sender::Foreign, "{origins:?}");
        }
    }
}
