//! `serve`: production. Builds nothing, starts no engine.

use std::path::PathBuf;

use clap::Args;

use super::{Common, runtime, say};
use crate::app::App;
use crate::config::Loaded;
use crate::doctor::{self, Subject};
use crate::serve::{Stop, serve};

/// Serve with what the configuration says; builds nothing
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    common: Common,
}

impl Serve {
    pub fn run(&self) -> anyhow::Result<()> {
        let loaded = self.common.load()?;
        runtime()?.block_on(async {
            let telemetry = super::telemetry(&loaded)?;
            let plugins = plugin_dir(&loaded)?;
            let app = App::start(&loaded, &plugins, chm_embedded::xdg::cache().as_deref()).await?;
            if app.hosts.is_empty() {
                tracing::warn!("no ClickHouse host is configured; set CLICKHOUSE_HOST or [[clickhouse.hosts]]");
            }
            for danger in doctor::fresh_failures(&Subject::new(&loaded, &app.registry, std::env::vars_os())) {
                tracing::warn!("{danger}; `chm-host doctor` says more");
            }
            serve(&app, loaded.config.listen, Stop::on_signal()?, telemetry.exports(), |url| {
                tracing::info!(posture = %app.posture_words(), "ready");
                say(format!("listening on {url}"));
            })
            .await
        })
    }
}

/// The configured plugin folder; else `plugins` beside the program, or beside its folder.
pub(super) fn plugin_dir(loaded: &Loaded) -> anyhow::Result<PathBuf> {
    if let Some(dir) = &loaded.config.plugin_dir {
        return Ok(dir.clone());
    }
    let program = std::env::current_exe()?;
    program.ancestors().skip(1).take(2).map(|dir| dir.join("plugins")).find(|dir| dir.is_dir()).ok_or_else(|| {
        anyhow::anyhow!(
            "no plugin folder: build the bundled plugins with `chm-host plugin build plugins`, or name a folder of .wasm files \
             with --plugins DIR or CHM_PLUGIN_DIR"
        )
    })
}
