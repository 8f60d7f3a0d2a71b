//! The watched servers.

use std::sync::Arc;
use std::time::Instant;

use chm_clickhouse::Host;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::envelope::Envelope;
use super::error::{Problem, Word};
use super::gate::{Gate, OverviewRead};
use super::host_id::HostId;
use super::parameters;
use crate::app::App;

/// The watched servers.
pub struct HostsApi;

/// One server.
#[derive(Debug, Clone, Object)]
pub struct HostEntry {
    /// `hostId` of other operations.
    pub id: u32,
    /// Its label; the address where none is configured.
    pub name: String,
    /// Scheme, name and port, never credentials; its label for callers who did not sign in where others do.
    pub host: String,
}

/// State of one server.
#[derive(Debug, Clone, Object)]
pub struct HostStatus {
    /// For example `26.7.2.1`.
    pub version: String,
    /// Seconds since it started.
    pub uptime: u64,
    /// As the server calls itself.
    pub hostname: String,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Hosts")]
impl HostsApi {
    /// List the watched servers
    ///
    /// Without those that only others may see.
    #[oai(path = "/hosts", method = "get", operation_id = "list_hosts")]
    async fn list(
        &self,
        gate: Gate<OverviewRead>,
        app: Data<&Arc<App>>,
    ) -> Result<Json<Envelope<Vec<HostEntry>>>, Problem> {
        let began = Instant::now();
        let shows_addresses = gate.caller.is_authenticated(app.posture);
        let hosts: Vec<HostEntry> = app
            .hosts
            .seen_by(Some(&gate.caller))
            .map(|(id, host)| {
                let name = label(host, shows_addresses);
                HostEntry { id, host: if shows_addresses { host.config().display_url() } else { name.clone() }, name }
            })
            .collect();
        if app.hosts.is_empty() {
            return Err(Problem::new(
                Word::Network,
                "no ClickHouse host is configured; set CLICKHOUSE_HOST or [[clickhouse.hosts]]",
            ));
        }
        let mut envelope = Envelope::of(hosts);
        envelope.metadata.rows = envelope.data.len() as u64;
        envelope.metadata.duration = began.elapsed().as_secs_f64();
        Ok(Json(envelope))
    }

    /// Ask one server for its state
    #[oai(path = "/host-status", method = "get", operation_id = "get_host_status")]
    async fn status(
        &self,
        gate: Gate<OverviewRead>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<HostId>,
    ) -> Result<Json<Envelope<HostStatus>>, Problem> {
        let (id, host) = parameters::host(&app, &gate.caller, Some(&host_id))?;
        let began = Instant::now();
        let status = tokio::time::timeout(app.ask_timeout, host.status())
            .await
            .map_err(|_| Problem::new(Word::Timeout, "the server did not say its state in time"))??;
        let mut envelope =
            Envelope::of(HostStatus { version: status.version, uptime: status.uptime, hostname: status.hostname });
        envelope.metadata.duration = began.elapsed().as_secs_f64();
        envelope.metadata.host = id.to_string();
        envelope.metadata.rows = 1;
        Ok(Json(envelope))
    }
}

/// What a server is called; where it has no name, its address, for those who may see it.
fn label(host: &Host, shows_address: bool) -> String {
    let config = host.config();
    if shows_address || config.name != config.display_url() {
        config.name.clone()
    } else {
        format!("host {}", config.id)
    }
}
