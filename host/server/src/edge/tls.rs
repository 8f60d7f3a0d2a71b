//! The TLS listener, and certificates that are renewed while it runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at. They are small, and a renewal may keep their times.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A certificate with its key, and where they come from.
#[derive(Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// Of the files as they were last looked at, whether they were usable or not; absent when they could not be read.
    digest: Option<[u8; 32]>,
}

/// Why a pair of files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("`{key}`: {} cannot be read: {source}", path.display())]
    Unreadable {
        /// `tls.cert` or `tls.key`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds nothing of what it should.
    #[error("`{key}`: {} holds {expected}: expected PEM", path.display())]
    NoPem {
        /// `tls.cert` or `tls.key`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is missing.
        expected: &'static str,
    },
    /// They do not go together, or are of a kind that is not supported.
    #[error("`tls.cert` and `tls.key`: {0}")]
    Pair(rustls::Error),
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn load(cert: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let files = Files::read(&cert, &key)?;
        let current = Current { config: files.config(&cert, &key)?, digest: Some(files.digest()) };
        Ok(Self { cert, key, current: RwLock::new(current) })
    }

    /// For the next connection.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).config.clone().into()
    }

    /// Looks at the files every few seconds, and at SIGHUP, for ever.
    pub async fn watch(self: Arc<Self>) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        loop {
            let told = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = told => {}
            }
            let this = self.clone();
            let _ = tokio::task::spawn_blocking(move || this.look()).await;
        }
    }

    /// Takes new files over if they can be used; else the old pair stays, and the log says why, once for each change.
    fn look(&self) {
        let files = Files::read(&self.cert, &self.key);
        let digest = files.as_ref().ok().map(Files::digest);
        if self.current.read().unwrap_or_else(PoisonError::into_inner).digest == digest {
            return;
        }
        let config = files.and_then(|files| files.config(&self.cert, &self.key));
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.digest = digest;
        match config {
            Ok(config) => {
                current.config = config;
                tracing::info!("the TLS certificate was renewed");
            }
            // Between the writing of one file and of the other, too.
            Err(error) => tracing::warn!(%error, "the new TLS certificate cannot be used; the old one stays"),
        }
    }
}

struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |name, path: &Path| {
            std::fs::read(path).map_err(|source| TlsError::Unreadable { key: name, path: path.to_owned(), source })
        };
        Ok(Self { cert: read("tls.cert", cert)?, key: read("tls.key", key)? })
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update((self.cert.len() as u64).to_le_bytes());
        digest.update(&self.cert);
        digest.update(&self.key);
        digest.finalize().into()
    }

    fn config(&self, cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&self.cert).collect::<Result<_, _>>().unwrap_or_default();
        if chain.is_empty() {
            return Err(TlsError::NoPem { key: "tls.cert", path: cert.to_owned(), expected: "no certificate" });
        }
        let secret = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsError::NoPem {
            key: "tls.key",
            path: key.to_owned(),
            expected: "no private key",
        })?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(TlsError::Pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::LogFormat;
    use crate::telemetry::log_of_tests::{options, subscriber};

    struct Pair {
        folder: tempfile::TempDir,
    }

    impl Pair {
        fn new() -> Self {
            let pair = Self { folder: tempfile::tempdir().unwrap() };
            pair.renew();
            pair
        }

        fn cert(&self) -> PathBuf {
            self.folder.path().join("cert.pem")
        }

        fn key(&self) -> PathBuf {
            self.folder.path().join("key.pem")
        }

        fn renew(&self) {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            std::fs::write(self.cert(), made.cert.pem()).unwrap();
            std::fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
        }
    }

    #[test]
    fn a_renewed_pair_counts_and_a_broken_one_does_not() {
        let pair = Pair::new();
        let tls = Tls::load(pair.cert(), pair.key()).unwrap();
        let current = || Arc::as_ptr(&tls.current.read().unwrap().config);
        let first = current();
        tls.look();
        assert_eq!(current(), first, "nothing changed");
        let good = std::fs::read(pair.cert()).unwrap();
        for broken in [&b"nonsense"[..], b"", &good[..100]] {
            std::fs::write(pair.cert(), broken).unwrap();
            tls.look();
            assert_eq!(current(), first);
        }
        std::fs::remove_file(pair.cert()).unwrap();
        tls.look();
        assert_eq!(current(), first);
        pair.renew();
        tls.look();
        assert_ne!(current(), first);
    }

    #[test]
    fn files_that_stay_away_are_told_of_once() {
        let pair = Pair::new();
        let tls = Tls::load(pair.cert(), pair.key()).unwrap();
        let (dispatch, lines, _) = subscriber(&options(LogFormat::Json, None));
        tracing::dispatcher::with_default(&dispatch, || {
            std::fs::remove_file(pair.key()).unwrap();
            (0..3).for_each(|_| tls.look());
            assert_eq!(lines.text().lines().count(), 1, "{}", lines.text());
            assert!(lines.text().contains("`tls.key`"), "{}", lines.text());
            pair.renew();
            (0..3).for_each(|_| tls.look());
        });
        assert_eq!(lines.text().lines().count(), 2, "{}", lines.text());
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let (pair, other) = (Pair::new(), Pair::new());
        let said = |cert: PathBuf, key: PathBuf| Tls::load(cert, key).unwrap_err().to_string();
        assert!(said(pair.folder.path().join("absent"), pair.key()).contains("`tls.cert`"));
        assert!(said(pair.cert(), pair.folder.path().join("absent")).contains("`tls.key`"));
        assert!(said(pair.key(), pair.key()).contains("no certificate"));
        assert!(said(pair.cert(), pair.cert()).contains("no private key"));
        assert!(said(pair.cert(), other.key()).contains("`tls.cert` and `tls.key`"));
    }
}
