//! What an OAuth token stands for: a person who let a program act for them.

use chm_plugin::auth::{Principal, Verdict};
use chm_plugin::host::{clock, config};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{organization, party};

/// Beyond this number a time is in milliseconds, not seconds: Clerk has both.
const MILLISECONDS: f64 = 1e11;

/// The fields of Clerk's answer that decide.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    active: Option<bool>,
    revoked: Option<bool>,
    expired: Option<bool>,
    expiration: Option<f64>,
    subject: Option<String>,
    client_id: Option<String>,
    scopes: Option<Vec<String>>,
    aud: Option<Value>,
}

impl Grant {
    /// From the claims of a token that is a JWT, and valid.
    pub(crate) fn of_jwt(
        subject: Option<String>,
        client_id: Option<String>,
        scope: Option<&str>,
        aud: Option<Value>,
        expiration: Option<f64>,
    ) -> Self {
        let scopes = scope.map(|scope| scope.split_whitespace().map(String::from).collect());
        Self { active: None, revoked: None, expired: None, expiration, subject, client_id, scopes, aud }
    }

    /// When it ends, in milliseconds since the Unix epoch.
    pub(crate) fn ends(&self) -> Option<f64> {
        self.expiration.map(|time| if time < MILLISECONDS { time * 1000.0 } else { time })
    }

    /// Whether its bearer may enter.
    pub(crate) fn judge(&self) -> Verdict {
        self.person()
            .map_or_else(|why| Verdict::Rejected(format!("the OAuth token is refused: {why}")), Verdict::Authenticated)
    }

    fn person(&self) -> Result<Principal, String> {
        if self.active == Some(false) {
            return Err("it is not active".into());
        }
        if self.revoked == Some(true) {
            return Err("it was revoked".into());
        }
        if self.expired == Some(true) || self.ends().is_some_and(|end| end <= clock::now()) {
            return Err("it has expired".into());
        }
        let subject = self.subject.as_deref().filter(|subject| !subject.is_empty()).ok_or("it names nobody")?;
        self.check_audience()?;
        let clients = config::list("oauth_clients");
        let client = self.client_id.as_deref().unwrap_or_default();
        if !clients.is_empty() && !clients.iter().any(|known| known == client) {
            return Err("its client is not among oauth_clients".into());
        }
        let scopes = self.scopes.as_deref().unwrap_or_default();
        if let Some(missing) = config::list("oauth_scopes").into_iter().find(|needed| !scopes.contains(needed)) {
            return Err(format!("it lacks the scope `{missing}`"));
        }
        let mut person = Principal::new(subject);
        // It says nothing of organisations: where membership counts, it cannot be shown.
        person.roles = organization::roles(None)?;
        if !client.is_empty() {
            person.set_claim("oauth_client", client);
        }
        if !scopes.is_empty() {
            person.set_claim("oauth_scopes", &scopes.join(" "));
        }
        Ok(person)
    }

    fn check_audience(&self) -> Result<(), String> {
        let audiences: Vec<&str> = match &self.aud {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let wanted = config::list("oauth_audiences");
        let fits = if wanted.is_empty() {
            matches!(self.aud, None | Some(Value::Null)) || audiences.iter().any(|audience| party::covers(audience))
        } else {
            audiences.iter().any(|audience| wanted.iter().any(|known| known == audience))
        };
        if fits { Ok(()) } else { Err("it is meant for somebody else (`aud`)".into()) }
    }
}
