//! Panels as files: one TOML file describes one table, chart or counter.
//!
//! A plugin's `build.rs` is one line,
//!
//! ```no_run
//! chm_plugin_build::panels();
//! ```
//!
//! and its `src/lib.rs` is another, `chm_plugin::export_panel_files!(Mine);`. The files lie in `panels/tables`, `panels/charts`,
//! `panels/counters` and `panels/cluster-counters`; a file's name is the panel's id. They are read when the plugin is compiled:
//! a mistake stops the build with its file and line, and nothing is parsed when the plugin runs.

mod check;
mod columns;
mod file;
mod folder;
mod generate;
mod named;
mod near;
mod over_time;
mod panel;
mod parameters;
mod problem;
mod shape;
mod sql;

pub use folder::generate;
pub use problem::{Problem, Problems};

use std::path::PathBuf;

/// Reads the panel files of the plugin that is being compiled, and writes what `chm_plugin::panel_files!()` includes.
///
/// Called from `build.rs`, where it ends the build when a file has a mistake.
#[allow(clippy::print_stdout)] // A build script speaks to cargo by its output.
pub fn panels() {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let (folder, out) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"));
    for path in folder::watched(&folder) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    let written = generate(&folder).and_then(|code| {
        let path = out.join("panels.rs");
        std::fs::write(&path, code).map_err(|error| Problem::of_file(&path, &error).into())
    });
    if let Err(problems) = written {
        for problem in problems.0 {
            // One line each, or cargo would take the rest for something else.
            println!("cargo::error={}", problem.to_string().replace('\n', " "));
        }
        std::process::exit(1);
    }
}
