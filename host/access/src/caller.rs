//! Who sends a request.

use std::fmt;

use crate::api_key::VerifiedKey;
use crate::permission::Permission;
use crate::posture::Posture;
use crate::principal::Principal;
use crate::scope::Scopes;

/// Who sends a request, built once per request and used by every later decision.
///
/// What it is inside cannot be made outside this crate: a caller comes from a principal, a verified key, a token that the host
/// compared, or from [`Posture::without_credentials`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(Who);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Anonymous,
    SignedIn { principal: Principal, provider: String },
    Key(VerifiedKey),
    Token { name: &'static str, scopes: Scopes },
    Admin,
    Open,
}

/// The sort of a caller, for the log and the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// Brought nothing that counts.
    Anonymous,
    /// An auth provider knows them.
    Principal,
    /// Holds an API key.
    ApiKey,
    /// Holds one of the host's own tokens, such as the agent's.
    Token,
    /// Holds the admin secret.
    Admin,
    /// Nobody signs in here.
    Open,
}

impl CallerKind {
    /// As the log, the metrics and the audit log write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Principal => "principal",
            Self::ApiKey => "api_key",
            Self::Token => "token",
            Self::Admin => "admin",
            Self::Open => "open",
        }
    }
}

impl fmt::Display for CallerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Caller {
    /// Somebody the auth provider `provider` knows.
    pub fn signed_in(principal: Principal, provider: impl Into<String>) -> Self {
        Self(Who::SignedIn { principal, provider: provider.into() })
    }

    /// The holder of a valid API key.
    pub fn with_key(key: VerifiedKey) -> Self {
        Self(Who::Key(key))
    }

    /// The holder of one of the host's own tokens; `name` is `token:agent` or `token:cron`.
    pub fn with_token(name: &'static str, scopes: Scopes) -> Self {
        Self(Who::Token { name, scopes })
    }

    /// The holder of the admin secret. It runs keys and reads the audit log; it opens no feature.
    pub fn admin() -> Self {
        Self(Who::Admin)
    }

    pub(crate) fn anonymous() -> Self {
        Self(Who::Anonymous)
    }

    pub(crate) fn open() -> Self {
        Self(Who::Open)
    }

    /// The sort.
    pub fn kind(&self) -> CallerKind {
        match self.0 {
            Who::Anonymous => CallerKind::Anonymous,
            Who::SignedIn { .. } => CallerKind::Principal,
            Who::Key(_) => CallerKind::ApiKey,
            Who::Token { .. } => CallerKind::Token,
            Who::Admin => CallerKind::Admin,
            Who::Open => CallerKind::Open,
        }
    }

    /// Whether the caller counts as authenticated. Where nobody signs in, everybody does.
    pub fn is_authenticated(&self, posture: Posture) -> bool {
        match self.0 {
            Who::Anonymous => false,
            Who::SignedIn { .. } | Who::Key(_) | Who::Token { .. } | Who::Admin => true,
            Who::Open => posture == Posture::Open,
        }
    }

    /// Whether the caller brought the admin secret.
    pub fn is_admin(&self) -> bool {
        self.0 == Who::Admin
    }

    /// Whether what the caller brought covers a permission. People are not limited so: the matrix alone decides for them.
    pub(crate) fn scopes_allow(&self, permission: &Permission) -> bool {
        match &self.0 {
            Who::Key(key) => key.scopes().allow(permission),
            Who::Token { scopes, .. } => scopes.allow(permission),
            Who::Admin => false,
            Who::Anonymous | Who::SignedIn { .. } | Who::Open => true,
        }
    }

    /// The roles the caller has.
    pub fn roles(&self) -> &[String] {
        match &self.0 {
            Who::SignedIn { principal, .. } => &principal.roles,
            Who::Key(key) => key.roles(),
            Who::Token { .. } | Who::Admin | Who::Anonymous | Who::Open => &[],
        }
    }

    /// The principal, where a provider knows one.
    pub fn principal(&self) -> Option<&Principal> {
        match &self.0 {
            Who::SignedIn { principal, .. } => Some(principal),
            _ => None,
        }
    }

    /// The provider that knows the principal.
    pub fn provider(&self) -> Option<&str> {
        match &self.0 {
            Who::SignedIn { provider, .. } => Some(provider),
            _ => None,
        }
    }

    /// The key's id in the store.
    pub fn key_id(&self) -> Option<&str> {
        match &self.0 {
            Who::Key(key) => key.id(),
            _ => None,
        }
    }

    /// The stable id of whoever this is; a principal's or key's subject, `token:<name>`, or `admin`.
    pub fn subject(&self) -> Option<&str> {
        match &self.0 {
            Who::SignedIn { principal, .. } => Some(principal.subject()),
            Who::Key(key) => Some(key.subject()),
            Who::Token { name, .. } => Some(name),
            Who::Admin => Some("admin"),
            Who::Anonymous | Who::Open => None,
        }
    }
}
