//! A `clickhouse` binary that is already on this machine.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// Oldest version that understands our configuration: `<grants>` in `users.xml` and the names of
/// the background pools.
pub const OLDEST: (u32, u32) = (23, 8);
const LIMIT: Duration = Duration::from_secs(10);

/// A binary that can be started as a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBinary {
    /// Where it is.
    pub path: PathBuf,
    /// As it tells, for instance `25.8.1.1`.
    pub version: String,
}

/// Why a `clickhouse` on PATH is of no use. The caller goes on with the next choice.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// It could not be run.
    #[error("{path} could not be run: {source}")]
    Run {
        /// The binary.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It did not tell a version.
    #[error("{0} does not tell its version; expected a ClickHouse binary")]
    NotClickHouse(PathBuf),
    /// Too old for our configuration.
    #[error("{path} is version {version}; the embedded server needs {}.{} or newer", OLDEST.0, OLDEST.1)]
    TooOld {
        /// The binary.
        path: PathBuf,
        /// Its version.
        version: String,
    },
}

impl ServerBinary {
    /// The first `clickhouse` on PATH, checked for its version.
    ///
    /// # Errors
    /// When there is one and it cannot be used.
    pub async fn find() -> Result<Option<ServerBinary>, DiscoverError> {
        Self::find_in(&env::var_os("PATH").unwrap_or_default()).await
    }

    /// As [`find`](Self::find), in a search path of the caller's.
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub async fn find_in(search_path: &OsStr) -> Result<Option<ServerBinary>, DiscoverError> {
        let found = env::split_paths(search_path)
            .map(|folder| folder.join("clickhouse"))
            .find(|path| path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0));
        match found {
            None => Ok(None),
            Some(path) => Self::check(path).await.map(Some),
        }
    }

    async fn check(path: PathBuf) -> Result<ServerBinary, DiscoverError> {
        let output = Command::new(&path).args(["server", "--version"]).stdin(Stdio::null()).kill_on_drop(true).output();
        let output = tokio::time::timeout(LIMIT, output)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| DiscoverError::Run { path: path.clone(), source })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let Some((version, number)) = read_version(&text) else {
            return Err(DiscoverError::NotClickHouse(path));
        };
        if number < OLDEST {
            return Err(DiscoverError::TooOld { path, version });
        }
        Ok(ServerBinary { path, version })
    }
}

/// From `ClickHouse server version 25.8.1.1 (official build).`
fn read_version(text: &str) -> Option<(String, (u32, u32))> {
    let version =
        text.strip_prefix("ClickHouse")?.split_once("version ")?.1.split_whitespace().next()?.trim_end_matches('.');
    let mut numbers = version.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor)) => Some((version.to_owned(), (major, minor))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_clickhouse_prints_them() {
        let cases = [
            ("ClickHouse server version 25.8.1.1 (official build).\n", Some((25, 8))),
            ("ClickHouse server version 18.16.1.\n", Some((18, 16))),
            ("ClickHouse local version 26.7.2.1.", Some((26, 7))),
            ("bash 5.2", None),
            ("ClickHouse version x.y", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read_version(text).map(|(_, number)| number), expected, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_path_without_clickhouse_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        // A folder of that name is not a program.
        std::fs::create_dir(folder.path().join("clickhouse")).unwrap();
        let found = ServerBinary::find_in(folder.path().as_os_str()).await.unwrap();
        assert_eq!(found, None);
    }
}
