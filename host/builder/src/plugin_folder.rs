//! Folders that hold plugins.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chm_manifest::{MANIFEST_FILE, Manifest, PluginId};

use crate::error::BuildError;
use crate::step::{Progress, Step};

/// What makes a folder a Rust package.
const PACKAGE_FILE: &str = "Cargo.toml";

/// One plugin's source.
#[derive(Debug)]
pub(crate) struct PluginFolder {
    /// Absolute, without symbolic links.
    pub path: PathBuf,
    /// Checked.
    pub manifest: Manifest,
    /// As it goes into the component.
    pub manifest_text: String,
}

/// Plugins that one cargo invocation builds.
#[derive(Debug)]
pub(crate) struct Unit {
    /// Where cargo runs.
    pub folder: PathBuf,
    /// Whether all packages of the workspace there are built, or only the one of the folder.
    pub workspace: bool,
    /// What is expected of it; at least one.
    pub plugins: Vec<PluginFolder>,
}

impl PluginFolder {
    fn read(path: &Path) -> Result<Self, BuildError> {
        let file = path.join(MANIFEST_FILE);
        let manifest_text = fs::read_to_string(&file).map_err(BuildError::io(&file))?;
        let manifest = Manifest::parse(&manifest_text)
            .map_err(|source| BuildError::Manifest { folder: path.to_owned(), source })?;
        if !path.join(PACKAGE_FILE).is_file() {
            return Err(BuildError::NoPackage { folder: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), manifest, manifest_text })
    }
}

/// Finds the plugins of a folder: itself if it has a manifest, else the folders in it that have one. Those are built together where
/// the folder is a cargo workspace. Plugins in another language may lie among them; they are skipped, and `progress` says so.
pub(crate) fn units(folder: &Path, progress: Progress<'_>) -> Result<Vec<Unit>, BuildError> {
    let no_folder = |_| BuildError::NoFolder { folder: folder.to_owned() };
    let folder = &fs::canonicalize(folder).map_err(no_folder)?;
    if folder.join(MANIFEST_FILE).is_file() {
        let plugins = vec![PluginFolder::read(folder)?];
        return Ok(vec![Unit { folder: folder.clone(), workspace: false, plugins }]);
    }
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(no_folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join(MANIFEST_FILE).is_file())
        .collect();
    paths.sort();
    let (paths, foreign): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.join(PACKAGE_FILE).is_file());
    if paths.is_empty()
        && let Some(first) = foreign.first()
    {
        return Err(BuildError::NoPackage { folder: first.clone() });
    }
    for folder in foreign {
        progress(&Step::Skipped { folder });
    }
    let plugins = paths.iter().map(|path| PluginFolder::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut seen: BTreeMap<&PluginId, &Path> = BTreeMap::new();
    for plugin in &plugins {
        if let Some(first) = seen.insert(&plugin.manifest.id, &plugin.path) {
            let (first, second) = (first.to_owned(), plugin.path.clone());
            return Err(BuildError::SameId { id: plugin.manifest.id.clone(), first, second });
        }
    }
    if plugins.is_empty() {
        Err(BuildError::NoManifest { folder: folder.clone() })
    } else if folder.join(PACKAGE_FILE).is_file() {
        Ok(vec![Unit { folder: folder.clone(), workspace: true, plugins }])
    } else {
        let alone =
            |plugin: PluginFolder| Unit { folder: plugin.path.clone(), workspace: false, plugins: vec![plugin] };
        Ok(plugins.into_iter().map(alone).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn put(folder: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    const GOOD: &str = "id = \"ab\"\nversion = \"0.1.0\"\napi = \"0.1\"\nsummary = \"S.\"\n";

    #[test]
    fn a_folder_that_holds_no_plugin_is_refused_with_what_was_expected() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[], "has no plugin.toml, and no folder in it has one"),
            (&[("src/lib.rs", "")], "has no plugin.toml"),
            (&[("plugin.toml", GOOD)], "no Cargo.toml"),
            (&[("plugin.toml", "id = 1"), ("Cargo.toml", "")], "line 1, key `id`"),
            (
                &[("a/plugin.toml", GOOD), ("a/Cargo.toml", ""), ("b/plugin.toml", GOOD), ("b/Cargo.toml", "")],
                "both have the id `ab`",
            ),
            (&[("b/plugin.toml", GOOD)], "no Cargo.toml"),
        ];
        for (files, word) in cases {
            let folder = tempfile::tempdir().unwrap();
            put(folder.path(), files);
            let said = units(folder.path(), &|_| {}).unwrap_err().to_string();
            assert!(said.contains(word), "{said}");
        }
        assert!(units(Path::new("no/such/folder"), &|_| {}).unwrap_err().to_string().contains("is not a folder"));
    }

    #[test]
    fn a_workspace_is_built_at_once_and_lone_plugins_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let other = GOOD.replace("\"ab\"", "\"cd\"");
        put(
            folder.path(),
            &[("a/plugin.toml", GOOD), ("a/Cargo.toml", ""), ("b/plugin.toml", &other), ("b/Cargo.toml", "")],
        );
        put(folder.path(), &[("shared/Cargo.toml", "")]);
        let shape = |path: &Path| {
            units(path, &|_| {}).unwrap().iter().map(|unit| (unit.workspace, unit.plugins.len())).collect::<Vec<_>>()
        };
        assert_eq!(shape(folder.path()), [(false, 1), (false, 1)]);
        put(folder.path(), &[("Cargo.toml", "[workspace]")]);
        assert_eq!(shape(folder.path()), [(true, 2)]);
        assert_eq!(shape(&folder.path().join("a")), [(false, 1)]);
    }

    #[test]
    fn a_plugin_in_another_language_is_skipped_with_a_word_and_refused_alone() {
        let folder = tempfile::tempdir().unwrap();
        let other = GOOD.replace("\"ab\"", "\"cd\"");
        put(folder.path(), &[("Cargo.toml", "[workspace]"), ("a/plugin.toml", GOOD), ("a/Cargo.toml", "")]);
        put(folder.path(), &[("b/plugin.toml", &other), ("b/package.json", "{}"), ("b/plugin.js", "")]);
        let said = Mutex::new(Vec::new());
        let found = units(folder.path(), &|step| said.lock().unwrap().push(step.to_string())).unwrap();
        let ids: Vec<_> =
            found.iter().flat_map(|unit| &unit.plugins).map(|plugin| plugin.manifest.id.as_str()).collect();
        assert_eq!(ids, ["ab"]);
        assert_eq!(
            said.into_inner().unwrap(),
            ["b is no Rust package: skipped; `chm-host plugin pack` takes its component"]
        );
        let alone = units(&folder.path().join("b"), &|_| {}).unwrap_err().to_string();
        assert!(alone.contains("no Cargo.toml") && alone.contains("plugin pack"), "{alone}");
    }
}
