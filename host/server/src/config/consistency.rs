//! Checks what no single key can say.

use chm_access::{Access, FeatureOverride, Posture, did_you_mean};
use chm_sandbox::HostScope;

use super::environment::{Environment, expected_provider};
use super::leaf::Leaf;
use super::model::Config;
use super::origin::Origin;
use super::peerdb;
use super::problem::{Problem, Warning};
use super::provider::Provider;
use super::sign_in;

/// A key secret below this many bytes can be guessed from one key.
const SHORT_SECRET: usize = 16;

/// Returns what is wrong between values that are right by themselves.
pub(super) fn problems(config: &Config, leaves: &[Leaf], environment: &Environment) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |text: String| problems.push(Problem::Contradiction(text));
    let is_default =
        |path: &str| leaves.iter().find(|leaf| leaf.path == path).is_none_or(|leaf| leaf.origin == Origin::Default);

    if is_default("auth.provider")
        && let Some(name) = expected_provider(environment)
    {
        say(format!(
            "{name} asks for signing in, but only CHM_AUTH_PROVIDER (or `auth.provider`) chooses a provider here and it is unset: \
             set it, to `none` if everybody may pass"
        ));
    }
    problems_of_providers(config, &mut say);
    for (field, is_set) in [
        ("auth.api_key_previous_secret", config.auth.api_key_previous_secret.is_some()),
        ("auth.admin_secret", config.auth.admin_secret.is_some()),
    ] {
        if is_set && config.auth.api_key_secret.is_none() {
            say(format!("`{field}` is set, but keys are off: set `auth.api_key_secret` (CHM_API_KEY_SECRET) too"));
        }
    }
    problems_of_secrets(config, &mut say);
    if config.tls.cert.is_some() != config.tls.key.is_some() {
        say("`tls.cert` and `tls.key` belong together: expected both, or neither for plain HTTP".to_owned());
    }
    let execution_ms = u64::from(config.clickhouse.max_execution_time) * 1000;
    if let Some(timeout) = config.limits.request_timeout_ms.filter(|timeout| *timeout <= execution_ms) {
        say(format!(
            "`limits.request_timeout_ms` is {timeout}, not longer than `clickhouse.max_execution_time` ({execution_ms} ms): a slow query \
             would never be answered; expected more than {execution_ms}"
        ));
    }
    problems_of_grants(config, is_default, &mut say);
    for (name, issuer) in &config.issuers {
        for (field, is_empty) in
            [("audiences", issuer.audiences.is_empty()), ("algorithms", issuer.algorithms.is_empty())]
        {
            if is_empty {
                say(format!("`issuers.{name}.{field}` is empty: expected at least one, or no token is ever valid"));
            }
        }
    }
    problems.extend(sign_in::problems(config));
    problems.extend(peerdb::problems(config));
    problems
}

/// A provider that nobody can be asked for would sign nobody in.
fn problems_of_providers(config: &Config, say: &mut impl FnMut(String)) {
    for Provider { name, plugin } in config.auth.providers.iter() {
        match config.plugins.get(plugin) {
            Some(found) if found.enabled => {}
            Some(_) => say(format!(
                "the provider `{name}` needs the plugin `{plugin}`, but `plugins.{plugin}.enabled` is false"
            )),
            None => {
                let mut known: Vec<&str> = config.plugins.keys().map(|plugin| plugin.as_str()).collect();
                for word in Provider::words().chain(["none"]) {
                    known.push(word);
                }
                let hint = did_you_mean(name, known);
                say(format!(
                    "`auth.provider` (CHM_AUTH_PROVIDER): the provider `{name}` is neither a bundled plugin nor has it a \
                     [plugins.{plugin}] table{hint}; a provider of your own goes by its plugin's id, and has that table"
                ));
            }
        }
    }
}

/// A plugin that may use what is not there.
fn problems_of_grants(config: &Config, is_default: impl Fn(&str) -> bool, say: &mut impl FnMut(String)) {
    for (plugin, about) in &config.plugins {
        let grants = &about.grants;
        for (field, granted, known) in [
            ("http", &grants.http, config.endpoints.keys().map(String::as_str).collect::<Vec<_>>()),
            ("jwt", &grants.jwt, config.issuers.keys().map(String::as_str).collect()),
        ] {
            let path = format!("plugins.{plugin}.grants.{field}");
            // What the bundled plugins are granted need not be there: alerts go nowhere until somebody says where.
            if is_default(&path) {
                continue;
            }
            let table = if field == "http" { "endpoints" } else { "issuers" };
            for name in granted.iter().filter(|name| !known.contains(&name.as_str())) {
                let hint = did_you_mean(name, known.iter().copied());
                say(format!(
                    "`{path}` names `{}`, but there is no [{table}.{}]{hint}",
                    name.escape_debug(),
                    name.escape_debug()
                ));
            }
        }
        if let Some(HostScope::Only(ids)) = grants.clickhouse.as_ref().map(|grant| &grant.hosts) {
            // Without servers the host starts its own, which then is host 0.
            let servers = config.clickhouse.hosts.len().max(1);
            for id in ids.iter().filter(|id| usize::try_from(**id).is_ok_and(|id| id >= servers)) {
                say(format!(
                    "`plugins.{plugin}.grants.clickhouse.hosts` names host {id}, but host ids end at {}",
                    servers - 1
                ));
            }
        }
    }
}

/// One secret for two purposes: whoever is trusted with the one could use the other.
fn problems_of_secrets(config: &Config, say: &mut impl FnMut(String)) {
    let auth = &config.auth;
    let secrets = [
        ("auth.api_key_secret", &auth.api_key_secret),
        ("auth.api_key_previous_secret", &auth.api_key_previous_secret),
        ("auth.admin_secret", &auth.admin_secret),
        ("auth.agent_token", &auth.agent_token),
        ("auth.cron_secret", &auth.cron_secret),
    ];
    for (at, (name, secret)) in secrets.iter().enumerate() {
        for (other, same) in secrets.iter().skip(at + 1) {
            if secret.is_some() && secret == same {
                say(format!("`{name}` and `{other}` are the same secret: give each its own"));
            }
        }
    }
}

/// Returns what an operator should know before the server runs like this.
pub(super) fn warnings(config: &Config) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let secret = config.auth.api_key_secret.as_ref();
    if secret.is_some_and(|secret| secret.expose().len() < SHORT_SECRET) {
        warnings.push(Warning::security(format!(
            "`auth.api_key_secret` is shorter than {SHORT_SECRET} bytes: whoever sees one key can guess it; use a long random text"
        )));
    }
    let posture = config.posture();
    if posture == Posture::Open && !config.listen.ip().is_loopback() {
        warnings.push(Warning::security(format!(
            "the server listens on {} with provider `none` and no API-key secret: whoever reaches it reads and writes",
            config.listen
        )));
    }
    let asks_for_role = |rule: &FeatureOverride| {
        [&rule.access, &rule.read, &rule.write].into_iter().any(|access| matches!(access, Some(Access::Roles(_))))
    };
    if posture == Posture::Open && config.features.values().any(asks_for_role) {
        warnings.push(Warning::note(
            "a feature asks for a role, but with provider `none` and no API-key secret nobody has one: it is closed to everybody",
        ));
    }
    if config.auth.public_read && posture == Posture::Open {
        warnings.push(Warning::note(
            "`auth.public_read` has no effect: with provider `none` and no API-key secret everybody reads and writes",
        ));
    }
    warnings.extend(sign_in::warnings(config));
    warnings
}
