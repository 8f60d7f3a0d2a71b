//! `doctor`: the production checklist.

use std::process::ExitCode;

use clap::Args;

use super::serve::plugin_dir;
use super::{Common, runtime, say};
use crate::config::Loaded;
use crate::doctor::{Level, Report, Subject, dangers, servers};
use crate::plugins::{Loader, Registry};
use crate::settle;

/// The configuration is wrong, or the doctor could not work.
const UNABLE: u8 = 2;

/// Check the configuration, the plugins and ClickHouse against the production checklist; serves nothing
#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    common: Common,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// 0: nothing failed; 1: something did; 2: the configuration is wrong.
    pub fn run(&self) -> ExitCode {
        match self.report() {
            Ok(report) => {
                say(if self.json { json(&report) } else { report.to_string() });
                if report.count(Level::Fail) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(error) => {
                eprintln!("chm-host: {error:#}");
                ExitCode::from(UNABLE)
            }
        }
    }

    fn report(&self) -> anyhow::Result<Report> {
        let loaded = self.common.load()?;
        runtime()?.block_on(async {
            let registry = registry(&loaded).await?;
            let subject = Subject::new(&loaded, &registry, std::env::vars_os());
            let mut findings = dangers(&subject);
            findings.extend(servers(&settle::hosts(&loaded.config)?, &registry).await);
            Ok(Report::new(subject.posture_words(), findings))
        })
    }
}

/// The plugins as `serve` would load them.
async fn registry(loaded: &Loaded) -> anyhow::Result<Registry> {
    let dir = plugin_dir(loaded)?;
    let sandbox = settle::sandbox(chm_embedded::xdg::cache().as_deref())?;
    let entries = settle::plugin_entries(loaded);
    Ok(Loader { sandbox: &sandbox, entries: &entries }.load(&dir).await?)
}

fn json(report: &Report) -> String {
    // Texts and lists only: there is nothing in it that JSON cannot say.
    serde_json::to_string_pretty(report).unwrap_or_default()
}
