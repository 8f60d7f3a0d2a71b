//! Logs, traces and metrics.
//!
//! [`init`] installs the process's subscriber: lines on standard error and, where a collector is configured, spans over OTLP.
//! [`Metrics`] is what `GET /metrics` renders. [`ObserveRequests`] gives each request its [`RequestId`], its span, its one line
//! in the log and its place in the histogram.

mod init;
mod metrics;
mod observe_requests;
mod otlp;
mod process;
mod request_id;

#[cfg(test)]
pub(crate) use init::tests as log_of_tests;
pub use init::{LogFormat, TelemetryError, TelemetryGuard, TelemetryOptions, init};
pub use metrics::{METRICS_CONTENT_TYPE, Metrics, QuerySource};
pub use observe_requests::{ObserveRequests, ObserveRequestsEndpoint, RouteTemplate};
pub use request_id::{REQUEST_ID_HEADER, RequestId};
