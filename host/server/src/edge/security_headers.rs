//! The headers that go on every answer.

use poem::http::{HeaderName, HeaderValue};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

/// As the contract's section on access lists them.
const HEADERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];

/// Sets `X-Content-Type-Options`, `X-Frame-Options`, `Referrer-Policy` and `Permissions-Policy` on every answer, errors
/// included, over whatever a handler set.
#[derive(Debug, Clone, Copy, Default)]
pub struct SecurityHeaders;

impl<E: Endpoint> Middleware<E> for SecurityHeaders {
    type Output = SecurityHeadersEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        SecurityHeadersEndpoint { inner }
    }
}

/// What [`SecurityHeaders`] makes of an endpoint.
#[derive(Debug)]
pub struct SecurityHeadersEndpoint<E> {
    inner: E,
}

impl<E: Endpoint> Endpoint for SecurityHeadersEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let mut response = match self.inner.call(request).await {
            Ok(response) => response.into_response(),
            Err(error) => error.into_response(),
        };
        for (name, value) in HEADERS {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use poem::http::StatusCode;
    use poem::{EndpointExt, Error, Route, get, handler};

    use super::*;

    #[handler]
    fn framed() -> Response {
        Response::builder().header("x-frame-options", "ALLOWALL").body("framed")
    }

    #[handler]
    fn broken() -> Result<()> {
        Err(Error::from_status(StatusCode::IM_A_TEAPOT))
    }

    #[tokio::test]
    async fn every_answer_carries_them_whatever_the_handler_says() {
        let app = Route::new().at("/framed", get(framed)).at("/broken", get(broken)).with(SecurityHeaders);
        for (path, status) in [("/framed", 200), ("/broken", 418), ("/absent", 404)] {
            let request = Request::builder().uri_str(path).finish();
            let response = app.call(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{path}");
            for (name, value) in HEADERS {
                let all: Vec<_> = response.headers().get_all(name).iter().collect();
                assert_eq!(all, [value], "{path} {name}");
            }
        }
    }
}
