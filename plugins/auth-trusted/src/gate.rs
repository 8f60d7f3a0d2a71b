//! Whether the request came through the proxy: without that, its headers say nothing.

use chm_plugin::Failure;
use chm_plugin::host::{config, secrets};

/// The answer for one request.
pub(crate) enum Gate {
    /// The headers can be trusted.
    Open,
    /// They cannot, and why, for the log.
    Closed {
        /// What is wrong, and what to do where the operator can do something.
        why: &'static str,
        /// Whether the request carries a secret, and a wrong one.
        tried: bool,
    },
}

/// Asks the gate. A secret that is set decides alone: `allow_insecure` opens nothing that the secret closed.
pub(crate) fn ask() -> Result<Gate, Failure> {
    if secrets::is_set("auth_secret")? {
        let header = config::get("shared_secret_header").unwrap_or_default();
        return Ok(if secrets::header_equals("auth_secret", &header)? {
            Gate::Open
        } else {
            Gate::Closed {
                why: "the request does not carry the proxy's secret",
                tried: secrets::header_present(&header),
            }
        });
    }
    Ok(if config::boolean("allow_insecure") {
        Gate::Open
    } else {
        // No line of its own in the log: the host writes the reason of a rejection, with a limit, and warns at the start.
        Gate::Closed {
            why: "nobody can sign in: set auth_secret (CHM_TRUSTED_AUTH_SECRET), or allow_insecure where only the proxy reaches this server",
            tried: false,
        }
    })
}
