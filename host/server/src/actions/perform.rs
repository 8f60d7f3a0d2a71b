//! One request for an action, from the checked parameters to its end.

use std::sync::Arc;

use chm_access::Caller;
use chm_sandbox::bindings::actions::DryRun;
use chm_sandbox::bindings::types::{Binding, Failure};
use chm_sandbox::{CallError, CallScope, Role};
use serde_json::Value;

use super::confirmation::{About, Unconfirmed};
use super::deed::Deed;
use crate::app::App;
use crate::audit::Noted;
use crate::edge::{Allowance, ClientAddress};
use crate::plugins::Action;
use crate::services::CallServices;

/// Most bytes that a plugin may say about what it hits, or has done.
const MOST_JSON: usize = 1 << 20;

/// What somebody wants done.
#[derive(Clone)]
pub struct Wish {
    /// The host.
    pub app: Arc<App>,
    /// Who.
    pub caller: Caller,
    /// From where.
    pub address: ClientAddress,
    /// In which request.
    pub request_id: String,
    /// What the audit log learns of that request.
    pub noted: Option<Noted>,
    /// What.
    pub action: Arc<Action>,
    /// Position of the ClickHouse host the caller named.
    pub host: u32,
    /// Checked values.
    pub parameters: Vec<Binding>,
}

/// How far the caller wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Only to see what would be hit.
    DryRun,
    /// To do it, if nothing need be confirmed.
    Bare,
    /// To do what this confirms.
    Confirmed(String),
}

/// What would be hit, with the token that confirms it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// In a sentence.
    pub summary: String,
    /// Objects.
    pub targets: Value,
    /// The token.
    pub confirmation: String,
    /// Seconds until it expires.
    pub expires_in: u64,
}

/// How it ended well.
#[derive(Debug)]
pub enum Done {
    /// It was shown, as the caller asked.
    Shown(Shown),
    /// It was done.
    Ran {
        /// In a sentence.
        message: String,
        /// More of it.
        data: Option<Value>,
    },
}

/// Why nothing was done.
#[derive(Debug)]
pub enum Refusal {
    /// The operator did not grant it; the text has the line that would.
    NotGranted(String),
    /// It is to be confirmed first.
    Unconfirmed(Box<Shown>),
    /// Something else would be hit than what was confirmed.
    Changed(Box<Shown>),
    /// The confirmation is none.
    Confirmation(Unconfirmed),
    /// Too many changes in a minute.
    TooOften(Allowance),
    /// The plugin could not, or broke.
    Plugin(CallError),
    /// What the plugin says is not what the interface asks for.
    Nonsense(&'static str),
    /// The system has no entropy for a token.
    NoEntropy,
}

/// Does what somebody wants, or says why not. It goes on when the caller leaves meanwhile, so that what was begun is recorded as
/// it ended.
///
/// # Errors
/// [`Refusal`]: nothing was done, or the plugin failed.
pub async fn perform(wish: Wish, way: Way) -> Result<Done, Refusal> {
    let task = tokio::spawn(async move { wish.perform(way).await });
    task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an action ended unexpectedly");
        Err(Refusal::Nonsense("nothing: its call ended unexpectedly"))
    })
}

impl Wish {
    async fn perform(self, way: Way) -> Result<Done, Refusal> {
        let mut deed = self.deed();
        if let Some(words) = self.action.refusal() {
            deed.refused(&self.app, &words).await;
            return Err(Refusal::NotGranted(words));
        }
        if !self.action.changes() {
            deed.confirmed("not-needed");
            return self.run(deed).await;
        }
        match way {
            Way::DryRun => self.show(deed).await.map(Done::Shown),
            Way::Bare if self.app.actions.is_confirmed_first => Err(match self.show(deed).await {
                Ok(shown) => Refusal::Unconfirmed(Box::new(shown)),
                Err(refusal) => refusal,
            }),
            Way::Bare => {
                let deed = self.within_the_limit(deed).await?;
                self.change(deed, "not-asked-for", |_| true).await
            }
            Way::Confirmed(token) => {
                let confirmations = &self.app.actions.confirmations;
                let confirmed = match confirmations.check(&token, &self.about()) {
                    Ok(confirmed) => confirmed,
                    Err(error) => return self.unconfirmed(deed, error).await,
                };
                let deed = self.within_the_limit(deed).await?;
                if let Err(error) = confirmations.spend(&confirmed) {
                    return self.unconfirmed(deed, error).await;
                }
                self.change(deed, "given", |fingerprint| confirmed.is_of(fingerprint)).await
            }
        }
    }

    fn deed(&self) -> Deed {
        let who = (&self.caller, self.address, self.request_id.as_str());
        Deed::new(who, self.noted.clone(), (&self.action, self.host, &self.parameters))
    }

    fn about(&self) -> About<'_> {
        About {
            caller: &self.caller,
            address: self.address,
            host: self.host,
            action: &self.action.name,
            parameters: &self.parameters,
        }
    }

    async fn unconfirmed(&self, deed: Deed, error: Unconfirmed) -> Result<Done, Refusal> {
        deed.refused(&self.app, &format!("the confirmation: {error}")).await;
        Err(Refusal::Confirmation(error))
    }

    /// Takes a change out of the caller's bucket.
    async fn within_the_limit(&self, deed: Deed) -> Result<Deed, Refusal> {
        let allowance = self.app.edge.rates.take_change(&self.caller, self.address);
        if allowance.is_exceeded() {
            deed.refused(&self.app, "too many changes in a minute").await;
            return Err(Refusal::TooOften(allowance));
        }
        Ok(deed)
    }

    /// Shows what would be hit.
    async fn show(&self, mut deed: Deed) -> Result<Shown, Refusal> {
        let (dry, targets) = match self.preview().await {
            Ok(previewed) => previewed,
            Err(refusal) => return Err(self.not_previewed(deed, refusal).await),
        };
        deed.hits(&targets);
        deed.shown(&self.app).await;
        self.offer(dry, targets)
    }

    /// Does it, if what would be hit is `expected`.
    async fn change(&self, mut deed: Deed, how: &str, expected: impl Fn(&str) -> bool) -> Result<Done, Refusal> {
        deed.confirmed(how);
        let (dry, targets) = match self.preview().await {
            Ok(previewed) => previewed,
            Err(refusal) => return Err(self.not_previewed(deed, refusal).await),
        };
        deed.hits(&targets);
        if !expected(&dry.fingerprint) {
            deed.refused(&self.app, "something else would be hit than what was confirmed").await;
            return Err(Refusal::Changed(Box::new(self.offer(dry, targets)?)));
        }
        self.run(deed).await
    }

    async fn not_previewed(&self, deed: Deed, refusal: Refusal) -> Refusal {
        match &refusal {
            Refusal::Plugin(error @ CallError::Failure(Failure::Denied(_))) => {
                deed.refused(&self.app, &error.to_string()).await;
            }
            Refusal::Plugin(error) => deed.failed(&self.app, &error.to_string()).await,
            _ => deed.failed(&self.app, "the plugin's preview makes no sense").await,
        }
        refusal
    }

    async fn preview(&self) -> Result<(DryRun, Value), Refusal> {
        let (plugin, action) = (&self.action.plugin, &self.action.described.name);
        let call = plugin.preview_action(self.scope(), action, self.host, self.parameters.clone());
        let dry = self.app.observed(plugin, Role::Actions, call).await.map_err(Refusal::Plugin)?;
        let targets = json(&dry.targets).ok_or(Refusal::Nonsense("targets that are no JSON, or too long"))?;
        let is_list_of_objects = targets.as_array().is_some_and(|targets| targets.iter().all(Value::is_object));
        if is_list_of_objects {
            Ok((dry, targets))
        } else {
            Err(Refusal::Nonsense("targets that are no list of objects"))
        }
    }

    fn offer(&self, dry: DryRun, targets: Value) -> Result<Shown, Refusal> {
        let confirmations = &self.app.actions.confirmations;
        let confirmation = confirmations.issue(&self.about(), &dry.fingerprint).map_err(|_| Refusal::NoEntropy)?;
        let expires_in = confirmations.lifetime().as_secs();
        Ok(Shown { summary: dry.summary, targets, confirmation, expires_in })
    }

    async fn run(&self, deed: Deed) -> Result<Done, Refusal> {
        let (plugin, action) = (&self.action.plugin, &self.action.described.name);
        let call = plugin.run_action(self.scope(), action, self.host, self.parameters.clone());
        match self.app.observed(plugin, Role::Actions, call).await {
            Ok(outcome) => {
                // What was done is recorded as done, even if the plugin says nonsense about it.
                deed.done(&self.app, &outcome.message).await;
                let data = match &outcome.data {
                    Some(bytes) => Some(json(bytes).ok_or(Refusal::Nonsense("data that is no JSON, or too long"))?),
                    None => None,
                };
                Ok(Done::Ran { message: outcome.message, data })
            }
            Err(error) => {
                if matches!(error, CallError::Failure(Failure::Denied(_))) {
                    deed.refused(&self.app, &error.to_string()).await;
                } else {
                    deed.failed(&self.app, &error.to_string()).await;
                }
                Err(Refusal::Plugin(error))
            }
        }
    }

    fn scope(&self) -> CallScope {
        CallServices::new(self.app.clone(), self.action.plugin.id(), &self.request_id, Some(self.caller.clone()))
            .from_address(self.address)
            .into_scope()
    }
}

fn json(bytes: &[u8]) -> Option<Value> {
    if bytes.len() > MOST_JSON { None } else { serde_json::from_slice(bytes).ok() }
}
