//! One span, one line and one measurement per request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use poem::http::{Method, StatusCode};

use poem::{Endpoint, IntoResponse, Middleware, PathPattern, Request, Response, Result};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::metrics::Metrics;
use super::request_id::{REQUEST_ID_HEADER, RequestId};

/// The route of a request that no route matched.
const UNMATCHED: &str = "unmatched";

/// Routes that machines ask every few seconds; their successes are logged at `debug`.
const QUIET: [&str; 5] = ["/healthz", "/metrics", "/api/health", "/api/healthz", "/api/v1/metrics"];

/// Set by a handler on its answer (`response.set_data(…)`) to name its route better than the router's pattern does. Only
/// templates: each value becomes a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTemplate(pub Cow<'static, str>);

/// The outermost middleware. It
/// * takes the client's `X-Request-ID` or makes one, puts the [`RequestId`] into the request's data and on the answer;
/// * opens the span `request` (a child of the client's `traceparent` where spans are exported);
/// * turns errors into answers, so whatever shapes errors must be inside of it;
/// * logs one line and observes the histogram when the head of the answer is ready, or when the client left before (499).
#[derive(Debug, Clone)]
pub struct ObserveRequests {
    metrics: Arc<Metrics>,
    exporting: bool,
    documented: Arc<BTreeMap<String, String>>,
}

impl ObserveRequests {
    /// Measures into `metrics`.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, exporting: false, documented: Arc::default() }
    }

    /// Whether spans are exported. They then say that they are a server's, which would only be noise in the log.
    #[must_use]
    pub fn exporting(self, exporting: bool) -> Self {
        Self { exporting, ..self }
    }

    /// Paths as the document writes them, for example `/tables/{name}`: poem-openapi's router numbers its parameters.
    #[must_use]
    pub fn documented<'p>(self, paths: impl IntoIterator<Item = &'p str>) -> Self {
        let documented = paths.into_iter().map(|path| (shape(path), path.to_owned())).collect();
        Self { documented: Arc::new(documented), ..self }
    }
}

impl<E: Endpoint> Middleware<E> for ObserveRequests {
    type Output = ObserveRequestsEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        ObserveRequestsEndpoint {
            inner,
            metrics: self.metrics.clone(),
            exporting: self.exporting,
            documented: self.documented.clone(),
        }
    }
}

/// What [`ObserveRequests`] makes of an endpoint.
#[derive(Debug)]
pub struct ObserveRequestsEndpoint<E> {
    inner: E,
    metrics: Arc<Metrics>,
    exporting: bool,
    documented: Arc<BTreeMap<String, String>>,
}

impl<E: Endpoint> Endpoint for ObserveRequestsEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let id = RequestId::of(request.headers());
        let span = tracing::info_span!(
            "request",
            request_id = id.as_str(),
            method = %request.method(),
            caller = Empty,
            route = Empty,
            status = Empty,
            "otel.kind" = self.exporting.then_some("server"),
            "otel.status_code" = Empty,
        );
        adopt_parent(&span, &request);
        request.set_data(id.clone());
        self.metrics.request_in_flight(true);
        let mut exchange = Exchange {
            metrics: self.metrics.clone(),
            span: span.clone(),
            method: request.method().clone(),
            begun: Instant::now(),
            exporting: self.exporting,
            ended: false,
        };

        let (mut response, fault) = match self.inner.call(request).instrument(span).await {
            Ok(response) => (response.into_response(), None),
            Err(error) => {
                let fault = error.status().is_server_error().then(|| error.to_string());
                (error.into_response(), fault)
            }
        };
        response.headers_mut().insert(REQUEST_ID_HEADER, id.header_value());
        exchange.end(&self.route_of(&response), response.status(), fault.as_deref());
        Ok(response)
    }
}

/// Makes the client's span the parent of ours. Without an exporter there is nothing to be a parent of, which is no error.
fn adopt_parent(span: &Span, request: &Request) {
    if !request.headers().contains_key("traceparent") {
        return;
    }
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    if parent.span().span_context().is_valid() {
        let _ = span.set_parent(parent);
    }
}

impl<E> ObserveRequestsEndpoint<E> {
    fn route_of(&self, response: &Response) -> String {
        match (response.data::<RouteTemplate>(), response.data::<PathPattern>()) {
            (Some(template), _) => template.0.to_string(),
            (None, Some(pattern)) => {
                let template = template(&pattern.0);
                self.documented.get(&shape(&template)).cloned().unwrap_or(template)
            }
            (None, None) => UNMATCHED.to_owned(),
        }
    }
}

/// A template without the names of its parameters.
fn shape(template: &str) -> String {
    let segments: Vec<_> =
        template.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect();
    segments.join("/")
}

/// The router writes `/tables/:name` and `/files/*rest`; everybody else writes `{name}`.
fn template(pattern: &str) -> String {
    let segments: Vec<_> = pattern
        .split('/')
        .map(|segment| match segment.strip_prefix([':', '*']) {
            Some("") => Cow::Borrowed("{rest}"),
            Some(name) => Cow::Owned(format!("{{{}}}", name.split('<').next().unwrap_or(name))),
            None => Cow::Borrowed(segment),
        })
        .collect();
    match segments.join("/") {
        path if path.is_empty() => "/".to_owned(),
        path => path,
    }
}

/// A request being answered. A client that leaves drops the future, and this with it.
struct Exchange {
    metrics: Arc<Metrics>,
    span: Span,
    method: Method,
    begun: Instant,
    exporting: bool,
    ended: bool,
}

impl Exchange {
    fn end(&mut self, route: &str, status: StatusCode, fault: Option<&str>) {
        self.ended = true;
        let duration = self.begun.elapsed();
        self.metrics.request_in_flight(false);
        self.metrics.observe_request(route, &self.method, status, duration);
        self.span.record("route", route);
        self.span.record("status", status.as_u16());
        if self.exporting {
            // The route is known only now, and a started span's name changes only this way.
            self.span.context().span().update_name(format!("{} {route}", self.method));
            if status.is_server_error() {
                self.span.record("otel.status_code", "ERROR");
            }
        }
        let duration_ms = duration.as_millis() as u64;
        let status = status.as_u16();
        self.span.in_scope(|| match (status, fault) {
            (500.., Some(fault)) => tracing::warn!(status, duration_ms, route, fault, "answered"),
            (500.., None) => tracing::warn!(status, duration_ms, route, "answered"),
            (..400, _) if QUIET.contains(&route) => tracing::debug!(status, duration_ms, route, "answered"),
            _ => tracing::info!(status, duration_ms, route, "answered"),
        });
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.ended
            && let Ok(status) = StatusCode::from_u16(499)
        {
            self.end("abandoned", status, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use poem::web::{Data, Path};
    use poem::{EndpointExt, Error, Route, get, handler};
    use tracing::instrument::WithSubscriber;

    use super::super::LogFormat;
    use super::super::init::tests::{options, subscriber};
    use super::*;
    use crate::capabilities::loopback::{Answer, Loopback};

    #[handler]
    fn table(Path(name): Path<String>, id: Data<&RequestId>) -> String {
        format!("{name} {}", id.0)
    }

    #[handler]
    fn broken() -> Result<()> {
        Err(Error::from_string("the disk is full", StatusCode::INTERNAL_SERVER_ERROR))
    }

    #[handler]
    fn named() -> Response {
        let mut response = Response::builder().body("");
        response.set_data(RouteTemplate("/named-by-its-handler".into()));
        response
    }

    #[handler]
    async fn never() {
        std::future::pending::<()>().await;
    }

    fn app(metrics: &Arc<Metrics>) -> impl Endpoint<Output = Response> {
        let v1 = Route::new().at("/tables/:name", get(table)).at("/broken", get(broken)).at("/named", get(named));
        Route::new()
            .nest("/api/v1", v1)
            .at("/healthz", get(named))
            .at("/never", get(never))
            .with(ObserveRequests::new(metrics.clone()).exporting(true))
    }

    fn request(path: &str) -> Request {
        Request::builder().uri_str(path).header("x-request-id", "r-1").finish()
    }

    #[tokio::test]
    async fn each_request_is_counted_under_its_template_and_answered_with_its_id() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let app = app(&metrics);
        for (path, status, route) in [
            ("/api/v1/tables/parts", 200, "/api/v1/tables/{name}"),
            ("/api/v1/tables/merges", 200, "/api/v1/tables/{name}"),
            ("/api/v1/broken", 500, "/api/v1/broken"),
            ("/api/v1/named", 200, "/named-by-its-handler"),
            ("/nowhere/%2e%2e", 404, "unmatched"),
        ] {
            let response = app.call(request(path)).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{path}");
            assert_eq!(response.headers()["x-request-id"], "r-1", "{path}");
            let count = format!("_count{{method=\"GET\",route=\"{route}\",status=\"{status}\"}}");
            assert!(metrics.render().contains(&count), "{count} is missing in\n{}", metrics.render());
        }
        let response = app.call(request("/api/v1/tables/parts")).await.unwrap();
        assert_eq!(response.into_body().into_string().await.unwrap(), "parts r-1");
        assert!(metrics.render().contains("chm_http_requests_in_flight 0"));
    }

    #[tokio::test]
    async fn one_line_per_request_carries_id_route_status_and_cause() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let (dispatch, lines, _) = subscriber(&options(LogFormat::Json, None));
        app(&metrics).call(request("/api/v1/broken")).with_subscriber(dispatch).await.unwrap();
        let text = lines.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["status"], 500);
        assert_eq!(line["route"], "/api/v1/broken");
        assert_eq!(line["fault"], "the disk is full");
        assert_eq!(line["span"]["request_id"], "r-1");
    }

    #[tokio::test]
    async fn a_client_that_leaves_is_counted_once() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let app = app(&metrics);
        let mut call = Box::pin(app.call(request("/never")));
        assert!(futures::poll!(call.as_mut()).is_pending());
        assert!(metrics.render().contains("chm_http_requests_in_flight 1"));
        drop(call);
        let text = metrics.render();
        assert!(text.contains("_count{method=\"GET\",route=\"abandoned\",status=\"499\"} 1"), "{text}");
        assert!(text.contains("chm_http_requests_in_flight 0"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_exported_span_joins_the_trace_of_its_client() {
        let collector = Loopback::start(|_| Answer::status(200)).await;
        let (dispatch, _, exporter) = subscriber(&options(LogFormat::Json, Some(collector.url())));
        let metrics = Arc::new(Metrics::new().unwrap());
        let mut request = request("/api/v1/named");
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        request.headers_mut().insert("traceparent", traceparent.parse().unwrap());
        app(&metrics).call(request).with_subscriber(dispatch).await.unwrap();
        tokio::task::spawn_blocking(move || drop(exporter)).await.unwrap();
        let requests = collector.requests();
        let trace = hex::decode("0af7651916cd43dd8448eb211c80319c").unwrap();
        assert!(requests[0].body_contains(&trace));
        assert!(requests[0].body_contains(b"GET /named-by-its-handler"));
    }

    #[test]
    fn patterns_of_the_router_become_templates() {
        for (pattern, expected) in [
            ("/api/v1/tables/:name", "/api/v1/tables/{name}"),
            ("/docs/*rest", "/docs/{rest}"),
            ("/docs/*", "/docs/{rest}"),
            ("/x/:id<\\d+>", "/x/{id}"),
            ("", "/"),
        ] {
            assert_eq!(template(pattern), expected);
        }
    }
}
