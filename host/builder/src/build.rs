//! Builds plugins.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chm_manifest::MANIFEST_FILE;

use crate::artifact::Artifact;
use crate::built_plugin::BuiltPlugin;
use crate::cargo::Workspace;
use crate::component::componentize;
use crate::env::BuildEnv;
use crate::error::BuildError;
use crate::fingerprint::{Fingerprint, digest, sources_in, write_whole};
use crate::inspect::inspect;
use crate::plugin_folder::{PluginFolder, Unit, units};
use crate::step::{Progress, Step};
use crate::toolchain::{GUEST_RUSTC_VARIABLE, GuestCompiler};

/// Builds plugins' folders into `.wasm` files.
#[derive(Debug, Clone)]
pub struct Builder {
    env: BuildEnv,
    target_dir: Option<PathBuf>,
}

impl Builder {
    /// A builder that takes programs, variables and the cache folder from `env`.
    #[must_use]
    pub fn new(env: BuildEnv) -> Self {
        Self { env, target_dir: None }
    }

    /// Lets cargo work in this folder instead of `target/guests` in the plugins' own workspace.
    #[must_use]
    pub fn with_target_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.target_dir = Some(folder.into());
        self
    }

    /// Builds the plugin in `folder`, or, where it has no `plugin.toml`, every plugin in the folders right below it, into
    /// `<out>/<id>.wasm`. Sorted by folder. A cargo workspace is built by one cargo invocation. Plugins among them that are no Rust
    /// packages are skipped ([`Step::Skipped`]).
    ///
    /// Files that are up to date are left alone; when all are, neither compiler nor cargo is asked, and it takes milliseconds.
    /// Blocks the thread: about a minute at first, for the compiler too.
    ///
    /// # Errors
    /// [`BuildError`] names the plugin and says what to do; what the compiler says is quoted. No file is changed by a build that fails
    /// before it.
    pub fn build(&self, folder: &Path, out: &Path, progress: Progress<'_>) -> Result<Vec<BuiltPlugin>, BuildError> {
        let mut built = Vec::new();
        let mut compiler = None;
        for unit in units(folder, progress)? {
            match self.up_to_date(&unit, out) {
                Some(plugins) => built.extend(plugins),
                None => {
                    let compiler = match &mut compiler {
                        Some(compiler) => compiler,
                        empty => empty.insert(GuestCompiler::find_or_make(&self.env, progress)?),
                    };
                    built.extend(self.build_unit(&unit, out, compiler, progress)?);
                }
            }
        }
        Ok(built)
    }

    /// The files of a unit, if none of them has to be made again.
    fn up_to_date(&self, unit: &Unit, out: &Path) -> Option<Vec<BuiltPlugin>> {
        unit.plugins.iter().map(|plugin| self.plugin_up_to_date(plugin, out)).collect()
    }

    fn plugin_up_to_date(&self, plugin: &PluginFolder, out: &Path) -> Option<BuiltPlugin> {
        let id = plugin.manifest.id.as_str();
        let fingerprint = Fingerprint::load(out, id)?;
        let path = file_of(plugin, out);
        let bytes = fs::read(&path).ok()?;
        let sha256 = digest(&bytes);
        if !fingerprint.holds(&plugin.path, self.named_compiler().as_deref(), &sha256) {
            return None;
        }
        Some(BuiltPlugin::new(path, sha256, inspect(&bytes).ok()?, false))
    }

    fn build_unit(
        &self,
        unit: &Unit,
        out: &Path,
        compiler: &GuestCompiler,
        progress: Progress<'_>,
    ) -> Result<Vec<BuiltPlugin>, BuildError> {
        let workspace = Workspace::of(&self.env, &unit.folder)?;
        let target_dir = self.target_dir.clone().unwrap_or_else(|| workspace.root.join("target/guests"));
        let target_dir = std::path::absolute(&target_dir).map_err(BuildError::io(&target_dir))?;
        let artifacts = workspace.build(&self.env, compiler, unit, &target_dir, progress)?;
        // All components first, then all files: a refused plugin leaves the others' files as they were.
        let mut finished = Vec::new();
        for plugin in &unit.plugins {
            progress(&Step::Componentizing { plugin: plugin.manifest.id.to_string() });
            let module = module_of(plugin, &artifacts)?;
            let code = fs::read(&module).map_err(BuildError::io(&module))?;
            finished.push((plugin, module, componentize(&code, plugin)?));
        }
        let mut built = Vec::new();
        for (plugin, module, (bytes, inspection)) in finished {
            let path = file_of(plugin, out);
            write_whole(&path, &bytes).map_err(BuildError::io(&path))?;
            let sha256 = digest(&bytes);
            self.remember(plugin, &workspace, &module, out, &sha256);
            built.push(BuiltPlugin::new(path, sha256, inspection, true));
        }
        Ok(built)
    }

    /// Keeps the fingerprint. Without one the next build is slower, and nothing else is wrong: a failure is not one of the build.
    fn remember(&self, plugin: &PluginFolder, workspace: &Workspace, module: &Path, out: &Path, sha256: &str) {
        let Ok(dep_info) = fs::read_to_string(module.with_extension("d")) else { return };
        let mut sources: BTreeSet<PathBuf> = sources_in(&dep_info);
        sources.insert(plugin.path.join(MANIFEST_FILE));
        sources.extend(workspace.local.iter().map(|(_, folder)| folder.join("Cargo.toml")));
        sources.extend(["Cargo.toml", "Cargo.lock"].map(|name| workspace.root.join(name)));
        if let Ok(fingerprint) = Fingerprint::of(&plugin.path, self.named_compiler(), sources, sha256.to_owned()) {
            fingerprint.store(out, plugin.manifest.id.as_str()).ok();
        }
    }

    fn named_compiler(&self) -> Option<String> {
        self.env.variable(GUEST_RUSTC_VARIABLE).map(|path| path.to_string_lossy().into_owned())
    }
}

fn file_of(plugin: &PluginFolder, out: &Path) -> PathBuf {
    out.join(format!("{}.wasm", plugin.manifest.id))
}

fn module_of(plugin: &PluginFolder, artifacts: &[Artifact]) -> Result<PathBuf, BuildError> {
    let mut modules = artifacts.iter().filter(|artifact| artifact.package == plugin.path);
    modules
        .find_map(|artifact| artifact.module.clone())
        .ok_or_else(|| BuildError::NoModule { folder: plugin.path.clone() })
}
