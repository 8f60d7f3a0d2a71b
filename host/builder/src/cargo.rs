//! Runs cargo for guests.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use crate::artifact::Artifact;
use crate::command::{CommandError, failed, not_started, run, text_of};
use crate::env::BuildEnv;
use crate::error::BuildError;
use crate::plugin_folder::Unit;
use crate::step::{Progress, Step};
use crate::toolchain::{GuestCompiler, TARGET};

/// Stack of a guest, in bytes. It lies before the data, so an overflow traps.
const STACK_BYTES: u32 = 128 * 1024;

/// A cargo workspace with plugins in it; one package alone is one too.
pub(crate) struct Workspace {
    /// Its root folder.
    pub root: PathBuf,
    /// Whether a lock file pins its dependencies.
    locked: bool,
    /// Names and folders of all packages that come from this disk and not from a registry.
    pub local: Vec<(String, PathBuf)>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    source: Option<String>,
    manifest_path: PathBuf,
}

/// Flags in the one form that survives spaces in paths.
pub(crate) fn encoded(flags: &[OsString]) -> OsString {
    flags.join(std::ffi::OsStr::new("\u{1f}"))
}

/// A compiler flag that hides where a folder lies on this machine.
pub(crate) fn remap(folder: &Path, shown: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(folder);
    flag.push("=");
    flag.push(shown);
    flag
}

impl Workspace {
    /// Asks cargo about the workspace that `folder` belongs to. Fetches what it depends on.
    pub(crate) fn of(env: &BuildEnv, folder: &Path) -> Result<Self, BuildError> {
        let refused = |error: CommandError| match error {
            CommandError::Failed { said, .. } => BuildError::Compile { folder: folder.to_owned(), said },
            other => other.into(),
        };
        let manifest = text_of(env.cargo().current_dir(folder).args([
            "locate-project",
            "--workspace",
            "--message-format",
            "plain",
        ]))
        .map_err(refused)?;
        let root = Path::new(&manifest).parent().unwrap_or(folder).to_owned();
        let locked = root.join("Cargo.lock").is_file();
        let mut command = env.cargo();
        command.current_dir(folder).args(["metadata", "--quiet", "--format-version", "1", "--filter-platform", TARGET]);
        if locked {
            command.arg("--locked");
        }
        let output = run(&mut command).map_err(|error| match error {
            // cargo's own advice is a flag, and nobody here can give it one.
            CommandError::Failed { ref said, .. } if said.contains("--locked") => {
                BuildError::StaleLock { folder: root.clone() }
            }
            other => refused(other),
        })?;
        let metadata: Metadata = serde_json::from_slice(&output.stdout).map_err(|error| BuildError::Compile {
            folder: folder.to_owned(),
            said: format!("cargo metadata says what is not understood here: {error}"),
        })?;
        let local = metadata.packages.into_iter().filter(|package| package.source.is_none());
        let local = local.filter_map(|package| Some((package.name, package.manifest_path.parent()?.to_owned())));
        Ok(Self { root, locked, local: local.collect() })
    }

    /// Flags for guests: a small stack, and no trace of where things lie on this machine.
    fn flags(&self, env: &BuildEnv) -> Vec<OsString> {
        let mut flags = vec![OsString::from(format!("-Clink-arg=-zstack-size={STACK_BYTES}"))];
        if let Some(home) = env.cargo_home() {
            flags.push(remap(&home, "/cargo"));
        }
        flags.push(remap(&self.root, "/workspace"));
        // Packages inside the workspace have its flag: one more plugin must not change the flags of all others.
        let outside = self.local.iter().filter(|(_, folder)| !folder.starts_with(&self.root));
        flags.extend(outside.map(|(name, folder)| remap(folder, &format!("/package/{name}"))));
        flags
    }

    /// Builds a unit's modules into `target_dir`.
    pub(crate) fn build(
        &self,
        env: &BuildEnv,
        compiler: &GuestCompiler,
        unit: &Unit,
        target_dir: &Path,
        progress: Progress<'_>,
    ) -> Result<Vec<Artifact>, BuildError> {
        let mut command = env.cargo();
        compiler.apply(env, &mut command);
        command
            .args(["build", "--quiet", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"])
            .current_dir(&unit.folder)
            .env("CARGO_ENCODED_RUSTFLAGS", encoded(&self.flags(env)))
            .env("CARGO_TARGET_DIR", target_dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if unit.workspace {
            command.arg("--workspace");
        }
        if self.locked {
            command.arg("--locked");
        }
        progress(&Step::Compiling { plugins: unit.plugins.len() });
        let mut child = command.spawn().map_err(|source| not_started(&command, source))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut artifacts = Vec::new();
        // Both pipes are read at once, or cargo would stop at the full one.
        let said = std::thread::scope(|scope| {
            let errors = scope.spawn(move || {
                let mut said = Vec::new();
                if let Some(mut stream) = stderr {
                    stream.read_to_end(&mut said).ok();
                }
                said
            });
            for line in stdout.into_iter().flat_map(|stream| BufReader::new(stream).lines()).map_while(Result::ok) {
                if let Some(artifact) = Artifact::parse(&line) {
                    if !artifact.fresh {
                        progress(&Step::Compiled { name: artifact.name.clone() });
                    }
                    artifacts.push(artifact);
                }
            }
            errors.join().unwrap_or_default()
        });
        let status = child.wait().map_err(BuildError::io(&unit.folder))?;
        if status.success() {
            return Ok(artifacts);
        }
        match failed(&command, status.to_string(), &said) {
            CommandError::Failed { said, .. } => Err(BuildError::Compile { folder: unit.folder.clone(), said }),
            other => Err(other.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_keep_spaces_and_name_only_packages_from_outside() {
        let workspace = Workspace {
            root: "/w x".into(),
            locked: false,
            local: vec![("inner".into(), "/w x/a".into()), ("outer".into(), "/s d/k".into())],
        };
        let env = BuildEnv::new([("CARGO_HOME".into(), "/c".into())]);
        let flags = encoded(&workspace.flags(&env)).into_string().unwrap();
        let flags: Vec<_> = flags.split('\u{1f}').collect();
        assert_eq!(
            flags,
            [
                "-Clink-arg=-zstack-size=131072",
                "--remap-path-prefix=/c=/cargo",
                "--remap-path-prefix=/w x=/workspace",
                "--remap-path-prefix=/s d/k=/package/outer",
            ]
        );
    }
}
