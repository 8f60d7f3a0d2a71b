//! Who may use a feature, as an operator writes it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::roles::RoleName;

/// Who may use a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Everybody, as far as the posture lets callers without credentials in.
    Public,
    /// Whoever is authenticated.
    Authenticated,
    /// Whoever has one of these roles; never empty.
    Roles(BTreeSet<RoleName>),
}

/// The text names no access.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no access: expected `public` (or `guest`), `authenticated`, or `role:<name>[,<name>…]`", .0.escape_debug())]
pub struct UnknownAccess(pub String);

impl FromStr for Access {
    type Err = UnknownAccess;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownAccess(text.to_owned());
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "public" | "guest" => return Ok(Self::Public),
            "authenticated" => return Ok(Self::Authenticated),
            _ => {}
        }
        // `role:a,role:b` is as plain as `role:a,b`.
        let names = text.get(..5).filter(|prefix| prefix.eq_ignore_ascii_case("role:")).and_then(|_| text.get(5..));
        names
            .ok_or_else(unknown)?
            .split(',')
            .map(|name| name.trim().strip_prefix("role:").unwrap_or(name).parse().map_err(|_| unknown()))
            .collect::<Result<_, _>>()
            .map(Self::Roles)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.pad("public"),
            Self::Authenticated => f.pad("authenticated"),
            Self::Roles(roles) => {
                let names: Vec<&str> = roles.iter().map(RoleName::as_str).collect();
                write!(f, "role:{}", names.join(","))
            }
        }
    }
}

impl Serialize for Access {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Access {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_words_are_read_without_case_and_nothing_else_passes() {
        for (text, access) in
            [("public", Access::Public), (" Guest ", Access::Public), ("AUTHENTICATED", Access::Authenticated)]
        {
            assert_eq!(text.parse(), Ok(access));
        }
        for (text, shown) in [("role:sre", "role:sre"), (" ROLE:b, a ", "role:a,b"), ("role:a,role:b", "role:a,b")] {
            assert_eq!(text.parse::<Access>().unwrap().to_string(), shown);
        }
        for text in ["", "auth", "role:", "role:,", "role:a,,b", "role", "roles:a", "private", "true", "röle:a"] {
            assert!(text.parse::<Access>().is_err(), "{text}");
        }
    }
}
