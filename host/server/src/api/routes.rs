//! The router: every operation, behind identification, the guard, limits and headers.

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::middleware::CatchPanic;
use poem::{EndpointExt, IntoResponse, Response, Route};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::{Binary, Type};
use poem_openapi::{ApiResponse, OpenApi, OpenApiService};

use super::actions::ActionsApi;
use super::alerts::AlertsApi;
use super::allowed_methods::AllowedMethods;
use super::audit::AuditApi;
use super::body_limit::BodyLimit;
use super::charts::ChartsApi;
use super::config::ConfigApi;
use super::counts::CountsApi;
use super::cron::CronApi;
use super::docs::DocsApi;
use super::document::Document;
use super::envelope::Envelope;
use super::error::enveloped;
use super::explorer;
use super::health::HealthApi;
use super::hosts::HostsApi;
use super::identity::IdentityApi;
use super::keys::KeysApi;
use super::notifications::NotificationsApi;
use super::overview::OverviewApi;
use super::peerdb::PeerdbApi;
use super::plugins::PluginsApi;
use super::system::SystemApi;
use super::tables::TablesApi;
use super::tools::ToolsApi;
use super::topology::TopologyApi;
use crate::answers::Compress;
use crate::app::App;
use crate::audit::{RecordWrites, WriteTable};
use crate::auth::{Guard, Identify};
use crate::edge::{CheckHost, Cors, ExactPaths, FindClientAddress, LimitRates, PathTable, RefuseCrossSite};
use crate::telemetry::ObserveRequests;

/// All typed operations.
pub(super) fn service() -> OpenApiService<impl OpenApi + 'static, ()> {
    // A tuple has at most sixteen.
    let about_servers = (HostsApi, OverviewApi, CountsApi, HealthApi, TopologyApi, NotificationsApi);
    let rows = (TablesApi, ChartsApi, explorer::apis());
    let apis = (
        about_servers,
        rows,
        SystemApi,
        DocsApi,
        IdentityApi,
        ConfigApi,
        ToolsApi,
        ActionsApi,
        PeerdbApi,
        AlertsApi,
        PluginsApi,
        KeysApi,
        AuditApi,
        CronApi,
    );
    OpenApiService::new(apis, "chm-host", env!("CARGO_PKG_VERSION")).description(
        "Watches ClickHouse through sandboxed plugins. Every operation names the feature and right it needs.",
    )
}

/// The whole server as one endpoint. `exports_spans`: whether a collector receives them.
///
/// # Errors
/// When the document cannot be generated; nothing is served that it does not describe.
pub fn router(app: &Arc<App>, exports_spans: bool) -> anyhow::Result<BoxEndpoint<'static>> {
    let document = Arc::new(Document::of(&app.registry.catalogue)?);
    let (edge, table) = (&app.edge, Arc::new(PathTable::of(document.value())));
    let exempt = document.exempt_paths().map(str::to_owned).collect();
    let own = document.own_credential_paths().map(str::to_owned).collect();
    let paths = document.value()["paths"].as_object().into_iter().flat_map(|paths| paths.keys().map(String::as_str));
    let observe = ObserveRequests::new(app.metrics.clone()).exporting(exports_spans).documented(paths);
    let methods = AllowedMethods::of(document.value());
    let endpoint = Route::new()
        .nest("/", service())
        .with(Compress)
        .with(BodyLimit::new(app.body_bytes, edge.body_timeout))
        .with(RefuseCrossSite(edge.origins.clone()))
        .with(Guard::new(app.posture, own))
        // Outside of the guard: those it turns away are counted too. Inside of who they are: each has a rate of their own.
        .with(LimitRates(edge.rates.clone()))
        .with(Identify::new(app.clone(), exempt))
        .with(RecordWrites::new(WriteTable::of(document.value()), app.audit.clone()))
        .data(app.clone())
        .data(document)
        .with(edge.deadline)
        .catch_all_error(enveloped)
        .with(methods)
        .with(Cors(edge.origins.clone()))
        .with(FindClientAddress(edge.proxies.clone()))
        .with(ExactPaths::new(table.clone()))
        .with(CheckHost::new(edge.hosts.clone(), table))
        .with(CatchPanic::new())
        .with(edge.headers)
        .with(observe);
    Ok(endpoint.map_to_response().boxed())
}

/// A streamed answer; the document shows it as an envelope of rows.
pub struct RowsResponse(pub Response);

impl ApiResponse for RowsResponse {
    fn meta() -> MetaResponses {
        let content = |content_type, schema| MetaMediaType { content_type, schema };
        MetaResponses {
            responses: vec![
                MetaResponse {
                    description: "Rows: in an envelope, or bare, as `format` asks. Without the envelope, `X-CHM-Rows`, \
                                  `X-CHM-Truncated`, `X-CHM-Query-Id` and `X-CHM-Unreachable` say what it would: as headers, the first \
                                  two of a long stream as trailers. A connection that breaks off means that the answer is incomplete.",
                    status: Some(200),
                    status_range: None,
                    content: vec![
                        content("application/json", Envelope::<serde_json::Value>::schema_ref()),
                        content("application/x-ndjson", text()),
                        content("text/csv; charset=utf-8", text()),
                        content("text/tab-separated-values; charset=utf-8", text()),
                        content("application/vnd.apache.parquet", Binary::<Vec<u8>>::schema_ref()),
                        content("application/vnd.apache.arrow.stream", Binary::<Vec<u8>>::schema_ref()),
                    ],
                    headers: vec![],
                },
                MetaResponse {
                    description: "The client has these rows already: their `ETag` was in `If-None-Match`.",
                    status: Some(304),
                    status_range: None,
                    content: vec![],
                    headers: vec![],
                },
            ],
        }
    }

    fn register(registry: &mut Registry) {
        Envelope::<serde_json::Value>::register(registry);
    }
}

fn text() -> MetaSchemaRef {
    String::schema_ref()
}

impl IntoResponse for RowsResponse {
    fn into_response(self) -> Response {
        self.0
    }
}
