//! Numbers beside menu entries, and numbers about a whole cluster (contract, http-api §4.6).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::envelope::{Envelope, Metadata, Unavailable, Unreachable};
use super::error::Problem;
use super::gate::ItemGate;
use super::host_id::HostId;
use super::parameters;
use super::tables::open;
use crate::app::App;
use crate::panels::{self, AT_A_TIME, Asking, Outcome, Request};
use crate::plugins::Panel;

/// What a counter is called, and where a refusal lists the others.
const WORDS: (&str, &str) = ("counter", "availableCounters");

/// Counters.
pub struct CountsApi;

/// All counters of a server.
#[derive(Debug, Object)]
pub struct Counts {
    /// By name; null where the server lacks what is counted, or did not answer. Counters of features that the caller may not read
    /// are left out.
    pub counts: BTreeMap<String, Option<u64>>,
}

/// One counter.
#[derive(Debug, Object)]
pub struct Count {
    /// Null where the server lacks what is counted; `metadata.unavailable` says why.
    #[oai(nullable)]
    pub count: Option<u64>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Hosts")]
impl CountsApi {
    /// All counters of a server
    #[oai(path = "/menu-counts", method = "get", operation_id = "list_counts")]
    async fn list(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<Option<HostId>>,
    ) -> Result<Json<Envelope<Counts>>, Problem> {
        let began = Instant::now();
        let (id, _) = parameters::host(&app, &gate.caller, host_id.0.as_deref())?;
        let asking = gate.asking(&app);
        let open: Vec<_> = app
            .registry
            .catalogue
            .counters()
            .filter_map(|(name, counter)| {
                let (panel, _allowed) = counter.open(&app.matrix, &gate.caller, app.posture).ok()?;
                Some((name.to_owned(), panel))
            })
            .collect();
        let each = open.into_iter().map(|(name, panel)| async move {
            let count = count(asking, &panel, BTreeMap::from([host_parameter(id)])).await;
            (name, count.unwrap_or_default().count)
        });
        let counts = futures::stream::iter(each).buffered(AT_A_TIME).collect().await;
        Ok(Json(about(id, began, Counts { counts })))
    }

    /// One counter of a server
    #[oai(path = "/menu-counts/:key", method = "get", operation_id = "get_count")]
    async fn get(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        /// The counter.
        key: Path<String>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<Option<HostId>>,
    ) -> poem::Result<Json<Envelope<Count>>> {
        let found = app.registry.catalogue.counter(&key.0);
        let panel = open(&app, &gate, found, app.registry.catalogue.counters(), WORDS)?;
        let began = Instant::now();
        let (id, _) = parameters::host(&app, &gate.caller, host_id.0.as_deref())?;
        let asking = gate.asking(&app);
        let counted = count(asking, &panel, BTreeMap::from([host_parameter(id)])).await?;
        Ok(Json(told(id, began, counted)))
    }

    /// One number about all replicas of a cluster
    ///
    /// Replicas that do not answer are not in it, and named in `metadata.unreachable`.
    #[oai(path = "/cluster-counts/:key", method = "get", operation_id = "get_cluster_count")]
    async fn of_cluster(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        /// The counter.
        key: Path<String>,
        /// Name of the cluster. Required.
        #[oai(validator(min_length = 1, max_length = 128))]
        cluster: Query<Option<String>>,
        /// Position of the ClickHouse host in the configuration, through which the cluster is asked.
        #[oai(name = "hostId")]
        host_id: Query<Option<HostId>>,
    ) -> poem::Result<Json<Envelope<Count>>> {
        let found = app.registry.catalogue.cluster_counter(&key.0);
        let panel = open(&app, &gate, found, app.registry.catalogue.cluster_counters(), WORDS)?;
        let began = Instant::now();
        let (id, _) = parameters::host(&app, &gate.caller, host_id.0.as_deref())?;
        // Not a required parameter of the operation: what is closed says so before it looks at the request.
        let cluster = cluster.0.ok_or_else(|| {
            let message = "parameter `cluster`: expected the name of a cluster; `/api/v1/tables/clusters` lists them";
            Problem::invalid("cluster", message)
        })?;
        let asking = gate.asking(&app);
        let sent = BTreeMap::from([host_parameter(id), ("cluster".to_owned(), cluster)]);
        let counted = count(asking, &panel, sent).await?;
        Ok(Json(told(id, began, counted)))
    }
}

fn host_parameter(id: u32) -> (String, String) {
    ("hostId".to_owned(), id.to_string())
}

fn about<T>(id: u32, began: Instant, data: T) -> Envelope<T>
where
    T: poem_openapi::types::Type + poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON + Send + Sync,
{
    let metadata = Metadata { duration: began.elapsed().as_secs_f64(), host: id.to_string(), ..Metadata::default() };
    Envelope { success: true, data, metadata }
}

fn told(id: u32, began: Instant, counted: Counted) -> Envelope<Count> {
    let mut answer = about(id, began, Count { count: counted.count });
    answer.metadata.unreachable = counted.unreachable;
    answer.metadata.unavailable = counted.unavailable;
    answer
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// The sum over all rows: one of a server, one of each replica of a cluster. Nothing where the server lacks what is counted.
    pub count: Option<u64>,
    /// Replicas that are not in it.
    pub unreachable: Vec<Unreachable>,
    /// What the server lacks.
    pub unavailable: Option<Unavailable>,
}

/// Counts.
pub(super) async fn count(
    asking: Asking<'_>,
    panel: &Panel,
    sent: BTreeMap<String, String>,
) -> Result<Counted, Problem> {
    let request = Request::from_pairs(asking.app, asking.caller, panel, sent)?;
    match panels::rows(asking, panel, &request).await? {
        Outcome::Unavailable(unavailable) => Ok(Counted { unavailable: Some(unavailable), ..Counted::default() }),
        Outcome::Rows(rows) => {
            let count = rows.values()?.iter().map(|row| row["count"].as_u64()).sum();
            Ok(Counted { count, unreachable: rows.unreachable, unavailable: None })
        }
    }
}
