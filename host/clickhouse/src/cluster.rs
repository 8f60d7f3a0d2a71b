//! Clusters that a server knows: who belongs to one, and who of them answers now.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde::Deserialize;

use crate::error::ReadError;
use crate::guard::GuardedQuery;
use crate::host::Host;
use crate::options::ReadOptions;

/// Limit of one question.
const LIMIT: Duration = Duration::from_secs(10);
/// The first release in which `clusterAllReplicas` takes a statement of ours.
const CLUSTERS_SINCE: (u32, u32) = (21, 4);

/// The name of a cluster that a server has in `system.clusters`. Only [`Host::cluster`] and [`Host::clusters`] give one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClusterName(String);

impl ClusterName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn for_tests(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl std::fmt::Display for ClusterName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One replica of a cluster, as the asked server's configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterMember {
    /// Which shard, from 1.
    pub shard: u32,
    /// Which replica of the shard, from 1.
    pub replica: u32,
    /// Host and native port, such as `ch-2:9000`.
    pub address: String,
    /// It is the server that was asked.
    pub is_local: bool,
}

/// Who of a cluster answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Those who answered, with what their rows have in the column [`REPLICA`](crate::guard::REPLICA).
    pub reached: Vec<(ClusterMember, String)>,
    /// Those who did not.
    pub unreachable: Vec<ClusterMember>,
}

#[derive(Deserialize)]
struct Name {
    cluster: String,
}

#[derive(Deserialize)]
struct Member {
    shard: u32,
    replica: u32,
    address: String,
    is_local: u8,
}

#[derive(Deserialize)]
struct Answered {
    number: u32,
    #[serde(rename = "replica_host")]
    replica: String,
}

impl Host {
    /// The clusters that the server knows.
    ///
    /// # Errors
    /// When it cannot be asked, or is too old to run a statement on a cluster's replicas ([`ReadError::TooOld`]).
    pub async fn clusters(&self) -> Result<Vec<ClusterName>, ReadError> {
        let version = self.server_version().await?;
        if !version.is_at_least(CLUSTERS_SINCE) {
            let (year, number) = CLUSTERS_SINCE;
            return Err(ReadError::TooOld {
                what: "reading from every replica of a cluster",
                since: format!("{year}.{number}"),
                version: version.as_str().to_owned(),
            });
        }
        let sql = "SELECT DISTINCT cluster FROM system.clusters ORDER BY cluster";
        let rows: Vec<Name> = self.ask(sql, Vec::new(), LIMIT).await?;
        Ok(rows.into_iter().map(|row| ClusterName(row.cluster)).collect())
    }

    /// The cluster of this name; nothing when the server knows none.
    ///
    /// # Errors
    /// As [`Host::clusters`].
    pub async fn cluster(&self, name: &str) -> Result<Option<ClusterName>, ReadError> {
        Ok(self.clusters().await?.into_iter().find(|cluster| cluster.as_str() == name))
    }

    /// Its replicas, by shard and replica, each address once: a statement is run once per address.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn cluster_members(&self, cluster: &ClusterName) -> Result<Vec<ClusterMember>, ReadError> {
        let sql = "SELECT toUInt32(shard_num) AS shard, toUInt32(replica_num) AS replica, \
                   concat(host_name, ':', toString(port)) AS address, toUInt8(is_local) AS is_local \
                   FROM system.clusters WHERE cluster = {cluster:String} ORDER BY shard_num, replica_num";
        let rows: Vec<Member> = self.ask(sql, vec![("cluster".to_owned(), cluster.0.clone())], LIMIT).await?;
        let mut met = HashSet::new();
        let member = |row: Member| ClusterMember {
            shard: row.shard,
            replica: row.replica,
            address: row.address,
            is_local: row.is_local != 0,
        };
        Ok(rows.into_iter().filter(|row| met.insert(row.address.clone())).map(member).collect())
    }

    /// Asks every replica for a sign of life.
    ///
    /// # Errors
    /// When the server cannot be asked, the user lacks the right to read from other servers ([`Host::grant_for`] has the statement), or a
    /// replica is gone and the user's profile does not let the host skip it.
    pub async fn reachable_members(&self, cluster: &ClusterName) -> Result<Reach, ReadError> {
        let members = self.cluster_members(cluster).await?;
        let query = GuardedQuery::roll_call(cluster);
        let options = ReadOptions { skip_unavailable_shards: true, max_execution: LIMIT, ..ReadOptions::default() };
        let answered: BTreeMap<u32, String> =
            self.rows_of::<Answered>(&query, options).await?.into_iter().map(|row| (row.number, row.replica)).collect();
        // Replicas are counted through, from 1, in the order of shards and replicas, and each address once.
        let mut reach = Reach { reached: Vec::new(), unreachable: Vec::new() };
        for (number, member) in (1_u32..).zip(members) {
            match answered.get(&number) {
                Some(replica) => reach.reached.push((member, replica.clone())),
                None => reach.unreachable.push(member),
            }
        }
        Ok(reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_of_answers_is_the_one_of_rows() {
        let row: Answered =
            serde_json::from_str(&format!(r#"{{"number":2,"{}":"a:9000"}}"#, crate::guard::REPLICA)).unwrap();
        assert_eq!((row.number, row.replica.as_str()), (2, "a:9000"));
    }
}
