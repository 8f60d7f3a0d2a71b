//! The folder `panels` of a plugin.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::generate::rust;
use crate::panel::{Panel, Surroundings, read};
use crate::problem::{Problem, Problems};
use crate::shape::Shape;

/// Name of the folder.
const PANELS: &str = "panels";
/// A plugin's manifest.
const MANIFEST: &str = "plugin.toml";

/// What a change of which makes the code another: the folders, for new files, and the files.
pub(crate) fn watched(folder: &Path) -> Vec<PathBuf> {
    let mut paths = vec![folder.join(MANIFEST), folder.join(PANELS)];
    for shape in Shape::ALL {
        let inside = folder.join(PANELS).join(shape.folder());
        // What is not there is not watched: cargo would find it changed each time.
        if inside.is_dir() {
            paths.extend(entries(&inside));
            paths.push(inside);
        }
    }
    paths.retain(|path| path.exists());
    paths
}

/// Reads all panel files below `<folder>/panels` and writes the Rust that builds their panels: one expression, a `Vec<Panel>`.
///
/// # Errors
/// All mistakes in all files.
pub fn generate(folder: &Path) -> Result<String, Problems> {
    let mut problems = Vec::new();
    let files = files(folder, &mut problems);
    let tables = files.iter().filter(|file| file.shape == Shape::Table).map(|file| file.id.clone());
    let surroundings = Surroundings { plugin: plugin_id(folder), tables: tables.collect() };
    let mut panels: Vec<Panel> = Vec::new();
    for File { path, shown, id, shape } in &files {
        match fs::read_to_string(path) {
            Err(error) => problems.push(Problem::of_file(Path::new(shown), &error)),
            Ok(text) => match read(shown, id, *shape, &text, &surroundings) {
                Ok(panel) => panels.push(panel),
                Err(found) => problems.extend(found),
            },
        }
    }
    if problems.is_empty() { Ok(rust(&panels, surroundings.plugin.as_deref())) } else { Err(Problems(problems)) }
}

/// A panel file.
struct File {
    path: PathBuf,
    /// Relative to the plugin's folder.
    shown: String,
    id: String,
    shape: Shape,
}

fn files(folder: &Path, problems: &mut Vec<Problem>) -> Vec<File> {
    let mut files = Vec::new();
    for path in entries(&folder.join(PANELS)) {
        let name = file_name(&path);
        let Some(shape) = Shape::ALL.into_iter().find(|shape| shape.folder() == name) else {
            let hint = crate::near::hint(&name, Shape::ALL.map(Shape::folder));
            let text = format!("expected folders {} here{hint}", Shape::ALL.map(Shape::folder).join(", "));
            problems.push(Problem { file: format!("{PANELS}/{name}"), line: None, text });
            continue;
        };
        for path in entries(&path) {
            let shown = format!("{PANELS}/{name}/{}", file_name(&path));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("toml") if path.is_file() => {
                    let id = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                    files.push(File { path, shown, id, shape });
                }
                _ => problems.push(Problem {
                    file: shown,
                    line: None,
                    text: "expected a panel file, `<id>.toml`".to_owned(),
                }),
            }
        }
    }
    files
}

/// What is in a folder, by name, without what is hidden; nothing where there is no folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| !file_name(path).starts_with('.')).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The plugin's own id. Its manifest is checked when the plugin is built; here it only names a feature.
fn plugin_id(folder: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Manifest {
        id: String,
    }

    let text = fs::read_to_string(folder.join(MANIFEST)).ok()?;
    toml::from_str::<Manifest>(&text).ok().map(|manifest| manifest.id)
}
