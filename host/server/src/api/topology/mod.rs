//! What a server's clusters look like, and how they are (contract, http-api §4.6, panels §7.2).
//!
//! It is composed of panels, and as old as their answers may be. Only the list of clusters must be there: everything else that cannot be
//! asked is missing in the map, and shown as missing.

mod found;
mod map;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chm_clickhouse::{Host, REPLICA, Reach};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use serde_json::Value;

use super::Tag;
use super::envelope::{Envelope, Metadata, Unavailable};
use super::error::{Problem, Word};
use super::gate::{ClusterRead, Gate};
use super::host_id::HostId;
use super::parameters;
use crate::app::App;
use crate::panels::{self, Asking, Outcome, Request};
use found::{Found, Live, text, widest};
use map::{LiveSource, Topology};

/// Clusters.
pub struct TopologyApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Hosts")]
impl TopologyApi {
    /// The clusters a server knows, their servers and Keeper nodes, and how they are
    ///
    /// Servers of the widest cluster are asked for live numbers; those that do not answer are `unreachable`. What is not known is null.
    #[oai(path = "/cluster-topology", method = "get", operation_id = "get_cluster_topology")]
    async fn topology(
        &self,
        gate: Gate<ClusterRead>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<Option<HostId>>,
    ) -> Result<Json<Envelope<Topology>>, Problem> {
        let began = Instant::now();
        let (id, host) = parameters::host(&app, &gate.caller, host_id.0.as_deref())?;
        let asking = gate.asking(&app);
        let (found, unavailable) = find(asking, id, &host).await?;
        let data = map::map(&found);
        let rows = data.ch_nodes.len() as u64;
        let metadata = Metadata {
            duration: began.elapsed().as_secs_f64(),
            rows,
            host: id.to_string(),
            truncated: found.truncated,
            unavailable,
            ..Metadata::default()
        };
        Ok(Json(Envelope { success: true, data, metadata }))
    }
}

/// Asks for everything; only the list of clusters must be there.
async fn find(asking: Asking<'_>, id: u32, host: &Host) -> Result<(Found, Option<Unavailable>), Problem> {
    let (members, truncated, unavailable) = match table(asking, "clusters-topology", id, None).await? {
        Outcome::Rows(rows) => (rows.values()?, rows.truncated, None),
        Outcome::Unavailable(unavailable) => (Vec::new(), false, Some(unavailable)),
    };
    let everybody = match widest(&members) {
        Some(name) => reach(host, &name).await.map(|reach| (name, reach)),
        None => None,
    };
    let (live, connections, keepers) = tokio::join!(
        of_all(asking, "cluster-live-metrics", id, everybody.as_ref()),
        of_all(asking, "keeper-presence", id, everybody.as_ref()),
        rows(asking, "keeper-info", id, None),
    );
    let mut found = Found {
        members,
        truncated,
        keepers: keepers.unwrap_or_default(),
        connections: connections.unwrap_or_default(),
        live: Live::nothing(),
    };
    if let Some((cluster, reach)) = everybody {
        found.live.cluster = Some(cluster);
        found.live.unreachable = reach.unreachable.into_iter().map(|member| member.address).collect();
    }
    for (address, row) in live.unwrap_or_default() {
        match address {
            Some(address) => {
                found.live.source = LiveSource::Fanout;
                found.live.of.insert(address, row);
            }
            None => {
                found.live.source = LiveSource::Local;
                found.live.local = Some(row);
            }
        }
    }
    Ok((found, unavailable))
}

/// Who of a cluster answers; nothing where the server, or its user, cannot ask the others.
async fn reach(host: &Host, cluster: &str) -> Option<Reach> {
    let cluster = host.cluster(cluster).await.ok()??;
    host.reachable_members(&cluster).await.ok()
}

/// Rows of every server of a cluster, each with the server's address, or else of the server itself.
async fn of_all(
    asking: Asking<'_>,
    name: &str,
    id: u32,
    everybody: Option<&(String, Reach)>,
) -> Option<Vec<(Option<String>, Value)>> {
    if let Some((cluster, reach)) = everybody
        && let Some(rows) = rows(asking, name, id, Some(cluster)).await
    {
        let address = |row: &Value| {
            let replica = text(row, REPLICA)?;
            reach.reached.iter().find(|(_, name)| *name == replica).map(|(member, _)| member.address.clone())
        };
        return Some(rows.into_iter().filter_map(|row| Some((Some(address(&row)?), row))).collect());
    }
    Some(rows(asking, name, id, None).await?.into_iter().map(|row| (None, row)).collect())
}

/// Rows of a table panel, where the caller, the host and the server have it.
async fn rows(asking: Asking<'_>, name: &str, host: u32, cluster: Option<&str>) -> Option<Vec<Value>> {
    match table(asking, name, host, cluster).await.ok()? {
        Outcome::Rows(rows) => rows.values().ok(),
        Outcome::Unavailable(_) => None,
    }
}

/// A table panel of one server, or of every replica of a cluster.
pub(super) async fn table(
    asking: Asking<'_>,
    name: &str,
    host: u32,
    cluster: Option<&str>,
) -> Result<Outcome, Problem> {
    let Asking { app, caller, .. } = asking;
    let missing = || {
        Problem::new(
            Word::Plugin,
            format!("the panel `{name}`, of which this is made, is not loaded or not open to you"),
        )
    };
    let gated = app.registry.catalogue.table(name).map_err(|_| missing())?;
    let (panel, _allowed) = gated.open(&app.matrix, caller, app.posture).map_err(|_| missing())?;
    let mut sent = BTreeMap::from([("hostId".to_owned(), host.to_string())]);
    sent.extend(cluster.map(|name| ("cluster".to_owned(), name.to_owned())));
    let request = Request::from_pairs(app, caller, &panel, sent)?;
    panels::rows(asking, &panel, &request).await
}
