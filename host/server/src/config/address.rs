//! Addresses that may carry credentials.

use std::fmt;

use chm_access::HIDDEN;
use reqwest::Url;
use serde::{Deserialize, Deserializer};

/// An `http` or `https` address. What is shown of it has neither user-info nor query.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeUrl(Url);

/// An `http` or `https` address that is a secret itself, as those of chat webhooks are: only its origin is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

/// Reads an `http` or `https` address with a host.
pub(super) fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

impl SafeUrl {
    /// Wraps an address.
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The whole address.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl SecretUrl {
    /// The whole address.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

/// What may be shown of an address that is a secret.
pub(super) fn secret_form(text: &str) -> String {
    parse(text).map_or_else(|| HIDDEN.to_owned(), |url| SecretUrl(url).to_string())
}

/// Scheme, host and port.
fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.0.path() == "/" { "" } else { self.0.path() };
        write!(f, "{}{path}", origin(&self.0))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = self.0.path() == "/" && self.0.query().is_none();
        write!(f, "{}{}", origin(&self.0), if bare { String::new() } else { format!("/{HIDDEN}") })
    }
}

macro_rules! debug_as_display_and_read {
    ($($kind:ident)*) => {$(
        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                parse(&text).map(Self).ok_or_else(|| serde::de::Error::custom("expected an http or https address"))
            }
        }
    )*};
}

debug_as_display_and_read!(SafeUrl SecretUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_form_shows_credentials() {
        for (text, safe, secret) in [
            ("http://ann:pw@h:8123/x?password=q", "http://h:8123/x", "http://h:8123/<hidden>"),
            ("https://h", "https://h", "https://h"),
            ("https://h/?token=q", "https://h", "https://h/<hidden>"),
            ("http://[::1]:9/", "http://[::1]:9", "http://[::1]:9"),
        ] {
            let url = parse(text).unwrap();
            assert_eq!(format!("{:?}", SafeUrl(url.clone())), safe);
            assert_eq!(format!("{:?}", SecretUrl(url)), secret);
        }
    }

    #[test]
    fn only_http_addresses_with_a_host_pass() {
        for text in ["", "h:8123", "tcp://h:9000", "file:///etc/passwd", "http://", "//h", "localhost"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
