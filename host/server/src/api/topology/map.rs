//! The map of a cluster: servers, Keeper nodes, and what connects them.

use std::collections::{BTreeMap, BTreeSet};

use poem_openapi::{Enum, Object};
use serde_json::Value;

use super::found::{Found, Live, text};

/// Seconds behind, as the check of replication lag has them.
const LATE_SECONDS: f64 = 30.0;
/// Per cent of memory or disk, as the checks of both have them.
const FULL_PERCENT: f64 = 80.0;

/// How a server or Keeper node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum NodeStatus {
    /// It answers, and nothing stands out.
    Healthy,
    /// It answers, and something stands out: see `reasons`.
    Warn,
    /// Its cluster says that it is gone.
    Down,
    /// It was asked and did not answer.
    Unreachable,
}

/// Where the live numbers are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum LiveSource {
    /// Every server of the widest cluster was asked.
    Fanout,
    /// Only the server itself could be asked.
    Local,
    /// Nobody.
    None,
}

/// What coordinates the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum KeeperSource {
    /// ClickHouse Keeper.
    Keeper,
    /// Apache ZooKeeper.
    Zookeeper,
    /// Nothing that the server tells of.
    None,
}

/// A server's place in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Object)]
pub struct Placement {
    /// The cluster.
    pub cluster: String,
    /// From 1.
    pub shard: u64,
    /// Within the shard, from 1.
    pub replica: u64,
}

/// A ClickHouse server, however many clusters it is in. What is not known is null.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct ChNode {
    /// Host and native port, as the first cluster writes them.
    pub id: String,
    /// Host, as the first cluster writes it.
    pub host: String,
    /// Native port.
    pub port: u64,
    /// It is the server that was asked.
    pub is_local: bool,
    /// Where it is.
    pub clusters: Vec<Placement>,
    /// How it is; null when it was not asked.
    #[oai(nullable)]
    pub status: Option<NodeStatus>,
    /// What stands out, in words.
    pub reasons: Vec<String>,
    /// Of ClickHouse.
    #[oai(nullable)]
    pub version: Option<String>,
    /// Since its start.
    #[oai(nullable)]
    pub uptime_seconds: Option<u64>,
    /// Bytes.
    #[oai(nullable)]
    pub memory_used: Option<u64>,
    /// Bytes.
    #[oai(nullable)]
    pub memory_total: Option<u64>,
    /// Bytes.
    #[oai(nullable)]
    pub disk_used: Option<u64>,
    /// Bytes.
    #[oai(nullable)]
    pub disk_total: Option<u64>,
    /// Without this host's own.
    #[oai(nullable)]
    pub running_queries: Option<u64>,
    /// With part mutations.
    #[oai(nullable)]
    pub merges: Option<u64>,
    /// Of its replica furthest behind.
    #[oai(nullable)]
    pub max_delay_seconds: Option<u64>,
    /// Replicas of it that take no inserts.
    #[oai(nullable)]
    pub readonly_replicas: Option<u64>,
    /// Failures to reach it, as the asked server counts them.
    #[oai(nullable)]
    pub errors_count: Option<u64>,
    /// Whether its replicated database counts it as there.
    #[oai(nullable)]
    pub is_active: Option<bool>,
    /// Log entries of its replicated database that it has not applied.
    #[oai(nullable)]
    pub replication_lag: Option<u64>,
}

/// A Keeper node. What is not known is null.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct KeeperNode {
    /// Host and port.
    pub id: String,
    /// Host.
    pub host: String,
    /// Port.
    pub port: u64,
    /// `leader`, `follower`, `observer` or `standalone`.
    #[oai(nullable)]
    pub role: Option<String>,
    /// How it is; null when it was not asked.
    #[oai(nullable)]
    pub status: Option<NodeStatus>,
}

/// A cluster.
#[derive(Debug, Clone, Object)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Shards.
    pub shards: u64,
    /// Servers, by id.
    pub nodes: Vec<String>,
}

/// The coordination as a whole.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Keeper {
    /// Whether there is one.
    pub present: bool,
    /// Which kind.
    pub source: KeeperSource,
    /// The node that leads.
    #[oai(nullable)]
    pub leader_id: Option<String>,
    /// One leader, and more than half of the nodes answer; null when the nodes cannot be asked.
    #[oai(nullable)]
    pub quorum_healthy: Option<bool>,
}

/// How many of each.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Totals {
    /// Clusters.
    pub clusters: u64,
    /// Servers.
    pub ch_nodes: u64,
    /// Keeper nodes.
    pub keepers: u64,
}

/// How the map came about.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct TopologyMeta {
    /// How many of each.
    pub counts: Totals,
    /// Whether the server knows more than is here.
    pub truncated: bool,
    /// Servers that were left out; always 0.
    pub hidden_ch_nodes: u64,
    /// Where the live numbers are from.
    pub live_source: LiveSource,
    /// The cluster all of whose servers were asked.
    #[oai(nullable)]
    pub live_cluster: Option<String>,
}

/// The map.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Topology {
    /// Keeper nodes.
    pub keepers: Vec<KeeperNode>,
    /// Servers.
    pub ch_nodes: Vec<ChNode>,
    /// Clusters.
    pub clusters: Vec<Cluster>,
    /// Keeper nodes that talk to each other, by id.
    pub raft_edges: Vec<[String; 2]>,
    /// Servers that hold the same shard, by id.
    pub repl_edges: Vec<[String; 2]>,
    /// Servers and the Keeper node that each is connected to, by id.
    pub coord_edges: Vec<[String; 2]>,
    /// The coordination as a whole.
    pub keeper: Keeper,
    /// How it came about.
    pub meta: TopologyMeta,
}

/// A node while it is put together, with every address it goes by.
#[derive(Default)]
struct Draft {
    node: ChNode,
    addresses: BTreeSet<String>,
}

/// Draws the map of what was found.
pub(super) fn map(found: &Found) -> Topology {
    let mut drafts = drafts(found);
    for draft in &mut drafts {
        judge(draft, &found.live);
    }
    let node_at = |address: &str| drafts.iter().find(|draft| draft.addresses.contains(address));
    let local = drafts.iter().find(|draft| draft.node.is_local);
    let keepers = keepers(found);
    let coord = found.connections.iter().filter_map(|(server, row)| {
        let server = server.as_deref().map_or(local, node_at)?;
        Some([server.node.id.clone(), address(row, "host")?])
    });
    let coord_edges: BTreeSet<_> = coord.collect();
    let keeper = keeper(found, &keepers);
    let ch_nodes: Vec<ChNode> = drafts.into_iter().map(|draft| draft.node).collect();
    let clusters = clusters(&ch_nodes);
    let counts =
        Totals { clusters: clusters.len() as u64, ch_nodes: ch_nodes.len() as u64, keepers: keepers.len() as u64 };
    Topology {
        raft_edges: raft_edges(&keepers, keeper.leader_id.as_deref()),
        repl_edges: repl_edges(&ch_nodes),
        coord_edges: coord_edges.into_iter().collect(),
        keepers,
        ch_nodes,
        clusters,
        keeper,
        meta: TopologyMeta {
            counts,
            truncated: found.truncated,
            hidden_ch_nodes: 0,
            live_source: found.live.source,
            live_cluster: found.live.cluster.clone(),
        },
    }
}

/// `host:port` of a row.
fn address(row: &Value, host: &str) -> Option<String> {
    Some(format!("{}:{}", text(row, host)?, row["port"].as_u64()?))
}

/// One for each server: clusters name the same one differently, and then its address or its being the one that was asked tells.
fn drafts(found: &Found) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut place_of: BTreeMap<String, usize> = BTreeMap::new();
    for row in &found.members {
        let (Some(id), Some(cluster)) = (address(row, "host_name"), text(row, "cluster")) else { continue };
        let is_local = flag(row, "is_local").unwrap_or(false);
        let mut keys = vec![id.clone()];
        keys.extend(
            address(row, "host_address").filter(|_| text(row, "host_address").is_some_and(|it| !it.is_empty())),
        );
        keys.extend(is_local.then(|| "the server itself".to_owned()));
        let place = keys.iter().find_map(|key| place_of.get(key).copied()).unwrap_or_else(|| {
            let node = ChNode {
                id: id.clone(),
                host: text(row, "host_name").unwrap_or_default(),
                port: row["port"].as_u64().unwrap_or_default(),
                ..ChNode::default()
            };
            drafts.push(Draft { node, addresses: BTreeSet::new() });
            drafts.len() - 1
        });
        for key in keys {
            place_of.insert(key, place);
        }
        let Some(draft) = drafts.get_mut(place) else { continue };
        draft.addresses.insert(id);
        let node = &mut draft.node;
        node.is_local |= is_local;
        node.errors_count = node.errors_count.max(count(row, "errors_count"));
        node.is_active = node.is_active.or(flag(row, "is_active"));
        node.replication_lag = node.replication_lag.max(count(row, "replication_lag"));
        let (shard, replica) = (count(row, "shard_num").unwrap_or(1), count(row, "replica_num").unwrap_or(1));
        node.clusters.push(Placement { cluster, shard, replica });
    }
    if !drafts.iter().any(|draft| draft.node.is_local)
        && let Some(host) = found.live.local.as_ref().and_then(|row| text(row, "host"))
    {
        // In no cluster of its own knowledge.
        let node = ChNode { id: host.clone(), host, is_local: true, ..ChNode::default() };
        drafts.push(Draft { node, addresses: BTreeSet::new() });
    }
    drafts
}

/// Fills in the live numbers, and says how the server is.
fn judge(draft: &mut Draft, live: &Live) {
    let unreachable = draft.addresses.iter().any(|address| live.unreachable.contains(address));
    let answered = draft.addresses.iter().find_map(|address| live.of.get(address));
    let row = answered.or(live.local.as_ref().filter(|_| draft.node.is_local));
    let node = &mut draft.node;
    let Some(row) = row else {
        node.status = match (unreachable, node.is_active) {
            (true, _) => Some(NodeStatus::Unreachable),
            (false, Some(false)) => Some(NodeStatus::Down),
            (false, _) => None,
        };
        return;
    };
    node.version = text(row, "version");
    node.uptime_seconds = count(row, "uptime_seconds");
    node.memory_used = count(row, "memory_used");
    node.memory_total = count(row, "memory_total");
    node.disk_used = count(row, "disk_used");
    node.disk_total = count(row, "disk_total");
    node.running_queries = count(row, "running_queries");
    node.merges = count(row, "merges");
    node.max_delay_seconds = count(row, "max_delay_seconds");
    node.readonly_replicas = count(row, "readonly_replicas");
    if node.is_active == Some(false) {
        node.reasons.push("its replicated database counts it as gone".to_owned());
    }
    if let Some(replicas) = node.readonly_replicas.filter(|replicas| *replicas > 0) {
        node.reasons.push(format!("{replicas} of its replicas take no inserts"));
    }
    if let Some(seconds) = row["max_delay_seconds"].as_f64().filter(|seconds| *seconds >= LATE_SECONDS) {
        node.reasons.push(format!("a replica is {seconds} seconds behind"));
    }
    for (what, used, total) in [("memory", "memory_used", "memory_total"), ("disk", "disk_used", "disk_total")] {
        if let (Some(used), Some(total)) = (row[used].as_f64(), row[total].as_f64())
            && total > 0.0
            && 100.0 * used / total >= FULL_PERCENT
        {
            node.reasons.push(format!("{:.0} % of its {what} in use", 100.0 * used / total));
        }
    }
    node.status = Some(if node.reasons.is_empty() { NodeStatus::Healthy } else { NodeStatus::Warn });
}

fn clusters(nodes: &[ChNode]) -> Vec<Cluster> {
    let mut shards: BTreeMap<&str, (BTreeSet<u64>, BTreeSet<&str>)> = BTreeMap::new();
    for node in nodes {
        for placement in &node.clusters {
            let (numbers, ids) = shards.entry(&placement.cluster).or_default();
            numbers.insert(placement.shard);
            ids.insert(&node.id);
        }
    }
    let cluster = |(name, (shards, nodes)): (&str, (BTreeSet<u64>, BTreeSet<&str>))| Cluster {
        name: name.to_owned(),
        shards: shards.len() as u64,
        nodes: nodes.into_iter().map(str::to_owned).collect(),
    };
    shards.into_iter().map(cluster).collect()
}

fn repl_edges(nodes: &[ChNode]) -> Vec<[String; 2]> {
    let mut edges = BTreeSet::new();
    for (place, node) in nodes.iter().enumerate() {
        for other in nodes.iter().skip(place + 1) {
            let same =
                |one: &Placement| other.clusters.iter().any(|it| (&it.cluster, it.shard) == (&one.cluster, one.shard));
            if node.clusters.iter().any(same) {
                edges.insert([node.id.clone(), other.id.clone()]);
            }
        }
    }
    edges.into_iter().collect()
}

/// Those that could be asked, and those that some server is connected to.
fn keepers(found: &Found) -> Vec<KeeperNode> {
    let mut nodes: BTreeMap<String, KeeperNode> = BTreeMap::new();
    let connected = found.connections.iter().map(|(_, row)| (row, None));
    // What a node says of its state is an answer, whoever is connected to it.
    let answers = |row: &Value| text(row, "server_state").is_some_and(|state| !state.is_empty());
    let asked = found.keepers.iter().map(|row| (row, Some(answers(row) || flag(row, "is_connected") == Some(true))));
    for (row, asked) in connected.chain(asked) {
        let Some(id) = address(row, "host") else { continue };
        let node = nodes.entry(id.clone()).or_default();
        node.host = text(row, "host").unwrap_or_default();
        node.port = count(row, "port").unwrap_or_default();
        node.id = id;
        node.role = text(row, "server_state").filter(|role| !role.is_empty()).or(node.role.take());
        node.status = match asked {
            Some(true) => Some(NodeStatus::Healthy),
            Some(false) => Some(NodeStatus::Unreachable),
            None => node.status,
        };
    }
    nodes.into_values().collect()
}

fn keeper(found: &Found, nodes: &[KeeperNode]) -> Keeper {
    let leads = |node: &&KeeperNode| matches!(node.role.as_deref(), Some("leader" | "standalone"));
    let leaders: Vec<&KeeperNode> = nodes.iter().filter(leads).collect();
    let healthy = nodes.iter().filter(|node| node.status == Some(NodeStatus::Healthy)).count();
    // ZooKeeper has no flags to tell of.
    let has_flags = |(_, row): &(Option<String>, Value)| {
        row["enabled_feature_flags"].as_array().is_some_and(|flags| !flags.is_empty())
    };
    Keeper {
        present: !nodes.is_empty(),
        source: match (nodes.is_empty(), found.connections.iter().any(has_flags)) {
            (true, _) => KeeperSource::None,
            (false, true) => KeeperSource::Keeper,
            (false, false) => KeeperSource::Zookeeper,
        },
        leader_id: leaders.first().map(|node| node.id.clone()),
        quorum_healthy: (!found.keepers.is_empty()).then_some(leaders.len() == 1 && healthy * 2 > nodes.len()),
    }
}

/// The leader and each of the others; every pair while nobody is known to lead.
fn raft_edges(nodes: &[KeeperNode], leader: Option<&str>) -> Vec<[String; 2]> {
    let mut edges = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        for other in nodes.iter().skip(place + 1) {
            if leader.is_none_or(|leader| node.id == leader || other.id == leader) {
                edges.push([node.id.clone(), other.id.clone()]);
            }
        }
    }
    edges
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes and counts, within what a number of JSON holds"
)]
fn count(row: &Value, column: &str) -> Option<u64> {
    row[column].as_u64().or_else(|| row[column].as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
}

/// Servers of every age write truths as words or as numbers.
fn flag(row: &Value, column: &str) -> Option<bool> {
    row[column].as_bool().or_else(|| row[column].as_u64().map(|number| number != 0))
}
