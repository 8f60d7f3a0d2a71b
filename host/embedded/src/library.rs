//! `libchdb.so`: ClickHouse's own code as a shared library, from a pinned npm package.
//!
//! The package is fetched once per user with `npm pack`, its archive compared with the digest below
//! before a byte of it is unpacked, and the library kept in the user's cache folder. Nothing of the
//! package is ever run by npm.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};

use crate::npm::{self, NpmError};
use crate::xdg;

/// The npm package that holds the library.
pub const PACKAGE: &str = "@chdb/lib-linux-x64-gnu";
/// Its version. ClickHouse itself reports 26.7.2.1. Earlier than 26.7 cannot listen.
pub const VERSION: &str = "26.7.3-stable.1";
/// SHA-512 of the package's archive, in npm's own notation.
pub const INTEGRITY: &str =
    "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==";
/// Size of the archive: what a first start downloads.
pub const ARCHIVE_BYTES: u64 = 177_817_999;
/// Size of the unpacked library: what it takes on disk.
pub const LIBRARY_BYTES: u64 = 566_330_096;

const FILE_NAME: &str = "libchdb.so";
const MARKER_NAME: &str = "libchdb.so.json";
const IN_ARCHIVE: &str = "package/libchdb.so";
const FETCH_PREFIX: &str = ".fetch-";
const ELSEWHERE: &str =
    "set CLICKHOUSE_HOST (with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD) to watch a ClickHouse of your own instead";

/// Where the library comes from.
#[derive(Debug, Clone)]
pub struct LibraryOptions {
    /// A library already on this machine, used as it is: nothing is fetched or verified.
    pub path: Option<PathBuf>,
    /// The cache folder; the library is kept at `engine/<version>/libchdb.so` below it.
    /// `None` takes the user's ([`xdg::cache`]).
    pub cache: Option<PathBuf>,
    /// The npm command: a program, and arguments to put before `pack`.
    pub npm: Vec<OsString>,
    /// Expected digest of the archive; [`INTEGRITY`] unless a test wants a refusal.
    pub integrity: String,
}

impl Default for LibraryOptions {
    fn default() -> Self {
        LibraryOptions { path: None, cache: None, npm: vec!["npm".into()], integrity: INTEGRITY.to_owned() }
    }
}

/// How far [`obtain`] is. Bytes; `done` never passes `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Another process is fetching the same library; this one waits for it.
    Waiting,
    /// npm downloads the archive.
    Fetching {
        /// Bytes on disk.
        done: u64,
        /// The archive's size.
        total: u64,
    },
    /// The archive is compared with its digest.
    Verifying {
        /// Bytes read.
        done: u64,
        /// The archive's size.
        total: u64,
    },
    /// The library is unpacked.
    Unpacking {
        /// Bytes written.
        done: u64,
        /// The library's size.
        total: u64,
    },
}

/// Why there is no library.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// There is no library for this operating system, processor or C library.
    #[error("the embedded ClickHouse runs on Linux x86-64 with glibc only; {ELSEWHERE}")]
    UnsupportedPlatform,
    /// Neither `XDG_CACHE_HOME` nor `HOME` says where to keep it.
    #[error("no cache folder for the embedded ClickHouse: set HOME or XDG_CACHE_HOME to an absolute path")]
    NoCacheFolder,
    /// The path the caller gave is not a readable file.
    #[error("the engine library {path} cannot be read: {source}")]
    Override {
        /// As given.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// npm brought nothing.
    #[error("{0}; install npm and go online for the first start, or {ELSEWHERE}")]
    Npm(#[from] NpmError),
    /// The archive is not the pinned one.
    #[error(
        "the archive of {PACKAGE}@{VERSION} has digest {found}, expected {expected}: it is not the pinned one and was thrown away; check the npm registry you use, or {ELSEWHERE}"
    )]
    Digest {
        /// The pinned digest.
        expected: String,
        /// What arrived.
        found: String,
    },
    /// The verified archive does not hold the library.
    #[error("the archive of {PACKAGE}@{VERSION} holds no {IN_ARCHIVE}")]
    NotInArchive,
    /// The cache folder could not be read or written; 750 MB must be free for the first start.
    #[error("the engine cache {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// What the cached copy must look like, so that a damaged one is noticed without reading 566 MB.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Marker {
    integrity: String,
    bytes: u64,
    modified_ns: u128,
    sha512: String,
}

/// Returns the path of the library, fetching it first where needed. Blocks; seconds when it fetches,
/// well under a millisecond when the cached copy is good.
///
/// Two processes never fetch at the same time. A copy whose size, time or digest is not what was
/// unpacked is fetched again.
///
/// # Errors
/// See [`LibraryError`]; each says what to do instead.
pub fn obtain(options: &LibraryOptions, progress: &dyn Fn(Progress)) -> Result<PathBuf, LibraryError> {
    if let Some(path) = &options.path {
        let source = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => return Ok(path.clone()),
            Ok(_) => io::Error::other("it is not a file"),
            Err(source) => source,
        };
        return Err(LibraryError::Override { path: path.clone(), source });
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return Err(LibraryError::UnsupportedPlatform);
    }
    let folder =
        options.cache.clone().or_else(xdg::cache).ok_or(LibraryError::NoCacheFolder)?.join("engine").join(VERSION);
    let library = folder.join(FILE_NAME);
    if intact(&folder, &options.integrity) {
        return Ok(library);
    }
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let _lock = lock(&folder.join("lock"), progress)?;
    if !intact(&folder, &options.integrity) {
        fetch(&folder, options, progress)?;
    }
    Ok(library)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> LibraryError + use<> {
    let path = path.to_owned();
    move |source| LibraryError::Io { path, source }
}

fn lock(path: &Path, progress: &dyn Fn(Progress)) -> Result<File, LibraryError> {
    let file = File::create(path).map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Progress::Waiting);
            file.lock().map_err(at(path))?;
        }
        Err(TryLockError::Error(source)) => return Err(at(path)(source)),
    }
    Ok(file)
}

/// Whether the cached copy is the one that was unpacked. The digest is read only when the file's
/// time changed, as after a copy of the cache to another machine.
fn intact(folder: &Path, integrity: &str) -> bool {
    let Some(marker) = read_marker(folder).filter(|marker| marker.integrity == integrity) else {
        return false;
    };
    let library = folder.join(FILE_NAME);
    let Ok((bytes, modified_ns)) = stamp(&library) else {
        return false;
    };
    if bytes != marker.bytes {
        return false;
    }
    if modified_ns == marker.modified_ns {
        return true;
    }
    let same = File::open(&library)
        .and_then(|file| digest(file, &|_| {}))
        .is_ok_and(|found| hex::encode(found) == marker.sha512);
    same && write_marker(folder, &Marker { modified_ns, ..marker }).is_ok()
}

fn read_marker(folder: &Path) -> Option<Marker> {
    serde_json::from_slice(&fs::read(folder.join(MARKER_NAME)).ok()?).ok()
}

fn write_marker(folder: &Path, marker: &Marker) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(marker)?)?;
    file.persist(folder.join(MARKER_NAME))?;
    Ok(())
}

fn stamp(path: &Path) -> io::Result<(u64, u128)> {
    let metadata = fs::metadata(path)?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
    Ok((metadata.len(), modified.map_or(0, |time| time.as_nanos())))
}

fn fetch(folder: &Path, options: &LibraryOptions, progress: &dyn Fn(Progress)) -> Result<(), LibraryError> {
    remove_abandoned(folder);
    let work = tempfile::Builder::new().prefix(FETCH_PREFIX).tempdir_in(folder).map_err(at(folder))?;
    let total = ARCHIVE_BYTES;
    progress(Progress::Fetching { done: 0, total });
    let archive = npm::pack(&options.npm, &format!("{PACKAGE}@{VERSION}"), work.path(), &|bytes| {
        progress(Progress::Fetching { done: bytes.min(total), total });
    })?;
    verify(&archive, &options.integrity, progress)?;
    let unpacked = work.path().join(FILE_NAME);
    let sha512 = unpack(&archive, &unpacked, progress)?;
    let (bytes, modified_ns) = stamp(&unpacked).map_err(at(&unpacked))?;
    // The marker goes last: a library without one is fetched again, never trusted.
    let library = folder.join(FILE_NAME);
    let _ = fs::remove_file(folder.join(MARKER_NAME));
    fs::rename(&unpacked, &library).map_err(at(&library))?;
    write_marker(folder, &Marker { integrity: options.integrity.clone(), bytes, modified_ns, sha512 })
        .map_err(at(folder))
}

/// A fetch that was killed leaves its folder behind; the lock says that nobody is using it.
fn remove_abandoned(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(FETCH_PREFIX) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn digest(mut input: impl Read, progress: &dyn Fn(u64)) -> io::Result<Vec<u8>> {
    let mut hash = Sha512::new();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        let read = input.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().to_vec());
        }
        hash.update(&buffer[..read]);
        done += read as u64;
        progress(done);
    }
}

fn verify(archive: &Path, integrity: &str, progress: &dyn Fn(Progress)) -> Result<(), LibraryError> {
    let file = File::open(archive).map_err(at(archive))?;
    let total = file.metadata().map_err(at(archive))?.len();
    let found = digest(file, &|done| {
        progress(Progress::Verifying { done, total });
    })
    .map_err(at(archive))?;
    let found = format!("sha512-{}", BASE64.encode(found));
    if found == integrity { Ok(()) } else { Err(LibraryError::Digest { expected: integrity.to_owned(), found }) }
}

/// Writes the library to `target` and returns its SHA-512 in hex.
fn unpack(archive: &Path, target: &Path, progress: &dyn Fn(Progress)) -> Result<String, LibraryError> {
    let file = File::open(archive).map_err(at(archive))?;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(BufReader::with_capacity(1 << 18, file)));
    for entry in tar.entries().map_err(at(archive))? {
        let mut entry = entry.map_err(at(archive))?;
        if entry.path().map_err(at(archive))? != Path::new(IN_ARCHIVE) {
            continue;
        }
        let total = entry.size();
        let mut output = File::create(target).map_err(at(target))?;
        let mut hash = Sha512::new();
        let mut buffer = vec![0; 1 << 20];
        let mut done = 0;
        loop {
            let read = entry.read(&mut buffer).map_err(at(archive))?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            output.write_all(&buffer[..read]).map_err(at(target))?;
            done += read as u64;
            progress(Progress::Unpacking { done, total });
        }
        output.sync_all().map_err(at(target))?;
        return Ok(hex::encode(hash.finalize()));
    }
    Err(LibraryError::NotInArchive)
}

#[cfg(test)]
mod tests;
