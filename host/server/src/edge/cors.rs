//! Cross-origin requests from pages that the operator named, and from no others.

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use super::origins::{Origins, Sender};

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str = "authorization, content-type, x-api-key, x-request-id, traceparent";
const ANSWER_HEADERS: &str = "x-request-id, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, etag, age, x-chm-rows, \
    x-chm-truncated, x-chm-unreachable, x-chm-query-id";
/// Seconds that a browser may remember a preflight.
const REMEMBERED: &str = "600";

/// Middleware: lets browsers show answers to pages of configured origins, and answers the preflights of those. It allows
/// credentials: each origin is named in full by the operator, and people sign in with cookies of a proxy.
#[derive(Debug, Clone)]
pub struct Cors(pub Origins);

impl<E: Endpoint> Middleware<E> for Cors {
    type Output = CorsEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        CorsEndpoint { inner, origins: self.0.clone() }
    }
}

/// What [`Cors`] makes of an endpoint.
#[derive(Debug)]
pub struct CorsEndpoint<E> {
    inner: E,
    origins: Origins,
}

impl<E: Endpoint> Endpoint for CorsEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !self.origins.are_named() {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        let sender = self.origins.sender(request.uri(), request.headers());
        let asks_first = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let mut response = match &sender {
            Sender::Named(_) if asks_first => preflight(),
            _ => match self.inner.call(request).await {
                Ok(response) => response.into_response(),
                Err(error) => error.into_response(),
            },
        };
        if let Sender::Named(origin) = sender {
            allow(response.headers_mut(), &origin);
        }
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
        Ok(response)
    }
}

fn preflight() -> Response {
    Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS)
        .header(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS)
        .header(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED)
        .finish()
}

fn allow(headers: &mut HeaderMap, origin: &str) {
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
    }
}
