//! Liveness, version, metrics.

use std::sync::Arc;
use std::time::SystemTime;

use poem::web::Data;
use poem_openapi::payload::{Json, PlainText};
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::Tag;
use super::gate::{Exempt, Gate, MetricsRead};
use crate::app::App;

/// Liveness, version, metrics.
pub struct SystemApi;

/// This process lives.
#[derive(Debug, Object)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// ISO 8601, UTC.
    pub timestamp: String,
}

/// Versions.
#[derive(Debug, Object)]
pub struct Version {
    /// Of this server.
    pub version: String,
    /// Of the plugin interface it speaks.
    pub plugin_api: String,
}

/// Prometheus text.
#[derive(ApiResponse)]
pub enum MetricsText {
    /// Text exposition format 0.0.4.
    #[oai(status = 200)]
    Text(PlainText<String>),
}

#[OpenApi(tag = "Tag::System")]
impl SystemApi {
    /// Is this process alive?
    ///
    /// Asks nothing of ClickHouse or of plugins: a dead ClickHouse must not restart its monitor.
    #[oai(path = "/healthz", method = "get", operation_id = "healthz")]
    async fn healthz(&self, _gate: Exempt) -> PlainText<String> {
        PlainText("OK".to_owned())
    }

    /// Is this process alive, as JSON?
    #[oai(path = "/api/health", method = "get", operation_id = "health")]
    async fn health(&self, _gate: Exempt) -> Json<Health> {
        Json(Health { status: "ok".to_owned(), timestamp: super::timestamp(SystemTime::now()) })
    }

    /// Which version is this?
    #[oai(path = "/api/version", method = "get", operation_id = "version")]
    async fn version(&self, _gate: Exempt) -> Json<Version> {
        Json(Version { version: env!("CARGO_PKG_VERSION").to_owned(), plugin_api: chm_sandbox::API_VERSION.to_owned() })
    }

    /// Figures of this host for Prometheus.
    #[oai(path = "/metrics", method = "get", operation_id = "metrics")]
    async fn metrics(&self, _gate: Gate<MetricsRead>, app: Data<&Arc<App>>) -> MetricsText {
        let alerts = app.outbox.counts();
        app.metrics.set_alerts(alerts.pending, alerts.delivered, alerts.failed);
        MetricsText::Text(PlainText(app.metrics.render()))
    }
}
