//! Who signs in, and whether anybody can.

use chm_access::Posture;

use super::finding::Finding;
use super::place::Place;
use super::subject::Subject;
use crate::plugins::State;

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = vec![provider(subject)];
    findings.extend(providers_that_fail(subject));
    findings.extend(insecure_headers(subject));
    findings.push(keys(subject));
    findings.extend(unlisted_keys(subject));
    findings
}

fn provider(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "authentication";
    let config = subject.config();
    match (subject.posture(), subject.listens()) {
        (Posture::Open, Place::Loopback) => Finding::ok(
            ITEM,
            "provider `none` and no API-key secret, on loopback: whoever is on this machine may do everything",
        ),
        (Posture::Open, place) => {
            let known = subject.warnings("the server listens on").next();
            let found = known.map_or_else(
                || format!("nobody signs in, and the server listens on {}", config.listen),
                |warning| warning.text.clone(),
            );
            let finding = Finding::graded(place != Place::Private, ITEM, found)
                .advise("choose a provider (CHM_AUTH_PROVIDER), set CHM_API_KEY_SECRET, or listen on loopback");
            if known.is_some() { finding.known() } else { finding }
        }
        (Posture::PublicRead, place) if config.auth.providers.is_none() && place != Place::Loopback => Finding::warn(
            ITEM,
            "`auth.public_read` without a provider: everybody reads what the features call public, and only keys write",
        )
        .advise("choose a provider (CHM_AUTH_PROVIDER), or unset CHM_PUBLIC_READ"),
        _ if config.auth.providers.is_none() => {
            Finding::ok(ITEM, "provider `none` with an API-key secret: a key is the only way in")
        }
        _ => Finding::ok(ITEM, format!("people sign in by `{}`", config.auth.providers)),
    }
}

/// A provider that signs nobody in is a locked door, and one that was not loaded refuses every request.
fn providers_that_fail(subject: &Subject<'_>) -> Vec<Finding> {
    const ITEM: &str = "signing in";
    let mut findings: Vec<Finding> =
        subject.warnings("signs nobody in: set").map(|warning| Finding::fail(ITEM, &warning.text).known()).collect();
    let mut is_well = findings.is_empty();
    for provider in subject.config().auth.providers.iter() {
        let found = subject.registry.found.iter().find(|found| found.id == provider.plugin.as_str());
        let why = match found.map(|found| &found.state) {
            Some(State::Active(_)) => continue,
            Some(State::Refused(reason)) => format!("was refused: {reason}"),
            Some(State::Disabled) => "is switched off".to_owned(),
            None => "is in no file of the plugin folder".to_owned(),
        };
        is_well = false;
        let (name, plugin) = (&provider.name, &provider.plugin);
        findings.push(
            Finding::fail(ITEM, format!("the plugin `{plugin}` of the provider `{name}` {why}"))
                .advise("until it loads, the provider turns everybody away"),
        );
    }
    if is_well && !subject.config().auth.providers.is_none() {
        findings.push(Finding::ok(ITEM, "the plugin of every provider is loaded and has what it needs"));
    }
    findings
}

fn insecure_headers(subject: &Subject<'_>) -> Option<Finding> {
    const ITEM: &str = "trusted headers";
    let warning = subject.warnings("CHM_TRUSTED_ALLOW_INSECURE is on").next()?;
    let fails = !matches!(subject.listens(), Place::Loopback | Place::Private);
    let advice = "set CHM_TRUSTED_AUTH_SECRET, and have the proxy send it";
    Some(Finding::graded(fails, ITEM, &warning.text).advise(advice).known())
}

fn keys(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "API keys";
    let auth = &subject.config().auth;
    if auth.api_key_secret.is_none() {
        return Finding::ok(ITEM, "off; set CHM_API_KEY_SECRET where programs should have keys");
    }
    if let Some(warning) = subject.warnings("`auth.api_key_secret` is shorter").next() {
        return Finding::fail(ITEM, &warning.text).known();
    }
    if auth.admin_secret.is_none() {
        return Finding::warn(ITEM, "the secret that signs keys is also what mints them").advise(
            "give minting a secret of its own (CHM_API_KEY_ADMIN_SECRET), so that the signing one is nobody's to know",
        );
    }
    if auth.api_key_previous_secret.is_some() {
        return Finding::warn(ITEM, "the previous secret is still accepted")
            .advise("remove CHM_API_KEY_PREVIOUS_SECRET once the keys that it signed are replaced");
    }
    Finding::ok(ITEM, "on, with a secret for signing and another for minting")
}

fn unlisted_keys(subject: &Subject<'_>) -> Option<Finding> {
    let auth = &subject.config().auth;
    (auth.api_key_secret.is_some() && auth.accept_unlisted_keys).then(|| {
        Finding::warn(
            "revoking keys",
            "keys without an id, as chmonitor makes them, are accepted and cannot be revoked one by one",
        )
        .advise("set `auth.accept_unlisted_keys = false` once they are replaced")
    })
}
