//! Whether the request came through the proxy: without that, its headers say nothing.

use chm_plugin::Failure;
use chm_plugin::host::{config, log, secrets};

/// The answer for one request.
pub(crate) enum Gate {
    /// The headers can be trusted.
    Open,
    /// They cannot, and why, for the log.
    Closed(&'static str),
}

/// Asks the gate. A secret that is set decides alone: `allow_insecure` opens nothing that the secret closed.
pub(crate) fn ask() -> Result<Gate, Failure> {
    if secrets::is_set("auth_secret")? {
        let header = config::get("shared_secret_header").unwrap_or_default();
        return Ok(if secrets::header_equals("auth_secret", &header)? {
            Gate::Open
        } else {
            Gate::Closed("the request does not carry the proxy's secret")
        });
    }
    if config::boolean("allow_insecure") {
        return Ok(Gate::Open);
    }
    log::warn(
        "nobody can sign in: set auth_secret (CHM_TRUSTED_AUTH_SECRET), or allow_insecure where only the proxy reaches this server",
    );
    Ok(Gate::Closed("neither auth_secret nor allow_insecure is set"))
}
