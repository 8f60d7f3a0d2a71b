//! A folder of plugins as an operator would fill it.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::built::{bundled, guest};

/// Goes away with this value.
pub struct PluginFolder(tempfile::TempDir);

impl PluginFolder {
    /// Nothing in it.
    pub fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// The bundled plugins.
    pub fn bundled() -> Self {
        let folder = Self::empty();
        for path in bundled() {
            let name = path.file_name().expect("a file");
            symlink(path, folder.0.path().join(name)).expect("a link");
        }
        folder
    }

    /// One guest of these tests besides.
    pub fn with_guest(self, id: &str) -> Self {
        symlink(guest(id), self.0.path().join(format!("{id}.wasm"))).expect("a link");
        self
    }

    /// Any bytes under any name besides.
    pub fn with_file(self, name: &str, bytes: &[u8]) -> Self {
        std::fs::write(self.0.path().join(name), bytes).expect("a file");
        self
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
