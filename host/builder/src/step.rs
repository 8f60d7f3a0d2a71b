//! What a build is doing, for whoever waits for it.

use std::fmt;
use std::path::PathBuf;

/// Called at the beginning of each step, in the thread that builds.
pub type Progress<'a> = &'a (dyn Fn(&Step) + Sync);

/// One step of making the compiler or building plugins. Its `Display` is one line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Another process makes the compiler; this one waits for it.
    Waiting,
    /// Debian's package lists are fetched.
    PackageLists,
    /// Packages of the compiler are fetched.
    Downloading {
        /// Version of the compiler's package.
        version: String,
    },
    /// One package is unpacked.
    Unpacking {
        /// Name of the package.
        package: String,
    },
    /// The standard library is compiled for the guests' target; about half a minute.
    StandardLibrary,
    /// cargo compiles plugins.
    Compiling {
        /// How many plugins.
        plugins: usize,
    },
    /// cargo finished one crate.
    Compiled {
        /// Name of the crate's target.
        name: String,
    },
    /// A compiled module becomes a component.
    Componentizing {
        /// Id of the plugin.
        plugin: String,
    },
    /// A plugin among others is written in another language, and is left to its own tools.
    Skipped {
        /// The plugin's folder.
        folder: PathBuf,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for another process that makes the guest compiler"),
            Self::PackageLists => f.write_str("fetching the package lists"),
            Self::Downloading { version } => write!(f, "fetching the guest compiler {version}"),
            Self::Unpacking { package } => write!(f, "unpacking {package}"),
            Self::StandardLibrary => f.write_str("compiling the guests' standard library"),
            Self::Compiling { plugins: 1 } => f.write_str("compiling 1 plugin"),
            Self::Compiling { plugins } => write!(f, "compiling {plugins} plugins"),
            Self::Compiled { name } => write!(f, "compiled {name}"),
            Self::Componentizing { plugin } => write!(f, "making the component {plugin}"),
            Self::Skipped { folder } => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                write!(f, "{name} is no Rust package: skipped; `chm-host plugin pack` takes its component")
            }
        }
    }
}
