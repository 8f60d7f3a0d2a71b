//! Asks apt for packages, as whoever runs this.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{run, text_of};
use crate::env::BuildEnv;
use crate::step::{Progress, Step};
use crate::toolchain::DebianError;

/// apt with its package lists at hand: the system's, or private ones where this user may not fetch the system's.
pub(super) struct Apt<'a> {
    env: &'a BuildEnv,
    options: Vec<String>,
}

impl<'a> Apt<'a> {
    /// Makes sure that the lists know `package`. `private` is a folder for lists of our own.
    pub(super) fn ready(
        env: &'a BuildEnv,
        package: &str,
        private: &Path,
        progress: Progress<'_>,
    ) -> Result<Self, DebianError> {
        let systems = Self { env, options: vec!["APT::Sandbox::User=root".to_owned()] };
        // Lists that cannot be read are as good as none, and so are old ones that know only a compiler too old for guests.
        if matches!(systems.candidate(package), Ok(Some(version)) if is_recent(&version)) {
            return Ok(systems);
        }
        progress(&Step::PackageLists);
        if systems.update().is_ok() {
            return Ok(systems);
        }
        let own = Self::private(env, private)?;
        own.update()?;
        Ok(own)
    }

    /// apt that keeps lists and packages below `folder`; it needs no rights.
    fn private(env: &'a BuildEnv, folder: &Path) -> Result<Self, DebianError> {
        let (lists, cache) = (folder.join("lists"), folder.join("cache"));
        for new in [lists.join("partial"), cache.join("archives/partial")] {
            fs::create_dir_all(&new).map_err(super::io(&new))?;
        }
        let options = vec![
            "APT::Sandbox::User=root".to_owned(),
            format!("Dir::State::lists={}/", lists.display()),
            format!("Dir::Cache={}/", cache.display()),
        ];
        Ok(Self { env, options })
    }

    fn command(&self, tool: &str) -> Command {
        let mut command = self.env.command(tool);
        // The words looked for below are English ones.
        command.env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
        command.args(self.options.iter().flat_map(|option| ["-o", option]));
        command
    }

    fn update(&self) -> Result<(), DebianError> {
        // A mirror that cannot be reached is a warning to apt; here it is what failed.
        run(self.command("apt-get").args(["-o", "APT::Update::Error-Mode=any", "-qq", "update"]))?;
        Ok(())
    }

    /// The version apt would take, if it knows the package.
    pub(super) fn candidate(&self, package: &str) -> Result<Option<String>, DebianError> {
        Ok(candidate_in(&text_of(self.command("apt-cache").args(["policy", package]))?))
    }

    /// The first dependency of a package whose name begins with `prefix`.
    pub(super) fn dependency(&self, package: &str, version: &str, prefix: &str) -> Result<Option<String>, DebianError> {
        let record = text_of(self.command("apt-cache").args(["show", &format!("{package}={version}")]))?;
        Ok(dependency_in(&record, prefix))
    }

    /// Fetches packages (`name` or `name=version`) into `folder`; apt checks them against its signed lists.
    pub(super) fn download(&self, folder: &Path, packages: &[String]) -> Result<(), DebianError> {
        run(self.command("apt-get").args(["-qq", "download"]).args(packages).current_dir(folder))?;
        Ok(())
    }
}

/// Oldest compiler that the guests' dependencies accept.
const OLDEST: (u32, u32) = (1, 88);

/// From a package's version such as `1.96.0+dfsg1-1`.
fn is_recent(version: &str) -> bool {
    let mut numbers = version.split(['.', '+', '~', '-']).map(str::parse::<u32>);
    matches!((numbers.next(), numbers.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST)
}

fn candidate_in(policy: &str) -> Option<String> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

fn dependency_in(record: &str, prefix: &str) -> Option<String> {
    let depends = record.lines().find_map(|line| line.strip_prefix("Depends: "))?;
    let names = depends.split([',', '|']).filter_map(|item| item.split_whitespace().next());
    names.map(|name| name.split(':').next().unwrap_or(name)).find(|name| name.starts_with(prefix)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apts_answers_are_read() {
        let known = "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1\n  Version table:\n";
        assert_eq!(candidate_in(known).as_deref(), Some("1.96.0+dfsg1-1"));
        assert_eq!(candidate_in("x:\n  Candidate: (none)\n"), None);
        assert_eq!(candidate_in(""), None);
        assert!(is_recent("1.96.0+dfsg1-1~deb12u2") && is_recent("1.88.0-1") && is_recent("2.0.0-1"));
        assert!(!is_recent("1.85.0+dfsg1-1") && !is_recent("unknown"));
        let record = "Package: x\nDepends: libc6 (>= 2.34), libllvm22:any (>= 1) | other, libz\nSize: 1\n";
        assert_eq!(dependency_in(record, "libllvm").as_deref(), Some("libllvm22"));
        assert_eq!(dependency_in(record, "libssl"), None);
    }
}
