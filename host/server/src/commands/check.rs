//! `config check`.

use clap::Subcommand;

use super::{Common, say};

/// Look at the configuration.
#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration and print every effective value with its origin; secrets are hidden
    Check(Common),
    /// Print the reference of all keys and variables, in Markdown
    Reference,
}

impl ConfigCommand {
    pub fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Check(common) => {
                let loaded = common.load()?;
                say(loaded.render().trim_end());
                for warning in &loaded.warnings {
                    eprintln!("warning: {warning}");
                }
            }
            Self::Reference => say(crate::config::reference_markdown().trim_end()),
        }
        Ok(())
    }
}
