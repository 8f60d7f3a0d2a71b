//! Why there is no answer of PeerDB's.

use chm_plugin::Failure;
use chm_plugin::host::http::HttpError;

use crate::calls::Method;
use crate::secrets;

/// Longest piece of PeerDB's own words that is passed on, in characters.
const LONGEST_WORDS: usize = 300;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is not on the list.
    NotListed(Method, String),
    /// The question is malformed.
    Invalid(String),
    /// No endpoint, or no grant.
    NotConfigured(String),
    /// PeerDB wants another password.
    Unauthorized(u16),
    /// PeerDB answers with an error, or with what is no answer.
    Upstream(String),
    /// PeerDB does not answer in time.
    Timeout,
    /// PeerDB cannot be reached.
    Unreachable(String),
}

impl Trouble {
    /// Of an answer that is not 200.
    pub(crate) fn of_status(status: u16, body: &[u8]) -> Self {
        match status {
            401 | 403 => Self::Unauthorized(status),
            300..=399 => Self::Upstream(format!(
                "PeerDB answered {status}, a redirect, which is not followed; the address of PeerDB's own web server ends in /api"
            )),
            _ => {
                let words = words(body).map(|words| format!(": {words}")).unwrap_or_default();
                Self::Upstream(format!("PeerDB answered {status}{words}"))
            }
        }
    }

    /// Of a request that has no answer.
    pub(crate) fn of_exchange(error: HttpError) -> Self {
        match error {
            HttpError::Denied(reason) => Self::NotConfigured(reason),
            HttpError::Invalid(reason) => Self::Invalid(reason),
            HttpError::TooLarge => Self::Upstream(
                "PeerDB's answer is larger than `max_response_bytes` of [endpoints.peerdb] allows".to_owned(),
            ),
            HttpError::Timeout => Self::Timeout,
            HttpError::Unreachable(reason) => Self::Unreachable(reason),
        }
    }

    /// The state that a status card shows.
    pub(crate) const fn state(&self) -> &'static str {
        match self {
            Self::NotConfigured(_) => "not-configured",
            Self::Unauthorized(_) => "auth",
            _ => "unreachable",
        }
    }
}

/// What PeerDB says of an error, cut short and without secrets.
fn words(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let said = body.get("message")?.as_str()?;
    let said = secrets::hide_in_text(said).unwrap_or_else(|| said.to_owned());
    let mut short: String = said.chars().filter(|c| !c.is_control()).take(LONGEST_WORDS).collect();
    if short.len() < said.len() {
        short.push('…');
    }
    (!short.trim().is_empty()).then_some(short)
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotListed(method, path) => {
                let path: String = path.chars().take(100).collect();
                write!(
                    f,
                    "{} {} is not among the calls that may be made to PeerDB",
                    method.as_str(),
                    path.escape_debug()
                )
            }
            Self::Invalid(reason) | Self::Upstream(reason) => f.write_str(reason),
            Self::NotConfigured(reason) => write!(f, "PeerDB is not configured (PEERDB_API_URL): {reason}"),
            Self::Unauthorized(status) => {
                write!(f, "PeerDB answered {status}: the operator must set its password (PEERDB_PASSWORD)")
            }
            Self::Timeout => f.write_str("PeerDB did not answer in time (PEERDB_FETCH_TIMEOUT_MS)"),
            Self::Unreachable(reason) => write!(f, "PeerDB cannot be reached: {reason}"),
        }
    }
}

/// PeerDB's 401 is not the caller's: they are signed in here, and another password is the operator's to give.
impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let text = trouble.to_string();
        match trouble {
            Trouble::NotListed(..) => Self::Denied(text),
            Trouble::Invalid(_) => Self::InvalidInput(text),
            Trouble::NotConfigured(_) => Self::Unavailable(text),
            Trouble::Unauthorized(_) | Trouble::Upstream(_) | Trouble::Unreachable(_) => Self::Upstream(text),
            Trouble::Timeout => Self::Timeout(text),
        }
    }
}
