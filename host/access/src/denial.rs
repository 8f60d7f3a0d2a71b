//! Why the matrix says no, and how that is answered.

use std::collections::BTreeSet;

use crate::feature::FeatureId;
use crate::permission::Permission;
use crate::roles::RoleName;

/// Why the answer is no; the texts and codes are those the client sees (contract §4.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The feature is off.
    #[error("Feature \"{0}\" is disabled.")]
    Disabled(FeatureId),
    /// The caller did not sign in, and would have to.
    #[error("Feature \"{0}\" requires authentication.")]
    Unauthenticated(FeatureId),
    /// The caller signed in, and has none of the roles.
    #[error("Feature \"{feature}\" requires one of these roles: {}.", .roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", "))]
    Role {
        /// The feature.
        feature: FeatureId,
        /// The roles that would do.
        roles: BTreeSet<RoleName>,
    },
    /// The caller's key or token does not cover it.
    #[error("This credential has no scope {0}.")]
    Scope(Permission),
}

impl Denial {
    /// The stable code of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disabled(_) => "FEATURE_DISABLED",
            Self::Unauthenticated(_) => "AUTHENTICATION_REQUIRED",
            Self::Role { .. } => "ROLE_REQUIRED",
            Self::Scope(_) => "SCOPE_REQUIRED",
        }
    }

    /// The HTTP status of the answer; a 401 also needs `WWW-Authenticate: Bearer`.
    pub fn status(&self) -> u16 {
        match self {
            Self::Disabled(_) => 404,
            Self::Unauthenticated(_) => 401,
            Self::Role { .. } | Self::Scope(_) => 403,
        }
    }

    /// The feature that was asked for.
    pub fn feature(&self) -> &FeatureId {
        match self {
            Self::Disabled(feature) | Self::Unauthenticated(feature) | Self::Role { feature, .. } => feature,
            Self::Scope(permission) => &permission.feature,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::Feature;

    #[test]
    fn denials_carry_the_contracts_words() {
        let disabled = Denial::Disabled(Feature::Agent.into());
        assert_eq!(disabled.to_string(), r#"Feature "agent" is disabled."#);
        assert_eq!((disabled.code(), disabled.status()), ("FEATURE_DISABLED", 404));
        let unauthenticated = Denial::Unauthenticated(Feature::Agent.into());
        assert_eq!(unauthenticated.to_string(), r#"Feature "agent" requires authentication."#);
        assert_eq!((unauthenticated.code(), unauthenticated.status()), ("AUTHENTICATION_REQUIRED", 401));
    }
}
