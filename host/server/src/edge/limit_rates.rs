//! Requests beyond a caller's rate are answered with 429.

use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use super::client_address::ClientAddress;
use super::path_table::KnownPath;
use super::rate_limits::RateLimits;
use crate::api::Problem;
use crate::auth::Identified;

/// Middleware, where it is known who calls. Exempt paths are not counted.
#[derive(Debug, Clone)]
pub struct LimitRates(pub Arc<RateLimits>);

impl<E: Endpoint> Middleware<E> for LimitRates {
    type Output = LimitRatesEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        LimitRatesEndpoint { inner, limits: self.0.clone() }
    }
}

/// What [`LimitRates`] makes of an endpoint.
#[derive(Debug)]
pub struct LimitRatesEndpoint<E> {
    inner: E,
    limits: Arc<RateLimits>,
}

impl<E: Endpoint> Endpoint for LimitRatesEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let known = request.extensions().get::<KnownPath>();
        if known.is_some_and(|known| known.exempt) {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        let agent = known.is_some_and(|known| known.asks_the_agent(request.method()));
        let caller = request.extensions().get::<Identified>().map(|identified| &identified.caller);
        let allowance = self.limits.take(caller, ClientAddress::of(&request), agent);
        let mut response = if allowance.is_exceeded() {
            let key = if agent { "limits.agent_requests_per_minute" } else { "limits.requests_per_minute" };
            let wait = allowance.retry_after();
            Problem::rate_limited(&format!("too many requests (`{key}`): try again in {wait} s"), wait)
        } else {
            match self.inner.call(request).await {
                Ok(response) => response.into_response(),
                Err(error) => crate::api::enveloped(error).await,
            }
        };
        allowance.write(response.headers_mut());
        Ok(response)
    }
}
