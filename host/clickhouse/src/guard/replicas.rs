//! A checked statement, run on every replica of a cluster.
//!
//! The guard refuses `clusterAllReplicas` to everybody, as it reaches other servers. This wrapper is written by the host, around a
//! statement that has passed, for a cluster that the server itself named.

use std::fmt::Write as _;

use super::GuardedQuery;
use crate::cluster::ClusterName;
use crate::error::ReadError;
use crate::redact::Subject;

/// The column that says which replica a row is from: host name and native port, as several replicas may share a machine.
pub const REPLICA: &str = "replica_host";

/// Order and part of the rows of all replicas together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// Columns of the result, and whether the greatest come first.
    pub order_by: Vec<(String, bool)>,
    /// Most rows.
    pub limit: Option<u64>,
    /// Rows that are left out before.
    pub offset: u64,
}

impl GuardedQuery {
    /// The statement as every replica of `cluster` answers it by itself, aggregates too, with a first column [`REPLICA`]. Its parameters
    /// stay parameters. The statement must have no column of that name itself.
    ///
    /// # Errors
    /// When it is no SELECT.
    pub fn on_every_replica(&self, cluster: &ClusterName, arrangement: &Arrangement) -> Result<Self, ReadError> {
        if !self.is_select {
            return Err(ReadError::Option {
                option: "scope",
                why: "only a SELECT is run on every replica of a cluster",
            });
        }
        let before = head("*", cluster);
        // What follows the last token is a comment or a semicolon, which would swallow or end the rest.
        let mut sql = format!("{before}{}))", self.sql.get(..self.end).unwrap_or_default());
        for (at, (column, descending)) in arrangement.order_by.iter().enumerate() {
            let name = column.replace('\\', "\\\\").replace('`', "\\`");
            let _ = write!(
                sql,
                "{} `{name}`{}",
                if at == 0 { " ORDER BY" } else { "," },
                if *descending { " DESC" } else { "" }
            );
        }
        if let Some(limit) = arrangement.limit {
            let _ = write!(sql, " LIMIT {limit}");
        }
        if arrangement.offset > 0 {
            let _ = write!(sql, " OFFSET {}", arrangement.offset);
        }
        let moved = |range: &std::ops::Range<usize>| range.start + before.len()..range.end + before.len();
        let parameters = self.parameters.iter().map(|parameter| super::Parameter {
            bytes: moved(&parameter.bytes),
            type_bytes: moved(&parameter.type_bytes),
            ..parameter.clone()
        });
        Ok(Self { parameters: parameters.collect(), end: sql.len(), is_select: true, subject: self.subject, sql })
    }
}

impl GuardedQuery {
    /// Which replicas of `cluster` answer, by their number in it (`number`) and what they call themselves ([`REPLICA`]).
    pub(crate) fn roll_call(cluster: &ClusterName) -> Self {
        let sql = format!("{}SELECT 1 AS one))", head("toUInt32(_shard_num) AS number", cluster));
        Self { parameters: Vec::new(), end: sql.len(), is_select: true, subject: Subject::default(), sql }
    }
}

/// Up to the bracket of `view`. `hostName()` and `tcpPort()` stand beside it and are still computed by each replica (tried on 26.7).
fn head(columns: &str, cluster: &ClusterName) -> String {
    let name = cluster.as_str().replace('\\', "\\\\").replace('\'', "\\'");
    format!(
        "SELECT concat(hostName(), ':', toString(tcpPort())) AS {REPLICA}, {columns} FROM clusterAllReplicas('{name}', view("
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_wrapped_whole_and_nothing_after_it_escapes() {
        let cluster = ClusterName::for_tests("it's");
        let wrapped = |sql: &str, arrangement: &Arrangement| {
            GuardedQuery::check(sql).unwrap().on_every_replica(&cluster, arrangement)
        };
        let head = r"SELECT concat(hostName(), ':', toString(tcpPort())) AS replica_host, * FROM clusterAllReplicas('it\'s', view(";
        for sql in ["SELECT 1", "SELECT 1;", "SELECT 1 -- x", "SELECT 1 ; -- x\n", "SELECT 1 /* ) */"] {
            assert_eq!(wrapped(sql, &Arrangement::default()).unwrap().sql(), format!("{head}SELECT 1))"), "{sql}");
        }
        let arrangement = Arrangement {
            order_by: vec![("a`b".to_owned(), true), ("c".to_owned(), false)],
            limit: Some(5),
            offset: 2,
        };
        let query = wrapped("SELECT {x:UInt8} AS c", &arrangement).unwrap();
        assert_eq!(query.sql(), format!(r"{head}SELECT {{x:UInt8}} AS c)) ORDER BY `a\`b` DESC, `c` LIMIT 5 OFFSET 2"));
        assert_eq!(&query.sql()[query.parameters()[0].bytes.clone()], "{x:UInt8}");
        assert!(wrapped("SHOW TABLES", &Arrangement::default()).is_err());
        // Nobody else may write it.
        assert!(GuardedQuery::check(query.sql()).is_err());
    }
}
