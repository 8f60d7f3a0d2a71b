//! Spans to a collector over OTLP/HTTP.
//!
//! The SDK's batch processor exports from a thread of its own, where an asynchronous HTTP client has no runtime. The exporter
//! therefore brings a small one: exporting neither waits for the server's workers nor stops with them, so that the last spans of
//! a shutdown still leave.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::{Builder, Handle, Runtime};

use super::init::TelemetryError;
use crate::capabilities::http_client;

/// One export, its retries included.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// What the end of the process waits for the last export.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the log repeats that the collector does not answer.
const WARN_EVERY: Duration = Duration::from_secs(300);

/// A batch exporter that flushes when it is dropped.
#[derive(Debug)]
pub(crate) struct Exporter {
    provider: SdkTracerProvider,
    runtime: Option<Runtime>,
}

impl Exporter {
    /// Opens no connection: a collector that is down is noticed at the first export.
    pub(crate) fn new(endpoint: &str, key: &str, service_name: &str) -> Result<Self, TelemetryError> {
        let url = traces_url(endpoint).map_err(|reason| TelemetryError::Endpoint { key: key.to_owned(), reason })?;
        let failed = |error: &dyn std::fmt::Display| TelemetryError::Exporter(error.to_string());
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("otlp")
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        let client = Client {
            http: http_client(|builder| builder.timeout(EXPORT_TIMEOUT)).map_err(|error| failed(&error))?,
            runtime: runtime.handle().clone(),
            warned: Mutex::new(None),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(url)
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(|error| failed(&error))?;
        let resource = Resource::builder()
            .with_service_name(service_name.to_owned())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
        Ok(Self { provider, runtime: Some(runtime) })
    }

    pub(crate) fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // An error means that spans are lost, which the client has logged.
        let _ = self.provider.shutdown_with_timeout(FLUSH_TIMEOUT);
        if let Some(runtime) = self.runtime.take() {
            // Unlike dropping it, this is allowed inside another runtime.
            runtime.shutdown_background();
        }
    }
}

/// `OTEL_EXPORTER_OTLP_ENDPOINT` is a base address; the path of the signal is appended (OTLP exporter specification).
fn traces_url(endpoint: &str) -> Result<String, String> {
    let mut url = reqwest::Url::parse(endpoint).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it is neither http:// nor https://".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query string or a fragment".to_owned());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with("/v1/traces") {
        url.set_path(&format!("{path}/v1/traces"));
    }
    Ok(url.into())
}

/// Sends on the exporter's own runtime.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
    warned: Mutex<Option<Instant>>,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move { http.send_bytes(request).await }).await;
        let outcome = sent.unwrap_or_else(|error| Err(Box::new(error)));
        match &outcome {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => self.warn(&format!("it answers {}", response.status())),
            Err(error) => self.warn(&reason(error.as_ref())),
        }
        outcome
    }
}

impl Client {
    fn warn(&self, reason: &str) {
        let Ok(mut warned) = self.warned.lock() else { return };
        if warned.is_none_or(|last| last.elapsed() >= WARN_EVERY) {
            *warned = Some(Instant::now());
            tracing::warn!(reason, "the OTLP collector takes no spans; they are dropped until it does");
        }
    }
}

/// Without the address, which may carry credentials.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<reqwest::Error>() {
        Some(error) if error.is_timeout() => "it does not answer in time".to_owned(),
        Some(error) if error.is_connect() => "it cannot be reached".to_owned(),
        Some(_) => "the exchange broke off".to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::LogFormat;
    use super::super::init::tests::{options, subscriber};
    use super::*;
    use crate::capabilities::loopback::{Answer, Loopback};

    #[test]
    fn the_path_of_the_signal_is_appended_once() {
        for (endpoint, expected) in [
            ("http://c:4318", "http://c:4318/v1/traces"),
            ("http://c:4318/", "http://c:4318/v1/traces"),
            ("https://c/otlp", "https://c/otlp/v1/traces"),
            ("https://c/v1/traces", "https://c/v1/traces"),
        ] {
            assert_eq!(traces_url(endpoint).unwrap(), expected);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn dropping_the_exporter_sends_the_spans_that_wait() {
        let collector = Loopback::start(|_| Answer::status(200)).await;
        let (dispatch, _, exporter) = subscriber(&options(LogFormat::Json, Some(collector.url())));
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::info_span!(target: "chm_host", "the-span-we-look-for").in_scope(|| ());
        });
        tokio::task::spawn_blocking(move || drop(exporter)).await.unwrap();
        let requests = collector.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].path, "/v1/traces");
        assert!(requests[0].body_contains(b"the-span-we-look-for"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_collector_that_is_down_costs_a_bounded_time() {
        let down = Loopback::closed_url().await;
        let (dispatch, _, exporter) = subscriber(&options(LogFormat::Json, Some(down)));
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::info_span!(target: "chm_host", "lost").in_scope(|| ());
        });
        let dropped = tokio::task::spawn_blocking(move || drop(exporter));
        tokio::time::timeout(Duration::from_secs(30), dropped).await.unwrap().unwrap();
    }
}
