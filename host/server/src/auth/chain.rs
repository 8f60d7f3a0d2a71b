//! The auth chain: the host's own tokens, API keys, the providers in their order, then what the posture says of callers without
//! credentials.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use chm_access::{Caller, KeySecrets, bearer, key_candidates};
use poem::Request;
use poem::http::{HeaderMap, header};

use super::provider::{ActiveProvider, Answer};
use super::sent::joined;
use super::tokens::Tokens;
use crate::app::App;
use crate::config;
use crate::plugins::Registry;

/// Who may come in, and how that is found out.
#[derive(Debug)]
pub struct AuthChain {
    name: String,
    tokens: Tokens,
    /// Present when a key secret is configured.
    keys: Option<KeySecrets>,
    accept_unlisted_keys: bool,
    providers: Vec<ActiveProvider>,
}

/// The outcome for one request, which every later decision uses.
#[derive(Debug, Clone)]
pub struct Identified {
    /// Who it is.
    pub caller: Caller,
    /// Whether credentials were presented and found wrong.
    pub failed: bool,
}

impl AuthChain {
    /// Finds the plugins that the providers name.
    #[must_use]
    pub fn new(configured: &config::Auth, registry: &Registry) -> Self {
        Self {
            name: configured.providers.to_string(),
            tokens: Tokens::of(configured),
            keys: configured.key_secrets(),
            accept_unlisted_keys: configured.accept_unlisted_keys,
            providers: configured.providers.iter().map(|provider| ActiveProvider::find(provider, registry)).collect(),
        }
    }

    /// The configured words: `none`, or the providers in order.
    #[must_use]
    pub fn provider_name(&self) -> &str {
        &self.name
    }

    /// Who sends this request. Whatever goes wrong on the way: not authenticated.
    pub async fn identify(&self, app: &Arc<App>, request: &Request) -> Identified {
        let authorization = joined(request.headers(), header::AUTHORIZATION.as_str());
        let borne = authorization.as_deref().and_then(bearer);
        if let Some(caller) = borne.as_deref().and_then(|token| self.tokens.caller(token, request.uri().path())) {
            return Identified { caller, failed: false };
        }
        let (known, mut failed) = self.by_key(request.headers(), authorization.as_deref());
        if let Some(caller) = known {
            return Identified { caller, failed: false };
        }
        for provider in &self.providers {
            match provider.ask(app, request).await {
                Answer::Knows(caller) => return Identified { caller, failed: false },
                Answer::Nothing => {}
                // Whoever one provider turned away, or made fail, is not let in by a laxer one behind it.
                Answer::TurnsAway => {
                    failed = true;
                    break;
                }
                Answer::Fails => break,
            }
        }
        Identified { caller: app.posture.without_credentials(), failed }
    }

    /// An invalid key is not an error: evaluation continues (contract §1.3, 5). Says besides whether there was one.
    fn by_key(&self, headers: &HeaderMap, authorization: Option<&str>) -> (Option<Caller>, bool) {
        let candidates = key_candidates(joined(headers, "x-api-key").as_deref(), authorization);
        let Some(now) =
            SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_secs()).ok())
        else {
            return (None, false);
        };
        let presented = !candidates.is_empty();
        for token in candidates {
            let Some(Ok(signed)) = self.keys.as_ref().map(|keys| keys.verify(&token, now)) else { continue };
            if let Some(key) = signed.unlisted().filter(|_| self.accept_unlisted_keys) {
                return (Some(Caller::with_key(key)), false);
            }
        }
        (None, presented)
    }
}
