//! The host's HTTP client.

use rustls::crypto::CryptoProvider;

/// Of every request the host sends on its own or a plugin's behalf.
pub const USER_AGENT: &str = concat!("chm-host/", env!("CARGO_PKG_VERSION"));

/// Makes *ring* the process's TLS provider. Done once; a provider that is installed already stays.
pub fn install_crypto_provider() {
    if CryptoProvider::get_default().is_none() {
        // Lost race: somebody else has installed one, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// A client that follows no redirect, keeps no cookie and asks no proxy of the environment; `more` sets its limits.
///
/// Trusts the system's certificates. A system without any (a bare container) still gets a client: `http://` works, and
/// `https://` fails at the first use, which the log explains.
///
/// # Errors
/// When the client cannot be built at all.
pub fn http_client(
    more: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, reqwest::Error> {
    install_crypto_provider();
    let builder = || {
        more(
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .user_agent(USER_AGENT),
        )
    };
    builder().build().or_else(|error| {
        tracing::warn!(%error, "no certificates to trust were found; install the system's ca-certificates to reach https://");
        builder().tls_certs_only(Vec::new()).build()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_may_be_installed_twice() {
        install_crypto_provider();
        install_crypto_provider();
        assert!(CryptoProvider::get_default().is_some());
    }
}
