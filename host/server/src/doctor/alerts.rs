//! Alerts, the cron routes and the agent's token.

use chm_access::{Feature, Permission};

use super::finding::Finding;
use super::place::Place;
use super::subject::Subject;

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    vec![receiver(subject), cron(subject), agent_token(subject)]
}

fn receiver(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "alert receiver";
    let Some(endpoint) = subject.config().endpoints.get("alerts") else {
        return Finding::warn(ITEM, "none: alerts reach nobody").advise("set HEALTH_ALERT_WEBHOOK_URL");
    };
    let url = endpoint.url.expose();
    if url.scheme() == "http" && Place::of_url(url) >= Place::Unknown {
        return Finding::warn(
            ITEM,
            format!("{}, without TLS: the address is a secret, and can be read on the way", endpoint.url),
        )
        .advise("use https");
    }
    Finding::ok(ITEM, endpoint.url.to_string())
}

fn cron(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "cron secret";
    if subject.config().auth.cron_secret.is_none() {
        return Finding::ok(ITEM, "unset: the cron routes are off; set CRON_SECRET where something outside calls them");
    }
    Finding::ok(ITEM, "set: the cron routes ask for it")
}

fn agent_token(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "agent token";
    let is_set = subject.config().auth.agent_token.is_some();
    if !is_set {
        return Finding::ok(ITEM, "unset: programs reach the agent with API keys only");
    }
    if subject.anybody_may(&Permission::write(Feature::Agent)) {
        return Finding::warn(ITEM, "set, and of no use: callers without credentials may use the agent too")
            .advise("set CHM_FEATURE_AGENT_ACCESS=authenticated, and a provider or CHM_API_KEY_SECRET");
    }
    Finding::ok(ITEM, "set: it is limited to its scopes")
}
