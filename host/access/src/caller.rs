//! Who sends a request.

use std::fmt;

use crate::api_key::VerifiedKey;
use crate::posture::Posture;
use crate::principal::Principal;

/// Who sends a request: one value per request, made once, used by every later decision.
///
/// It cannot be made without reason: a signed-in caller needs a [`Principal`], a key holder needs a [`VerifiedKey`] (which only
/// the verifier gives), and everybody else comes from [`Posture::without_credentials`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(Who);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Anonymous,
    SignedIn { principal: Principal, provider: String },
    Key(VerifiedKey),
    Open,
}

/// Which sort of caller, for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// No credential, and one would be needed for more.
    Anonymous,
    /// Signed in through an auth provider.
    Principal,
    /// Holds an API key.
    ApiKey,
    /// No credential, and none is needed: provider `none` without a key secret.
    Open,
}

impl fmt::Display for CallerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Anonymous => "anonymous",
            Self::Principal => "principal",
            Self::ApiKey => "api_key",
            Self::Open => "open",
        })
    }
}

impl Caller {
    /// Somebody whom the auth provider `provider` (a plugin id) vouches for.
    pub fn signed_in(principal: Principal, provider: impl Into<String>) -> Self {
        Self(Who::SignedIn { principal, provider: provider.into() })
    }

    /// The holder of an API key.
    pub fn with_key(key: VerifiedKey) -> Self {
        Self(Who::Key(key))
    }

    pub(crate) fn anonymous() -> Self {
        Self(Who::Anonymous)
    }

    pub(crate) fn open() -> Self {
        Self(Who::Open)
    }

    /// Which sort of caller.
    pub fn kind(&self) -> CallerKind {
        match self.0 {
            Who::Anonymous => CallerKind::Anonymous,
            Who::SignedIn { .. } => CallerKind::Principal,
            Who::Key(_) => CallerKind::ApiKey,
            Who::Open => CallerKind::Open,
        }
    }

    /// Whether the caller counts as authenticated (contract §2.3: where nothing is asked for, everybody does).
    ///
    /// An open caller does so only under the open posture, should the two ever disagree.
    pub fn is_authenticated(&self, posture: Posture) -> bool {
        match self.0 {
            Who::Anonymous => false,
            Who::SignedIn { .. } | Who::Key(_) => true,
            Who::Open => posture == Posture::Open,
        }
    }

    /// The principal, when somebody signed in.
    pub fn principal(&self) -> Option<&Principal> {
        match &self.0 {
            Who::SignedIn { principal, .. } => Some(principal),
            Who::Anonymous | Who::Key(_) | Who::Open => None,
        }
    }

    /// The auth provider that vouched, when somebody signed in.
    pub fn provider(&self) -> Option<&str> {
        match &self.0 {
            Who::SignedIn { provider, .. } => Some(provider),
            Who::Anonymous | Who::Key(_) | Who::Open => None,
        }
    }

    /// The subject of the principal or of the key.
    pub fn subject(&self) -> Option<&str> {
        match &self.0 {
            Who::SignedIn { principal, .. } => Some(principal.subject()),
            Who::Key(key) => Some(key.subject()),
            Who::Anonymous | Who::Open => None,
        }
    }
}
