//! From a folder of `.wasm` files to loaded plugins. A plugin that is refused is listed with the reason; the host runs on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chm_manifest::{Manifest, SettingKind, SettingValue};
use chm_sandbox::bindings::panels::Source;
use chm_sandbox::{Grants, Interface, Limits, Plugin, PluginSource, Role, Sandbox};

use super::catalogue::Catalogue;
use crate::capabilities::{SecretFile, SecretStore};
use crate::services::Denied;

/// What the operator configured for one plugin.
#[derive(Debug, Clone, Default)]
pub struct PluginEntry {
    /// False: the file is left alone.
    pub disabled: bool,
    /// SHA-256 the file must have.
    pub sha256: Option<String>,
    /// Values for its settings, with where each comes from.
    pub settings: BTreeMap<String, (SettingValue, GivenIn)>,
    /// Grants.
    pub grants: Grants,
    /// Limits.
    pub limits: Limits,
}

/// Where the value of a setting comes from.
#[derive(Debug, Clone)]
pub enum GivenIn {
    /// A variable of the host's own list: a value that does not fit is wrong whatever becomes of the plugin.
    Variable(String),
    /// The plugin's table, in these words.
    Table(String),
}

impl fmt::Display for GivenIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Variable(words) | Self::Table(words)) = self;
        f.write_str(words)
    }
}

/// Why no plugins were loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder cannot be read.
    #[error("the plugin folder {}: {source}", dir.display())]
    Folder {
        /// Which.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Values of variables that do not fit the settings they are for; one line for each plugin.
    #[error("{}", .0.join("\n"))]
    Variables(Vec<String>),
}

/// What became of one file.
#[derive(Debug, Clone)]
pub enum State {
    /// It serves.
    Active(Arc<Plugin>),
    /// The operator switched it off.
    Disabled,
    /// It was refused; the text says why and what to do.
    Refused(String),
}

/// One file of the plugin folder.
#[derive(Debug, Clone)]
pub struct Found {
    /// The manifest's id; for a file without a readable manifest, the file's name.
    pub id: String,
    /// The file's name.
    pub file: String,
    /// What became of it.
    pub state: State,
}

/// All plugins of this host.
#[derive(Debug, Default)]
pub struct Registry {
    /// By file name.
    pub found: Vec<Found>,
    /// Panels and tools of the active ones.
    pub catalogue: Catalogue,
    /// Values of secret settings, by plugin.
    pub secrets: BTreeMap<String, Arc<SecretStore>>,
}

impl Registry {
    /// The active plugins.
    pub fn active(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.found.iter().filter_map(|found| match &found.state {
            State::Active(plugin) => Some(plugin),
            State::Disabled | State::Refused(_) => None,
        })
    }

    /// The active plugins with a role.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &Arc<Plugin>> {
        self.active().filter(move |plugin| plugin.inspection().roles.contains(&role))
    }
}

/// Loads a folder.
pub struct Loader<'a> {
    /// Where to run them.
    pub sandbox: &'a Sandbox,
    /// What the operator configured, by plugin id.
    pub entries: &'a BTreeMap<String, PluginEntry>,
}

impl Loader<'_> {
    /// Loads every `.wasm` file of `dir`, in the order of their names.
    ///
    /// # Errors
    /// When the folder itself cannot be read, or a variable has a value that its plugin does not take. A file that cannot be loaded
    /// is an entry of the registry.
    pub async fn load(&self, dir: &Path) -> Result<Registry, LoadError> {
        let found = std::fs::read_dir(dir).map_err(|source| LoadError::Folder { dir: dir.to_owned(), source })?;
        let mut files: Vec<PathBuf> = found
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
            .collect();
        files.sort();
        let mut registry = Registry::default();
        let mut taken = BTreeSet::new();
        let mut wrong_variables = Vec::new();
        for path in files {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let (id, state) = match self.one(&path, &mut taken, &mut registry).await {
                Ok((id, state)) => (id, state),
                Err(Refusal { id, reason, is_of_variable }) => {
                    let id = id.unwrap_or_else(|| file.clone());
                    if is_of_variable {
                        wrong_variables.push(format!("the plugin `{id}`: {reason}"));
                    }
                    (id, State::Refused(reason))
                }
            };
            match &state {
                State::Active(plugin) => {
                    tracing::info!(plugin = %id, %file, roles = ?plugin.inspection().roles, "plugin loaded");
                }
                State::Disabled => tracing::info!(plugin = %id, %file, "plugin disabled"),
                State::Refused(reason) => tracing::warn!(plugin = %id, %file, %reason, "plugin refused"),
            }
            registry.found.push(Found { id, file, state });
        }
        if wrong_variables.is_empty() { Ok(registry) } else { Err(LoadError::Variables(wrong_variables)) }
    }

    async fn one(
        &self,
        path: &Path,
        taken: &mut BTreeSet<String>,
        registry: &mut Registry,
    ) -> Result<(String, State), Refusal> {
        let unnamed = |reason| Refusal { id: None, reason, is_of_variable: false };
        let bytes = read_capped(path).map_err(unnamed)?;
        let manifest = chm_manifest::extract(&bytes).map_err(|error| unnamed(error.to_string()))?;
        let id = manifest.id.to_string();
        let refused = |reason: String| Refusal { id: Some(id.clone()), reason, is_of_variable: false };
        if !taken.insert(id.clone()) {
            return Err(refused(format!("another file already brought the plugin id `{id}`; remove one of the two")));
        }
        let entry = self.entries.get(&id).cloned().unwrap_or_default();
        if entry.disabled {
            return Ok((id, State::Disabled));
        }
        let (settings, secrets) = settings(&manifest, &entry)
            .map_err(|Misfit { text, is_of_variable }| Refusal { is_of_variable, ..refused(text) })?;
        let source = PluginSource {
            bytes: &bytes,
            manifest,
            grants: entry.grants,
            settings,
            limits: entry.limits,
            pinned_sha256: entry.sha256,
            probe_services: Arc::new(Denied),
        };
        let plugin = Plugin::load(self.sandbox, source).await.map_err(|error| refused(error.to_string()))?;
        let plugin = Arc::new(plugin);
        check_queries_granted(&plugin).map_err(&refused)?;
        registry.catalogue.enter(&plugin).map_err(|error| refused(error.to_string()))?;
        registry.secrets.insert(id.clone(), Arc::new(secrets));
        Ok((id, State::Active(plugin)))
    }
}

/// Why a file is refused.
struct Refusal {
    /// Absent when its manifest cannot be read.
    id: Option<String>,
    reason: String,
    /// Whether it is a variable's value that does not fit.
    is_of_variable: bool,
}

/// A setting that does not fit.
struct Misfit {
    text: String,
    is_of_variable: bool,
}

impl Misfit {
    fn of(name: &str, given: &GivenIn, error: impl fmt::Display) -> Self {
        let text = format!("setting `{name}` (from {given}): {error}");
        Self { text, is_of_variable: matches!(given, GivenIn::Variable(_)) }
    }
}

/// A panel's SQL reads ClickHouse on the plugin's behalf, so it needs the same grant as a guest that reads by itself.
fn check_queries_granted(plugin: &Plugin) -> Result<(), String> {
    let queries = plugin.described().panels.iter().any(|panel| !matches!(panel.source, Source::Fetched));
    if queries && plugin.grants().clickhouse.is_none() {
        let line = Interface::Clickhouse.grant_line(plugin.id(), &[]).unwrap_or_default();
        return Err(format!("its panels query ClickHouse, which was not granted; to grant it: {line}"));
    }
    Ok(())
}

fn read_capped(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?.len();
    chm_manifest::check_size(size).map_err(|error| error.to_string())?;
    std::fs::read(path).map_err(|error| format!("it cannot be read: {error}"))
}

/// The operator's values over the manifest's defaults, checked; secrets apart.
fn settings(manifest: &Manifest, entry: &PluginEntry) -> Result<(BTreeMap<String, String>, SecretStore), Misfit> {
    if let Some((name, (_, origin))) = entry.settings.iter().find(|(name, _)| !manifest.settings.contains_key(*name)) {
        let known = manifest.settings.keys().map(String::as_str);
        let text = format!("it has no setting `{name}` (from {origin}){}", chm_access::did_you_mean(name, known));
        // An older plugin under a newer host lacks what the variable is for: that is the file's fault.
        return Err(Misfit { text, is_of_variable: false });
    }
    let mut plain = BTreeMap::new();
    let mut secrets = BTreeMap::new();
    let mut files = BTreeMap::new();
    for (name, setting) in &manifest.settings {
        let given = entry.settings.get(name).filter(|(value, _)| !value.is_blank());
        if let (SettingKind::Secret, Some((SettingValue::Map(pairs), origin))) = (setting.kind, given) {
            let file = secret_file(pairs).map_err(|error| Misfit::of(name, origin, error))?;
            files.insert(name.clone(), file);
            continue;
        }
        let text = match given {
            Some((value, origin)) => Some(setting.check(value).map_err(|error| Misfit::of(name, origin, error))?),
            None => setting.default_text(),
        };
        let Some(text) = text else { continue };
        if setting.kind == SettingKind::Secret {
            secrets.insert(name.clone(), text);
        } else {
            plain.insert(name.clone(), text);
        }
    }
    Ok((plain, SecretStore::new(secrets).with_files(files)))
}

/// A secret written as `{ file = "<path>" }`.
fn secret_file(pairs: &BTreeMap<String, String>) -> Result<SecretFile, String> {
    match pairs.get("file").filter(|_| pairs.len() == 1) {
        Some(path) => SecretFile::open(path).map_err(|error| error.to_string()),
        None => Err("it is a table; expected the secret as a text, or `{ file = \"<path>\" }`".to_owned()),
    }
}
