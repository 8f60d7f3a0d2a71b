//! One call for a landing page, and which tables a server has (contract, http-api §4.3, §4.6).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;

use super::Tag;
use super::envelope::{Envelope, Metadata};
use super::error::Problem;
use super::gate::{Gate, OverviewRead};
use super::host_id::HostId;
use super::hosts::HostStatus;
use super::parameters;
use crate::app::App;
use crate::panels::{self, Asking, Outcome, Request};

/// Overviews.
pub struct OverviewApi;

/// Numbers for a landing page. Each is null when its panel is not loaded, not open to the caller, or not possible on the server.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Overview {
    /// Queries that run now, without this host's own.
    #[oai(nullable)]
    pub running_queries: Option<u64>,
    /// Queries that finished today.
    #[oai(nullable)]
    pub today_queries: Option<u64>,
    /// Databases.
    #[oai(nullable)]
    pub database_count: Option<u64>,
    /// Tables.
    #[oai(nullable)]
    pub table_count: Option<u64>,
    /// All disks together.
    #[oai(nullable)]
    pub disk_usage: Option<DiskUsage>,
    /// The server itself.
    pub host_info: HostStatus,
}

/// Space on all disks.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct DiskUsage {
    /// For people, for example `1.2 TB`.
    pub used: String,
    /// For people.
    pub total: String,
    /// 0 to 100.
    pub percent: f64,
    /// Bytes.
    pub used_bytes: u64,
    /// Bytes.
    pub total_bytes: u64,
}

/// Which tables there are.
#[derive(Debug, Object)]
pub struct Availability {
    /// Whether the server has each table that some panel reads, and the host's user sees it.
    pub available: BTreeMap<String, bool>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Hosts")]
impl OverviewApi {
    /// Numbers for a landing page
    #[oai(path = "/overview", method = "get", operation_id = "get_overview")]
    async fn overview(
        &self,
        gate: Gate<OverviewRead>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<HostId>,
    ) -> Result<Json<Envelope<Overview>>, Problem> {
        let began = Instant::now();
        let (id, host) = parameters::host(&app, &gate.caller, Some(&host_id))?;
        let status = host.status().await?;
        let asking = gate.asking(&app);
        let (running, today, databases, tables, disks) = tokio::join!(
            chart(asking, id, "running-queries-count"),
            chart(asking, id, "query-count-today"),
            chart(asking, id, "database-count"),
            chart(asking, id, "table-count"),
            chart(asking, id, "disk-size-all"),
        );
        let data = Overview {
            running_queries: number(&running),
            today_queries: number(&today),
            database_count: number(&databases),
            table_count: number(&tables),
            disk_usage: disks.as_deref().and_then(disk_usage),
            host_info: HostStatus { version: status.version, uptime: status.uptime, hostname: status.hostname },
        };
        let duration = began.elapsed().as_secs_f64();
        let metadata = Metadata { host: id.to_string(), rows: 1, duration, ..Metadata::default() };
        Ok(Json(Envelope { success: true, data, metadata }))
    }

    /// Which tables a server has
    ///
    /// Those that some panel reads; a page may dim what cannot be shown.
    #[oai(path = "/table-availability", method = "get", operation_id = "get_table_availability")]
    async fn availability(
        &self,
        gate: Gate<OverviewRead>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<Option<HostId>>,
    ) -> Result<Json<Envelope<Availability>>, Problem> {
        let began = Instant::now();
        let (id, host) = parameters::host(&app, &gate.caller, host_id.0.as_deref())?;
        let shape = host.shape().await?;
        let named =
            app.registry.catalogue.panels().flat_map(|panel| panel.selection.named_columns().map(|(table, _)| table));
        let system = named.filter(|table| table.database() == "system");
        let available: BTreeMap<String, bool> =
            system.map(|table| (table.to_string(), shape.has_table(table.database(), table.table()))).collect();
        let metadata = Metadata {
            duration: began.elapsed().as_secs_f64(),
            host: id.to_string(),
            rows: available.len() as u64,
            ..Metadata::default()
        };
        Ok(Json(Envelope { success: true, data: Availability { available }, metadata }))
    }
}

/// The rows of a chart, where the caller and the server have it.
async fn chart(asking: Asking<'_>, host: u32, name: &str) -> Option<Vec<Value>> {
    let gated = asking.app.registry.catalogue.chart(name).ok()?;
    let (panel, _allowed) = gated.open(&asking.app.matrix, asking.caller, asking.app.posture).ok()?;
    let sent = BTreeMap::from([("hostId".to_owned(), host.to_string())]);
    let request = Request::from_pairs(asking.app, asking.caller, &panel, sent).ok()?;
    match panels::rows(asking, &panel, &request).await.ok()? {
        Outcome::Rows(rows) => rows.values().ok(),
        Outcome::Unavailable(_) => None,
    }
}

fn number(rows: &Option<Vec<Value>>) -> Option<u64> {
    rows.as_ref()?.first()?["count"].as_u64()
}

#[allow(clippy::cast_precision_loss, reason = "a share of bytes, for people")]
fn disk_usage(rows: &[Value]) -> Option<DiskUsage> {
    let sum = |column: &str| rows.iter().map(|row| row[column].as_u64()).sum::<Option<u64>>();
    let (used_bytes, total_bytes) = (sum("used_space")?, sum("total_space")?);
    let percent = if total_bytes == 0 { 0.0 } else { 100.0 * used_bytes as f64 / total_bytes as f64 };
    let percent = (percent * 10.0).round() / 10.0;
    Some(DiskUsage { used: readable(used_bytes), total: readable(total_bytes), percent, used_bytes, total_bytes })
}

/// In powers of 1024, as the contract has them.
#[allow(clippy::cast_precision_loss, reason = "for people")]
fn readable(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KB", "MB", "GB", "TB", "PB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_powers_of_1024() {
        for (bytes, text) in [(0, "0.0 B"), (1023, "1023.0 B"), (1024, "1.0 KB"), (1_319_413_953_331, "1.2 TB")] {
            assert_eq!(readable(bytes), text);
        }
    }
}
