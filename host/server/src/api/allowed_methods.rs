//! Which methods a path takes, told to whoever asks with another one (RFC 9110, 15.5.6).

use std::sync::Arc;

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use serde_json::Value;

/// Middleware: writes `Allow` into every 405.
#[derive(Debug, Clone)]
pub struct AllowedMethods(Arc<Vec<(Vec<String>, HeaderValue)>>);

impl AllowedMethods {
    /// Those of a generated OpenAPI document.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut paths: Vec<_> = document["paths"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(path, methods)| {
                let mut names: Vec<String> =
                    methods.as_object()?.keys().map(|name| name.to_ascii_uppercase()).collect();
                // The router answers HEAD wherever it answers GET.
                if names.iter().any(|name| name == Method::GET.as_str()) {
                    names.push(Method::HEAD.to_string());
                }
                names.sort();
                Some((path.split('/').map(str::to_owned).collect(), names.join(", ").parse().ok()?))
            })
            .collect();
        // A path that is written out comes before one with a parameter in its place.
        paths.sort_by_key(|(segments, _): &(Vec<String>, _)| segments.iter().any(|segment| is_parameter(segment)));
        Self(Arc::new(paths))
    }

    fn find(&self, path: &str) -> Option<&HeaderValue> {
        let fits = |segments: &[String]| {
            path.split('/').count() == segments.len()
                && path.split('/').zip(segments).all(|(given, segment)| given == segment || is_parameter(segment))
        };
        self.0.iter().find(|(segments, _)| fits(segments)).map(|(_, methods)| methods)
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

impl<E: Endpoint> Middleware<E> for AllowedMethods {
    type Output = AllowedMethodsEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        AllowedMethodsEndpoint { inner, methods: self.clone() }
    }
}

/// What [`AllowedMethods`] makes of an endpoint.
#[derive(Debug)]
pub struct AllowedMethodsEndpoint<E> {
    inner: E,
    methods: AllowedMethods,
}

impl<E: Endpoint> Endpoint for AllowedMethodsEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let path = request.uri().path().to_owned();
        let mut response = self.inner.call(request).await?.into_response();
        if response.status() == StatusCode::METHOD_NOT_ALLOWED
            && let Some(methods) = self.methods.find(&path)
        {
            response.headers_mut().insert(header::ALLOW, methods.clone());
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_that_is_written_out_comes_before_a_parameter() {
        let methods = AllowedMethods::of(&json!({"paths": {
            "/keys/{id}": {"delete": {}},
            "/keys/mine": {"get": {}, "post": {}},
            "/keys/{id}/rotate": {"post": {}},
        }}));
        for (path, expected) in [
            ("/keys/7", Some("DELETE")),
            ("/keys/mine", Some("GET, HEAD, POST")),
            ("/keys/7/rotate", Some("POST")),
            ("/keys", None),
            ("/keys/7/rotate/more", None),
        ] {
            assert_eq!(methods.find(path).and_then(|value| value.to_str().ok()), expected, "{path}");
        }
    }
}
