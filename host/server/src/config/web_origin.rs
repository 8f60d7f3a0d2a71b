//! A web origin, as browsers send it in `Origin`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::address;

/// Scheme, host and port of a web page: `https://ops.example.org`, without the port where it is the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebOrigin(String);

/// The text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an origin: scheme, host and port only, for example https://ops.example.org (`*` is none)")]
pub struct NoOrigin;

impl WebOrigin {
    /// As browsers send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port as they stand in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }
}

impl FromStr for WebOrigin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let url = address::parse(text).ok_or(NoOrigin)?;
        let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        if !bare || url.query().is_some() || url.fragment().is_some() || text.contains('*') {
            return Err(NoOrigin);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for WebOrigin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for (text, origin) in [
            ("https://Ops.Example.org", "https://ops.example.org"),
            ("https://ops.example.org/", "https://ops.example.org"),
            ("https://ops.example.org:443", "https://ops.example.org"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(text.parse::<WebOrigin>().map(|origin| origin.0), Ok(origin.to_owned()), "{text}");
        }
        for text in
            ["*", "null", "https://*.example.org", "ops.example.org", "https://h/x", "https://h?x", "https://u@h"]
        {
            assert_eq!(text.parse::<WebOrigin>(), Err(NoOrigin), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_back_as_itself(text in "(https?://)?[a-zA-Z0-9.:@/?#*\\[\\]-]{0,30}") {
            if let Ok(origin) = text.parse::<WebOrigin>() {
                prop_assert_eq!(origin.as_str().parse::<WebOrigin>(), Ok(origin.clone()));
                prop_assert!(!origin.authority().is_empty() && !origin.authority().contains('/'));
            }
        }
    }
}
