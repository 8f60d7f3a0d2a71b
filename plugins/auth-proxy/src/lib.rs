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
    /// The request tries it, and whether it is right cannot be said now: no guess, and no way in.
    Unable(String),
}

/// The provider `proxy`.
pub struct Proxy;

impl AuthProvider for Proxy {
    fn describe() -> Description {
        Description::new("Cloudflare Access, or a reverse proxy that knows a secret, has signed people in.")
    }

    fn authenticate(head: RequestHead) -> Result<Verdict, Failure> {
        // Either way in is enough: a token that is refused leaves the header its chance.
        let token = access_token::ask()?;
        if let Answer::Person(person) = token {
            return Ok(Verdict::Authenticated(person));
        }
        Ok(match (trusted_header::ask(&head)?, token) {
            (Answer::Person(person), _) => Verdict::Authenticated(person),
            (Answer::Refused(header), Answer::Refused(token) | Answer::Unable(token)) => {
                Verdict::Rejected(format!("{token}; {header}"))
            }
            (Answer::Unable(reason), _) | (_, Answer::Unable(reason)) => return Err(Failure::Unavailable(reason)),
            (Answer::Refused(reason), _) | (_, Answer::Refused(reason)) => Verdict::Rejected(reason),
            (Answer::Silent, _) => Verdict::NoCredentials,
        })
    }
}

chm_plugin::export!(auth_provider: Proxy);
