//! The bundled plugins and the guests of these tests, built once and kept while nothing changes.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use chm_builder::{BuildEnv, Builder};

/// The repository's folder.
pub fn repository() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        std::fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).expect("the repository")
    });
    &ROOT
}

static BUILT: LazyLock<(Vec<PathBuf>, Vec<PathBuf>)> = LazyLock::new(|| {
    let root = repository();
    // Shared, so that what both workspaces need on the way is compiled once.
    let target = root.join("plugins/target/guests");
    let build = |folder: &str, out: &str| {
        let builder = Builder::new(BuildEnv::from_process()).with_target_dir(&target);
        let built = builder.build(&root.join(folder), &root.join(out), &|_| {});
        let built = built.unwrap_or_else(|error| panic!("building {folder}: {error}"));
        built.into_iter().map(|plugin| plugin.path).collect::<Vec<_>>()
    };
    (build("plugins", "target/plugins"), build("tests/guests", "target/test-guests"))
});

/// The files of the bundled plugins.
pub fn bundled() -> &'static [PathBuf] {
    &BUILT.0
}

/// The file of a guest of these tests.
#[track_caller]
pub fn guest(id: &str) -> &'static Path {
    let file = format!("{id}.wasm");
    BUILT.1.iter().find(|path| path.ends_with(&file)).unwrap_or_else(|| panic!("no guest {id} in tests/guests"))
}
