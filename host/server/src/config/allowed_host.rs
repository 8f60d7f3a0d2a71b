//! A name under which the host may be asked for.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// A `Host` that is answered: a name or an address, and a port when only that one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    name: String,
    port: Option<u16>,
}

/// The text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host name or address, and a port if only that one counts, for example chm.example.org or [::1]:3000")]
pub struct NoHost;

impl AllowedHost {
    /// An address, at any port.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        let name = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        Self { name, port: None }
    }

    /// Whether a request for `asked` is meant. An entry without a port is for every port.
    #[must_use]
    pub fn admits(&self, asked: &Self) -> bool {
        self.name == asked.name && (self.port.is_none() || self.port == asked.port)
    }
}

impl FromStr for AllowedHost {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let (name, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']').ok_or(NoHost)?;
            let address: Ipv6Addr = address.parse().map_err(|_| NoHost)?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(NoHost)?) };
            (format!("[{address}]"), port)
        } else {
            let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
            (is_name(name).then(|| name.to_ascii_lowercase()).ok_or(NoHost)?, port)
        };
        // `u16` also reads `+80`.
        let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let port = match port {
            Some(port) if digits(port) => Some(port.parse().map_err(|_| NoHost)?),
            Some(_) => return Err(NoHost),
            None => None,
        };
        Ok(Self { name, port })
    }
}

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(label)
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedHost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_admits_its_name_and_its_port() {
        let admits = |entry: &str, asked: &str| {
            entry.parse::<AllowedHost>().unwrap().admits(&asked.parse::<AllowedHost>().unwrap())
        };
        for (entry, asked) in [
            ("chm.example.org", "CHM.example.org"),
            ("chm.example.org", "chm.example.org:8443"),
            ("localhost:3000", "localhost:3000"),
            ("[::1]", "[0:0:0:0:0:0:0:1]:3000"),
            ("127.0.0.1", "127.0.0.1:9"),
        ] {
            assert!(admits(entry, asked), "{entry} {asked}");
        }
        for (entry, asked) in [
            ("chm.example.org", "example.org"),
            ("chm.example.org", "chm.example.org.evil.example"),
            ("chm.example.org", "xchm.example.org"),
            ("localhost:3000", "localhost"),
            ("localhost:3000", "localhost:3001"),
            ("127.0.0.1", "127.1"),
        ] {
            assert!(!admits(entry, asked), "{entry} {asked}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "", "a b", "a/b", "u@h", "h:", "h:x", "h:+80", "h:99999", "::1", "[::1", "[::1]x", "[h]", "a..b", "h.",
            "*", "ä",
        ] {
            assert_eq!(text.parse::<AllowedHost>(), Err(NoHost), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_back_as_itself(text in "[a-zA-Z0-9.:_\\[\\]-]{0,24}") {
            if let Ok(host) = text.parse::<AllowedHost>() {
                prop_assert_eq!(host.to_string().parse::<AllowedHost>(), Ok(host.clone()));
                prop_assert!(host.admits(&host));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(text in ".{0,40}") {
            let _ = text.parse::<AllowedHost>();
        }
    }
}
