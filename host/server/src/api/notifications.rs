//! What somebody should look at in the clusters of a server (contract, http-api §4.6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};

use super::Tag;
use super::counts;
use super::envelope::{Envelope, Metadata, Unreachable};
use super::error::{Problem, Word};
use super::gate::{ClusterRead, Gate};
use super::host_id::HostId;
use super::parameters;
use super::topology::table;
use crate::app::App;
use crate::panels::{AT_A_TIME, Asking, Outcome};

/// More read-only tables than this are critical.
const MANY: u64 = 10;
const COUNTER: &str = "readonly-tables-in-cluster";

/// Notifications.
pub struct NotificationsApi;

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum NotificationKind {
    /// Replicas of a cluster that take no inserts.
    ReadonlyTables,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum NotificationSeverity {
    /// Worth a look.
    Warning,
    /// Somebody should act.
    Critical,
}

/// Something to look at.
#[derive(Debug, Object)]
pub struct Notification {
    /// What it is about.
    #[oai(rename = "type")]
    pub kind: NotificationKind,
    /// Where.
    pub cluster: String,
    /// How many.
    pub count: u64,
    /// How much it matters.
    pub severity: NotificationSeverity,
}

/// All there are.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Notifications {
    /// By cluster.
    pub notifications: Vec<Notification>,
    /// How many.
    pub total_count: u64,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Hosts")]
impl NotificationsApi {
    /// What somebody should look at in the clusters of a server
    ///
    /// Clusters that could not be asked are named in `metadata.unreachable`.
    #[oai(path = "/notifications", method = "get", operation_id = "list_notifications")]
    async fn list(
        &self,
        gate: Gate<ClusterRead>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<Option<HostId>>,
    ) -> Result<Json<Envelope<Notifications>>, Problem> {
        let began = Instant::now();
        let (id, _) = parameters::host(&app, &gate.caller, host_id.0.as_deref())?;
        let asking = gate.asking(&app);
        let mut metadata = Metadata { host: id.to_string(), ..Metadata::default() };
        let clusters: BTreeSet<String> = match table(asking, "clusters-topology", id, None).await? {
            Outcome::Rows(rows) => {
                rows.values()?.iter().filter_map(|row| row["cluster"].as_str().map(str::to_owned)).collect()
            }
            Outcome::Unavailable(unavailable) => {
                metadata.unavailable = Some(unavailable);
                BTreeSet::new()
            }
        };
        let each = clusters.into_iter().map(|cluster| async move {
            let count = readonly(asking, id, &cluster).await;
            (cluster, count)
        });
        let mut notifications = Vec::new();
        for (cluster, count) in futures::stream::iter(each).buffered(AT_A_TIME).collect::<Vec<_>>().await {
            match count {
                Ok(count) => notifications.extend(count.and_then(|count| notification(&cluster, count))),
                Err(problem) => {
                    metadata.unreachable.push(Unreachable { host: cluster, reason: problem.message().to_owned() });
                }
            }
        }
        let total_count = notifications.len() as u64;
        metadata.rows = total_count;
        metadata.duration = began.elapsed().as_secs_f64();
        Ok(Json(Envelope { success: true, data: Notifications { notifications, total_count }, metadata }))
    }
}

async fn readonly(asking: Asking<'_>, host: u32, cluster: &str) -> Result<Option<u64>, Problem> {
    let Asking { app, caller, .. } = asking;
    let missing = || Problem::new(Word::Plugin, format!("the counter `{COUNTER}` is not loaded or not open to you"));
    let gated = app.registry.catalogue.cluster_counter(COUNTER).map_err(|_| missing())?;
    let (panel, _allowed) = gated.open(&app.matrix, caller, app.posture).map_err(|_| missing())?;
    let sent = BTreeMap::from([("hostId".to_owned(), host.to_string()), ("cluster".to_owned(), cluster.to_owned())]);
    counts::count(asking, &panel, sent).await.map(|counted| counted.count)
}

fn notification(cluster: &str, count: u64) -> Option<Notification> {
    let severity = match count {
        0 => return None,
        1..=MANY => NotificationSeverity::Warning,
        _ => NotificationSeverity::Critical,
    };
    Some(Notification { kind: NotificationKind::ReadonlyTables, cluster: cluster.to_owned(), count, severity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_news_and_more_than_ten_are_critical() {
        let severity = |count| notification("all", count).map(|it| it.severity);
        assert_eq!(severity(0), None);
        assert_eq!(severity(1), Some(NotificationSeverity::Warning));
        assert_eq!(severity(10), Some(NotificationSeverity::Warning));
        assert_eq!(severity(11), Some(NotificationSeverity::Critical));
    }
}
