//! The SQL console.

use std::sync::Arc;

use chm_clickhouse::GuardedQuery;
use poem::web::Data;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::checked_json::CheckedJson;
use super::error::Problem;
use super::gate::{Gate, TablesWrite};
use super::parameters::{self, AnswerFormat};
use super::routes::RowsResponse;
use crate::answers;
use crate::app::App;
use crate::query::{self, Source};
use crate::telemetry::QuerySource;

/// The SQL console.
pub struct ExplorerApi;

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

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Explorer")]
impl ExplorerApi {
    /// Run a reading statement
    ///
    /// It passes the host's guard and runs `readonly`, with limits. Refused statements answer 400 and say which word was in the
    /// way.
    #[oai(path = "/explorer/query", method = "post", operation_id = "run_query")]
    async fn run(
        &self,
        gate: Gate<TablesWrite>,
        app: Data<&Arc<App>>,
        body: CheckedJson<ConsoleQuery>,
    ) -> Result<RowsResponse, Problem> {
        let (_, host) = parameters::host(&app, &gate.caller, Some(&body.host_id.to_string()))?;
        let format = body.format.as_deref().map_or(Ok(AnswerFormat::Json), AnswerFormat::parse)?;
        let timezone = body.timezone.as_deref().map(parameters::timezone).transpose()?;
        let guarded = GuardedQuery::check(&body.sql).map_err(|refusal| Problem::invalid("sql", refusal.to_string()))?;
        let source = Source {
            kind: QuerySource::Explorer,
            request_id: &gate.request_id,
            caller: Some(&gate.caller),
            plugin: "host",
            item: "explorer",
        };
        let limit = match body.limit {
            Some(0) => return Err(Problem::invalid("limit", "`limit`: expected a whole number from 1")),
            Some(limit) => limit,
            None => app.answers.rows,
        };
        let mut options = query::options(&app, &source, Vec::new(), limit);
        options.timezone = timezone;
        options.database.clone_from(&body.database);
        Ok(RowsResponse(answers::stream(&app, &host, &guarded, options, format, &source).await?))
    }
}
