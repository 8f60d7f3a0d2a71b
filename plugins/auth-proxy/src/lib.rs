//! Signs people in by the token of Cloudflare Access, or by one header of a reverse proxy that knows a secret.

mod access_token;
mod trusted_header;

use chm_plugin::auth::{Description, Principal, RequestHead, Verdict};
use chm_plugin::{AuthProvider, Failure};

/// What one of the two ways in says of a request.
enum Answer {
    /// This is who it is.
    Person(Principal),
    /// The request does not try this way, or the operator did not open it.
    Silent,
    /// The request tries it and fails, and why, for the log.
    Refused(String),
}

/// The provider `proxy`.
pub struct Proxy;

impl AuthProvider for Proxy {
    fn describe() -> Description {
        Description::new("proxy", "Cloudflare Access, or a reverse proxy that knows a secret, has signed people in.")
    }

    fn authenticate(head: RequestHead) -> Result<Verdict, Failure> {
        // Either way in is enough: a token that is refused leaves the header its chance.
        let refused = match access_token::ask()? {
            Answer::Person(person) => return Ok(Verdict::Authenticated(person)),
            Answer::Refused(reason) => Some(reason),
            Answer::Silent => None,
        };
        Ok(match (trusted_header::ask(&head)?, refused) {
            (Answer::Person(person), _) => Verdict::Authenticated(person),
            (Answer::Refused(header), Some(token)) => Verdict::Rejected(format!("{token}; {header}")),
            (Answer::Refused(reason), None) | (Answer::Silent, Some(reason)) => Verdict::Rejected(reason),
            (Answer::Silent, None) => Verdict::NoCredentials,
        })
    }
}

chm_plugin::export!(auth_provider: Proxy);
