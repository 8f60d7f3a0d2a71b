//! Lists of people and roles.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::caller::Caller;
use crate::roles::{RoleName, has_role};

/// Who is meant: `role:<name>`, or a subject as its provider (or key) states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// Whoever has the role.
    Role(RoleName),
    /// One subject.
    Subject(String),
}

/// The text names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` names nobody: expected `role:<name>`, or a subject such as `ann@example.org`", .0.escape_debug())]
pub struct UnknownMember(pub String);

impl FromStr for Member {
    type Err = UnknownMember;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let unknown = || UnknownMember(text.to_owned());
        match text.strip_prefix("role:") {
            Some(role) => role.parse().map(Self::Role).map_err(|_| unknown()),
            None if text.is_empty() => Err(unknown()),
            None => Ok(Self::Subject(text.to_owned())),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Subject(subject) => f.write_str(subject),
        }
    }
}

/// A list of members. Nobody without credentials is ever on one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(BTreeSet<Member>);

impl AllowList {
    /// Whether nobody is on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the caller is on it: by subject (exactly), or by a role (in any case).
    #[must_use]
    pub fn names(&self, caller: &Caller) -> bool {
        self.0.iter().any(|member| match member {
            Member::Role(role) => has_role(caller.roles(), role),
            Member::Subject(subject) => caller.subject() == Some(subject),
        })
    }

    /// The members, as text.
    #[must_use]
    pub fn members(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl FromIterator<Member> for AllowList {
    fn from_iter<T: IntoIterator<Item = Member>>(members: T) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for AllowList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect::<Result<_, _>>().map(Self)
    }
}

/// Who runs this host: may mint and revoke keys, and read the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Operators(AllowList);

impl Operators {
    /// From a list.
    #[must_use]
    pub fn new(list: AllowList) -> Self {
        Self(list)
    }

    /// Whether the caller brought the admin secret, or signed in as somebody on the list. A key never makes an operator: with
    /// the right subject it could mint keys that may do more than itself.
    #[must_use]
    pub fn include(&self, caller: &Caller) -> bool {
        caller.is_admin() || (caller.principal().is_some() && self.0.names(caller))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::tests::key_of;
    use crate::posture::Posture;
    use crate::principal::Principal;

    fn list(texts: &[&str]) -> AllowList {
        texts.iter().map(|text| text.parse::<Member>().unwrap()).collect()
    }

    fn ann() -> Caller {
        let mut ann = Principal::new("ann").unwrap();
        ann.roles = vec!["SRE".into()];
        Caller::signed_in(ann, "trusted")
    }

    #[test]
    fn subjects_are_exact_and_roles_are_not() {
        for (texts, on_it) in [
            (&["ann"][..], true),
            (&["Ann"], false),
            (&["role:sre"], true),
            (&["role:ann"], false),
            (&["bob", "role:ops"], false),
            (&[], false),
        ] {
            assert_eq!(list(texts).names(&ann()), on_it, "{texts:?}");
        }
    }

    #[test]
    fn nobody_without_credentials_is_on_a_list() {
        for posture in Posture::ALL {
            assert!(!list(&["ann", "role:sre", "anonymous"]).names(&posture.without_credentials()));
        }
    }

    #[test]
    fn a_key_never_makes_an_operator() {
        let operators = Operators::new(list(&["ann", "role:sre"]));
        assert!(operators.include(&ann()));
        assert!(operators.include(&Caller::admin()));
        let key = Caller::with_key(key_of(r#"{"sub":"ann","exp":10,"roles":["sre"]}"#));
        assert!(!operators.include(&key));
        assert!(list(&["ann"]).names(&key), "but it is on a list of hosts");
        assert!(!Operators::default().include(&ann()));
    }

    #[test]
    fn blank_members_are_errors() {
        for text in ["", " ", "role:", "role: "] {
            assert!(text.parse::<Member>().is_err(), "{text:?}");
        }
        assert_eq!(" role:sre ".parse::<Member>().unwrap().to_string(), "role:sre");
    }
}
