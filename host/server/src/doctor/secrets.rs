//! Secrets: in the right place, long enough, and each for one purpose.

use std::path::Path;

use chm_manifest::SettingValue;

use super::finding::Finding;
use super::subject::Subject;
use crate::config::{Config, Origin};

/// Shorter secrets can be guessed.
const SHORT: usize = 16;
/// Shorter values of client variables are no copies of a secret, but words such as `true`.
const TELLING: usize = 8;
/// What the names of secrets have in them.
const SECRET_WORDS: &[&str] = &["SECRET", "PASSWORD", "TOKEN", "API_KEY", "PRIVATE", "CREDENTIAL"];

/// A secret, by the key that has it.
struct Held<'a> {
    key: String,
    value: &'a str,
    /// What a watched server asks for: several may ask for the same.
    is_password: bool,
}

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let held = held(subject.config());
    vec![own_purposes(&held), in_client_variables(subject, &held), in_files(subject, &held), lengths(&held)]
}

fn held(config: &Config) -> Vec<Held<'_>> {
    let auth = &config.auth;
    let mut held: Vec<Held<'_>> = [
        ("auth.api_key_secret", &auth.api_key_secret),
        ("auth.api_key_previous_secret", &auth.api_key_previous_secret),
        ("auth.admin_secret", &auth.admin_secret),
        ("auth.agent_token", &auth.agent_token),
        ("auth.cron_secret", &auth.cron_secret),
    ]
    .into_iter()
    .filter_map(|(key, secret)| {
        Some(Held { key: key.to_owned(), value: secret.as_ref()?.expose(), is_password: false })
    })
    .collect();
    for (id, host) in config.clickhouse.hosts.iter().enumerate() {
        let key = format!("clickhouse.hosts[{id}].password");
        held.push(Held { key, value: host.password.expose(), is_password: true });
    }
    for (plugin, about) in &config.plugins {
        for name in &about.grants.secrets {
            if let Some(SettingValue::Text(value)) = about.settings.get(name) {
                held.push(Held { key: format!("plugins.{plugin}.settings.{name}"), value, is_password: false });
            }
        }
    }
    held.retain(|held| !held.value.trim().is_empty());
    held
}

fn own_purposes(held: &[Held<'_>]) -> Finding {
    const ITEM: &str = "secrets of their own";
    for (at, one) in held.iter().enumerate() {
        for other in held.iter().skip(at + 1) {
            if one.value == other.value && !(one.is_password && other.is_password) {
                return Finding::fail(ITEM, format!("`{}` and `{}` are the same secret", one.key, other.key))
                    .advise("whoever may know the one could use the other: give each its own");
            }
        }
    }
    Finding::ok(ITEM, "no secret has two purposes")
}

fn in_client_variables(subject: &Subject<'_>, held: &[Held<'_>]) -> Finding {
    const ITEM: &str = "secrets in client variables";
    let names: Vec<&str> = subject
        .client_variables()
        .iter()
        .filter(|(name, value)| {
            let sounds = SECRET_WORDS.iter().any(|word| name.contains(word)) && !value.trim().is_empty();
            sounds || held.iter().any(|held| held.value.len() >= TELLING && value.contains(held.value))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if names.is_empty() {
        return Finding::ok(ITEM, "no VITE_* or NEXT_PUBLIC_* variable holds one");
    }
    Finding::fail(ITEM, format!("{} would be built into the browser's program", names.join(", ")))
        .advise("unset it, and replace the secret wherever a page was built with it")
}

fn in_files(subject: &Subject<'_>, held: &[Held<'_>]) -> Finding {
    const ITEM: &str = "secrets in files";
    let from_file = |held: &&Held<'_>| matches!(subject.loaded.origin(&held.key), Some(Origin::File(_)));
    let keys: Vec<&str> = held.iter().filter(from_file).map(|held| held.key.as_str()).collect();
    let Some(file) = subject.loaded.file.as_deref().filter(|_| !keys.is_empty()) else {
        return Finding::ok(ITEM, "the configuration file holds none");
    };
    let found = format!("the configuration file holds {}", keys.join(", "));
    let advice = "give secrets as variables, from the secret store of your platform";
    if others_may_read(file) {
        return Finding::fail(ITEM, format!("{found}, and every user of this machine may read it"))
            .advise(format!("{advice}; until then, `chmod go-r` it"));
    }
    Finding::warn(ITEM, found).advise(advice)
}

/// Whether every user of this machine may read a file; a file that is not there is nobody's to read.
#[cfg(unix)]
pub(super) fn others_may_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
pub(super) fn others_may_read(_: &Path) -> bool {
    false
}

/// Secrets that somebody sends, which only their length protects: tokens, and what proxies prove themselves by. That of API keys has
/// a line of its own; passwords of servers are the servers' to judge.
fn lengths(held: &[Held<'_>]) -> Finding {
    const ITEM: &str = "length of secrets";
    let short: Vec<&str> = held
        .iter()
        .filter(|held| !held.is_password && held.key != "auth.api_key_secret" && held.value.len() < SHORT)
        .map(|held| held.key.as_str())
        .collect();
    if short.is_empty() {
        return Finding::ok(ITEM, format!("none that is sent has fewer than {SHORT} bytes"));
    }
    Finding::fail(ITEM, format!("{} can be guessed: fewer than {SHORT} bytes", short.join(", ")))
        .advise("use a long random text, for example of `openssl rand -hex 32`")
}
