//! Signs people in by the headers of a reverse proxy that the operator trusts.

mod gate;
mod identity;
mod words;

use chm_plugin::auth::{Description, RequestHead, Verdict};
use chm_plugin::{AuthProvider, Failure};

use gate::Gate;

/// The provider `trusted`.
pub struct Trusted;

impl AuthProvider for Trusted {
    fn describe() -> Description {
        Description::new("A reverse proxy has signed people in; its headers say who they are.")
    }

    fn authenticate(head: RequestHead) -> Result<Verdict, Failure> {
        let person = identity::read(&head);
        Ok(match (gate::ask()?, person) {
            (Gate::Open, Some(person)) if identity::may_enter(&person) => Verdict::Authenticated(person),
            (Gate::Open, Some(person)) => {
                Verdict::Rejected(format!("`{}` is in none of the allowed groups", person.subject))
            }
            (Gate::Closed { why, .. }, Some(_)) | (Gate::Closed { why, tried: true }, None) => {
                Verdict::Rejected(why.into())
            }
            (Gate::Open | Gate::Closed { tried: false, .. }, None) => Verdict::NoCredentials,
        })
    }
}

chm_plugin::export!(auth_provider: Trusted);
