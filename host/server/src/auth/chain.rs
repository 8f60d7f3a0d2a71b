//! The auth chain: the host's own tokens, API keys, the providers in their order, then what the posture says of callers without
//! credentials.

use std::sync::Arc;

use chm_access::{Caller, TOKEN_PREFIX, bearer, key_candidates};
use chm_store::Store;
use poem::Request;
use poem::http::{HeaderMap, header};

use super::provider::{ActiveProvider, Answer};
use super::sent::joined;
use super::tokens::Tokens;
use crate::app::App;
use crate::config;
use crate::edge::{ClientAddress, FailedSignIns, Lock, TooManyFailures};
use crate::keys::{KeyRing, Worth, now};
use crate::plugins::Registry;

/// Who may come in, and how that is found out.
#[derive(Debug)]
pub struct AuthChain {
    name: String,
    tokens: Tokens,
    /// Present when a key secret is configured.
    keys: Option<KeyRing>,
    providers: Vec<ActiveProvider>,
}

/// The outcome for one request, which every later decision uses.
#[derive(Debug, Clone)]
pub struct Identified {
    /// Who it is.
    pub caller: Caller,
}

impl AuthChain {
    /// Finds the plugins that the providers name. `store` knows the keys.
    #[must_use]
    pub fn new(configured: &config::Auth, registry: &Registry, store: Option<Store>) -> Self {
        let ring = |secrets| KeyRing::new(secrets, configured.accept_unlisted_keys, store);
        Self {
            name: configured.providers.to_string(),
            tokens: Tokens::of(configured),
            keys: configured.key_secrets().map(ring),
            providers: configured.providers.iter().map(|provider| ActiveProvider::find(provider, registry)).collect(),
        }
    }

    /// The configured words: `none`, or the providers in order.
    #[must_use]
    pub fn provider_name(&self) -> &str {
        &self.name
    }

    /// Writes down what waits to be, at the end.
    pub async fn flush(&self) {
        if let Some(keys) = &self.keys {
            keys.flush().await;
        }
    }

    /// Who sends this request. Whatever goes wrong on the way: not authenticated.
    ///
    /// # Errors
    /// When this address has presented too many wrong credentials: nothing is looked at for a while.
    pub async fn identify(&self, app: &Arc<App>, request: &Request) -> Result<Caller, TooManyFailures> {
        let authorization = joined(request.headers(), header::AUTHORIZATION.as_str());
        let (failures, address) = (&app.edge.failed_sign_ins, ClientAddress::of(request));
        // What may be a guess at one of the tokens, or the bearer token of a provider that is not asked yet.
        let borne = authorization.as_deref().and_then(bearer).filter(|token| !token.starts_with(TOKEN_PREFIX));
        let guess = borne.filter(|_| !self.tokens.is_empty());
        let locked = guess.as_ref().and_then(|_| failures.check(Lock::Keys, address).err());
        if let (Some(token), None) = (&guess, locked)
            && let Some(caller) = self.tokens.caller(token, request.uri().path())
        {
            return Ok(caller);
        }
        if let Some(caller) = self.by_key(request.headers(), authorization.as_deref(), failures, address).await? {
            return Ok(caller);
        }
        let answer = self.by_provider(app, request, failures, address).await;
        if let Ok(Answer::Knows(caller)) = answer {
            return Ok(caller);
        }
        // Whatever a provider says of the request, a text that was compared with the tokens was a guess at them; but not the token
        // of an issuer, which the provider has looked at and counted itself.
        let guess = guess.filter(|token| matches!(answer, Ok(Answer::Nothing)) || !is_of_an_issuer(token));
        if let Some(token) = guess {
            locked.map_or(Ok(()), Err)?;
            failures.record(Lock::Keys, address, token.as_bytes());
        }
        answer?;
        Ok(app.posture.without_credentials())
    }

    /// The first answer that counts. Whoever one provider turned away, or made fail, is not let in by a laxer one behind it.
    async fn by_provider(
        &self,
        app: &Arc<App>,
        request: &Request,
        failures: &FailedSignIns,
        address: ClientAddress,
    ) -> Result<Answer, TooManyFailures> {
        for provider in &self.providers {
            match provider.ask(app, request, failures, address).await? {
                Answer::Nothing => {}
                answer => return Ok(answer),
            }
        }
        Ok(Answer::Nothing)
    }

    /// An invalid key is not an error: evaluation continues (contract §1.3, 5).
    async fn by_key(
        &self,
        headers: &HeaderMap,
        authorization: Option<&str>,
        failures: &FailedSignIns,
        address: ClientAddress,
    ) -> Result<Option<Caller>, TooManyFailures> {
        let Some(keys) = &self.keys else { return Ok(None) };
        for token in key_candidates(joined(headers, "x-api-key").as_deref(), authorization) {
            failures.check(Lock::Keys, address)?;
            match keys.verify(&token, now()).await {
                Worth::Valid(key) => return Ok(Some(Caller::with_key(key))),
                // Many have outdated keys at once, after a rotation or while the store is away: that is no attack.
                Worth::Ended => {}
                Worth::Nothing => failures.record(Lock::Keys, address, token.as_bytes()),
            }
        }
        Ok(None)
    }
}

/// Whether a token has the form of a signed JWT (RFC 7515 §3.1), which no secret of an operator has.
fn is_of_an_issuer(token: &str) -> bool {
    token.starts_with("eyJ") && token.split('.').count() == 3
}
