//! The permission matrix and its one decision.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::caller::Caller;
use crate::feature::{Feature, FeatureId};
use crate::permission::{Operation, Permission};
use crate::posture::Posture;

/// Who may use a feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Access {
    /// Everybody, as far as the posture lets callers without credentials in.
    Public,
    /// Whoever is authenticated.
    Authenticated,
}

/// The text names no access.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no access: expected `public` (or `guest`) or `authenticated`", .0.escape_debug())]
pub struct UnknownAccess(pub String);

impl FromStr for Access {
    type Err = UnknownAccess;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "public" | "guest" => Ok(Self::Public),
            "authenticated" => Ok(Self::Authenticated),
            _ => Err(UnknownAccess(text.to_owned())),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Public => "public",
            Self::Authenticated => "authenticated",
        })
    }
}

impl<'de> Deserialize<'de> for Access {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The rule of one feature, in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureRule {
    /// Whether it is there at all.
    pub enabled: bool,
    /// Who may use it.
    pub access: Access,
}

/// What the operator said about a feature; what is absent stays as it is by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureOverride {
    /// Whether it is there at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
}

/// The rules of all features. Whatever the operator left alone has the default of the contract, §4.2: enabled and public, but
/// `agent`, `actions` and every plugin's own feature need authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    overrides: BTreeMap<FeatureId, FeatureOverride>,
}

/// Proof that [`Matrix::decide`] said yes. Nothing else makes one; what needs a decision takes one of these.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Allowed {
    permission: Permission,
}

impl Allowed {
    /// What was allowed.
    pub fn permission(&self) -> &Permission {
        &self.permission
    }
}

/// Why the answer is no; the texts and codes are those the client sees (contract §4.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The feature is off.
    #[error("Feature \"{0}\" is disabled.")]
    Disabled(FeatureId),
    /// The caller did not sign in, and would have to.
    #[error("Feature \"{0}\" requires authentication.")]
    Unauthenticated(FeatureId),
}

impl Denial {
    /// The stable code of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disabled(_) => "FEATURE_DISABLED",
            Self::Unauthenticated(_) => "AUTHENTICATION_REQUIRED",
        }
    }

    /// The HTTP status of the answer; a 401 also needs `WWW-Authenticate: Bearer`.
    pub fn status(&self) -> u16 {
        match self {
            Self::Disabled(_) => 404,
            Self::Unauthenticated(_) => 401,
        }
    }

    /// The feature that was asked for.
    pub fn feature(&self) -> &FeatureId {
        match self {
            Self::Disabled(feature) | Self::Unauthenticated(feature) => feature,
        }
    }
}

impl Matrix {
    /// The matrix of a configuration. Of two entries for a feature, the later one wins where it says something.
    pub fn new(overrides: impl IntoIterator<Item = (FeatureId, FeatureOverride)>) -> Self {
        let mut all: BTreeMap<FeatureId, FeatureOverride> = BTreeMap::new();
        for (feature, said) in overrides {
            let entry = all.entry(feature).or_default();
            entry.enabled = said.enabled.or(entry.enabled);
            entry.access = said.access.or_else(|| entry.access.take());
        }
        Self { overrides: all }
    }

    /// What the operator said, by feature: the `features` of `GET /api/v1/config`.
    pub fn overrides(&self) -> &BTreeMap<FeatureId, FeatureOverride> {
        &self.overrides
    }

    /// The rule in effect for a feature.
    pub fn rule(&self, feature: &FeatureId) -> FeatureRule {
        let said = self.overrides.get(feature).cloned().unwrap_or_default();
        FeatureRule {
            enabled: said.enabled.unwrap_or(true),
            access: said.access.unwrap_or_else(|| default_access(feature)),
        }
    }

    /// The rules in effect for the host's own features, in the order of the contract: the `resolved` of `GET /api/v1/config`.
    pub fn builtin_rules(&self) -> impl Iterator<Item = (Feature, FeatureRule)> + '_ {
        Feature::ALL.iter().map(|feature| (*feature, self.rule(&FeatureId::Builtin(*feature))))
    }

    /// Who may do this, leaving the posture aside: documents say it, and [`Matrix::decide`] uses it.
    pub fn required(&self, permission: &Permission) -> Access {
        let said = self.overrides.get(&permission.feature).and_then(|said| said.access.clone());
        match (said, permission.operation) {
            (Some(access), _) => access,
            (None, Operation::Read) => default_access(&permission.feature),
            (None, Operation::Write) => default_write_access(&permission.feature),
        }
    }

    /// Decides (contract §4.4): a disabled feature is not there for anybody; reading what is public needs no credential where
    /// the posture lets such callers read; everything else needs an authenticated caller.
    ///
    /// That a write is `public` frees nobody from signing in: without credentials one writes only under [`Posture::Open`],
    /// where everybody counts as authenticated.
    pub fn decide(&self, caller: &Caller, permission: &Permission, posture: Posture) -> Result<Allowed, Denial> {
        let feature = &permission.feature;
        if !self.rule(feature).enabled {
            return Err(Denial::Disabled(feature.clone()));
        }
        let anonymous_may_read = match posture {
            Posture::Open | Posture::PublicRead => true,
            Posture::Closed => false,
        };
        let public_read = permission.operation == Operation::Read
            && self.required(permission) == Access::Public
            && anonymous_may_read;
        if public_read || caller.is_authenticated(posture) {
            Ok(Allowed { permission: permission.clone() })
        } else {
            Err(Denial::Unauthenticated(feature.clone()))
        }
    }
}

fn default_access(feature: &FeatureId) -> Access {
    match feature {
        FeatureId::Builtin(Feature::Agent | Feature::Actions) | FeatureId::Plugin(_) => Access::Authenticated,
        FeatureId::Builtin(_) => Access::Public,
    }
}

/// Writes of `insights` and `settings` need authentication although the features are public (contract §4.2).
fn default_write_access(feature: &FeatureId) -> Access {
    match feature {
        FeatureId::Builtin(Feature::Insights | Feature::Settings) => Access::Authenticated,
        other => default_access(other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api_key::{KeyVerifier, tests::token};
    use crate::principal::Principal;
    use crate::secret::Secret;

    fn key_holder() -> Caller {
        let verifier = KeyVerifier::new(Secret::new("secret")).unwrap();
        Caller::with_key(verifier.verify(&token("secret", r#"{"sub":"ci","exp":10}"#), 5).unwrap())
    }

    fn signed_in() -> Caller {
        Caller::signed_in(Principal::new("ann").unwrap(), "auth-trusted")
    }

    #[test]
    fn defaults_are_the_contracts() {
        let matrix = Matrix::default();
        for (feature, rule) in matrix.builtin_rules() {
            let kept_back = matches!(feature, Feature::Agent | Feature::Actions);
            assert!(rule.enabled);
            assert_eq!(rule.access == Access::Authenticated, kept_back, "{feature}");
        }
        for (permission, expected) in [
            (Permission::write(Feature::Insights), Access::Authenticated),
            (Permission::write(Feature::Settings), Access::Authenticated),
            (Permission::write(Feature::Agent), Access::Authenticated),
            (Permission::write(Feature::Tables), Access::Public),
            (Permission::read(Feature::Settings), Access::Public),
            (Permission::read("team-panels".parse::<crate::PluginId>().unwrap()), Access::Authenticated),
        ] {
            assert_eq!(matrix.required(&permission), expected, "{permission}");
        }
    }

    #[test]
    fn the_decision_follows_the_contracts_table() {
        let matrix = Matrix::default();
        let (tables, agent) = (Permission::read(Feature::Tables), Permission::read(Feature::Agent));
        let sql = Permission::write(Feature::Tables);
        for (posture, reads, reads_agent, writes) in [
            (Posture::Open, true, true, true),
            (Posture::PublicRead, true, false, false),
            (Posture::Closed, false, false, false),
        ] {
            let nobody = posture.without_credentials();
            assert_eq!(matrix.decide(&nobody, &tables, posture).is_ok(), reads, "{posture:?}");
            assert_eq!(matrix.decide(&nobody, &agent, posture).is_ok(), reads_agent, "{posture:?}");
            assert_eq!(matrix.decide(&nobody, &sql, posture).is_ok(), writes, "{posture:?}");
            for somebody in [signed_in(), key_holder()] {
                for permission in [&tables, &agent, &sql] {
                    assert!(matrix.decide(&somebody, permission, posture).is_ok(), "{posture:?} {permission}");
                }
            }
        }
    }

    #[test]
    fn an_open_caller_is_worth_nothing_under_another_posture() {
        let stray = Posture::Open.without_credentials();
        let denial = Matrix::default().decide(&stray, &Permission::read(Feature::Tables), Posture::Closed).unwrap_err();
        assert_eq!(denial, Denial::Unauthenticated(Feature::Tables.into()));
        assert!(!Posture::Closed.admits(&stray));
    }

    #[test]
    fn denials_carry_the_contracts_words() {
        let disabled = Denial::Disabled(Feature::Agent.into());
        assert_eq!(disabled.to_string(), r#"Feature "agent" is disabled."#);
        assert_eq!((disabled.code(), disabled.status()), ("FEATURE_DISABLED", 404));
        let unauthenticated = Denial::Unauthenticated(Feature::Agent.into());
        assert_eq!(unauthenticated.to_string(), r#"Feature "agent" requires authentication."#);
        assert_eq!((unauthenticated.code(), unauthenticated.status()), ("AUTHENTICATION_REQUIRED", 401));
    }

    #[test]
    fn access_words_are_read_without_case_and_nothing_else_passes() {
        for (text, access) in
            [("public", Access::Public), (" Guest ", Access::Public), ("AUTHENTICATED", Access::Authenticated)]
        {
            assert_eq!(text.parse(), Ok(access));
        }
        for text in ["", "auth", "role:sre", "private", "true"] {
            assert!(text.parse::<Access>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_later_entry_wins_only_where_it_says_something() {
        let agent = FeatureId::from(Feature::Agent);
        let matrix = Matrix::new([
            (agent.clone(), FeatureOverride { enabled: Some(false), access: Some(Access::Public) }),
            (agent.clone(), FeatureOverride { enabled: Some(true), access: None }),
        ]);
        assert_eq!(matrix.rule(&agent), FeatureRule { enabled: true, access: Access::Public });
    }

    fn feature() -> impl Strategy<Value = FeatureId> {
        prop_oneof![
            4 => proptest::sample::select(Feature::ALL).prop_map(FeatureId::from),
            1 => "[a-z]{3}-[a-z]{3}".prop_map(|id| FeatureId::Plugin(id.parse().unwrap())),
        ]
    }

    fn override_() -> impl Strategy<Value = FeatureOverride> {
        let access = proptest::sample::select(vec![Access::Public, Access::Authenticated]);
        (proptest::option::of(any::<bool>()), proptest::option::of(access))
            .prop_map(|(enabled, access)| FeatureOverride { enabled, access })
    }

    proptest! {
        #[test]
        fn the_matrix_keeps_its_promises(
            mut overrides in proptest::collection::vec((feature(), override_()), 0..12),
            asked in feature(),
            said in override_(),
            operation in proptest::sample::select(Operation::ALL),
            posture in proptest::sample::select(Posture::ALL),
            caller in 0..4,
        ) {
            overrides.push((asked.clone(), said));
            let matrix = Matrix::new(overrides);
            let caller = match caller {
                0 => posture.without_credentials(),
                1 => signed_in(),
                2 => key_holder(),
                _ => Posture::Open.without_credentials(),
            };
            let permission = Permission { feature: asked.clone(), operation };
            let decision = matrix.decide(&caller, &permission, posture);
            let rule = matrix.rule(&asked);

            if !rule.enabled {
                prop_assert_eq!(decision, Err(Denial::Disabled(asked)), "a disabled feature is there for nobody");
                return Ok(());
            }
            let somebody = caller.subject().is_some();
            if somebody {
                prop_assert!(decision.is_ok(), "an authenticated caller never gets a 401");
            }
            if !somebody && operation == Operation::Write && posture != Posture::Open {
                prop_assert!(decision.is_err(), "nobody writes anonymously unless everything is open");
            }
            if !somebody && posture == Posture::Closed {
                prop_assert!(decision.is_err(), "a closed host gives nothing away");
            }
            if !somebody && rule.access == Access::Authenticated && posture != Posture::Open {
                prop_assert!(decision.is_err(), "an authenticated feature needs credentials");
            }
            if !posture.admits(&caller) {
                prop_assert!(decision.is_err(), "the gate never allows what the guard refuses");
            }
            if let Ok(allowed) = decision {
                prop_assert_eq!(allowed.permission(), &permission);
            }
        }
    }
}
