//! Knows whether a plugin's file is up to date without asking cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Folder, beside the plugins' files, that holds the fingerprints.
const FOLDER: &str = ".fingerprints";

/// Changes when what is made of the same sources changes.
const RECIPE: &str = concat!(env!("CARGO_PKG_VERSION"), "-1");

/// What a plugin's file was made of: each source's digest, and the file's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    recipe: String,
    /// The plugin's folder: two folders may hold plugins of one id.
    folder: PathBuf,
    /// The compiler the operator named, if any.
    compiler: Option<String>,
    sources: BTreeMap<PathBuf, String>,
    output: String,
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Fingerprint {
    /// Takes the digests of all sources as they are now.
    pub(crate) fn of(
        folder: &Path,
        compiler: Option<String>,
        sources: BTreeSet<PathBuf>,
        output: String,
    ) -> io::Result<Self> {
        let digested = sources.into_iter().map(|path| Ok((path.clone(), digest_of(&path)?)));
        let sources = digested.collect::<io::Result<_>>()?;
        Ok(Self { recipe: RECIPE.to_owned(), folder: folder.to_owned(), compiler, sources, output })
    }

    /// The fingerprint kept for a plugin.
    pub(crate) fn load(out: &Path, id: &str) -> Option<Self> {
        serde_json::from_slice(&fs::read(file(out, id)).ok()?).ok()
    }

    /// Keeps it.
    pub(crate) fn store(&self, out: &Path, id: &str) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        write_whole(&file(out, id), &text)
    }

    /// Whether building `folder` again would give the same `output` (the digest of the file there is).
    pub(crate) fn holds(&self, folder: &Path, compiler: Option<&str>, output: &str) -> bool {
        let same = |(path, known): (&PathBuf, &String)| digest_of(path).is_ok_and(|digest| digest == *known);
        self.recipe == RECIPE
            && self.folder == folder
            && self.compiler.as_deref() == compiler
            && self.output == output
            && self.sources.iter().all(same)
    }
}

/// Of a file, what is in it; of a folder that a build script watches, the names in it, so that one more file there is seen.
fn digest_of(path: &Path) -> io::Result<String> {
    if !path.is_dir() {
        return Ok(digest(&fs::read(path)?));
    }
    let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().into_encoded_bytes()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(digest(&names.join(&0)))
}

fn file(out: &Path, id: &str) -> PathBuf {
    out.join(FOLDER).join(format!("{id}.json"))
}

/// Writes a file in one step: a reader sees the old one or the new one, never a part.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    readable(file.as_file())?;
    file.persist(path)?;
    Ok(())
}

/// Temporary files are their owner's only; a built file is for everyone who may enter the folder.
#[cfg(unix)]
fn readable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// The sources in one of cargo's `.d` files: `output: source source …`, where `\ ` is a space in a name.
pub(crate) fn sources_in(dep_info: &str) -> BTreeSet<PathBuf> {
    let mut sources = BTreeSet::new();
    for line in dep_info.lines() {
        let Some((_, list)) = line.split_once(": ") else { continue };
        let mut name = String::new();
        let mut letters = list.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if letters.peek() == Some(&' ') => {
                    letters.next();
                    name.push(' ');
                }
                ' ' => drop(sources.insert(PathBuf::from(std::mem::take(&mut name)))),
                letter => name.push(letter),
            }
        }
        sources.insert(PathBuf::from(name));
    }
    sources.retain(|path| !path.as_os_str().is_empty());
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_holds_until_anything_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (out, source) = (folder.path().join("out"), folder.path().join("lib.rs"));
        fs::write(&source, "a").unwrap();
        let taken = Fingerprint::of(folder.path(), None, BTreeSet::from([source.clone()]), "d".into()).unwrap();
        taken.store(&out, "ab").unwrap();
        let kept = Fingerprint::load(&out, "ab").unwrap();
        assert_eq!(kept, taken);
        assert!(kept.holds(folder.path(), None, "d"));
        assert!(!kept.holds(folder.path(), None, "other file"));
        assert!(!kept.holds(folder.path(), Some("rustc"), "d"));
        assert!(!kept.holds(&out, None, "d"));
        fs::write(&source, "b").unwrap();
        assert!(!kept.holds(folder.path(), None, "d"));
        fs::remove_file(&source).unwrap();
        assert!(!kept.holds(folder.path(), None, "d"));
        assert_eq!(Fingerprint::load(&out, "other"), None);
    }

    #[test]
    fn one_more_file_in_a_watched_folder_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let watched = folder.path().join("panels");
        fs::create_dir(&watched).unwrap();
        fs::write(watched.join("a.toml"), "").unwrap();
        let taken = Fingerprint::of(folder.path(), None, BTreeSet::from([watched.clone()]), "d".into()).unwrap();
        assert!(taken.holds(folder.path(), None, "d"));
        fs::write(watched.join("b.toml"), "").unwrap();
        assert!(!taken.holds(folder.path(), None, "d"));
    }

    #[test]
    fn cargos_list_of_sources_is_read() {
        let read = sources_in("/t/x.wasm: /a/lib.rs /b\\ c/d.wit\n");
        assert_eq!(read, ["/a/lib.rs", "/b c/d.wit"].map(PathBuf::from).into());
        assert!(sources_in("").is_empty());
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/x.wasm");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
