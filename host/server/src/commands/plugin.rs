//! `plugin build`, `plugin new`, `plugin pack` and `plugin inspect`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chm_builder::{BuildEnv, Builder, BuiltPlugin, GUEST_RUSTC_VARIABLE, Step};
use chm_manifest::{PluginId, Role};
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
    /// Write a new plugin's folder, ready to be built and tested
    New {
        /// Its id; also the folder's name
        id: PluginId,
        /// What it is to be: auth-provider, panels, alert-sink, toolset or actions
        #[arg(long, default_value = "panels")]
        role: Role,
        /// The SDK's folder; default: sdk/rust of the clone this is run in, or was built in
        #[arg(long, value_name = "DIR")]
        sdk: Option<PathBuf>,
    },
    /// Put a manifest into a component that another toolchain made (JavaScript, Python, C)
    Pack {
        /// The component
        component: PathBuf,
        /// Its plugin.toml
        manifest: PathBuf,
        /// Where the file goes
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
                for plugin in build(folder, out, None)? {
                    let state = if plugin.rebuilt { "built" } else { "up to date" };
                    say(format!(
                        "{} {} ({} KiB, {state})",
                        plugin.id,
                        plugin.path.display(),
                        plugin.bytes.div_ceil(1024)
                    ));
                }
                Ok(())
            }
            Self::New { id, role, sdk } => new(id, *role, sdk.as_deref()),
            Self::Pack { component, manifest, out } => pack(component, manifest, out),
            Self::Inspect { file } => inspect(file),
        }
    }
}

/// Builds, showing progress.
pub(super) fn build(folder: &Path, out: &Path, compiler: Option<&Path>) -> anyhow::Result<Vec<BuiltPlugin>> {
    let progress = Progress::new("plugins");
    let compiler = compiler.map(|path| (GUEST_RUSTC_VARIABLE.into(), path.into()));
    let builder = Builder::new(BuildEnv::new(std::env::vars_os().chain(compiler)));
    let say = |step: &Step| match step {
        Step::Skipped { .. } => progress.note(&step.to_string()),
        step => progress.step(&step.to_string(), ""),
    };
    Ok(builder.build(folder, out, &say)?)
}

fn new(id: &PluginId, role: Role, sdk: Option<&Path>) -> anyhow::Result<()> {
    let here = std::env::current_dir()?;
    // This program lies in its clone's target folder, unless it was installed.
    let program = std::env::current_exe().unwrap_or_default();
    let around = here.ancestors().chain(program.ancestors());
    let of_clone = || around.map(|dir| dir.join("sdk/rust")).find(|dir| dir.join("Cargo.toml").is_file());
    // The SDK is not published: a version of it would name whatever somebody else puts under that name.
    let sdk = sdk
        .map(Path::to_path_buf)
        .or_else(of_clone)
        .context("where is the SDK? Run this inside a clone of chm-host, or name its SDK: --sdk <clone>/sdk/rust")?;
    anyhow::ensure!(
        sdk.join("Cargo.toml").is_file(),
        "--sdk {}: there is no Cargo.toml in it; expected the folder sdk/rust of a clone of chm-host",
        sdk.display()
    );
    let folder = chm_builder::new_plugin(&here, id, role, &std::path::absolute(sdk)?)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    say(format!(
        "wrote {name}/; now:\n  (cd {name} && cargo test)\n  chm-host plugin build {name} --out my-plugins\n  \
         chm-host up --plugins my-plugins"
    ));
    Ok(())
}

fn pack(component: &Path, manifest: &Path, out: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("reading {}", manifest.display()))?;
    let bytes = std::fs::read(component).with_context(|| format!("reading {}", component.display()))?;
    let packed = chm_manifest::embed(&bytes, &text).with_context(|| manifest.display().to_string())?;
    let inspection = chm_builder::inspect(&packed).with_context(|| component.display().to_string())?;
    if let Some(said) = chm_builder::disagreement(&inspection) {
        anyhow::bail!("{}, {}: {said}", component.display(), manifest.display());
    }
    let file = out.join(format!("{}.wasm", inspection.manifest.id));
    std::fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    std::fs::write(&file, packed).with_context(|| format!("writing {}", file.display()))?;
    say(format!("{} {}", inspection.manifest.id, file.display()));
    Ok(())
}

fn inspect(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let inspection = chm_builder::inspect(&bytes).with_context(|| file.display().to_string())?;
    let manifest = &inspection.manifest;
    say(format!("{} {}: {}", manifest.id, manifest.version, manifest.summary));
    let roles: Vec<&str> = inspection.roles.iter().map(|role| role.as_str()).collect();
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
