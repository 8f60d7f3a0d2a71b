//! Where each request's caller is found.

use std::collections::BTreeSet;
use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use super::chain::Identified;
use crate::app::App;
use crate::audit::Noted;

/// Middleware: asks the auth chain who calls, once; every later decision uses the answer.
pub struct Identify {
    app: Arc<App>,
    exempt: Arc<BTreeSet<String>>,
}

impl Identify {
    /// For one host. At the paths of `exempt` nobody is asked who they are: a probe must not wait for an auth plugin.
    #[must_use]
    pub fn new(app: Arc<App>, exempt: BTreeSet<String>) -> Self {
        Self { app, exempt: Arc::new(exempt) }
    }
}

impl<E: Endpoint> Middleware<E> for Identify {
    type Output = IdentifyEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        IdentifyEndpoint { app: self.app.clone(), exempt: self.exempt.clone(), inner }
    }
}

/// What [`Identify`] makes of an endpoint.
pub struct IdentifyEndpoint<E> {
    app: Arc<App>,
    exempt: Arc<BTreeSet<String>>,
    inner: E,
}

impl<E: Endpoint> Endpoint for IdentifyEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        if !self.exempt.contains(request.uri().path()) {
            let caller = match self.app.auth.identify(&self.app, &request).await {
                Ok(caller) => caller,
                Err(too_many) => return Ok(too_many.into_response()),
            };
            Noted::caller(&request, &caller);
            tracing::Span::current().record("caller", caller.kind().to_string());
            request.extensions_mut().insert(Identified { caller });
        }
        self.inner.call(request).await.map(IntoResponse::into_response)
    }
}
