//! One provider of the chain: an auth plugin, asked who sends a request.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chm_access::{Caller, Principal};
use chm_manifest::HeaderView;
use chm_sandbox::bindings::{auth_provider, types};
use chm_sandbox::{CallError, Plugin, Role};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use poem::Request;

use super::sent::Sent;
use crate::app::App;
use crate::config;
use crate::edge::{ClientAddress, FailedSignIns, Lock, TooManyFailures};
use crate::plugins::Registry;
use crate::services::CallServices;
use crate::telemetry::RequestId;

/// Rejections of one provider that are logged in a minute; the others are counted. Anybody can cause one.
const LOGGED_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// A configured provider.
#[derive(Debug)]
pub(super) struct ActiveProvider {
    /// The configured word.
    name: String,
    /// With what it may see of a request; absent when the plugin was refused, and then the chain ends here.
    plugin: Option<(Arc<Plugin>, Arc<HeaderView>)>,
    log: LogLimit,
}

/// What a provider says of a request.
pub(super) enum Answer {
    /// Who it is.
    Knows(Caller),
    /// It carries nothing this provider understands.
    Nothing,
    /// Its credentials are wrong, or the person may not enter.
    TurnsAway,
    /// The provider could not decide.
    Fails,
}

impl ActiveProvider {
    pub(super) fn find(configured: &config::Provider, registry: &Registry) -> Self {
        let config::Provider { name, plugin: id } = configured;
        // The word belongs to the plugin the configuration maps it to; another plugin cannot take it by describing itself so.
        let plugin = registry.with_role(Role::AuthProvider).find(|plugin| plugin.id() == id.as_str()).map(|plugin| {
            let view = HeaderView::of(plugin.manifest(), |name| plugin.settings().get(name).cloned());
            (plugin.clone(), Arc::new(view))
        });
        if plugin.is_none() {
            tracing::error!(
                provider = %name,
                plugin = %id,
                "no loaded plugin provides this auth provider: every request that needs signing in and gets this far is refused"
            );
        }
        Self { name: name.clone(), plugin, log: LogLimit::new() }
    }

    /// # Errors
    /// When this address was turned away too often.
    pub(super) async fn ask(
        &self,
        app: &Arc<App>,
        request: &Request,
        failures: &FailedSignIns,
        address: ClientAddress,
    ) -> Result<Answer, TooManyFailures> {
        let Some((plugin, view)) = &self.plugin else { return Ok(Answer::Fails) };
        let request_id = request.data::<RequestId>().map(ToString::to_string).unwrap_or_default();
        let sent = Sent::of(view, request.headers());
        // A request that carries nothing for this provider guesses at nothing.
        let presented = sent.fingerprint();
        if let Some(presented) = &presented
            && !failures.was_right(presented)
        {
            failures.check(Lock::Providers, address)?;
        }
        let head = auth_provider::RequestHead {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            headers: sent.visible_headers(),
            cookies: sent.visible_cookies(),
        };
        let services = CallServices::new(app.clone(), plugin.id(), &request_id, None).with_sent(sent);
        let call = plugin.authenticate(services.into_scope(), &head);
        let verdict = app.observed(plugin, Role::AuthProvider, call).await;
        let answer = self.answer(app, plugin, verdict);
        match (&answer, presented) {
            (Answer::TurnsAway, Some(presented)) => failures.record(Lock::Providers, address, &presented),
            (Answer::Knows(_), Some(presented)) => failures.record_right(&presented),
            _ => {}
        }
        Ok(answer)
    }

    fn answer(&self, app: &App, plugin: &Plugin, verdict: Result<auth_provider::Verdict, CallError>) -> Answer {
        match verdict {
            Ok(auth_provider::Verdict::Authenticated(found)) => match principal(found) {
                Some(principal) => Answer::Knows(Caller::signed_in(principal, self.name.clone())),
                None => {
                    tracing::warn!(plugin = plugin.id(), "the auth provider returned a principal without a subject");
                    Answer::Fails
                }
            },
            Ok(auth_provider::Verdict::NoCredentials) => Answer::Nothing,
            Ok(auth_provider::Verdict::Rejected(reason)) => {
                app.metrics.count_rejected_auth("rejected");
                if let Some(unlogged) = self.log.pass() {
                    tracing::info!(plugin = plugin.id(), %reason, unlogged, "sign-in rejected");
                }
                Answer::TurnsAway
            }
            Err(error) => {
                if let Some(unlogged) = self.log.pass() {
                    tracing::warn!(
                        plugin = plugin.id(), %error, unlogged, "the auth provider failed; the request is not authenticated"
                    );
                }
                Answer::Fails
            }
        }
    }
}

/// Keeps strangers from filling the log.
#[derive(Debug)]
struct LogLimit {
    limiter: DefaultDirectRateLimiter,
    unlogged: AtomicU64,
}

impl LogLimit {
    fn new() -> Self {
        Self { limiter: RateLimiter::direct(Quota::per_minute(LOGGED_PER_MINUTE)), unlogged: AtomicU64::new(0) }
    }

    /// Whether to log now, and how many lines were left out since the last one.
    fn pass(&self) -> Option<u64> {
        if self.limiter.check().is_ok() {
            return Some(self.unlogged.swap(0, Ordering::Relaxed));
        }
        self.unlogged.fetch_add(1, Ordering::Relaxed);
        None
    }
}

fn principal(found: types::Principal) -> Option<Principal> {
    let mut principal = Principal::new(found.subject).ok()?;
    principal.name = found.name;
    principal.email = found.email;
    principal.avatar_url = found.avatar_url;
    principal.roles = found.roles;
    principal.custom = found.custom.into_iter().map(|claim| (claim.name, claim.value)).collect();
    Some(principal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_rejections_is_counted_and_not_logged() {
        let limit = LogLimit::new();
        let logged = (0..1000).filter(|_| limit.pass().is_some()).count();
        // One more may pass while the loop runs.
        assert!((20..=22).contains(&logged), "{logged}");
        assert!(limit.unlogged.load(Ordering::Relaxed) >= 978);
    }
}
