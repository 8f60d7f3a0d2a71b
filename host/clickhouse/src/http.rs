//! The HTTP client of one host: its timeouts and the certificates it trusts.

use std::time::Duration;

use base64::Engine as _;
use clickhouse::{Client, Compression};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::{HostConfig, HostConfigError};

/// Below the 3 s after which old servers close an idle connection.
const IDLE: Duration = Duration::from_secs(2);

/// The parameter of a request that names its database.
pub(crate) const DATABASE: &str = "database";

/// A client with the host's address, user, password and database, and no other settings.
pub(crate) fn client(config: &HostConfig, connect: Duration) -> Result<Client, HostConfigError> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_keepalive(Some(Duration::from_secs(60)));
    connector.set_connect_timeout(Some(connect));
    let mut builder = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    builder.pool_idle_timeout(IDLE);
    builder.pool_timer(hyper_util::rt::TokioTimer::new());
    let client = if config.url().scheme() == "https" {
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls(config)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Client::with_http_client(builder.build(tls))
    } else {
        Client::with_http_client(builder.build(connector))
    };
    let mut client = client
        .with_url(config.url().as_str())
        .with_compression(Compression::None)
        .with_product_info("chm-host", env!("CARGO_PKG_VERSION"));
    let (user, password) = (config.user.as_str(), config.password.expose());
    client = if [user, password].iter().all(|v| v.bytes().all(|b| (0x20..0x7f).contains(&b))) {
        client.with_user(user).with_password(password)
    } else {
        // Header values are ASCII only; ClickHouse reads UTF-8 from Basic credentials.
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        client.with_header("Authorization", format!("Basic {encoded}"))
    };
    if let Some(database) = &config.database {
        // As a setting, which a read's own replaces: a request that names two databases leaves the choice to the server.
        client = client.with_setting(DATABASE, database);
    }
    Ok(client)
}

/// The given CA alone, or the system's certificates.
fn tls(config: &HostConfig) -> Result<rustls::ClientConfig, HostConfigError> {
    let refuse = |path: String, reason: String| HostConfigError::Certificates { id: config.id, path, reason };
    let mut roots = rustls::RootCertStore::empty();
    if let Some(path) = &config.ca {
        let shown = path.display().to_string();
        let certificates = CertificateDer::pem_file_iter(path).map_err(|e| refuse(shown.clone(), e.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|e| refuse(shown.clone(), e.to_string()))?;
            roots.add(certificate).map_err(|e| refuse(shown.clone(), e.to_string()))?;
        }
        if roots.is_empty() {
            return Err(refuse(shown, "it holds no certificate".to_owned()));
        }
    } else {
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            return Err(refuse(
                "of the system".to_owned(),
                "none found; install ca-certificates or name a file".to_owned(),
            ));
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| refuse("of the system".to_owned(), e.to_string()))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}
