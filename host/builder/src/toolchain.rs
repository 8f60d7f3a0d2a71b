//! The compiler for guests.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{CommandError, text_of};
use crate::debian;
use crate::env::BuildEnv;
use crate::step::Progress;

/// What guests are compiled to: no system interface at all.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Names the compiler for guests, before anything else is tried.
pub const GUEST_RUSTC_VARIABLE: &str = "CHM_GUEST_RUSTC";

/// Where a compiler comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `CHM_GUEST_RUSTC` names it.
    Variable,
    /// The default `rustc`, which has the target.
    Default,
    /// Made from Debian's packages, in the cache folder.
    Debian,
}

/// A compiler that has the standard library of [`TARGET`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestCompiler {
    /// The compiler's path, or `rustc` where the default one is used.
    pub rustc: PathBuf,
    /// Folder of the compiler's own shared libraries, where the system does not know it.
    pub libraries: Option<PathBuf>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Why there is no compiler for guests.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// `CHM_GUEST_RUSTC` does not help.
    #[error(
        "{GUEST_RUSTC_VARIABLE} is `{path}`, but {problem}; expected the path of a rustc that has the target {TARGET} (or leave it unset)",
        path = path.display()
    )]
    Variable {
        /// Its value.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// No compiler, and no Debian to make one from.
    #[error(
        "the Rust compiler here cannot compile plugins: it lacks the target {TARGET}. Add it with\n    rustup target add {TARGET}"
    )]
    NoTarget,
    /// Debian's packages did not do.
    #[error(
        "the Rust compiler here cannot compile plugins, and making one from Debian's packages failed: {0}\nAdd the target to yours instead:\n    rustup target add {TARGET}"
    )]
    Debian(#[source] DebianError),
}

/// Why no compiler could be made from Debian's packages.
#[derive(Debug, thiserror::Error)]
pub enum DebianError {
    /// No place to keep it.
    #[error("there is no cache folder to keep it in; set HOME or XDG_CACHE_HOME to an absolute path")]
    NoCacheFolder,
    /// The distribution has no such package.
    #[error("the package {0} is not among the packages of this system")]
    NoPackage(String),
    /// A program failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A package does not hold what it should.
    #[error("the package {package} holds no {what}")]
    Content {
        /// The package.
        package: String,
        /// What was looked for.
        what: &'static str,
    },
}

impl GuestCompiler {
    /// Finds a compiler, or makes one (about 40 seconds and 470 MB, once).
    ///
    /// # Errors
    /// [`ToolchainError`] says what to do.
    pub fn find_or_make(env: &BuildEnv, progress: Progress<'_>) -> Result<Self, ToolchainError> {
        if let Some(path) = env.variable(GUEST_RUSTC_VARIABLE).filter(|path| !path.is_empty()) {
            return Self::named(env, Path::new(path));
        }
        if lacks_target(env, Path::new("rustc")).is_none() {
            return Ok(Self { rustc: "rustc".into(), libraries: None, origin: Origin::Default });
        }
        if !debian::is_possible(env) {
            return Err(ToolchainError::NoTarget);
        }
        debian::find_or_make(env, progress).map_err(ToolchainError::Debian)
    }

    fn named(env: &BuildEnv, path: &Path) -> Result<Self, ToolchainError> {
        match lacks_target(env, path) {
            None => Ok(Self { rustc: path.to_owned(), libraries: None, origin: Origin::Variable }),
            Some(problem) => Err(ToolchainError::Variable { path: path.to_owned(), problem }),
        }
    }

    /// Makes a command compile with this compiler.
    pub(crate) fn apply(&self, env: &BuildEnv, command: &mut Command) {
        command.env("RUSTC", &self.rustc);
        if let Some(folder) = &self.libraries {
            command.env("LD_LIBRARY_PATH", library_path(env, folder));
        }
    }
}

/// The compiler's own libraries before any the user has.
pub(crate) fn library_path(env: &BuildEnv, folder: &Path) -> OsString {
    let mut path = folder.as_os_str().to_owned();
    if let Some(users) = env.variable("LD_LIBRARY_PATH").filter(|users| !users.is_empty()) {
        path.push(":");
        path.push(users);
    }
    path
}

/// What keeps a compiler from compiling guests; none when it can.
fn lacks_target(env: &BuildEnv, rustc: &Path) -> Option<String> {
    match text_of(env.command(rustc).args(["--print", "target-libdir", "--target", TARGET])) {
        Ok(folder) if has_core(Path::new(&folder)) => None,
        Ok(_) => Some(format!("that compiler lacks the target {TARGET}")),
        Err(CommandError::Failed { said, .. }) => Some(format!("that program says: {said}")),
        Err(error) => Some(error.to_string()),
    }
}

/// Whether the standard library lies in this folder: rustc names the folder whether or not it exists.
fn has_core(folder: &Path) -> bool {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.into_iter().any(|name| {
        let name = name.to_string_lossy();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_compiler_that_does_not_help_is_refused_by_its_variable() {
        for path in ["/no/such/rustc", "true"] {
            let vars = std::env::vars_os().chain([(GUEST_RUSTC_VARIABLE.into(), path.into())]);
            let said = GuestCompiler::find_or_make(&BuildEnv::new(vars), &|_| {}).unwrap_err().to_string();
            assert!(said.contains("CHM_GUEST_RUSTC") && said.contains(path) && said.contains(TARGET), "{said}");
        }
    }

    #[test]
    fn without_target_and_without_debian_the_one_command_is_printed() {
        let said = ToolchainError::NoTarget.to_string();
        assert!(said.ends_with("rustup target add wasm32-unknown-unknown"), "{said}");
        let said = ToolchainError::Debian(DebianError::NoPackage("rustc-web".into())).to_string();
        assert!(said.contains("rustc-web") && said.ends_with("rustup target add wasm32-unknown-unknown"), "{said}");
        let nowhere = BuildEnv::new([("PATH".into(), "/no/such/folder".into())]);
        assert!(matches!(GuestCompiler::find_or_make(&nowhere, &|_| {}), Err(ToolchainError::NoTarget)));
    }
}
