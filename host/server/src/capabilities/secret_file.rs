//! A secret that stands in a file of its own, as container platforms and `htpasswd` leave them. It is read again when the file
//! changes, so that a password can be changed without a restart.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chm_access::Secret;

/// Longest secret, in bytes: a password file of some ten thousand users.
const MAX_BYTES: u64 = 1 << 20;
/// The file is looked at no more often.
const PAUSE: Duration = Duration::from_millis(500);

/// Why there is no secret in a file. No text contains what stands in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read.
    #[error("the file {} cannot be read: {error}; expected a file that this process may read", .path.display())]
    Unreadable {
        /// Its path, as configured.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is no text.
    #[error("the file {} is not UTF-8; expected a text", .0.display())]
    NotText(PathBuf),
    /// There is nothing in it.
    #[error("the file {} is empty; expected the secret in it", .0.display())]
    Empty(PathBuf),
    /// It is too long.
    #[error("the file {} is longer than {MAX_BYTES} bytes; expected a secret", .0.display())]
    TooLong(PathBuf),
}

/// When the file last changed, and its length.
type Stamp = (SystemTime, u64);

/// The file, with what stood in it when it was last looked at.
pub struct SecretFile {
    path: PathBuf,
    kept: Mutex<Kept>,
}

struct Kept {
    looked: Instant,
    stamp: Option<Stamp>,
    /// Absent while the file cannot be used.
    secret: Option<Arc<Secret>>,
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretFile").field(&self.path).finish()
    }
}

impl SecretFile {
    /// Reads the file; one line end at its end does not count.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SecretFileError> {
        let path = path.into();
        let stamp = stamp(&path);
        let secret = Some(Arc::new(read(&path)?));
        Ok(Self { kept: Mutex::new(Kept { looked: Instant::now(), stamp, secret }), path })
    }

    /// What stands in it now, or stood there half a second ago. Absent while the file cannot be used: a secret that was taken
    /// away no longer opens anything.
    pub(super) fn current(&self) -> Option<Arc<Secret>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.looked.elapsed() >= PAUSE {
            kept.looked = Instant::now();
            let stamp = stamp(&self.path);
            if stamp.is_none() || stamp != kept.stamp {
                self.read_again(&mut kept, stamp);
            }
        }
        kept.secret.clone()
    }

    fn read_again(&self, kept: &mut Kept, stamp: Option<Stamp>) {
        match read(&self.path) {
            Ok(secret) => {
                tracing::info!(path = %self.path.display(), "the secret's file has changed and was read again");
                (kept.secret, kept.stamp) = (Some(Arc::new(secret)), stamp);
            }
            Err(error) => {
                // Said once, not twice a second.
                if kept.secret.take().is_some() {
                    tracing::error!(%error, "a secret can no longer be used");
                }
                kept.stamp = None;
            }
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

fn read(path: &Path) -> Result<Secret, SecretFileError> {
    let unreadable = |error| SecretFileError::Unreadable { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(length).is_ok_and(|length| length > MAX_BYTES) {
        return Err(SecretFileError::TooLong(path.to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| SecretFileError::NotText(path.to_owned()))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if text.trim().is_empty() {
        return Err(SecretFileError::Empty(path.to_owned()));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if nobody had looked for a while.
    fn later(file: &SecretFile) -> Option<String> {
        file.kept.lock().unwrap().looked = Instant::now().checked_sub(PAUSE).unwrap();
        file.current().map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn the_secret_follows_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        std::fs::write(&path, "one\n").unwrap();
        let file = SecretFile::open(&path).unwrap();
        assert_eq!(later(&file).as_deref(), Some("one"));
        std::fs::write(&path, "another").unwrap();
        assert_eq!(file.current().unwrap().expose(), "one", "it is not looked at for each request");
        assert_eq!(later(&file).as_deref(), Some("another"));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(later(&file), None, "a secret that was taken away opens nothing");
        std::fs::write(&path, "").unwrap();
        assert_eq!(later(&file), None);
        std::fs::write(&path, "back\r\n").unwrap();
        assert_eq!(later(&file).as_deref(), Some("back"));
        assert!(!format!("{file:?}").contains("back"));
    }

    #[test]
    fn a_file_without_a_secret_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("empty"), " \n").unwrap();
        std::fs::write(path("binary"), [0xff, 0xfe]).unwrap();
        std::fs::write(path("long"), vec![b'x'; 1 << 20 | 1]).unwrap();
        for (name, word) in
            [("absent", "cannot be read"), ("empty", "is empty"), ("binary", "not UTF-8"), ("long", "longer than")]
        {
            let text = SecretFile::open(path(name)).unwrap_err().to_string();
            assert!(text.contains(word) && text.contains(name) && text.contains("expected"), "{text}");
        }
    }
}
