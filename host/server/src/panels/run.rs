//! Runs a panel for a caller: the request, what the servers have, the statement for each, the answer.

use std::sync::Arc;
use std::time::Duration;

use chm_access::Caller;
use chm_clickhouse::{Host, ReadError, ReadOptions};
use chm_sandbox::bindings::panels::{Context, Shape, Source as PanelSource};
use chm_sandbox::bindings::types::{Binding, Failure};
use chm_sandbox::{CallError, CallScope, Role};
use poem::Response;
use poem::http::HeaderMap;

use super::facts::Asked;
use super::request::{Request, Scope};
use super::statement::{self, NoStatement, Statement, Wishes};
use crate::answers::{self, Ask, Collected, Part};
use crate::api::{Metadata, Problem, Recent, Unavailable, Unreachable, Word, plugin_problem};
use crate::app::App;
use crate::edge::ClientAddress;
use crate::plugins::Panel;
use crate::query::{self, Source};
use crate::services::CallServices;
use crate::telemetry::QuerySource;

/// Panels that one request asks for at a time: it neither fills its caller's share of a server's places, nor waits for itself.
pub const AT_A_TIME: usize = 4;
/// Rows of the recent past beside a panel that has none.
const RECENT_ROWS: u32 = 20;

/// Columns that tell servers side by side apart.
const LABELS: [(&str, &str); 2] = [("hostId", "{chm_host_id:UInt32}"), ("hostName", "{chm_host_name:String}")];

/// On whose behalf a panel runs, and under which request.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The host process.
    pub app: &'a Arc<App>,
    /// Whose rights were decided on.
    pub caller: &'a Caller,
    /// The address that asks.
    pub address: ClientAddress,
    /// The HTTP request's id.
    pub request_id: &'a str,
}

/// The rows of a panel in memory, or why there are none.
#[derive(Debug)]
pub enum Outcome {
    /// Rows.
    Rows(Collected),
    /// The panel cannot be shown on this server.
    Unavailable(Unavailable),
}

/// Answers a panel request over HTTP.
///
/// # Errors
/// What is wrong with the request, the server, or the plugin.
pub async fn answer(
    asking: Asking<'_>,
    panel: &Panel,
    request: Request,
    head: &HeaderMap,
) -> Result<Response, Problem> {
    let run = Run { asking, panel, request: &request };
    let prepared = run.prepare().await?;
    let ask = match prepared {
        Prepared::Ask(ask) => ask,
        Prepared::Unavailable(unavailable) => return Ok(run.show_unavailable(unavailable).await),
        Prepared::Made(rows) => return answers::made(rows, request.format, run.metadata(), head),
    };
    let wants_recent = panel.described.when_empty.is_some() && !request.narrowed && request.format.is_envelope();
    if panel.described.transforms {
        let metadata = ask.metadata.clone();
        return match answers::collect(*ask).await {
            Ok(rows) => answers::made(run.transform(rows).await?, request.format, metadata, head),
            Err(error) => run.explain(error).await,
        };
    }
    match answers::begin(*ask).await {
        Ok(mut begun) => {
            if wants_recent && begun.is_empty() {
                begun.metadata().recent = run.recent().await;
            }
            Ok(begun.respond(head))
        }
        Err(error) => run.explain(error).await,
    }
}

/// The rows of a panel, for what the host makes of them: counters, checks, overviews.
///
/// # Errors
/// As [`answer`].
pub async fn rows(asking: Asking<'_>, panel: &Panel, request: &Request) -> Result<Outcome, Problem> {
    let run = Run { asking, panel, request };
    match run.prepare().await? {
        Prepared::Ask(ask) => match answers::collect(*ask).await {
            Ok(rows) if panel.described.transforms => run.transform(rows).await.map(Outcome::Rows),
            Ok(rows) => Ok(Outcome::Rows(rows)),
            Err(error) => match run.one_host() {
                Some(host) => match Unavailable::behind(panel, &error, host).await {
                    Some(unavailable) => Ok(Outcome::Unavailable(unavailable)),
                    None => Err(error.into()),
                },
                None => Err(error.into()),
            },
        },
        Prepared::Unavailable(unavailable) => Ok(Outcome::Unavailable(unavailable)),
        Prepared::Made(rows) => Ok(Outcome::Rows(rows)),
    }
}

enum Prepared<'a> {
    Ask(Box<Ask<'a>>),
    Unavailable(Unavailable),
    /// Rows that a guest brought.
    Made(Collected),
}

struct Run<'a> {
    asking: Asking<'a>,
    panel: &'a Panel,
    request: &'a Request,
}

impl<'a> Run<'a> {
    async fn prepare(&self) -> Result<Prepared<'a>, Problem> {
        match &self.request.scope {
            Scope::Host(id, host) => self.on_host(*id, host).await,
            Scope::Cluster(id, host, cluster) => self.on_cluster(*id, host, cluster).await,
            Scope::Hosts(hosts) => self.on_hosts(hosts).await,
        }
    }

    async fn on_host(&self, id: u32, host: &Arc<Host>) -> Result<Prepared<'a>, Problem> {
        if self.panel.described.source == PanelSource::Fetched {
            // Rows that a plugin brings do not need ClickHouse to answer.
            let context = self.context(id, host.version().await.ok());
            let call = self.panel.plugin.fetch(self.scope(), &self.panel.described.id, &context);
            let plugin = &self.panel.plugin;
            return match self.asking.app.observed(plugin, Role::Panels, call).await {
                Ok(rows) => Ok(Prepared::Made(self.rows_of_guest(rows, false)?)),
                // What it depends on is not there, as a table might not be.
                Err(CallError::Failure(Failure::Unavailable(reason))) => {
                    Ok(Prepared::Unavailable(Unavailable::not_enabled(reason)))
                }
                Err(error) => Err(plugin_problem(plugin.id(), &error)),
            };
        }
        match self.statement(id, host, &[]).await? {
            Ok((statement, version)) => {
                let options = self.options(statement.bindings);
                let metadata = self.metadata_of(id, version, statement.absent);
                let part = Part { host: host.clone(), query: statement.query, options };
                Ok(Prepared::Ask(Box::new(self.ask(vec![part], metadata))))
            }
            Err(unavailable) => Ok(Prepared::Unavailable(unavailable)),
        }
    }

    /// Every replica answers for itself; those that do not are named.
    async fn on_cluster(&self, id: u32, host: &Arc<Host>, name: &str) -> Result<Prepared<'a>, Problem> {
        let cluster = match host.cluster(name).await {
            Ok(Some(cluster)) => cluster,
            Ok(None) => return Err(no_such_cluster(host, name).await),
            Err(error) => return self.unavailable_for(error, host).await,
        };
        let (statement, version) = match self.statement(id, host, &[]).await? {
            Ok(found) => found,
            Err(unavailable) => return Ok(Prepared::Unavailable(unavailable)),
        };
        let reach = match host.reachable_members(&cluster).await {
            Ok(reach) => reach,
            Err(error) => return self.unavailable_for(error, host).await,
        };
        let arrangement = self.request.cut.arrangement(&statement.absent);
        let query = statement.query.on_every_replica(&cluster, &arrangement)?;
        let options = ReadOptions { skip_unavailable_shards: true, ..self.options(statement.bindings) };
        let mut metadata = self.metadata_of(id, version, statement.absent);
        metadata.unreachable = reach
            .unreachable
            .into_iter()
            .map(|member| Unreachable {
                reason: format!(
                    "replica {} of shard {} of cluster {name} does not answer",
                    member.replica, member.shard
                ),
                host: member.address,
            })
            .collect();
        Ok(Prepared::Ask(Box::new(self.ask(vec![Part { host: host.clone(), query, options }], metadata))))
    }

    /// A failure that is about what the server has or grants.
    async fn unavailable_for(&self, error: ReadError, host: &Host) -> Result<Prepared<'a>, Problem> {
        match Unavailable::behind(self.panel, &error, host).await {
            Some(unavailable) => Ok(Prepared::Unavailable(unavailable)),
            None => Err(error.into()),
        }
    }

    /// A statement for each server; those that cannot be asked, or have not what it takes, are named.
    async fn on_hosts(&self, hosts: &[(u32, Arc<Host>)]) -> Result<Prepared<'a>, Problem> {
        if self.panel.described.source == PanelSource::Fetched {
            return Err(Problem::invalid(
                "scope",
                "parameter `scope`: this panel's rows are not from a ClickHouse server",
            ));
        }
        let each = hosts.iter().map(|(id, host)| async move {
            let found = self.statement(*id, host, &LABELS).await.map(|found| {
                found.map(|(mut statement, version)| {
                    statement.bindings.push(("chm_host_id".to_owned(), id.to_string()));
                    statement.bindings.push(("chm_host_name".to_owned(), host.config().name.clone()));
                    (statement, version)
                })
            });
            (*id, host, found)
        });
        let mut parts = Vec::new();
        let mut metadata = self.metadata();
        for (id, host, found) in futures::future::join_all(each).await {
            let reason = match found {
                Ok(Ok((statement, _))) => {
                    let options = self.options(statement.bindings);
                    parts.push(Part { host: host.clone(), query: statement.query, options });
                    continue;
                }
                Ok(Err(unavailable)) => unavailable.message,
                Err(problem) if hosts.len() == 1 => return Err(problem),
                Err(problem) => problem.message().to_owned(),
            };
            metadata.unreachable.push(Unreachable { host: id.to_string(), reason });
        }
        if parts.is_empty() {
            let reasons: Vec<String> =
                metadata.unreachable.iter().map(|it| format!("host {}: {}", it.host, it.reason)).collect();
            return Ok(Prepared::Unavailable(Unavailable::nowhere(reasons.join("; "))));
        }
        Ok(Prepared::Ask(Box::new(self.ask(parts, metadata))))
    }

    /// The statement for one server, with the server's version.
    async fn statement(
        &self,
        id: u32,
        host: &Host,
        labels: &'static [(&'static str, &'static str)],
    ) -> Result<Result<(Statement, String), Unavailable>, Problem> {
        let facts = Asked::about(&self.panel.selection, host).await?;
        let version = facts.version_text().to_owned();
        let wishes = Wishes {
            conditions: self.request.conditions.clone(),
            cut: match self.request.scope {
                Scope::Cluster(..) => self.request.cut.of_each(),
                Scope::Host(..) | Scope::Hosts(_) => self.request.cut.clone(),
            },
            labels,
            hide_in_sql: !self.request.format.has_rows(),
        };
        let outcome = if self.panel.described.source == PanelSource::Planned {
            let context = self.context(id, Some(version.clone()));
            let planned = self.call(self.panel.plugin.plan(self.scope(), &self.panel.described.id, &context)).await?;
            statement::planned(&planned.sql, &wishes).map(|mut statement| {
                statement.bindings.extend(planned.bindings.into_iter().map(|bound| (bound.name, bound.value)));
                statement
            })
        } else {
            let write = || statement::described(&self.panel.selection, &facts, &wishes);
            self.panel.written.or_write(id, &facts, &wishes, write).map(|mut statement| {
                statement.bindings.extend(self.request.bindings.iter().cloned());
                statement
            })
        };
        match outcome {
            Ok(statement) => Ok(Ok((statement, version))),
            Err(NoStatement::Lack(lack)) => Ok(Err(Unavailable::lacking(lack, host).await?)),
            Err(NoStatement::Filter { name, column }) => {
                let message =
                    format!("parameter `{name}`: this server (ClickHouse {version}) has no `{column}` to filter by");
                Err(Problem::invalid(&name, message))
            }
            Err(NoStatement::Refused(refusal)) => {
                let plugin = self.panel.plugin.id();
                tracing::warn!(plugin, panel = self.panel.name, %refusal, "a statement was refused");
                Err(Problem::new(Word::Plugin, format!("plugin {plugin} made a query that the guard refuses")))
            }
        }
    }

    fn ask(&self, parts: Vec<Part>, metadata: Metadata) -> Ask<'a> {
        Ask {
            app: self.asking.app,
            parts,
            format: self.request.format,
            source: self.source(),
            cache: Duration::from_secs(u64::from(self.panel.described.cache_seconds)),
            reversed: self.panel.described.keeps_last,
            metadata,
        }
    }

    fn source(&self) -> Source<'a> {
        Source {
            kind: match self.panel.described.shape {
                Shape::Table => QuerySource::Table,
                Shape::Chart => QuerySource::Chart,
                Shape::Counter | Shape::ClusterCounter => QuerySource::Counter,
            },
            request_id: self.asking.request_id,
            caller: Some(self.asking.caller),
            address: Some(self.asking.address),
            plugin: self.panel.plugin.id(),
            item: &self.panel.name,
        }
    }

    fn options(&self, bindings: Vec<(String, String)>) -> ReadOptions {
        let mut options = query::options(self.asking.app, &self.source(), bindings, self.request.limit);
        if let Some(grant) = &self.panel.plugin.grants().clickhouse {
            options.max_rows = options.max_rows.min(u64::from(grant.max_rows));
            options.max_bytes = options.max_bytes.min(grant.max_bytes);
        }
        options.timezone.clone_from(&self.request.timezone);
        // What a guest planned is not known column by column, and is read in formats with rows only.
        options.hides_credentials = self.panel.described.source == PanelSource::Described;
        options
    }

    fn scope(&self) -> CallScope {
        let Asking { app, caller, address, request_id } = self.asking;
        CallServices::new(app.clone(), self.panel.plugin.id(), request_id, Some(caller.clone()))
            .from_address(address)
            .into_scope()
    }

    fn context(&self, host: u32, server_version: Option<String>) -> Context {
        let bind = |(name, value): &(String, String)| Binding { name: name.clone(), value: value.clone() };
        Context { host, server_version, parameters: self.request.bindings.iter().map(bind).collect() }
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, chm_sandbox::CallError>>) -> Result<T, Problem> {
        let plugin = &self.panel.plugin;
        let outcome = self.asking.app.observed(plugin, Role::Panels, call).await;
        outcome.map_err(|error| plugin_problem(plugin.id(), &error))
    }

    async fn transform(&self, rows: Collected) -> Result<Collected, Problem> {
        let id = self.one_host_id().unwrap_or_default();
        let version = match self.one_host() {
            Some(host) => host.version().await.ok(),
            None => None,
        };
        let context = self.context(id, version);
        let Collected { json, truncated, unreachable, query_id, .. } = rows;
        let call = self.panel.plugin.transform(self.scope(), &self.panel.described.id, &context, json);
        let made = self.rows_of_guest(self.call(call).await?, truncated)?;
        Ok(Collected { unreachable, query_id, ..made })
    }

    /// Rows that a guest made: they must be what they claim to be.
    fn rows_of_guest(&self, rows: Vec<u8>, truncated: bool) -> Result<Collected, Problem> {
        let plugin = self.panel.plugin.id();
        let mut rows: Vec<serde_json::Value> = serde_json::from_slice(&rows)
            .map_err(|_| Problem::new(Word::Plugin, format!("plugin {plugin} returned rows that are no JSON array")))?;
        let truncated = truncated || rows.len() > self.request.limit as usize;
        rows.truncate(self.request.limit as usize);
        let json = serde_json::to_vec(&rows)
            .map_err(|_| Problem::new(Word::Plugin, format!("plugin {plugin} returned rows that cannot be written")))?;
        Ok(Collected { json, count: rows.len() as u64, truncated, ..Collected::default() })
    }

    /// What happened last, for a panel about what happens now.
    async fn recent(&self) -> Option<Recent> {
        let name = self.panel.described.when_empty.as_deref()?;
        let public = self.panel.name.strip_suffix(&self.panel.described.id)?.to_owned() + name;
        let asking = self.asking;
        let gated = asking.app.registry.catalogue.table(&public).ok()?;
        let (panel, _allowed) = gated.open(&asking.app.matrix, asking.caller, asking.app.posture).ok()?;
        let mut sent = std::collections::BTreeMap::from([("limit".to_owned(), RECENT_ROWS.to_string())]);
        sent.extend(self.request.scope.as_sent());
        let request = Request::from_pairs(asking.app, asking.caller, &panel, sent).ok()?;
        match Box::pin(rows(asking, &panel, &request)).await {
            Ok(Outcome::Rows(rows)) => Some(Recent {
                panel: public,
                title: panel.described.title.clone(),
                rows: serde_json::from_slice(&rows.json).ok()?,
            }),
            Ok(Outcome::Unavailable(_)) | Err(_) => None,
        }
    }

    /// A failed statement, as `unavailable` where it is about what the server has or grants.
    async fn explain(&self, error: ReadError) -> Result<Response, Problem> {
        if let Some(host) = self.one_host()
            && let Some(unavailable) = Unavailable::behind(self.panel, &error, host).await
        {
            host.forget_shape().await;
            return Ok(self.show_unavailable(unavailable).await);
        }
        Err(error.into())
    }

    async fn show_unavailable(&self, unavailable: Unavailable) -> Response {
        let clickhouse_version = match self.one_host() {
            Some(host) => host.version().await.ok(),
            None => None,
        };
        let metadata = Metadata { unavailable: Some(unavailable), clickhouse_version, ..self.metadata() };
        answers::empty(metadata)
    }

    fn one_host(&self) -> Option<&Arc<Host>> {
        match &self.request.scope {
            Scope::Host(_, host) | Scope::Cluster(_, host, _) => Some(host),
            Scope::Hosts(_) => None,
        }
    }

    fn one_host_id(&self) -> Option<u32> {
        match &self.request.scope {
            Scope::Host(id, _) | Scope::Cluster(id, ..) => Some(*id),
            Scope::Hosts(_) => None,
        }
    }

    fn metadata(&self) -> Metadata {
        let host = self.one_host_id().map(|id| id.to_string()).unwrap_or_default();
        Metadata { host, ..Metadata::default() }
    }

    fn metadata_of(&self, id: u32, version: String, absent_columns: Vec<String>) -> Metadata {
        Metadata { host: id.to_string(), clickhouse_version: Some(version), absent_columns, ..Metadata::default() }
    }
}

async fn no_such_cluster(host: &Host, name: &str) -> Problem {
    let known = host.clusters().await.unwrap_or_default();
    let names: Vec<&str> = known.iter().map(chm_clickhouse::ClusterName::as_str).collect();
    let near = chm_access::did_you_mean(name, names.iter().copied());
    let listed = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Problem::invalid(
        "cluster",
        format!("parameter `cluster`: the server knows no cluster of this name{near}; it knows {listed}"),
    )
}
