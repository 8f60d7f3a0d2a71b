//! What a request for an action does, as the audit log keeps it.

use std::sync::Arc;

use chm_access::{Caller, CallerKind};
use chm_sandbox::bindings::types::Binding;
use chm_store::Outcome;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::audit::{Circumstances, Noted};
use crate::edge::ClientAddress;
use crate::plugins::Action;

/// Most bytes of targets that an entry holds.
const MOST_TARGETS: usize = 8 << 10;
/// Longest value of a parameter that an entry holds, in characters.
const LONGEST_VALUE: usize = 512;

/// An entry to be: who wants what, where.
#[derive(Debug)]
pub struct Deed {
    circumstances: Circumstances,
    is_nobody: bool,
    noted: Option<Noted>,
    action: String,
    details: Value,
}

impl Deed {
    /// Of a request.
    #[must_use]
    pub fn new(
        (caller, address, request_id): (&Caller, ClientAddress, &str),
        noted: Option<Noted>,
        (action, host, parameters): (&Action, u32, &[Binding]),
    ) -> Self {
        let short = |text: &str| -> String { text.chars().take(LONGEST_VALUE).collect() };
        let parameters: Map<String, Value> =
            parameters.iter().map(|Binding { name, value }| (name.clone(), short(value).into())).collect();
        Self {
            circumstances: Circumstances::of(Some(caller), Some(address.0.to_string()), request_id),
            is_nobody: matches!(caller.kind(), CallerKind::Anonymous | CallerKind::Open),
            noted,
            action: action.name.clone(),
            details: json!({"plugin": action.plugin.id(), "host": host, "parameters": parameters}),
        }
    }

    /// Adds what would be hit, or was.
    pub fn hits(&mut self, targets: &Value) {
        let is_small = targets.to_string().len() <= MOST_TARGETS;
        let shown = || json!({"number": targets.as_array().map_or(0, Vec::len), "tooManyToKeep": true});
        self.details["targets"] = if is_small { targets.clone() } else { shown() };
    }

    /// Adds how the caller confirmed it: `given`, `not-asked-for` where the operator wants none, `not-needed` where nothing changes.
    pub fn confirmed(&mut self, how: &str) {
        self.details["confirmation"] = json!(how);
    }

    /// Something was shown, and nothing done.
    pub async fn shown(self, app: &Arc<App>) {
        self.end(app, "action.preview", Outcome::Done, None).await;
    }

    /// It was done.
    pub async fn done(self, app: &Arc<App>, message: &str) {
        self.end(app, "action.run", Outcome::Done, Some(("message", message))).await;
    }

    /// It was not done.
    pub async fn refused(self, app: &Arc<App>, why: &str) {
        self.end(app, "action.run", Outcome::Denied, Some(("error", why))).await;
    }

    /// It was tried, and failed.
    pub async fn failed(self, app: &Arc<App>, why: &str) {
        self.end(app, "action.run", Outcome::Failed, Some(("error", why))).await;
    }

    async fn end(mut self, app: &Arc<App>, what: &str, outcome: Outcome, more: Option<(&str, &str)>) {
        if let Some((name, text)) = more {
            self.details[name] = json!(text);
        }
        // This entry says more than that of the request.
        if let Some(noted) = &self.noted {
            noted.kept_whatever_comes();
        }
        let entry = self.circumstances.entry(what, outcome, Some(&self.action), self.details);
        // Nothing limits how many such entries a caller who is nobody could make.
        if self.is_nobody && outcome != Outcome::Done {
            app.audit.record_stranger(entry).await;
        } else {
            app.audit.record(&entry).await;
        }
    }
}
