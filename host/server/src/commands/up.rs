//! `up`: from a clone to a working host in one command.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

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
            let embedded = if loaded.config.clickhouse.hosts.is_empty() {
                let embedded = Embedded::start(!self.no_demo).await?;
                loaded.config.clickhouse.hosts.push(embedded.as_host()?);
                Some(embedded)
            } else {
                None
            };
            let outcome = self.serve(&loaded, &plugins, embedded.as_ref(), stop, telemetry.exports()).await;
            if let Some(embedded) = embedded {
                eprintln!("stopping the embedded ClickHouse");
                embedded.stop().await;
            }
            outcome
        })
    }

    async fn serve(
        &self,
        loaded: &Loaded,
        plugins: &std::path::Path,
        embedded: Option<&Embedded>,
        stop: Stop,
        exports_spans: bool,
    ) -> anyhow::Result<()> {
        let app = App::start(loaded, plugins, chm_embedded::xdg::cache().as_deref()).await?;
        let servers = describe_servers(&app, embedded).await;
        serve(&app, loaded.config.listen, stop, exports_spans, |url| {
            say(banner(&app, url, &servers));
            say(format!("listening on {url}"));
        })
        .await
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

async fn describe_servers(app: &App, embedded: Option<&Embedded>) -> Vec<String> {
    let mut lines = Vec::new();
    for (_, host) in app.hosts.all() {
        let version = match host.version().await {
            Ok(version) => format!("version {version}"),
            Err(error) => format!("not answering: {error}"),
        };
        let origin = embedded.map(|embedded| format!(" ({})", embedded.origin)).unwrap_or_default();
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
