//! The environment that compilers run in.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a build takes from the process around it: programs, variables and the cache folder.
///
/// Variables that steer an outer `cargo run` or `cargo test` (flags, wrappers, target folders, the jobserver) are left out, so a
/// plugin comes out the same wherever its build is started.
#[derive(Debug, Clone)]
pub struct BuildEnv {
    variables: BTreeMap<OsString, OsString>,
    cargo: OsString,
    cache: Option<PathBuf>,
}

impl BuildEnv {
    /// Takes the environment of this process.
    #[must_use]
    pub fn from_process() -> Self {
        Self::new(env::vars_os())
    }

    /// Takes these variables. Of two with one name the later counts.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let all: BTreeMap<OsString, OsString> = variables.into_iter().collect();
        let absolute = |name: &str| all.get(OsStr::new(name)).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        Self {
            // Set inside `cargo run` and `cargo test`: the very cargo that builds the host.
            cargo: all.get(OsStr::new("CARGO")).cloned().unwrap_or_else(|| "cargo".into()),
            cache: cache.map(|base| base.join("chm-host")),
            variables: all.into_iter().filter(|(name, _)| passes(name)).collect(),
        }
    }

    /// Keeps what is made once, such as the compiler, in this folder instead of `$XDG_CACHE_HOME/chm-host` or `~/.cache/chm-host`.
    #[must_use]
    pub fn with_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// The cache folder; none when neither `XDG_CACHE_HOME` nor `HOME` is set to an absolute path.
    #[must_use]
    pub fn cache(&self) -> Option<&std::path::Path> {
        self.cache.as_deref()
    }

    /// A variable that passed.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Where cargo keeps registries and checkouts.
    pub(crate) fn cargo_home(&self) -> Option<PathBuf> {
        let home = || self.variable("HOME").map(|home| PathBuf::from(home).join(".cargo"));
        self.variable("CARGO_HOME").map(PathBuf::from).or_else(home)
    }

    /// A command in this environment, without a terminal to read from.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables).stdin(Stdio::null());
        command
    }

    /// `cargo`, told to use no wrapper, whatever its configuration files say, and to write plain text.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.command(&self.cargo);
        // An empty wrapper is how cargo is told to ignore a configured one.
        command.env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "").env("CARGO_TERM_COLOR", "never");
        command
    }
}

/// Whether a variable of the process around may reach a guest's build.
fn passes(name: &OsStr) -> bool {
    // Names that are not UTF-8 steer no compiler.
    let Some(name) = name.to_str() else { return true };
    // Of cargo's own variables only those that say where things come from, not how they are built.
    if let Some(rest) = name.strip_prefix("CARGO_") {
        const KEPT: [&str; 6] = ["HOME", "NET_", "HTTP_", "REGISTR", "SOURCE_", "LOG"];
        return KEPT.iter().any(|kept| rest.starts_with(kept));
    }
    const DROPPED: [&str; 14] = [
        "CARGO",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "MAKEFLAGS",
        "MFLAGS",
        "OUT_DIR",
        "TARGET",
        "HOST",
        "NUM_JOBS",
        "PROFILE",
        "OPT_LEVEL",
        "DEBUG",
        "RUSTDOC",
        "SOURCE_DATE_EPOCH",
    ];
    !(DROPPED.contains(&name) || name == "RUSTC" || name.starts_with("RUSTC_") || name.starts_with("DEP_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env_of(pairs: &[(&str, &str)]) -> BuildEnv {
        BuildEnv::new(pairs.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn an_outer_cargo_does_not_steer_a_guests_build() {
        let dropped = [
            "CARGO",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET",
            "CARGO_BUILD_RUSTC",
            "CARGO_MAKEFLAGS",
            "CARGO_INCREMENTAL",
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_NAME",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            "CARGO_UNSTABLE_BUILD_STD",
            "MAKEFLAGS",
            "MFLAGS",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_BOOTSTRAP",
            "RUSTFLAGS",
            "OUT_DIR",
            "DEP_Z_ROOT",
            "NUM_JOBS",
        ];
        let kept = [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_HTTP_CAINFO",
            "CARGO_REGISTRIES_OWN_INDEX",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "HTTPS_PROXY",
            "CHM_GUEST_RUSTC",
            "LANG",
        ];
        let pairs: Vec<_> = dropped.iter().chain(&kept).map(|name| (*name, "x")).collect();
        let env = env_of(&pairs);
        for name in dropped {
            assert!(env.variable(name).is_none(), "{name}");
        }
        for name in kept {
            assert!(env.variable(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_command_sees_only_what_passed() {
        let env = env_of(&[("RUSTFLAGS", "-Dwarnings"), ("PATH", "/bin")]);
        let command = env.cargo();
        let set: BTreeMap<_, _> = command.get_envs().collect();
        assert!(!set.contains_key(OsStr::new("RUSTFLAGS")));
        assert_eq!(set[OsStr::new("RUSTC_WRAPPER")], Some(OsStr::new("")));
        assert_eq!(set[OsStr::new("PATH")], Some(OsStr::new("/bin")));
        assert_eq!(command.get_program(), "cargo");
        assert_eq!(env_of(&[("CARGO", "/x/cargo")]).cargo().get_program(), "/x/cargo");
    }

    #[test]
    fn the_cache_is_the_users() {
        let path = |pairs: &[_]| env_of(pairs).cache().map(std::path::Path::to_path_buf);
        assert_eq!(path(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]), Some("/c/chm-host".into()));
        assert_eq!(path(&[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")]), Some("/h/.cache/chm-host".into()));
        assert_eq!(path(&[]), None);
        assert_eq!(env_of(&[]).with_cache("/d").cache(), Some(std::path::Path::new("/d")));
    }
}
