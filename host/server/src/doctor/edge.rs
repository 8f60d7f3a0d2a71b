//! Names, origins, TLS and proxies.

use chm_access::Posture;

use super::finding::Finding;
use super::place::{Place, is_everybody};
use super::subject::Subject;

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    vec![tls(subject), names(subject), client_addresses(subject)]
}

fn tls(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "TLS";
    let config = subject.config();
    if config.tls.files().is_some() {
        return Finding::ok(ITEM, "the host speaks TLS itself");
    }
    if subject.listens() == Place::Loopback {
        return Finding::ok(ITEM, "plain HTTP, on loopback only: whatever stands in front brings TLS");
    }
    Finding::warn(ITEM, format!("plain HTTP on {}", config.listen)).advise(
        "terminate TLS in front, where only the proxy reaches this port, or set CHM_TLS_CERT_FILE and CHM_TLS_KEY_FILE",
    )
}

/// Pages of other origins, and names that other people's DNS points here.
fn names(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "names and origins";
    let edge = &subject.config().edge;
    if subject.posture() == Posture::Open && !edge.cors_origins.is_empty() {
        let origins: Vec<String> = edge.cors_origins.iter().map(ToString::to_string).collect();
        return Finding::graded(
            subject.listens() != Place::Loopback,
            ITEM,
            format!("nobody signs in, and pages of {} may do everything here", origins.join(", ")),
        )
        .advise("unset CHM_CORS_ORIGINS, or choose a provider");
    }
    if !edge.allowed_hosts.is_empty() {
        return Finding::ok(ITEM, format!("answers under {} configured names only", edge.allowed_hosts.len()));
    }
    if subject.posture() != Posture::Open {
        return Finding::ok(ITEM, "answers under every name, to whoever has credentials");
    }
    if subject.listens() == Place::Loopback {
        return Finding::ok(ITEM, "answers under the names of loopback only");
    }
    Finding::fail(ITEM, "nobody signs in, and requests are answered under every name")
        .advise("any page that a colleague opens can read everything by DNS rebinding: set CHM_ALLOWED_HOSTS")
}

fn client_addresses(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "client addresses";
    let config = subject.config();
    let proxies = &config.edge.trusted_proxies;
    if is_everybody(|address| proxies.iter().any(|network| network.contains(address))) {
        return Finding::fail(
            ITEM,
            "`edge.trusted_proxies` covers the Internet: whoever connects says what address counts",
        )
        .advise("name the proxies' own addresses in CHM_TRUSTED_PROXIES");
    }
    let behind = ["trusted", "proxy"].iter().any(|name| config.auth.providers.contains(name));
    if proxies.is_empty() && (behind || config.edge.public_origin.is_some()) {
        return Finding::warn(
            ITEM,
            "a proxy stands in front and is not in `edge.trusted_proxies`: everybody shares its address",
        )
        .advise("name it in CHM_TRUSTED_PROXIES, so that limits and the audit log tell people apart");
    }
    let found = if proxies.is_empty() { "taken from the connection" } else { "taken from the configured proxies" };
    Finding::ok(ITEM, found)
}
