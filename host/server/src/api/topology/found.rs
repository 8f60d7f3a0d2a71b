//! What the panels say that a map is drawn from.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::map::LiveSource;

/// Clusters that ClickHouse makes itself, of all its servers.
const OF_ALL: [&str; 2] = ["all-replicated", "all-sharded"];

/// Everything there is to draw.
#[derive(Debug)]
pub struct Found {
    /// Rows of `clusters-topology`.
    pub members: Vec<Value>,
    /// Whether there are more of them.
    pub truncated: bool,
    /// Rows of `keeper-info`.
    pub keepers: Vec<Value>,
    /// Rows of `keeper-presence`, with the address of the server they are from; none: the server itself.
    pub connections: Vec<(Option<String>, Value)>,
    /// Rows of `cluster-live-metrics`.
    pub live: Live,
}

/// Live numbers.
#[derive(Debug)]
pub struct Live {
    /// Who was asked.
    pub source: LiveSource,
    /// The cluster all of whose servers were asked.
    pub cluster: Option<String>,
    /// By address, as the cluster writes it.
    pub of: BTreeMap<String, Value>,
    /// Of the server itself.
    pub local: Option<Value>,
    /// Addresses of those that did not answer.
    pub unreachable: BTreeSet<String>,
}

impl Live {
    /// Nobody was asked.
    pub const fn nothing() -> Self {
        Self { source: LiveSource::None, cluster: None, of: BTreeMap::new(), local: None, unreachable: BTreeSet::new() }
    }
}

/// A text in a row.
pub fn text(row: &Value, column: &str) -> Option<String> {
    row[column].as_str().map(str::to_owned)
}

/// The cluster whose servers are asked for live numbers: one that ClickHouse or its operator made of all of them, or the widest.
pub fn widest(members: &[Value]) -> Option<String> {
    let mut nodes: BTreeMap<String, BTreeSet<(String, u64)>> = BTreeMap::new();
    for row in members {
        if let (Some(cluster), Some(host), Some(port)) =
            (text(row, "cluster"), text(row, "host_name"), row["port"].as_u64())
        {
            nodes.entry(cluster).or_default().insert((host, port));
        }
    }
    let of_all = |name: &str| name.starts_with("default") || OF_ALL.contains(&name);
    // Of equals the first by name.
    nodes.into_iter().rev().max_by_key(|(name, nodes)| (nodes.len(), of_all(name))).map(|(name, _)| name)
}
