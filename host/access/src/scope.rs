//! What a key or token may do at most.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::feature::{FeatureId, PluginId, UnknownFeature};
use crate::permission::{Operation, Permission};

/// One scope: `<feature>:read`, `<feature>:write`, `*:read` or `*:write`. Whoever may write may read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The feature; absent: all of them, those of plugins included.
    feature: Option<FeatureId>,
    operation: Operation,
}

/// The text is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownScope {
    /// Not of the form.
    #[error("`{}` is no scope: expected `<feature>:read`, `<feature>:write`, `*:read` or `*:write`", .0.escape_debug())]
    Form(String),
    /// No such feature.
    #[error("the scope `{}` names an {unknown}", .given.escape_debug())]
    Feature {
        /// The scope as given.
        given: String,
        /// What it names.
        unknown: UnknownFeature,
    },
}

impl Scope {
    /// Reads a scope that a person wrote; its feature must exist: the host's own, or of one of `plugins`.
    ///
    /// # Errors
    /// Says what a scope looks like, or which features are near.
    pub fn resolve<'a>(text: &str, plugins: impl IntoIterator<Item = &'a PluginId>) -> Result<Self, UnknownScope> {
        Self::read(text, |feature| FeatureId::resolve(feature, plugins))
    }

    fn read(text: &str, feature: impl FnOnce(&str) -> Result<FeatureId, UnknownFeature>) -> Result<Self, UnknownScope> {
        let form = || UnknownScope::Form(text.to_owned());
        let (name, operation) = text.trim().split_once(':').ok_or_else(form)?;
        let operation = match operation {
            "read" => Operation::Read,
            "write" => Operation::Write,
            _ => return Err(form()),
        };
        if name == "*" {
            return Ok(Self { feature: None, operation });
        }
        let feature = feature(name).map_err(|unknown| UnknownScope::Feature { given: text.to_owned(), unknown })?;
        Ok(Self { feature: Some(feature), operation })
    }

    fn covers(&self, permission: &Permission) -> bool {
        let feature = self.feature.as_ref().is_none_or(|feature| *feature == permission.feature);
        feature && (self.operation == Operation::Write || permission.operation == Operation::Read)
    }
}

/// Reads back what `Display` wrote, without knowing which plugins exist.
impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text, str::parse)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.feature.as_ref().map_or("*", FeatureId::as_str), self.operation)
    }
}

/// A set of scopes. The empty set allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self(Operation::ALL.iter().map(|&operation| Scope { feature: None, operation }).collect())
    }

    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the scopes of a signed token. The contract's four names mean what they say (they are not ours to hand out); a name
    /// that means nothing here allows nothing.
    #[must_use]
    pub fn of_token<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let read = |name: &str| {
            let ours = match name {
                "read:metrics" => "metrics:read",
                "read:insights" => "insights:read",
                "agent:run" => "agent:write",
                "mcp:access" => "mcp:write",
                other => other,
            };
            ours.parse().ok()
        };
        Self(names.into_iter().filter_map(read).collect())
    }

    /// Whether one of them covers this.
    #[must_use]
    pub fn allow(&self, permission: &Permission) -> bool {
        self.0.iter().any(|scope| scope.covers(permission))
    }

    /// As text, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

/// For scopes that people wrote into a configuration.
impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().map(|name| name.parse().map_err(serde::de::Error::custom)).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feature::Feature;

    fn scopes(names: &[&str]) -> Scopes {
        names.iter().map(|name| Scope::resolve(name, []).unwrap()).collect()
    }

    #[test]
    fn a_scope_covers_its_feature_and_no_other() {
        let (read, write) = (Permission::read(Feature::Tables), Permission::write(Feature::Tables));
        let other = Permission::read(Feature::Agent);
        for (names, reads, writes, others) in [
            (&["tables:read"][..], true, false, false),
            (&["tables:write"], true, true, false),
            (&["*:read"], true, false, true),
            (&["*:write"], true, true, true),
            (&["agent:write"], false, false, true),
            (&[], false, false, false),
        ] {
            let scopes = scopes(names);
            assert_eq!(
                (scopes.allow(&read), scopes.allow(&write), scopes.allow(&other)),
                (reads, writes, others),
                "{names:?}"
            );
        }
        assert_eq!(Scopes::all(), scopes(&["*:read", "*:write"]));
    }

    #[test]
    fn an_unknown_scope_is_an_error_and_never_all_of_them() {
        for text in ["", "tables", "tables:", ":read", "tables:delete", "*", "*:*", "read:tables", "tables:read:write"]
        {
            assert!(Scope::resolve(text, []).is_err(), "{text:?}");
        }
        let error = Scope::resolve("tabels:read", []).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the scope `tabels:read` names an unknown feature `tabels`; did you mean tables?"
        );
    }

    #[test]
    fn the_contracts_names_are_understood_in_tokens_only() {
        let found = Scopes::of_token(["read:metrics", "read:insights", "agent:run", "mcp:access", "nonsense"]);
        assert_eq!(found, scopes(&["metrics:read", "insights:read", "agent:write", "mcp:write"]));
        assert_eq!(Scopes::of_token(["nonsense"]), Scopes::none());
        assert!(Scope::resolve("agent:run", []).is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(feature in proptest::sample::select(Feature::ALL), write in any::<bool>()) {
            let text = format!("{feature}:{}", if write { "write" } else { "read" });
            let scope = Scope::resolve(&text, []).unwrap();
            prop_assert_eq!(scope.to_string(), text.clone());
            prop_assert_eq!(Scopes::of_token([text.as_str()]), Scopes::from_iter([scope]));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,60}") {
            let _ = Scope::resolve(&text, []);
            let _ = text.parse::<Scope>();
        }
    }
}
