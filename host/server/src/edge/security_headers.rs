//! The headers that go on every answer.

use poem::http::{HeaderMap, HeaderName, HeaderValue, header};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

/// On every answer, over whatever a handler set: the four that the contract's section on access lists, and what keeps other sites'
/// pages from opening or embedding an answer.
const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// An answer of the API is no page: should a browser show it as one, nothing in it runs or loads.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// One year, as browsers' preload lists ask for.
const HSTS: &str = "max-age=31536000";

/// Set by the handler of a page on its answer (`response.set_data(…)`): its content security policy, in place of the API's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagePolicy(pub &'static str);

/// Middleware: sets the security headers, and sees to it that nothing is kept by a shared cache: every answer is one caller's.
/// Where a handler says nothing about caching, nothing is kept at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct SecurityHeaders {
    /// Whether browsers are told to use TLS only.
    pub hsts: bool,
}

impl<E: Endpoint> Middleware<E> for SecurityHeaders {
    type Output = SecurityHeadersEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        SecurityHeadersEndpoint { inner, hsts: self.hsts }
    }
}

/// What [`SecurityHeaders`] makes of an endpoint.
#[derive(Debug)]
pub struct SecurityHeadersEndpoint<E> {
    inner: E,
    hsts: bool,
}

impl<E: Endpoint> Endpoint for SecurityHeadersEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let mut response = match self.inner.call(request).await {
            Ok(response) => response.into_response(),
            Err(error) => error.into_response(),
        };
        let policy = response.data::<PagePolicy>().map_or(API_POLICY, |policy| policy.0);
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        if self.hsts {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
        }
        keep_private(headers);
        Ok(response)
    }
}

/// `private` or `no-store` stay; everything else, and nothing, becomes `no-store`.
fn keep_private(headers: &mut HeaderMap) {
    let mut said = headers.get_all(header::CACHE_CONTROL).iter();
    let fits = match (said.next(), said.next()) {
        (Some(one), None) => {
            let directives = one.to_str().unwrap_or_default().to_ascii_lowercase();
            let mut directives = directives.split(',').map(str::trim);
            let is_private = directives.clone().any(|word| matches!(word, "private" | "no-store"));
            is_private && !directives.any(|word| word == "public" || word.starts_with("s-maxage"))
        }
        _ => false,
    };
    if !fits {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

#[cfg(test)]
mod tests {
    use poem::http::StatusCode;
    use poem::{EndpointExt, Error, Route, get, handler};

    use super::*;

    #[handler]
    fn framed() -> Response {
        Response::builder()
            .header("x-frame-options", "ALLOWALL")
            .header("content-security-policy", "default-src *")
            .body("")
    }

    #[handler]
    fn page() -> Response {
        let mut response = Response::builder().body("");
        response.set_data(PagePolicy("default-src 'self'"));
        response
    }

    #[handler]
    fn broken() -> Result<()> {
        Err(Error::from_status(StatusCode::IM_A_TEAPOT))
    }

    #[tokio::test]
    async fn every_answer_carries_them_whatever_the_handler_says() {
        let app = Route::new().at("/framed", get(framed)).at("/broken", get(broken)).at("/page", get(page));
        let app = app.with(SecurityHeaders { hsts: true });
        for (path, status) in [("/framed", 200), ("/broken", 418), ("/absent", 404), ("/page", 200)] {
            let request = Request::builder().uri_str(path).finish();
            let response = app.call(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{path}");
            let policy = if path == "/page" { "default-src 'self'" } else { API_POLICY };
            let others = [("content-security-policy", policy), ("strict-transport-security", HSTS)];
            for (name, value) in HEADERS.into_iter().chain(others) {
                let all: Vec<_> = response.headers().get_all(name).iter().collect();
                assert_eq!(all, [value], "{path} {name}");
            }
            assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
        }
        let app = Route::new().at("/framed", get(framed)).with(SecurityHeaders::default());
        let response = app.call(Request::builder().uri_str("/framed").finish()).await.unwrap();
        assert!(!response.headers().contains_key("strict-transport-security"));
    }

    #[test]
    fn nothing_is_for_shared_caches() {
        for (said, kept) in [
            (vec!["private, max-age=0"], "private, max-age=0"),
            (vec!["private, max-age=3600"], "private, max-age=3600"),
            (vec!["no-store"], "no-store"),
            (vec![], "no-store"),
            (vec!["public, s-maxage=30"], "no-store"),
            (vec!["private, public"], "no-store"),
            (vec!["private, S-MaxAge=30"], "no-store"),
            (vec!["max-age=60"], "no-store"),
            (vec!["private", "public"], "no-store"),
        ] {
            let mut headers = HeaderMap::new();
            for line in &said {
                headers.append(header::CACHE_CONTROL, HeaderValue::from_str(line).unwrap());
            }
            keep_private(&mut headers);
            let all: Vec<_> = headers.get_all(header::CACHE_CONTROL).iter().collect();
            assert_eq!(all, [kept], "{said:?}");
        }
    }
}
