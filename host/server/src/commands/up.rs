//! `up`: from a clone to a working host in one command.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use chm_embedded::{Engine, Restarts};
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::engine::Embedded;
use super::{Common, plugin, runtime, say};
use crate::app::App;
use crate::config::Loaded;
use crate::plugins::State;
use crate::serve::{Stop, serve};

/// Try it: build the plugins, start a ClickHouse if none is configured, serve on loopback
#[derive(Args)]
pub(super) struct Up {
    #[command(flatten)]
    common: Common,
    /// Leave the demo database and its workload out
    #[arg(long)]
    no_demo: bool,
}

impl Up {
    pub fn run(&self) -> anyhow::Result<()> {
        let mut loaded = self.common.load()?;
        // Building blocks for a minute at first; the runtime would only wait.
        let plugins = match &loaded.config.plugin_dir {
            Some(dir) => dir.clone(),
            None => bundled(loaded.config.guest_rustc.as_deref())?,
        };
        runtime()?.block_on(async {
            let telemetry = super::telemetry(&loaded)?;
            let stop = Stop::on_signal()?;
            let mut embedded = if loaded.config.clickhouse.hosts.is_empty() {
                let embedded = Embedded::start(!self.no_demo).await?;
                loaded.config.clickhouse.hosts.push(embedded.as_host()?);
                Some(embedded)
            } else {
                None
            };
            let ending = CancellationToken::new();
            let origin = embedded.as_ref().map(|embedded| embedded.origin.clone());
            let serving = async {
                let stop = stop.with(ending.clone());
                let outcome = self.serve(&loaded, &plugins, origin.as_deref(), stop, telemetry.exports()).await;
                ending.cancel();
                outcome
            };
            let keeping = async {
                match &mut embedded {
                    Some(embedded) => keep(&mut embedded.engine, &ending).await,
                    None => Ok(()),
                }
            };
            let (outcome, kept) = tokio::join!(serving, keeping);
            if let Some(embedded) = embedded
                && kept.is_ok()
            {
                eprintln!("stopping the embedded ClickHouse");
                embedded.stop().await;
            }
            // Where there is no engine any more, that is the reason, whatever else failed.
            kept.and(outcome)
        })
    }

    async fn serve(
        &self,
        loaded: &Loaded,
        plugins: &std::path::Path,
        origin: Option<&str>,
        stop: Stop,
        exports_spans: bool,
    ) -> anyhow::Result<()> {
        let app = App::start(loaded, plugins, chm_embedded::xdg::cache().as_deref()).await?;
        let servers = describe_servers(&app, origin).await;
        serve(&app, loaded.config.listen, stop, exports_spans, |url| {
            say(banner(&app, url, &servers));
            say(format!("listening on {url}"));
        })
        .await
    }
}

/// Keeps the engine running until the host ends. An engine that cannot be kept ends the host, in order.
async fn keep(engine: &mut Engine, ending: &CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        biased;
        // First, for a signal to a whole group of processes ends the engine too.
        () = ending.cancelled() => Ok(()),
        gave_up = engine.keep_running(Restarts::default()) => {
            ending.cancel();
            Err(gave_up.into())
        }
    }
}

/// Builds the plugins of the repository this is run in.
fn bundled(compiler: Option<&std::path::Path>) -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let root = here.ancestors().find(|dir| dir.join("plugins/Cargo.toml").is_file()).with_context(|| {
        "`up` builds the plugins of the chm-host repository: run it inside a clone, or name a folder of .wasm files with \
         --plugins DIR"
    })?;
    let out = root.join("target/plugins");
    plugin::build(&root.join("plugins"), &out, compiler)?;
    Ok(out)
}

async fn describe_servers(app: &App, origin: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    for (_, host) in app.hosts.all() {
        let version = match host.version().await {
            Ok(version) => format!("version {version}"),
            Err(error) => format!("not answering: {error}"),
        };
        let origin = origin.map(|origin| format!(" ({origin})")).unwrap_or_default();
        lines.push(format!("{} {}, {version}{origin}", host.config().id, host.config().display_url()));
    }
    lines
}

fn banner(app: &Arc<App>, url: &str, servers: &[String]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let _ = writeln!(text, "\nchm-host {}\n", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "  API         {url}/api/v1");
    let _ = writeln!(text, "  Swagger UI  {url}/docs");
    for (index, server) in servers.iter().enumerate() {
        let label = if index == 0 { "ClickHouse" } else { "" };
        let _ = writeln!(text, "  {label:<10}  {server}");
    }
    for (index, found) in app.registry.found.iter().enumerate() {
        let label = if index == 0 { "Plugins" } else { "" };
        let _ = writeln!(text, "  {label:<10}  {}", describe_plugin(&found.id, &found.state));
    }
    let _ = writeln!(text, "  Posture     {}", app.posture_words());
    let _ = writeln!(text, "\nTry:\n");
    for line in examples(app, url) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// What can be tried with the plugins that are loaded.
fn examples(app: &App, url: &str) -> Vec<String> {
    let catalogue = &app.registry.catalogue;
    let json = "curl -H 'Content-Type: application/json' -d";
    let mut lines = vec![format!("curl {url}/api/v1/hosts")];
    let table = if catalogue.table("running-queries").is_ok() {
        Some("running-queries")
    } else {
        catalogue.tables().next().map(|(name, _)| name)
    };
    lines.extend(table.map(|name| format!("curl '{url}/api/v1/tables/{name}'")));
    let chart = if catalogue.chart("query-count").is_ok() {
        Some("query-count?interval=toStartOfMinute&lastHours=1")
    } else {
        catalogue.charts().next().map(|(name, _)| name)
    };
    lines.extend(chart.map(|name| format!("curl '{url}/api/v1/charts/{name}'")));
    // Of a tool in general it is not known which arguments would please it.
    if catalogue.tool("list_databases").is_ok() {
        lines.push(format!("{json} '{{}}' {url}/api/v1/tools/list_databases"));
    }
    lines.push(format!("{json} '{{\"sql\":\"SELECT version()\"}}' {url}/api/v1/explorer/query"));
    lines
}

fn describe_plugin(id: &str, state: &State) -> String {
    match state {
        State::Active(plugin) => {
            let roles: Vec<&str> = plugin.inspection().roles.iter().map(|role| role.as_str()).collect();
            format!("{id}: {}; grants: {}", roles.join(", "), plugin.grants())
        }
        State::Disabled => format!("{id}: disabled"),
        State::Refused(reason) => format!("{id}: REFUSED: {reason}"),
    }
}
