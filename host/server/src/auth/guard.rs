//! The guard in front of `/api/v1/`.

use std::collections::BTreeSet;
use std::sync::Arc;

use chm_access::Posture;
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use super::chain::Identified;
use crate::api::unauthenticated;

/// Paths below this need an admitted caller (contract §1.3); exact prefix, case-sensitive.
const GUARDED: &str = "/api/v1/";

/// Middleware: stops callers whom the posture does not admit, and requests of which nobody knows whose they are.
pub struct Guard {
    posture: Posture,
    own: Arc<BTreeSet<String>>,
}

impl Guard {
    /// For one host. The operations at the paths of `own` ask for a credential of their own, and say so in their own words.
    #[must_use]
    pub fn new(posture: Posture, own: BTreeSet<String>) -> Self {
        Self { posture, own: Arc::new(own) }
    }
}

impl<E: Endpoint> Middleware<E> for Guard {
    type Output = Guarded<E>;

    fn transform(&self, inner: E) -> Guarded<E> {
        Guarded { posture: self.posture, own: self.own.clone(), inner }
    }
}

/// An endpoint behind the guard.
pub struct Guarded<E> {
    posture: Posture,
    own: Arc<BTreeSet<String>>,
    inner: E,
}

impl<E: Endpoint> Endpoint for Guarded<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let path = request.uri().path();
        let known = request.extensions().get::<Identified>();
        let is_guarded = path.starts_with(GUARDED) && !self.own.contains(path);
        if is_guarded && !known.is_some_and(|known| self.posture.admits(&known.caller)) {
            return Ok(unauthenticated());
        }
        self.inner.call(request).await.map(IntoResponse::into_response)
    }
}
