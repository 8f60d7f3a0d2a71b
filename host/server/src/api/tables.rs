//! Tables: the cluster's own, and panels that are tables.

use std::sync::Arc;

use poem::web::Data;
use poem::{Request, Response};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::envelope::Envelope;
use super::error::Problem;
use super::gate::{Gate, ItemGate, TablesRead, denied};
use super::routes::RowsResponse;
use crate::answers;
use crate::app::App;
use crate::panels;
use crate::plugins::{Gated, Panel, Unknown};
use crate::query::{self, Source};
use crate::telemetry::QuerySource;

/// Tables.
pub struct TablesApi;

/// The cluster's own tables, biggest first. Written here because it is a route of its own, not a panel.
const USER_TABLES: &str = "\
    SELECT database, name, engine, total_rows FROM system.tables \
    WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') AND NOT is_temporary \
    ORDER BY total_bytes DESC, database, name";

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Tables")]
impl TablesApi {
    /// List the cluster's tables
    ///
    /// Without system tables; biggest first.
    #[oai(path = "/tables", method = "get", operation_id = "list_tables")]
    async fn list(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: poem_openapi::param::Query<Option<String>>,
        /// Most rows.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: poem_openapi::param::Query<u32>,
    ) -> Result<RowsResponse, Problem> {
        let (_, host) = super::parameters::host(&app, &gate.caller, host_id.0.as_deref())?;
        let guarded = chm_clickhouse::GuardedQuery::check(USER_TABLES)
            .map_err(|refusal| Problem::new(super::error::Word::Query, refusal.to_string()))?;
        let source = Source {
            kind: QuerySource::Host,
            request_id: &gate.request_id,
            caller: Some(&gate.caller),
            address: Some(gate.address),
            plugin: "host",
            item: "tables",
        };
        let options = query::options(&app, &source, Vec::new(), limit.0);
        let format = super::parameters::AnswerFormat::Json;
        Ok(RowsResponse(answers::stream(&app, &host, &guarded, options, format, &source).await?))
    }

    /// Rows of a table panel
    ///
    /// Each panel also has an operation of its own in this document, with its parameters and the type of its rows.
    #[oai(path = "/tables/:name", method = "get", operation_id = "get_table")]
    async fn get(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        request: &Request,
        /// The panel.
        name: Path<String>,
    ) -> poem::Result<RowsResponse> {
        let found = app.registry.catalogue.table(&name.0);
        let all = app.registry.catalogue.tables();
        panel(&app, &gate, request, found, all, ("panel", "availableTables")).await.map(RowsResponse)
    }

    /// Values to choose from for a filter of a table panel
    ///
    /// At most 200, most frequent first, among the rows that the panel's other parameters select; they are sent here too.
    #[oai(path = "/tables/:name/filter-options", method = "get", operation_id = "get_filter_options")]
    async fn filter_options(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        request: &Request,
        /// The panel.
        name: Path<String>,
        /// The filter.
        #[oai(validator(min_length = 1, max_length = 64))]
        key: poem_openapi::param::Query<String>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        _host_id: poem_openapi::param::Query<Option<String>>,
    ) -> poem::Result<Json<Envelope<FilterOptions>>> {
        let found = app.registry.catalogue.table(&name.0);
        let panel = open(&app, &gate, found, app.registry.catalogue.tables(), ("panel", "availableTables"))?;
        let mut sent = panels::pairs(request.uri().query().unwrap_or_default())?;
        sent.remove("key");
        let asking = gate.asking(&app);
        let (values, metadata) = panels::values(asking, &panel, &key.0, sent).await?;
        let options = values.into_iter().map(|it| FilterOption { value: it.value, count: it.count }).collect();
        Ok(Json(Envelope { success: true, data: FilterOptions { options }, metadata }))
    }
}

/// Values to choose from for a filter.
#[derive(Debug, Object)]
pub struct FilterOptions {
    /// Most frequent first.
    pub options: Vec<FilterOption>,
}

/// One value.
#[derive(Debug, Object)]
pub struct FilterOption {
    /// As the filter takes it.
    pub value: String,
    /// Rows that have it.
    pub count: u64,
}

fn default_limit() -> u32 {
    500
}

/// Opens a panel for the caller and answers with its rows.
pub(super) async fn panel<'c>(
    app: &Arc<App>,
    gate: &ItemGate,
    request: &Request,
    found: Result<&Gated<Panel>, Unknown>,
    all: impl Iterator<Item = (&'c str, &'c Gated<Panel>)>,
    words: (&str, &str),
) -> poem::Result<Response> {
    let panel = open(app, gate, found, all, words)?;
    let query = request.uri().query().unwrap_or_default();
    let asked = panels::Request::parse(app, &gate.caller, &panel, query)?;
    let asking = gate.asking(app);
    Ok(panels::answer(asking, &panel, asked, request.headers()).await?)
}

/// The panel of that name, for a caller who may read it.
pub(super) fn open<'c>(
    app: &App,
    gate: &ItemGate,
    found: Result<&Gated<Panel>, Unknown>,
    all: impl Iterator<Item = (&'c str, &'c Gated<Panel>)>,
    (what, list): (&str, &str),
) -> poem::Result<Arc<Panel>> {
    let gated = found.map_err(|unknown| {
        let visible = all
            .filter(|(_, panel)| panel.open(&app.matrix, &gate.caller, app.posture).is_ok())
            .map(|(name, _)| name)
            .collect();
        Problem::unknown(what, list, &unknown, visible)
    })?;
    let (panel, _allowed) = gated.open(&app.matrix, &gate.caller, app.posture).map_err(|denial| denied(&denial))?;
    Ok(panel)
}
