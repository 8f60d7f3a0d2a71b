//! `/data`: rows of what is known here by name.
//!
//! The contract's dashboards send their SQL, and the server runs what it finds in one of its own tables. Whoever may write that table
//! could run anything (weakness C15). Here only panels are run; statements of the caller's own are for the console, and its right.

use std::collections::BTreeMap;
use std::sync::Arc;

use chm_clickhouse::GuardedQuery;
use poem::Request;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;

use super::Tag;
use super::checked_json::CheckedJson;
use super::error::{Problem, Word};
use super::explorer;
use super::gate::{ItemGate, denied};
use super::host_id::HostId;
use super::routes::RowsResponse;
use crate::app::App;
use crate::panels;

/// Rows by name.
pub struct DataApi;

/// What is wanted.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataQuery {
    /// A statement. It is checked, and run only where it is a panel's: see `queryConfigName`.
    #[oai(nullable, validator(max_length = 100_000))]
    pub query: Option<String>,
    /// Position of the ClickHouse host in the configuration.
    pub host_id: u32,
    /// Name of a table panel or chart, whose statement is run.
    #[oai(nullable)]
    pub query_config_name: Option<String>,
    /// The panel's parameters.
    #[oai(nullable)]
    pub query_params: Option<BTreeMap<String, Value>>,
    /// As on the panel's own route.
    #[oai(nullable)]
    pub format: Option<String>,
    /// IANA name.
    #[oai(nullable)]
    pub timezone: Option<String>,
}

/// Why a statement of the caller's own is not run here.
fn not_saved(sql: &str) -> Problem {
    match GuardedQuery::check(sql) {
        Err(refusal) => Problem::invalid("query", refusal.to_string()),
        Ok(_) => Problem::new(
            Word::Permission,
            "this statement is not a saved one; name a panel with `queryConfigName`, or run it with /api/v1/explorer/query, which needs tables:write",
        ),
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Explorer")]
impl DataApi {
    /// Rows of a saved statement
    ///
    /// There are no saved statements yet, so every statement is refused: wrong ones with 400, others with 403. By POST, a panel can be
    /// named.
    #[oai(path = "/data", method = "get", operation_id = "get_data")]
    async fn get(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<HostId>,
        /// The statement.
        #[oai(validator(max_length = 8000))]
        sql: Query<Option<String>>,
        /// The statement, by another name.
        #[oai(validator(max_length = 8000))]
        query: Query<Option<String>>,
    ) -> Result<RowsResponse, Problem> {
        explorer::host(&app, &gate.caller, &host_id)?;
        let statement = sql.0.or(query.0);
        let statement = statement.ok_or_else(|| Problem::invalid("sql", "parameter `sql`: expected a statement"))?;
        Err(not_saved(&statement))
    }

    /// Rows of a panel by its name
    ///
    /// `queryConfigName` is a table panel or chart, which says who may read it; its own statement is run, with `queryParams` as its
    /// parameters. Any other statement is refused (403): the console runs those.
    #[oai(path = "/data", method = "post", operation_id = "post_data")]
    async fn post(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        request: &Request,
        body: CheckedJson<DataQuery>,
    ) -> poem::Result<RowsResponse> {
        let asked = body.0;
        let Some(name) = &asked.query_config_name else {
            explorer::host(&app, &gate.caller, &asked.host_id.to_string())?;
            let statement = asked.query.as_deref();
            let expected = || Problem::invalid("query", "`query`: expected a statement, or `queryConfigName` a panel");
            return Err(not_saved(statement.ok_or_else(expected)?).into());
        };
        if let Some(statement) = &asked.query {
            GuardedQuery::check(statement).map_err(|refusal| Problem::invalid("query", refusal.to_string()))?;
        }
        let catalogue = &app.registry.catalogue;
        let found = catalogue.table(name).or_else(|_| catalogue.chart(name));
        let message = "`queryConfigName`: no table panel and no chart has this name; GET /api/v1/plugins lists them";
        let gated = found.map_err(|_| Problem::invalid("queryConfigName", message))?;
        let (panel, _allowed) = gated.open(&app.matrix, &gate.caller, app.posture).map_err(|denial| denied(&denial))?;
        let mut sent = BTreeMap::from([("hostId".to_owned(), asked.host_id.to_string())]);
        sent.extend(asked.format.map(|format| ("format".to_owned(), format)));
        sent.extend(asked.timezone.map(|timezone| ("timezone".to_owned(), timezone)));
        for (name, value) in asked.query_params.unwrap_or_default() {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    let message = format!("`queryParams.{name}`: expected a text, a number or a boolean");
                    return Err(Problem::invalid("queryParams", message).into());
                }
            };
            if sent.insert(name.clone(), value).is_some() {
                let message = format!("`queryParams.{name}`: send it beside `queryParams`");
                return Err(Problem::invalid("queryParams", message).into());
            }
        }
        let asked = panels::Request::from_pairs(&app, &gate.caller, &panel, sent)?;
        let asking = gate.asking(&app);
        Ok(RowsResponse(panels::answer(asking, &panel, asked, request.headers()).await?))
    }
}
