//! Fetching one package archive through the user's own `npm`, which knows the registry, proxy and
//! certificates of this machine. What it brings is not trusted: the caller checks the digest.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Why `npm pack` brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum NpmError {
    /// The program is not installed.
    #[error("`{0}` is not installed; it is what fetches the embedded ClickHouse")]
    Missing(String),
    /// The registry could not be reached.
    #[error("npm could not reach its registry: {0}")]
    Offline(String),
    /// The registry answered, but has no such package.
    #[error("npm's registry has no {spec}: {detail}")]
    NotFound {
        /// `name@version`.
        spec: String,
        /// npm's own words.
        detail: String,
    },
    /// Anything else npm said before it failed.
    #[error("npm pack failed: {0}")]
    Failed(String),
    /// A file of the fetch could not be read or written.
    #[error("fetching into {path}: {source}")]
    Io {
        /// The folder of the fetch.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// npm's names for "no network", as printed in its `npm error code` line.
const OFFLINE: [&str; 9] = [
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ENOTCACHED",
    "ERR_SOCKET_TIMEOUT",
];
const NOT_FOUND: [&str; 4] = ["E404", "ETARGET", "ENOVERSIONS", "EBADPLATFORM"];

/// Runs `npm pack <spec>` into `folder` and returns the archive's path. `progress` hears the bytes
/// on disk so far, several times a second.
///
/// npm's cache is put into `folder` too: the archive (178 MB) would otherwise stay behind in the
/// user's npm cache, beside our own copy, and its growth there is what tells the progress.
pub(crate) fn pack(
    command: &[OsString],
    spec: &str,
    folder: &Path,
    progress: &dyn Fn(u64),
) -> Result<PathBuf, NpmError> {
    let io_error = |source| NpmError::Io { path: folder.to_owned(), source };
    let (program, leading) = command.split_first().ok_or_else(|| NpmError::Missing("npm".to_owned()))?;
    let errors_path = folder.join("npm.log");
    let errors = std::fs::File::create(&errors_path).map_err(io_error)?;
    let mut child = Command::new(program)
        .args(leading)
        .args(["pack", spec, "--pack-destination"])
        .arg(folder)
        .arg("--cache")
        .arg(folder.join("cache"))
        .args(["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts"])
        .args(["--loglevel", "error"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NpmError::Missing(program.to_string_lossy().into_owned()),
            _ => io_error(error),
        })?;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(error) => return Err(io_error(error)),
        }
        progress(largest_file(folder));
        thread::sleep(Duration::from_millis(100));
    };
    if !status.success() {
        let text = std::fs::read_to_string(&errors_path).unwrap_or_default();
        return Err(classify(spec, &text));
    }
    std::fs::read_dir(folder)
        .map_err(io_error)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| NpmError::Failed("it left no .tgz file".to_owned()))
}

fn classify(spec: &str, text: &str) -> NpmError {
    let mut lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim_start_matches("npm error").trim_start_matches("npm ERR!").trim())
        .filter(|line| !line.is_empty() && !line.starts_with("A complete log"))
        .collect();
    lines.truncate(4);
    let detail = if lines.is_empty() { "it printed no reason".to_owned() } else { lines.join("; ") };
    let says = |codes: &[&str]| codes.iter().any(|code| detail.contains(code));
    if says(&NOT_FOUND) {
        NpmError::NotFound { spec: spec.to_owned(), detail }
    } else if says(&OFFLINE) {
        NpmError::Offline(detail)
    } else {
        NpmError::Failed(detail)
    }
}

/// The archive is first written under a random name in npm's cache and then copied; at any time the
/// largest file is the furthest copy of it.
fn largest_file(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => largest_file(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npm_failures_are_told_apart() {
        let cases = [
            ("npm error code ENOTFOUND\nnpm error errno ENOTFOUND\n", "reach its registry"),
            ("npm ERR! code EAI_AGAIN\n", "reach its registry"),
            ("npm error code E404\nnpm error 404 Not Found\n", "has no a@1"),
            ("npm error code ETARGET\n", "has no a@1"),
            ("npm error code EACCES\n", "pack failed: code EACCES"),
            ("", "printed no reason"),
        ];
        for (text, expected) in cases {
            let shown = classify("a@1", text).to_string();
            assert!(shown.contains(expected), "{text:?} gave {shown:?}");
        }
    }
}
