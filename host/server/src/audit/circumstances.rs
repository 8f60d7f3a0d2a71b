//! Who, from where, in which request.

use std::time::{SystemTime, UNIX_EPOCH};

use chm_access::Caller;
use chm_store::{Actor, NewEntry, Outcome};
use serde_json::Value;

/// Longest text that is kept of what a client chose, in characters.
const LONGEST: usize = 512;

/// Who, from where, in which request. Each entry of the audit log is made from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub address: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
}

impl Circumstances {
    /// Of a request.
    #[must_use]
    pub fn of(caller: Option<&Caller>, address: Option<String>, request_id: &str) -> Self {
        let kind = caller.map_or("unknown", |caller| caller.kind().as_str());
        let subject = caller.and_then(Caller::subject).map(cut);
        Self {
            actor: Actor { kind: kind.to_owned(), subject },
            address,
            request_id: (!request_id.is_empty()).then(|| cut(request_id)),
        }
    }

    /// Of what the host does of itself.
    #[must_use]
    pub fn of_the_host() -> Self {
        Self { actor: Actor { kind: "host".to_owned(), subject: None }, address: None, request_id: None }
    }

    /// Of a command that somebody with access to the machine gives.
    #[must_use]
    pub fn of_a_command() -> Self {
        let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
        let actor = Actor { kind: "command".to_owned(), subject: user.as_deref().map(cut) };
        Self { actor, address: None, request_id: None }
    }

    /// Who, in one word.
    #[must_use]
    pub fn who(&self) -> String {
        self.actor.subject.clone().unwrap_or_else(|| self.actor.kind.clone())
    }

    /// An entry about now.
    #[must_use]
    pub fn entry(&self, action: &str, outcome: Outcome, target: Option<&str>, details: Value) -> NewEntry {
        NewEntry {
            time: now_ms(),
            action: action.to_owned(),
            outcome,
            actor: self.actor.clone(),
            address: self.address.clone(),
            request_id: self.request_id.clone(),
            target: target.map(cut),
            details,
        }
    }
}

/// Milliseconds since the Unix epoch.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
