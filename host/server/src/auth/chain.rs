//! The auth chain: API key, then the provider, then whatever the posture says of callers without credentials.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use chm_access::{Caller, KeyVerifier, Principal, key_candidates};
use chm_manifest::HeaderView;
use chm_sandbox::bindings::{auth_provider, types};
use chm_sandbox::{Plugin, Role};
use poem::http::{HeaderMap, HeaderName, header};
use poem::web::cookie::CookieJar;
use poem::{FromRequest, Request};

use crate::app::App;
use crate::config;
use crate::plugins::Registry;
use crate::services::CallServices;
use crate::telemetry::RequestId;

/// Longest value of one header that is considered, in bytes. Longer credentials are no credentials.
const MAX_HEADER_BYTES: usize = 16 << 10;

/// Who signs people in.
#[derive(Debug)]
pub enum Provider {
    /// `CHM_AUTH_PROVIDER=none`.
    None,
    /// A plugin; absent when it was refused, and then nobody gets in.
    Plugin {
        /// The configured word.
        name: String,
        /// The plugin, with what it may see of a request.
        plugin: Option<(Arc<Plugin>, HeaderView)>,
    },
}

/// Key verifier and provider.
#[derive(Debug)]
pub struct AuthChain {
    /// The provider.
    pub provider: Provider,
    /// Present when a key secret is configured.
    pub keys: Option<KeyVerifier>,
}

/// The outcome for one request.
#[derive(Debug, Clone)]
pub struct Identified(pub Caller);

impl AuthChain {
    /// Finds the plugin that provides `provider`.
    #[must_use]
    pub fn new(configured: &config::Provider, keys: Option<KeyVerifier>, registry: &Registry) -> Self {
        let config::Provider::Plugin { name: provider, plugin: id } = configured else {
            return Self { provider: Provider::None, keys };
        };
        // The word belongs to the plugin the configuration maps it to; another plugin cannot take it by describing itself so.
        let plugin = registry.with_role(Role::AuthProvider).find(|plugin| plugin.id() == id.as_str()).map(|plugin| {
            (plugin.clone(), HeaderView::of(plugin.manifest(), |name| plugin.settings().get(name).cloned()))
        });
        if plugin.is_none() {
            tracing::error!(
                %provider,
                plugin = %id,
                "no loaded plugin provides this auth provider: every request that needs signing in is refused"
            );
        }
        Self { provider: Provider::Plugin { name: provider.clone(), plugin }, keys }
    }

    /// The configured provider's word.
    #[must_use]
    pub fn provider_name(&self) -> &str {
        match &self.provider {
            Provider::None => "none",
            Provider::Plugin { name, .. } => name,
        }
    }

    /// Who sends this request. Whatever goes wrong on the way: not authenticated.
    pub async fn identify(&self, app: &Arc<App>, request: &Request) -> Caller {
        if let Some(caller) = self.by_key(request.headers()) {
            return caller;
        }
        if let Provider::Plugin { name, plugin: Some((plugin, view)) } = &self.provider
            && let Some(principal) = by_plugin(app, plugin, view, request).await
        {
            return Caller::signed_in(principal, name.clone());
        }
        app.posture.without_credentials()
    }

    /// An invalid key is not an error: evaluation continues (contract §1.3, 5).
    fn by_key(&self, headers: &HeaderMap) -> Option<Caller> {
        let keys = self.keys.as_ref()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let (own, authorization) = (single(headers, "x-api-key"), single(headers, header::AUTHORIZATION.as_str()));
        key_candidates(own.as_deref(), authorization.as_deref())
            .iter()
            .find_map(|token| keys.verify(token, i64::try_from(now).ok()?).ok())
            .map(Caller::with_key)
    }
}

async fn by_plugin(app: &Arc<App>, plugin: &Plugin, view: &HeaderView, request: &Request) -> Option<Principal> {
    let request_id = request.data::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let cookies = <&CookieJar>::from_request_without_body(request).await.ok();
    let head = auth_provider::RequestHead {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        headers: view
            .visible
            .iter()
            .filter_map(|name| {
                Some(auth_provider::Header { name: name.clone(), value: single(request.headers(), name)? })
            })
            .collect(),
        cookies: view
            .cookies
            .iter()
            .filter_map(|name| {
                let value = cookies.as_ref()?.get(name)?.value_str().to_owned();
                Some(auth_provider::Cookie { name: name.clone(), value })
            })
            .collect(),
    };
    let sealed: BTreeMap<String, String> =
        view.sealed.iter().filter_map(|name| Some((name.clone(), single(request.headers(), name)?))).collect();
    let services = CallServices::new(app.clone(), plugin.id(), &request_id, None).with_sealed_headers(sealed);
    let call = plugin.authenticate(services.into_scope(), &head);
    match app.observed(plugin, Role::AuthProvider, call).await {
        Ok(auth_provider::Verdict::Authenticated(found)) => match principal(found) {
            Some(principal) => Some(principal),
            None => {
                tracing::warn!(plugin = plugin.id(), "the auth provider returned a principal without a subject");
                None
            }
        },
        Ok(auth_provider::Verdict::NoCredentials) => None,
        Ok(auth_provider::Verdict::Rejected(reason)) => {
            app.metrics.count_rejected_auth("rejected");
            tracing::info!(plugin = plugin.id(), %reason, "sign-in rejected");
            None
        }
        Err(error) => {
            tracing::warn!(plugin = plugin.id(), %error, "the auth provider failed; the request is not authenticated");
            None
        }
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

/// All values of a header, joined by `, `, as HTTP says they may be; absent when there is none or it is too long.
fn single(headers: &HeaderMap, name: &str) -> Option<String> {
    let name: HeaderName = name.parse().ok()?;
    let mut values = headers.get_all(name).iter().map(|value| decode(value.as_bytes()));
    let mut joined = values.next()?;
    for value in values {
        joined.push_str(", ");
        joined.push_str(&value);
    }
    (joined.len() <= MAX_HEADER_BYTES).then_some(joined)
}

/// UTF-8 where it is UTF-8, ISO-8859-1 otherwise: proxies send both.
fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// The caller as a guest may see it; an API key shows as its subject.
#[must_use]
pub fn for_guest(caller: &Caller) -> Option<types::Principal> {
    match caller.principal() {
        Some(principal) => Some(types::Principal {
            subject: principal.subject().to_owned(),
            name: principal.name.clone(),
            email: principal.email.clone(),
            avatar_url: principal.avatar_url.clone(),
            roles: principal.roles.clone(),
            custom: principal
                .custom
                .iter()
                .map(|(name, value)| types::Claim { name: name.clone(), value: value.clone() })
                .collect(),
        }),
        None => caller.subject().map(|subject| types::Principal {
            subject: subject.to_owned(),
            name: None,
            email: None,
            avatar_url: None,
            roles: Vec::new(),
            custom: Vec::new(),
        }),
    }
}
