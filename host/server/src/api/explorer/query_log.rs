//! The row of the query log about one query.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use serde_json::Value;

use super::{host, open};
use crate::api::Tag;
use crate::api::envelope::{Envelope, Metadata};
use crate::api::gate::{Gate, TablesRead};
use crate::api::host_id::HostId;
use crate::app::App;
use crate::panels::{self, Outcome};

/// Look-ups in the query log.
pub struct QueryLogApi;

/// The panel that knows one query; its feature, `queries`, counts besides.
const PANEL: &str = "query-detail";

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Explorer")]
impl QueryLogApi {
    /// The log's row about a query
    ///
    /// The latest end of the query of that id; `data` is null and `metadata.found` false where there is none (yet): the server writes its
    /// log every few seconds, so ask again. The panel `query-detail`, and so the feature `queries`, decides who may.
    #[oai(path = "/explorer/query-log", method = "get", operation_id = "find_in_query_log")]
    async fn find(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<HostId>,
        /// The query's id.
        #[oai(name = "queryId", validator(min_length = 1, max_length = 512))]
        query_id: Query<String>,
    ) -> poem::Result<Json<Envelope<Value>>> {
        let began = Instant::now();
        let (id, host) = host(&app, &gate.caller, &host_id)?;
        let panel = open(&app, &gate.caller, PANEL, "panels-queries", app.registry.catalogue.table(PANEL))?;
        let sent = BTreeMap::from([("hostId".to_owned(), id.to_string()), ("query_id".to_owned(), query_id.0)]);
        let asked = panels::Request::from_pairs(&app, &gate.caller, &panel, sent)?;
        let asking = gate.asking(&app);
        let mut metadata = Metadata { host: id.to_string(), ..Metadata::default() };
        metadata.clickhouse_version = host.version().await.ok();
        let row = match panels::rows(asking, &panel, &asked).await? {
            Outcome::Rows(rows) => {
                metadata.query_id.clone_from(&rows.query_id);
                // A query that has only begun, or whose end is not written yet, has no end to show.
                rows.values()?.into_iter().find(|row| row["type"] != "QueryStart")
            }
            Outcome::Unavailable(unavailable) => {
                metadata.unavailable = Some(unavailable);
                None
            }
        };
        metadata.found = Some(row.is_some());
        metadata.rows = u64::from(row.is_some());
        metadata.duration = began.elapsed().as_secs_f64();
        Ok(Json(Envelope { success: true, data: row.unwrap_or_default(), metadata }))
    }
}
