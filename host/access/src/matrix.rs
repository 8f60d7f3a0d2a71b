//! The permission matrix and its one decision.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::caller::Caller;
use crate::denial::Denial;
use crate::feature::{Feature, FeatureId};
use crate::permission::{Operation, Permission};
use crate::posture::Posture;
use crate::roles::has_role;

/// The rule of one feature, in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureRule {
    /// Whether it is there at all.
    pub enabled: bool,
    /// Who may read.
    pub read: Access,
    /// Who may write. Whoever is not authenticated may not, even where this is public, unless nobody signs in here.
    pub write: Access,
}

/// What the operator said about a feature; what is absent stays as it is by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureOverride {
    /// Whether it is there at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who may read and write, where the next two say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Who may read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Access>,
    /// Who may write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<Access>,
}

impl FeatureOverride {
    /// What it says about one operation.
    #[must_use]
    pub fn of(&self, operation: Operation) -> Option<&Access> {
        let own = match operation {
            Operation::Read => &self.read,
            Operation::Write => &self.write,
        };
        own.as_ref().or(self.access.as_ref())
    }
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

impl Matrix {
    /// The matrix of a configuration. Of two entries for a feature, the later one wins where it says something.
    pub fn new(overrides: impl IntoIterator<Item = (FeatureId, FeatureOverride)>) -> Self {
        let mut all: BTreeMap<FeatureId, FeatureOverride> = BTreeMap::new();
        for (feature, said) in overrides {
            let entry = all.entry(feature).or_default();
            entry.enabled = said.enabled.or(entry.enabled);
            entry.access = said.access.or_else(|| entry.access.take());
            entry.read = said.read.or_else(|| entry.read.take());
            entry.write = said.write.or_else(|| entry.write.take());
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
        let effective = |operation| self.required(&Permission { feature: feature.clone(), operation });
        FeatureRule {
            enabled: said.enabled.unwrap_or(true),
            read: effective(Operation::Read),
            write: effective(Operation::Write),
        }
    }

    /// Who may do this, leaving the posture aside: documents say it, and [`Matrix::decide`] uses it.
    pub fn required(&self, permission: &Permission) -> Access {
        let said = self.overrides.get(&permission.feature).and_then(|said| said.of(permission.operation).cloned());
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
        let required = self.required(permission);
        let allowed = Ok(Allowed { permission: permission.clone() });
        if permission.operation == Operation::Read && required == Access::Public && anonymous_may_read {
            return allowed;
        }
        if !caller.is_authenticated(posture) {
            return Err(Denial::Unauthenticated(feature.clone()));
        }
        if !caller.scopes_allow(permission) {
            return Err(Denial::Scope(permission.clone()));
        }
        match required {
            Access::Public | Access::Authenticated => allowed,
            Access::Roles(roles) if roles.iter().any(|role| has_role(caller.roles(), role)) => allowed,
            // Where nobody signs in, signing in is what is missing.
            Access::Roles(_) if caller.subject().is_none() => Err(Denial::Unauthenticated(feature.clone())),
            Access::Roles(roles) => Err(Denial::Role { feature: feature.clone(), roles }),
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
    use crate::api_key::tests::key_of;
    use crate::principal::Principal;
    use crate::scope::Scopes;

    fn key_holder() -> Caller {
        Caller::with_key(key_of(r#"{"sub":"ci","exp":10}"#))
    }

    fn signed_in() -> Caller {
        Caller::signed_in(Principal::new("ann").unwrap(), "auth-trusted")
    }

    #[test]
    fn defaults_are_the_contracts() {
        let matrix = Matrix::default();
        for feature in Feature::ALL {
            let rule = matrix.rule(&FeatureId::Builtin(*feature));
            let kept_back = matches!(feature, Feature::Agent | Feature::Actions);
            assert!(rule.enabled);
            assert_eq!(rule.read == Access::Authenticated, kept_back, "{feature}");
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

    fn said(enabled: Option<bool>, access: Option<Access>) -> FeatureOverride {
        FeatureOverride { enabled, access, ..FeatureOverride::default() }
    }

    fn access(text: &str) -> Access {
        text.parse().unwrap()
    }

    #[test]
    fn reading_and_writing_can_be_ruled_apart() {
        let tables = FeatureId::from(Feature::Tables);
        let rules = FeatureOverride { read: Some(Access::Public), write: Some(access("role:sre")), ..said(None, None) };
        let matrix = Matrix::new([(tables.clone(), rules)]);
        let (read, write) = (Permission::read(Feature::Tables), Permission::write(Feature::Tables));
        let nobody = Posture::PublicRead.without_credentials();
        let decide = |caller: &Caller, permission| matrix.decide(caller, permission, Posture::PublicRead);
        assert!(decide(&nobody, &read).is_ok());
        assert_eq!(decide(&nobody, &write), Err(Denial::Unauthenticated(tables.clone())));
        let denial = decide(&signed_in(), &write).unwrap_err();
        assert_eq!((denial.code(), denial.status()), ("ROLE_REQUIRED", 403));
        assert_eq!(denial.to_string(), r#"Feature "tables" requires one of these roles: sre."#);
        let mut sre = Principal::new("ann").unwrap();
        sre.roles = vec!["SRE".into()];
        assert!(decide(&Caller::signed_in(sre, "trusted"), &write).is_ok());
        let key = Caller::with_key(key_of(r#"{"sub":"ci","exp":10,"roles":["sre"]}"#));
        assert!(decide(&key, &write).is_ok());
        assert!(decide(&key_holder(), &write).is_err(), "a key without roles has none");
    }

    #[test]
    fn a_role_cannot_be_had_where_nobody_signs_in() {
        let matrix = Matrix::new([(Feature::Tables.into(), said(None, Some(access("role:sre"))))]);
        let open = Posture::Open.without_credentials();
        let denial = matrix.decide(&open, &Permission::read(Feature::Tables), Posture::Open).unwrap_err();
        assert_eq!(denial, Denial::Unauthenticated(Feature::Tables.into()));
    }

    #[test]
    fn scopes_narrow_keys_and_tokens_below_the_matrix() {
        let matrix = Matrix::default();
        let limited = Caller::with_key(key_of(r#"{"sub":"ci","exp":10,"scopes":["tables:read"]}"#));
        let agent = Caller::with_token("token:agent", Scopes::of_token(["agent:write"]));
        for (caller, permission, allowed) in [
            (&limited, Permission::read(Feature::Tables), true),
            (&limited, Permission::write(Feature::Tables), false),
            (&limited, Permission::read(Feature::Queries), false),
            (&agent, Permission::write(Feature::Agent), true),
            (&agent, Permission::read(Feature::Tables), false),
            (&Caller::admin(), Permission::read(Feature::Tables), false),
        ] {
            let decision = matrix.decide(caller, &permission, Posture::Closed);
            assert_eq!(decision.is_ok(), allowed, "{permission}");
            if let Err(denial) = decision {
                assert_eq!((denial.code(), denial.status()), ("SCOPE_REQUIRED", 403));
            }
        }
        // What everybody may read, the holder of a narrow key may read as well.
        assert!(matrix.decide(&limited, &Permission::read(Feature::Queries), Posture::PublicRead).is_ok());
    }

    #[test]
    fn a_later_entry_wins_only_where_it_says_something() {
        let agent = FeatureId::from(Feature::Agent);
        let matrix = Matrix::new([
            (agent.clone(), said(Some(false), Some(Access::Public))),
            (agent.clone(), said(Some(true), None)),
        ]);
        assert_eq!(matrix.rule(&agent), FeatureRule { enabled: true, read: Access::Public, write: Access::Public });
    }

    fn feature() -> impl Strategy<Value = FeatureId> {
        prop_oneof![
            4 => proptest::sample::select(Feature::ALL).prop_map(FeatureId::from),
            1 => "[a-z]{3}-[a-z]{3}".prop_map(|id| FeatureId::Plugin(id.parse().unwrap())),
        ]
    }

    fn override_() -> impl Strategy<Value = FeatureOverride> {
        let access = || proptest::option::of(proptest::sample::select(vec!["public", "authenticated", "role:sre"]));
        (proptest::option::of(any::<bool>()), access(), access(), access()).prop_map(|(enabled, both, read, write)| {
            let access = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            FeatureOverride { enabled, access: access(both), read: access(read), write: access(write) }
        })
    }

    proptest! {
        #[test]
        fn the_matrix_keeps_its_promises(
            mut overrides in proptest::collection::vec((feature(), override_()), 0..12),
            asked in feature(),
            said in override_(),
            operation in proptest::sample::select(Operation::ALL),
            posture in proptest::sample::select(Posture::ALL),
            who in 0..7,
        ) {
            overrides.push((asked.clone(), said));
            let matrix = Matrix::new(overrides);
            let caller = match who {
                0 => posture.without_credentials(),
                1 => signed_in(),
                2 => key_holder(),
                3 => Caller::admin(),
                4 => Caller::with_key(key_of(r#"{"sub":"ci","exp":10,"scopes":[]}"#)),
                5 => Caller::with_key(key_of(r#"{"sub":"ci","exp":10,"roles":["SRE"]}"#)),
                _ => Posture::Open.without_credentials(),
            };
            let permission = Permission { feature: asked.clone(), operation };
            let decision = matrix.decide(&caller, &permission, posture);
            let required = matrix.required(&permission);

            if !matrix.rule(&asked).enabled {
                prop_assert_eq!(decision, Err(Denial::Disabled(asked)), "a disabled feature is there for nobody");
                return Ok(());
            }
            let everybody_reads =
                operation == Operation::Read && required == Access::Public && posture != Posture::Closed;
            let somebody = caller.subject().is_some();
            let roles = matches!(required, Access::Roles(_));
            if somebody {
                prop_assert!(!matches!(decision, Err(Denial::Unauthenticated(_))), "somebody never gets a 401");
            }
            if matches!(who, 1 | 2) {
                prop_assert_eq!(decision.is_ok(), !roles, "unlimited callers without roles get what needs no role");
            }
            if matches!(who, 3 | 4) {
                prop_assert_eq!(decision.is_ok(), everybody_reads, "without scopes only what everybody may");
            }
            if roles {
                prop_assert_eq!(decision.is_ok(), who == 5, "a role is had by who has it");
            }
            if who == 5 {
                prop_assert!(decision.is_ok(), "who has the role and no scopes to keep to gets everything");
            }
            if !somebody && operation == Operation::Write && posture != Posture::Open {
                prop_assert!(decision.is_err(), "nobody writes anonymously unless everything is open");
            }
            if !somebody && posture == Posture::Closed {
                prop_assert!(decision.is_err(), "a closed host gives nothing away");
            }
            if !somebody && required != Access::Public && posture != Posture::Open {
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
