//! The SQL console.

use std::sync::Arc;

use chm_clickhouse::GuardedQuery;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::{Object, OpenApi};

use super::{CELL_CHARS, host};
use crate::answers;
use crate::api::Tag;
use crate::api::checked_json::CheckedJson;
use crate::api::error::Problem;
use crate::api::gate::{Gate, TablesWrite};
use crate::api::host_id::HostId;
use crate::api::parameters::{self, AnswerFormat};
use crate::api::routes::RowsResponse;
use crate::app::App;
use crate::query::{self, Source};
use crate::telemetry::QuerySource;

/// The SQL console.
pub struct ConsoleApi;

/// A statement to run.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsoleQuery {
    /// One reading statement, without `FORMAT` or `SETTINGS`.
    #[oai(validator(max_length = 100_000))]
    pub sql: String,
    /// Position of the ClickHouse host in the configuration.
    #[oai(nullable, default)]
    pub host_id: u32,
    /// `json` (the envelope), `ndjson`, `csv`, `tsv`, `parquet` or `arrow`; ClickHouse's names work too.
    #[oai(nullable)]
    pub format: Option<String>,
    /// Most rows; the host's own cap holds besides.
    #[oai(nullable)]
    pub limit: Option<u32>,
    /// IANA name.
    #[oai(nullable)]
    pub timezone: Option<String>,
    /// Database for names without a prefix.
    #[oai(nullable, validator(pattern = "^[A-Za-z0-9_]{1,255}$"))]
    pub database: Option<String>,
}

async fn run(
    app: &Arc<App>,
    gate: &Gate<TablesWrite>,
    host_id: &str,
    asked: ConsoleQuery,
) -> Result<RowsResponse, Problem> {
    let (_, host) = host(app, &gate.caller, host_id)?;
    let format = asked.format.as_deref().map_or(Ok(AnswerFormat::Json), AnswerFormat::parse)?;
    let timezone = asked.timezone.as_deref().map(parameters::timezone).transpose()?;
    let guarded = GuardedQuery::check(&asked.sql).map_err(|refusal| Problem::invalid("sql", refusal.to_string()))?;
    let source = Source {
        kind: QuerySource::Explorer,
        request_id: &gate.request_id,
        caller: Some(&gate.caller),
        address: Some(gate.address),
        plugin: "host",
        item: "explorer",
    };
    let limit = match asked.limit {
        Some(0) => return Err(Problem::invalid("limit", "`limit`: expected a whole number from 1")),
        Some(limit) => limit,
        None => app.answers.rows,
    };
    let mut options = query::options(app, &source, Vec::new(), limit);
    options.timezone = timezone;
    options.database = asked.database;
    options.cell_chars = format.is_envelope().then_some(CELL_CHARS);
    Ok(RowsResponse(answers::stream(app, &host, &guarded, options, format, &source).await?))
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Explorer")]
impl ConsoleApi {
    /// Run a reading statement
    ///
    /// It passes the host's guard and runs `readonly`, with limits. Refused statements answer 400 and say which word was in the
    /// way. Texts of more than 10,000 characters are cut in the envelope, and say how long they were.
    #[oai(path = "/explorer/query", method = "post", operation_id = "run_query")]
    async fn post(
        &self,
        gate: Gate<TablesWrite>,
        app: Data<&Arc<App>>,
        body: CheckedJson<ConsoleQuery>,
    ) -> Result<RowsResponse, Problem> {
        let host_id = body.host_id.to_string();
        run(&app, &gate, &host_id, body.0).await
    }

    /// Run a short reading statement
    ///
    /// As by POST, for links that somebody follows: pages of other sites cannot load it.
    #[oai(path = "/explorer/query", method = "get", operation_id = "run_short_query")]
    #[allow(clippy::too_many_arguments, reason = "one for each parameter of the query string")]
    async fn get(
        &self,
        gate: Gate<TablesWrite>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<HostId>,
        /// One reading statement, without `FORMAT` or `SETTINGS`.
        #[oai(validator(max_length = 8000))]
        sql: Query<String>,
        /// `json` (the envelope), `ndjson`, `csv`, `tsv`, `parquet` or `arrow`; ClickHouse's names work too.
        format: Query<Option<String>>,
        /// Most rows; the host's own cap holds besides.
        limit: Query<Option<u32>>,
        /// IANA name.
        timezone: Query<Option<String>>,
        /// Database for names without a prefix.
        #[oai(validator(pattern = "^[A-Za-z0-9_]{1,255}$"))]
        database: Query<Option<String>>,
    ) -> Result<RowsResponse, Problem> {
        let asked = ConsoleQuery {
            sql: sql.0,
            host_id: 0,
            format: format.0,
            limit: limit.0,
            timezone: timezone.0,
            database: database.0,
        };
        run(&app, &gate, &host_id, asked).await
    }
}
