//! The guard in front of `/api/v1/`, and the place where each request's caller is found.

use std::collections::BTreeSet;
use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use super::chain::Identified;
use crate::api::unauthenticated;
use crate::app::App;
use crate::audit::Noted;

/// Paths below this need an admitted caller (contract §1.3); exact prefix, case-sensitive.
const GUARDED: &str = "/api/v1/";

/// Middleware: finds the caller, stops the ones the posture does not admit.
pub struct Guard {
    app: Arc<App>,
    exempt: Arc<BTreeSet<String>>,
    own: Arc<BTreeSet<String>>,
}

impl Guard {
    /// For one host. At the paths of `exempt` nobody is asked who they are: a probe must not wait for an auth plugin.
    /// The operations at the paths of `own` ask for a credential of their own, and say so in their own words.
    #[must_use]
    pub fn new(app: Arc<App>, exempt: BTreeSet<String>, own: BTreeSet<String>) -> Self {
        Self { app, exempt: Arc::new(exempt), own: Arc::new(own) }
    }
}

impl<E: Endpoint> Middleware<E> for Guard {
    type Output = Guarded<E>;

    fn transform(&self, inner: E) -> Guarded<E> {
        Guarded { app: self.app.clone(), exempt: self.exempt.clone(), own: self.own.clone(), inner }
    }
}

/// An endpoint behind the guard.
pub struct Guarded<E> {
    app: Arc<App>,
    exempt: Arc<BTreeSet<String>>,
    own: Arc<BTreeSet<String>>,
    inner: E,
}

impl<E: Endpoint> Endpoint for Guarded<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        if self.exempt.contains(request.uri().path()) {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        let caller = match self.app.auth.identify(&self.app, &request).await {
            Ok(caller) => caller,
            Err(too_many) => return Ok(too_many.into_response()),
        };
        Noted::caller(&request, &caller);
        let is_guarded = request.uri().path().starts_with(GUARDED) && !self.own.contains(request.uri().path());
        if is_guarded && !self.app.posture.admits(&caller) {
            return Ok(unauthenticated());
        }
        tracing::Span::current().record("caller", caller.kind().to_string());
        request.extensions_mut().insert(Identified { caller });
        self.inner.call(request).await.map(IntoResponse::into_response)
    }
}
