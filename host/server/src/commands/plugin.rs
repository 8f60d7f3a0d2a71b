//! `plugin build` and `plugin inspect`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chm_builder::{BuildEnv, BuiltPlugin, Builder};
use clap::Subcommand;

use super::progress::Progress;
use super::say;

/// Build and inspect plugins.
#[derive(Subcommand)]
pub(super) enum Plugin {
    /// Build a plugin's folder, or every plugin in a folder, into one .wasm file each
    Build {
        /// The plugin's folder, or a folder of such folders
        folder: PathBuf,
        /// Where the files go
        #[arg(long, value_name = "DIR", default_value = "target/plugins")]
        out: PathBuf,
    },
    /// Print what a .wasm file is, and what it asks for
    Inspect {
        /// The file
        file: PathBuf,
    },
}

impl Plugin {
    pub fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Build { folder, out } => {
                for plugin in build(folder, out)? {
                    let state = if plugin.rebuilt { "built" } else { "up to date" };
                    say(format!("{} {} ({} KiB, {state})", plugin.id, plugin.path.display(), plugin.bytes.div_ceil(1024)));
                }
                Ok(())
            }
            Self::Inspect { file } => inspect(file),
        }
    }
}

/// Builds, showing progress.
pub(super) fn build(folder: &Path, out: &Path) -> anyhow::Result<Vec<BuiltPlugin>> {
    let progress = Progress::new("plugins");
    let builder = Builder::new(BuildEnv::from_process());
    Ok(builder.build(folder, out, &|step| progress.step(&step.to_string(), ""))?)
}

fn inspect(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let inspection = chm_builder::inspect(&bytes).with_context(|| file.display().to_string())?;
    let manifest = &inspection.manifest;
    say(format!("{} {}: {}", manifest.id, manifest.version, manifest.summary));
    let roles: Vec<&str> = inspection.roles.iter().map(|role| role.interface()).collect();
    say(format!("roles:    {}", roles.join(", ")));
    say(format!("imports:  {}", inspection.imports.join(", ")));
    for (name, setting) in &manifest.settings {
        say(format!("setting:  {name} ({:?}) {}", setting.kind, setting.summary));
    }
    for (name, endpoint) in &manifest.endpoints {
        say(format!("endpoint: {name} {}", endpoint.summary));
    }
    for (name, issuer) in &manifest.issuers {
        say(format!("issuer:   {name} {}", issuer.summary));
    }
    say(format!("size:     {} KiB", bytes.len().div_ceil(1024)));
    Ok(())
}
