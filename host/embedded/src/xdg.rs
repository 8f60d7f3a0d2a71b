//! Where a user's machine keeps what this crate stores, by the XDG base directory rules.

use std::env;
use std::path::PathBuf;

/// `$XDG_CACHE_HOME/chm-host`, else `~/.cache/chm-host`. `None` when neither variable is set to an
/// absolute path (the XDG rules tell programs to ignore relative ones).
pub fn cache() -> Option<PathBuf> {
    base("XDG_CACHE_HOME", ".cache")
}

/// `$XDG_DATA_HOME/chm-host`, else `~/.local/share/chm-host`. `None` as for [`cache`].
pub fn data() -> Option<PathBuf> {
    base("XDG_DATA_HOME", ".local/share")
}

/// `$XDG_STATE_HOME/chm-host`, else `~/.local/state/chm-host`. `None` as for [`cache`].
pub fn state() -> Option<PathBuf> {
    base("XDG_STATE_HOME", ".local/state")
}

/// Where `up` keeps its embedded engine's data: `engine-data` below [`data`].
pub fn engine_data() -> Option<PathBuf> {
    data().map(|folder| folder.join("engine-data"))
}

fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home))).map(|base| base.join("chm-host"))
}
