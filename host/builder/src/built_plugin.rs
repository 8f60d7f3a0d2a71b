//! A built plugin.

use std::path::PathBuf;

use chm_manifest::{Manifest, PluginId, Role};

use crate::inspect::Inspection;

/// A plugin's file and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltPlugin {
    /// The plugin.
    pub id: PluginId,
    /// The file, `<out>/<id>.wasm`.
    pub path: PathBuf,
    /// The file's size in bytes.
    pub bytes: u64,
    /// The file's SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Names of its imports, for example `chm:plugin/log@0.1.0`.
    pub imports: Vec<String>,
    /// Names of its exports.
    pub exports: Vec<String>,
    /// False when the file was up to date and nothing was done.
    pub rebuilt: bool,
}

impl BuiltPlugin {
    pub(crate) fn new(path: PathBuf, sha256: String, inspection: Inspection, rebuilt: bool) -> Self {
        let Inspection { manifest, roles, imports, exports, size, .. } = inspection;
        Self { id: manifest.id.clone(), path, bytes: size, sha256, manifest, roles, imports, exports, rebuilt }
    }
}
