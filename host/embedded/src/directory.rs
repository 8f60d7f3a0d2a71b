//! The folder an engine lives in: `config.xml`, `users.xml`, `data/`, `log/` and `run/`.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::config;
use crate::engine::EngineError;
use crate::launcher::{CONFINEMENT_FILE, PORT_FILE, WRITABLE};
use crate::options::{EngineOptions, EngineProgram, Place};

pub(crate) enum Directory {
    Persistent(PathBuf),
    Temporary(TempDir),
}

/// Names the path of a failed file operation.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> EngineError + use<> {
    let path = path.to_owned();
    move |source| EngineError::Io { path, source }
}

impl Directory {
    /// Makes the folder where it is missing; only its owner may look inside.
    pub(crate) fn open(place: &Place) -> Result<Self, EngineError> {
        Ok(match place {
            Place::Persistent(path) => {
                make_folder(path)?;
                Directory::Persistent(fs::canonicalize(path).map_err(at(path))?)
            }
            Place::Temporary => Directory::Temporary(
                tempfile::Builder::new().prefix("chm-engine-").tempdir().map_err(at(&std::env::temp_dir()))?,
            ),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Directory::Persistent(path) => path,
            Directory::Temporary(folder) => folder.path(),
        }
    }

    /// Whether it outlives the engine.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self, Directory::Persistent(_))
    }

    /// Claims the folder for this process, until the file is closed.
    pub(crate) fn lock(&self) -> Result<File, EngineError> {
        let path = self.path().join("host.lock");
        let file = File::create(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(EngineError::InUse(self.path().to_owned())),
            Err(TryLockError::Error(source)) => Err(at(&path)(source)),
        }
    }

    /// Writes everything the engine reads, and returns the port to expect: the one it is to have, or 0 when the
    /// engine will tell.
    pub(crate) fn prepare(
        &self,
        options: &EngineOptions,
        password: &str,
        port: Option<u16>,
    ) -> Result<u16, EngineError> {
        let directory = self.path();
        for folder in WRITABLE.iter().chain(&["data/metadata", "data/tmp", "data/user_files"]) {
            make_folder(&directory.join(folder))?;
        }
        for stale in [PORT_FILE, CONFINEMENT_FILE] {
            let path = directory.join(stale);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
                _ => {}
            }
        }
        let port = match (port, &options.program) {
            (Some(port), _) => port,
            (None, EngineProgram::Library { .. }) => 0,
            (None, EngineProgram::Server { .. }) => free_port().map_err(at(directory))?,
        };
        write_private(&directory.join("config.xml"), &config::config_xml(options, directory, port))?;
        write_private(&directory.join("users.xml"), &config::users_xml(options, password)?)?;
        // Without this file the library keeps `system` in memory: the log tables then cannot be attached
        // on the second start, their threads spin on errors, and SYSTEM FLUSH LOGS never returns.
        let system = directory.join("data/metadata/system.sql");
        if matches!(options.program, EngineProgram::Library { .. }) && !system.exists() {
            let sql = format!("ATTACH DATABASE _ UUID '{}'\nENGINE = Atomic\n", random_uuid()?);
            write_private(&system, &sql)?;
        }
        Ok(port)
    }
}

fn make_folder(path: &Path) -> Result<(), EngineError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))
}

pub(crate) fn random_password() -> Result<String, EngineError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(EngineError::Random)?;
    Ok(hex::encode(bytes))
}

fn random_uuid() -> Result<String, EngineError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(EngineError::Random)?;
    // Version 4, variant 1, as RFC 9562 lays them out.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    Ok(format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]))
}

/// A server binary cannot say which port it got. Another process may take this one first: then the
/// server ends, and the error shows its log.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Replaces a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> Result<(), EngineError> {
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(at(path))
}
