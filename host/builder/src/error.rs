//! Why a plugin could not be built.

use std::io;
use std::path::{Path, PathBuf};

use chm_manifest::{EmbedError, MANIFEST_FILE, ManifestError, PluginId};

use crate::command::CommandError;
use crate::inspect::InspectError;
use crate::toolchain::{TARGET, ToolchainError};

/// Why a plugin could not be built: which one, what is wrong, what to do.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The folder is not there.
    #[error("{folder} is not a folder; expected a plugin's folder, or a folder of plugins", folder = folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has no manifest, and neither has a folder in it.
    #[error(
        "{folder} has no {MANIFEST_FILE}, and no folder in it has one; expected a plugin's folder (Cargo.toml, {MANIFEST_FILE}, src/), or a folder of such folders",
        folder = folder.display()
    )]
    NoManifest {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has a manifest and is no Rust package.
    #[error(
        "{folder} has a {MANIFEST_FILE} but no Cargo.toml; expected a Rust package. For another language, build the component with \
         its own tools, then: chm-host plugin pack <component.wasm> {folder}/{MANIFEST_FILE}",
        folder = folder.display()
    )]
    NoPackage {
        /// The folder.
        folder: PathBuf,
    },
    /// The manifest is refused.
    #[error("{folder}: {source}", folder = folder.display())]
    Manifest {
        /// The plugin's folder.
        folder: PathBuf,
        /// Line, key and what was expected.
        source: ManifestError,
    },
    /// Two plugins have one id.
    #[error("{first} and {second} both have the id `{id}`; give one of them another", first = first.display(), second = second.display())]
    SameId {
        /// The id.
        id: PluginId,
        /// One folder.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// No compiler.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// A program could not be run.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// cargo or the compiler refused the code.
    #[error("compiling {folder} failed:\n{said}", folder = folder.display())]
    Compile {
        /// The folder cargo ran in.
        folder: PathBuf,
        /// What cargo and the compiler said.
        said: String,
    },
    /// The lock file pins something else than what the package asks for.
    #[error(
        "{folder}: Cargo.lock does not fit what Cargo.toml asks for now; run `cargo update --workspace` in that folder, and build again",
        folder = folder.display()
    )]
    StaleLock {
        /// The folder of the lock file.
        folder: PathBuf,
    },
    /// cargo built no module for a plugin.
    #[error(
        "{folder}: cargo made no .wasm file of it; expected `crate-type = [\"cdylib\"]` under `[lib]` in its Cargo.toml, and the package among its workspace's members",
        folder = folder.display()
    )]
    NoModule {
        /// The plugin's folder.
        folder: PathBuf,
    },
    /// The module cannot become a component.
    #[error("the plugin `{id}` cannot become a component: {said}")]
    Component {
        /// The plugin.
        id: PluginId,
        /// What is in the way.
        said: String,
    },
    /// The plugin would need WASI.
    #[error("the plugin `{id}` imports {imports}, but a plugin built here gets no WASI; compile for {TARGET} and drop the dependency that needs it", imports = imports.join(", "))]
    Wasi {
        /// The plugin.
        id: PluginId,
        /// The imports.
        imports: Vec<String>,
    },
    /// The manifest and the component disagree.
    #[error("the plugin `{id}`: {said}")]
    Disagreement {
        /// The plugin.
        id: PluginId,
        /// In what.
        said: String,
    },
    /// The manifest could not be put in.
    #[error("the plugin `{id}`: {source}")]
    Embed {
        /// The plugin.
        id: PluginId,
        /// Why not.
        source: EmbedError,
    },
    /// The finished component cannot be read back.
    #[error("the plugin `{id}`: {source}")]
    Inspect {
        /// The plugin.
        id: PluginId,
        /// Why not.
        source: InspectError,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl BuildError {
    /// Wraps an input or output error with its path.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<'_> {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
