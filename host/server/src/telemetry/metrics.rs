//! What `GET /metrics` says.
//!
//! Every label has few values: a route's template (never a path), a plugin's id (only of loaded plugins), words from an enum.
//! Nothing a client sends becomes a label.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use prometheus::core::Collector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::process::Process;

/// Of [`Metrics::render`].
pub const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Seconds. Panels answer in milliseconds; the longest permitted query takes a minute.
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Who asked ClickHouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuerySource {
    /// A table panel.
    Table,
    /// A chart panel.
    Chart,
    /// A counter.
    Counter,
    /// `POST /api/v1/explorer/query`.
    Explorer,
    /// A plugin, through its `clickhouse` capability.
    Plugin,
    /// A typed control statement.
    Control,
    /// The host itself: versions, health, catalogue.
    Host,
}

impl QuerySource {
    /// As in the label `source`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Chart => "chart",
            Self::Counter => "counter",
            Self::Explorer => "explorer",
            Self::Plugin => "plugin",
            Self::Control => "control",
            Self::Host => "host",
        }
    }
}

/// The process's measurements, in a registry of their own: nothing is global, so tests run side by side.
pub struct Metrics {
    registry: Registry,
    process: Process,
    requests: HistogramVec,
    requests_in_flight: IntGauge,
    plugin_calls: HistogramVec,
    queries: HistogramVec,
    rows_streamed: IntCounter,
    bytes_streamed: IntCounter,
    rejected_auth: IntCounterVec,
    plugins: IntGaugeVec,
    alerts: IntGaugeVec,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Never with the names this file gives; the library checks them at run time.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let metrics = Self {
            process: Process::register(&registry)?,
            requests: histogram(
                "chm_http_request_duration_seconds",
                "Time to the head of an answer, by the route's template.",
                &["route", "method", "status"],
            )?,
            requests_in_flight: IntGauge::new("chm_http_requests_in_flight", "Requests being answered.")?,
            plugin_calls: histogram(
                "chm_plugin_call_duration_seconds",
                "Time of a call into a plugin.",
                &["plugin", "role", "outcome"],
            )?,
            queries: histogram(
                "chm_query_duration_seconds",
                "Time of a statement, from sending it to the last byte.",
                &["host", "source", "outcome"],
            )?,
            rows_streamed: IntCounter::new("chm_rows_streamed_total", "Rows sent to clients.")?,
            bytes_streamed: IntCounter::new("chm_bytes_streamed_total", "Bytes of rows sent to clients.")?,
            rejected_auth: counters(
                "chm_auth_rejected_total",
                "Requests whose credentials were refused.",
                &["reason"],
            )?,
            plugins: gauges("chm_plugins", "Plugins by state.", &["state"])?,
            alerts: gauges("chm_alerts", "Alerts in the outbox by state.", &["state"])?,
            registry,
        };
        let build = gauges("chm_build_info", "1; the version is in the label.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let collectors: [Box<dyn Collector>; 10] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.requests_in_flight.clone()),
            Box::new(metrics.plugin_calls.clone()),
            Box::new(metrics.queries.clone()),
            Box::new(metrics.rows_streamed.clone()),
            Box::new(metrics.bytes_streamed.clone()),
            Box::new(metrics.rejected_auth.clone()),
            Box::new(metrics.plugins.clone()),
            Box::new(metrics.alerts.clone()),
            Box::new(build),
        ];
        collectors.into_iter().try_for_each(|collector| metrics.registry.register(collector))?;
        Ok(metrics)
    }

    /// One answered request. `route` is the template, for example `/api/v1/tables/{name}`, never the path. The status is 499
    /// for a client that left before its answer.
    pub fn observe_request(&self, route: &str, method: &Method, status: StatusCode, duration: Duration) {
        self.requests
            .with_label_values(&[route, method_label(method), status.as_str()])
            .observe(duration.as_secs_f64());
    }

    /// A request came in (`true`) or is done (`false`).
    pub fn request_in_flight(&self, begins: bool) {
        if begins { self.requests_in_flight.inc() } else { self.requests_in_flight.dec() }
    }

    /// One call into a plugin. `plugin` is the id of a loaded plugin; `outcome` is `ok` or a [`chm_sandbox::CallError::kind`].
    pub fn observe_plugin_call(
        &self,
        plugin: &str,
        role: chm_sandbox::Role,
        outcome: &'static str,
        duration: Duration,
    ) {
        self.plugin_calls.with_label_values(&[plugin, role.as_str(), outcome]).observe(duration.as_secs_f64());
    }

    /// One statement. `host` is the id of a configured host; `outcome` a fixed word such as `ok`, `refused` or `unavailable`.
    pub fn observe_query(&self, host: u32, source: QuerySource, outcome: &'static str, duration: Duration) {
        self.queries.with_label_values(&[&host.to_string(), source.as_str(), outcome]).observe(duration.as_secs_f64());
    }

    /// Rows that left for a client.
    pub fn add_streamed(&self, rows: u64, bytes: u64) {
        self.rows_streamed.inc_by(rows);
        self.bytes_streamed.inc_by(bytes);
    }

    /// Credentials were refused. `reason` is a fixed word.
    pub fn count_rejected_auth(&self, reason: &'static str) {
        self.rejected_auth.with_label_values(&[reason]).inc();
    }

    /// How many plugins are in service, and how many were refused.
    pub fn set_plugins(&self, active: usize, refused: usize) {
        set(&self.plugins, "active", active);
        set(&self.plugins, "refused", refused);
    }

    /// How many alerts are in the outbox.
    pub fn set_alerts(&self, pending: usize, delivered: usize, failed: usize) {
        set(&self.alerts, "pending", pending);
        set(&self.alerts, "delivered", delivered);
        set(&self.alerts, "failed", failed);
    }

    /// Everything in Prometheus' text format; see [`METRICS_CONTENT_TYPE`].
    #[must_use]
    pub fn render(&self) -> String {
        self.process.refresh();
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics cannot be rendered completely");
        }
        text
    }
}

fn set(gauges: &IntGaugeVec, state: &str, value: usize) {
    gauges.with_label_values(&[state]).set(i64::try_from(value).unwrap_or(i64::MAX));
}

/// A client may send any word as its method.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn histogram(name: &str, help: &str, labels: &[&str]) -> Result<HistogramVec, prometheus::Error> {
    HistogramVec::new(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()), labels)
}

fn counters(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_observed_is_rendered() {
        let metrics = Metrics::new().unwrap();
        let duration = Duration::from_millis(20);
        metrics.observe_request("/api/v1/tables/{name}", &Method::GET, StatusCode::OK, duration);
        metrics.observe_plugin_call("alert-webhook", chm_sandbox::Role::AlertSink, "trap", duration);
        metrics.observe_query(0, QuerySource::Table, "ok", duration);
        metrics.add_streamed(10, 2048);
        metrics.count_rejected_auth("api-key");
        metrics.set_plugins(4, 1);
        metrics.set_alerts(1, 2, 3);
        let text = metrics.render();
        for line in [
            "chm_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/tables/{name}\",status=\"200\"} 1",
            "chm_plugin_call_duration_seconds_count{outcome=\"trap\",plugin=\"alert-webhook\",role=\"alert-sink\"} 1",
            "chm_query_duration_seconds_bucket{host=\"0\",outcome=\"ok\",source=\"table\",le=\"0.025\"} 1",
            "chm_rows_streamed_total 10",
            "chm_bytes_streamed_total 2048",
            "chm_auth_rejected_total{reason=\"api-key\"} 1",
            "chm_plugins{state=\"active\"} 4",
            "chm_plugins{state=\"refused\"} 1",
            "chm_alerts{state=\"failed\"} 3",
            concat!("chm_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_tells_its_memory() {
        let text = Metrics::new().unwrap().render();
        let resident = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
        assert!(resident.parse::<f64>().unwrap() > 1_000_000.0);
    }

    #[test]
    fn an_invented_method_makes_no_label_of_its_own() {
        let metrics = Metrics::new().unwrap();
        for word in ["BREW", "PROPFIND", "X-1"] {
            let method = Method::from_bytes(word.as_bytes()).unwrap();
            metrics.observe_request("unmatched", &method, StatusCode::NOT_FOUND, Duration::ZERO);
        }
        assert!(metrics.render().contains(
            "chm_http_request_duration_seconds_count{method=\"other\",route=\"unmatched\",status=\"404\"} 3"
        ));
    }
}
