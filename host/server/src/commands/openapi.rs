//! `openapi`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Common, runtime, say};
use crate::api::Document;
use crate::app::App;

/// Print the OpenAPI document of a plugin folder
#[derive(Args)]
pub(super) struct Openapi {
    #[command(flatten)]
    common: Common,
    /// Print YAML instead of JSON
    #[arg(long)]
    yaml: bool,
    /// Write to this file instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Openapi {
    pub fn run(&self) -> anyhow::Result<()> {
        let loaded = self.common.load()?;
        let document = runtime()?.block_on(async {
            let plugins = super::serve::plugin_dir(&loaded)?;
            let app = App::start(&loaded, &plugins, None).await?;
            Document::of(&app.registry.catalogue)
        })?;
        let text = if self.yaml { document.yaml().to_owned() } else { document.pretty() };
        match &self.out {
            Some(file) => std::fs::write(file, text).with_context(|| format!("writing {}", file.display())),
            None => {
                say(text.trim_end());
                Ok(())
            }
        }
    }
}
