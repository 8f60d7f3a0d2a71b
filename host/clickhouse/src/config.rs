//! Which ClickHouse a host is, and how many queries it may run.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use chm_access::Secret;

/// One configured ClickHouse server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Its position in the configured list, from 0.
    pub id: usize,
    /// What people call it; the address where nothing else was given.
    pub name: String,
    /// The user queries run as.
    pub user: String,
    /// That user's password.
    pub password: Secret,
    /// The database names without a prefix belong to; the user's own default when absent.
    pub database: Option<String>,
    /// A file with the PEM certificates to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// Scheme, host, port and path only.
    url: Url,
}

/// Why a host's configuration cannot be used. Never contains the address: it may carry a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostConfigError {
    /// Not an address.
    #[error("host {id}: the address is no URL ({reason}); write it as http://host:8123 or https://host:8443")]
    Address {
        /// Which host.
        id: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither http nor https.
    #[error(
        "host {id}: the address begins with `{scheme}://`; ClickHouse is reached by http:// or https:// (usually ports 8123 and 8443)"
    )]
    Scheme {
        /// Which host.
        id: usize,
        /// The scheme.
        scheme: String,
    },
    /// Query parameters which would be lost.
    #[error(
        "host {id}: the address carries the parameter `{parameter}`; only `database` is understood there, remove it"
    )]
    Parameter {
        /// Which host.
        id: usize,
        /// Its name.
        parameter: String,
    },
    /// The certificate file cannot be used.
    #[error(
        "host {id}: the certificate file {path} cannot be used ({reason}); give a readable PEM file with at least one certificate"
    )]
    Certificates {
        /// Which host.
        id: usize,
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

impl HostConfig {
    /// Reads the address. Credentials in it (`http://user:password@host`) win over `user` and `password`, and leave the address;
    /// `?database=` becomes [`HostConfig::database`].
    ///
    /// # Errors
    /// When the address is no http or https URL, or has parameters nothing would read.
    pub fn new(
        id: usize,
        name: Option<String>,
        address: &str,
        user: impl Into<String>,
        password: Secret,
    ) -> Result<Self, HostConfigError> {
        let mut url = Url::parse(address.trim()).map_err(|e| HostConfigError::Address { id, reason: e.to_string() })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HostConfigError::Scheme { id, scheme: url.scheme().to_owned() });
        }
        let mut database = None;
        for (parameter, value) in url.query_pairs() {
            if parameter != "database" {
                return Err(HostConfigError::Parameter { id, parameter: parameter.into_owned() });
            }
            database = Some(value.into_owned());
        }
        let (mut user, mut password) = (user.into(), password);
        if !url.username().is_empty() {
            user = decode(url.username());
            password = Secret::new(url.password().map(decode).unwrap_or_default());
        } else if let Some(given) = url.password() {
            password = Secret::new(decode(given));
        }
        if user.is_empty() {
            "default".clone_into(&mut user);
        }
        // These fail only for addresses that cannot have them, which http and https can.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        let name = name.filter(|n| !n.trim().is_empty()).unwrap_or_else(|| origin(&url));
        Ok(Self { id, name, user, password, database, ca: None, url })
    }

    /// The address to show: scheme, host and port.
    #[must_use]
    pub fn display_url(&self) -> String {
        origin(&self.url)
    }

    /// The address to send to. It carries no credentials.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Undoes percent-encoding, which `Url` keeps in user names and passwords.
fn decode(encoded: &str) -> String {
    // A form key without `=` decodes percent signs; `+` must stay a plus.
    let kept = encoded.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(kept.as_bytes()).next().map(|(key, _)| key.into_owned()).unwrap_or_default()
}

/// How many queries one host may run for us at once, and how long callers wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Queries at once (`CLICKHOUSE_POOL_SIZE`).
    pub concurrent: usize,
    /// How many of them for one caller (`clickhouse.caller_share_percent`); at least one counts.
    pub share: usize,
    /// Callers that may wait for a place; one more is told the host is busy.
    pub waiting: usize,
    /// How long each of them waits.
    pub wait: Duration,
    /// How long opening a connection may take.
    pub connect: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrent: 10, share: 5, waiting: 100, wait: Duration::from_secs(10), connect: Duration::from_secs(5) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(address: &str) -> Result<HostConfig, HostConfigError> {
        HostConfig::new(0, None, address, "given", Secret::new("given-password"))
    }

    #[test]
    fn credentials_leave_the_address() {
        let config = host("https://me:p%40s+s%25@ch.example:8443/proxy?database=app#x").unwrap();
        assert_eq!((config.user.as_str(), config.password.expose()), ("me", "p@s+s%"));
        assert_eq!(config.database.as_deref(), Some("app"));
        assert_eq!(config.url().as_str(), "https://ch.example:8443/proxy");
        assert_eq!(config.display_url(), "https://ch.example:8443");
        assert_eq!(config.name, "https://ch.example:8443");
        let shown = format!("{config:?}");
        assert!(!shown.contains("p@s"), "{shown}");
    }

    #[test]
    fn given_credentials_hold_where_the_address_has_none() {
        let config = host("http://ch:8123").unwrap();
        assert_eq!((config.user.as_str(), config.password.expose()), ("given", "given-password"));
    }

    #[test]
    fn a_bad_address_is_named_by_its_host_and_never_shown() {
        for (address, part) in [
            ("ch:8123", "begins with `ch://`"),
            ("tcp://user:hunter2@ch:9000", "begins with `tcp://`"),
            ("not a url hunter2", "no URL"),
            ("http://ch?password=hunter2", "`password`"),
        ] {
            let text = host(address).unwrap_err().to_string();
            assert!(text.starts_with("host 0: ") && text.contains(part), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
