//! Takes files out of a package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::command::{failed, not_started};
use crate::env::BuildEnv;
use crate::toolchain::DebianError;

/// Unpacks those files of `<folder>/<package>_*.deb` for which `place` (given the path without a leading `./`) names one.
///
/// `what` is said when there is none such.
pub(super) fn unpack(
    env: &BuildEnv,
    folder: &Path,
    package: &str,
    what: &'static str,
    place: impl Fn(&str) -> Option<PathBuf>,
) -> Result<(), DebianError> {
    let absent = || DebianError::Content { package: package.to_owned(), what };
    let file = package_file(folder, package).ok_or_else(absent)?;
    let mut command = env.command("dpkg-deb");
    command.arg("--fsys-tarfile").arg(&file).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|source| not_started(&command, source))?;
    let mut unpacked = 0usize;
    if let Some(stdout) = child.stdout.take() {
        let mut archive = tar::Archive::new(stdout);
        for entry in archive.entries().map_err(super::io(&file))? {
            let mut entry = entry.map_err(super::io(&file))?;
            let kind = entry.header().entry_type();
            if !(kind.is_file() || kind.is_symlink()) {
                continue;
            }
            let path = entry.path().map_err(super::io(&file))?.to_string_lossy().into_owned();
            let path = path.strip_prefix("./").unwrap_or(&path);
            let Some(place) = place(path).filter(|_| !path.split('/').any(|part| part == "..")) else { continue };
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent).map_err(super::io(parent))?;
            }
            entry.unpack(&place).map_err(super::io(&place))?;
            unpacked += 1;
        }
    }
    let status = child.wait().map_err(super::io(&file))?;
    if !status.success() {
        return Err(failed(&command, status.to_string(), b"the package is damaged").into());
    }
    if unpacked == 0 { Err(absent()) } else { Ok(()) }
}

fn package_file(folder: &Path, package: &str) -> Option<PathBuf> {
    let prefix = format!("{package}_");
    let mut files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))
}
