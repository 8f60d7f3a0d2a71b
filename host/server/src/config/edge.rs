//! What stands between the network and the operations.

use std::path::PathBuf;

use serde::Deserialize;

use super::allowed_host::AllowedHost;
use super::network::Network;
use super::web_origin::WebOrigin;

/// Names, origins and proxies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// The only names under which requests are answered; when empty, see [`crate::edge::AllowedHosts`].
    #[serde(default)]
    pub allowed_hosts: Vec<AllowedHost>,
    /// Web pages of these origins may call the API from a browser.
    #[serde(default)]
    pub cors_origins: Vec<WebOrigin>,
    /// Where browsers find this host, when a proxy hides it.
    #[serde(default)]
    pub public_origin: Option<WebOrigin>,
    /// Proxies whose word on a client's address counts.
    #[serde(default)]
    pub trusted_proxies: Vec<Network>,
    /// In which header they say it.
    pub forwarded_header: ForwardedHeader,
    /// Whether browsers are told to use TLS only; where nobody says so, when `tls` is on.
    #[serde(default)]
    pub hsts: Option<bool>,
}

/// The header in which a trusted proxy names the client. One only: a proxy passes the other on as the client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` of RFC 7239.
    Forwarded,
}

/// Files of the TLS listener.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and its chain, PEM.
    #[serde(default)]
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

impl Tls {
    /// Both files, when TLS is on.
    #[must_use]
    pub fn files(&self) -> Option<(PathBuf, PathBuf)> {
        Some((self.cert.clone()?, self.key.clone()?))
    }
}
