//! The version of `chm:plugin` that a plugin was written for.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A minor version of the plugin interface `chm:plugin`, written `major.minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// Before the dot.
    pub major: u16,
    /// After the dot. While `major` is 0, each minor may break the one before it.
    pub minor: u16,
}

/// The text is not `major.minor`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an interface version; expected `major.minor`, for example `{current}`", current = ApiVersion::CURRENT)]
pub struct ApiVersionError(String);

impl ApiVersion {
    /// The version in this repository's `wit/` folder.
    pub const CURRENT: Self = Self { major: 0, minor: 1 };
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = ApiVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `u16::from_str` takes a leading `+`; a version has digits only, and no leading zero.
        let number = |part: &str| {
            let plain = part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
            if plain { part.parse().ok() } else { None }
        };
        text.split_once('.')
            .and_then(|(major, minor)| Some(Self { major: number(major)?, minor: number(minor)? }))
            .ok_or_else(|| ApiVersionError(text.to_owned()))
    }
}

impl Serialize for ApiVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_major_dot_minor_is_an_interface_version() {
        assert_eq!("0.1".parse(), Ok(ApiVersion::CURRENT));
        assert_eq!("12.30".parse(), Ok(ApiVersion { major: 12, minor: 30 }));
        for bad in ["", "0", "0.", ".1", "0.1.0", "v0.1", "+0.1", "0.01", "00.1", "0.-1", "0.70000", " 0.1"] {
            assert!(bad.parse::<ApiVersion>().is_err(), "{bad:?}");
        }
    }
}
