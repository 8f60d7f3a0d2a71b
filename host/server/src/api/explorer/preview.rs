//! The first rows of a table.

use std::sync::Arc;

use chm_clickhouse::GuardedQuery;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::{CELL_CHARS, host};
use crate::answers;
use crate::api::Tag;
use crate::api::error::Problem;
use crate::api::gate::{Gate, TablesWrite};
use crate::api::host_id::HostId;
use crate::api::parameters::{self, AnswerFormat};
use crate::api::routes::RowsResponse;
use crate::app::App;
use crate::query::{self, Source};
use crate::telemetry::QuerySource;

/// Previews.
pub struct PreviewApi;

fn default_limit() -> u32 {
    100
}

fn default_offset() -> u32 {
    0
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Explorer")]
impl PreviewApi {
    /// Rows of a table
    ///
    /// As the table has them, in no order of their own. Texts of more than 10,000 characters are cut in the envelope, and say how long
    /// they were.
    #[oai(path = "/explorer/preview", method = "get", operation_id = "preview_table")]
    #[allow(clippy::too_many_arguments, reason = "one for each parameter of the query string")]
    async fn preview(
        &self,
        gate: Gate<TablesWrite>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<HostId>,
        /// The database.
        #[oai(validator(min_length = 1, max_length = 206))]
        database: Query<String>,
        /// The table.
        #[oai(validator(min_length = 1, max_length = 206))]
        table: Query<String>,
        /// Most rows.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "10000")))]
        limit: Query<u32>,
        /// Rows to skip.
        #[oai(default = "default_offset", validator(maximum(value = "10000")))]
        offset: Query<u32>,
        /// `json` (the envelope), `ndjson`, `csv`, `tsv`, `parquet` or `arrow`.
        format: Query<Option<String>>,
        /// IANA name.
        timezone: Query<Option<String>>,
    ) -> Result<RowsResponse, Problem> {
        let (_, host) = host(&app, &gate.caller, &host_id)?;
        let format = format.as_deref().map_or(Ok(AnswerFormat::Json), AnswerFormat::parse)?;
        let source = Source {
            kind: QuerySource::Explorer,
            request_id: &gate.request_id,
            caller: Some(&gate.caller),
            address: Some(gate.address),
            plugin: "host",
            item: "preview",
        };
        for (name, value) in [("database", &database.0), ("table", &table.0)] {
            if !GuardedQuery::is_bindable_identifier(value) {
                let message = format!(
                    "parameter `{name}`: expected a plain name, which is no function's; read it with a statement instead"
                );
                return Err(Problem::invalid(name, message));
            }
        }
        // One more than is shown, which tells whether there is more.
        let (most, offset) = (limit.0 + 1, offset.0);
        let sql = format!("SELECT * FROM {{database:Identifier}}.{{table:Identifier}} LIMIT {most} OFFSET {offset}");
        let guarded = GuardedQuery::check(&sql).map_err(|refusal| Problem::invalid("table", refusal.to_string()))?;
        let names = vec![("database".to_owned(), database.0), ("table".to_owned(), table.0)];
        let mut options = query::options(&app, &source, names, limit.0);
        options.timezone = timezone.0.as_deref().map(parameters::timezone).transpose()?;
        options.cell_chars = format.is_envelope().then_some(CELL_CHARS);
        Ok(RowsResponse(answers::stream(&app, &host, &guarded, options, format, &source).await?))
    }
}
