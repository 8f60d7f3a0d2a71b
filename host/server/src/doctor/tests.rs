//! Each item of the checklist, at each level.

use std::ffi::OsString;

use super::{Level, Subject, dangers, fresh_failures};
use crate::config::{Config, LoadOptions, Loaded};
use crate::plugins::{Found, Registry, State};

const NAME: (&str, &str) = ("CLICKHOUSE_NAME", "ch");
const KEY: (&str, &str) = ("CHM_API_KEY_SECRET", "0123456789abcdef-key");
const PROXY: [(&str, &str); 2] =
    [("CHM_AUTH_PROVIDER", "trusted"), ("CHM_TRUSTED_AUTH_SECRET", "0123456789abcdef-proxy")];
const FAR: (&str, &str) = ("CHM_LISTEN", "0.0.0.0:3000");
const NEAR: (&str, &str) = ("CHM_LISTEN", "10.0.0.5:3000");

fn variables(given: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    given.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn loaded(given: &[(&str, &str)]) -> Loaded {
    Config::load(&LoadOptions::default(), variables(given)).unwrap_or_else(|error| panic!("{given:?}: {error}"))
}

/// What is set of the environment: names and values.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// The level of an item, and its line.
fn found(given: &[(&str, &str)], registry: &Registry, item: &str) -> (Level, String) {
    let loaded = loaded(given);
    let findings = dangers(&Subject::new(&loaded, registry, variables(given)));
    let worst = findings.iter().filter(|finding| finding.item == item).max_by_key(|finding| finding.level);
    let worst = worst.unwrap_or_else(|| panic!("{given:?}: no item `{item}` in {findings:#?}"));
    (worst.level, worst.to_string())
}

#[test]
fn every_item_is_ok_or_dangerous_as_the_checklist_says() {
    use Level::{Fail, Ok, Warn};
    let host = ("CLICKHOUSE_HOST", "http://127.0.0.1:8123");
    let cases: &[(&str, Variables<'_>, Level)] = &[
        ("authentication", &[], Ok),
        ("authentication", &[FAR], Fail),
        ("authentication", &[NEAR], Warn),
        ("authentication", &[FAR, KEY], Ok),
        ("authentication", &[FAR, KEY, ("CHM_PUBLIC_READ", "true")], Warn),
        ("authentication", &[FAR, PROXY[0], PROXY[1]], Ok),
        ("signing in", &[PROXY[0]], Fail),
        ("signing in", &[("CHM_AUTH_PROVIDER", "proxy")], Fail),
        ("trusted headers", &[FAR, PROXY[0], ("CHM_TRUSTED_ALLOW_INSECURE", "true")], Fail),
        ("trusted headers", &[NEAR, PROXY[0], ("CHM_TRUSTED_ALLOW_INSECURE", "true")], Warn),
        ("API keys", &[], Ok),
        ("API keys", &[("CHM_API_KEY_SECRET", "short")], Fail),
        ("API keys", &[KEY], Warn),
        ("API keys", &[KEY, ("CHM_API_KEY_ADMIN_SECRET", "0123456789abcdef-admin")], Ok),
        ("revoking keys", &[KEY], Warn),
        ("secrets of their own", &[KEY], Ok),
        ("secrets of their own", &[PROXY[0], ("CHM_TRUSTED_AUTH_SECRET", KEY.1), KEY], Fail),
        ("secrets of their own", &[NAME, host, ("CLICKHOUSE_PASSWORD", KEY.1), KEY], Fail),
        ("secrets in client variables", &[("VITE_TITLE", "x"), KEY], Ok),
        ("secrets in client variables", &[("VITE_CLERK_SECRET_KEY", "x")], Fail),
        ("secrets in client variables", &[("NEXT_PUBLIC_LLM_API_KEY", "x")], Fail),
        ("secrets in client variables", &[("NEXT_PUBLIC_TITLE", KEY.1), KEY], Fail),
        ("length of secrets", &[("CRON_SECRET", "0123456789abcdef")], Ok),
        ("length of secrets", &[("CRON_SECRET", "short")], Fail),
        ("length of secrets", &[("AGENT_API_TOKEN", "short")], Fail),
        ("length of secrets", &[("CHM_PROXY_AUTH_SECRET", "short")], Fail),
        ("feature agent", &[], Warn),
        ("feature agent", &[FAR], Fail),
        ("feature agent", &[FAR, ("CHM_FEATURE_AGENT_ENABLED", "false")], Ok),
        ("feature actions", &[FAR, PROXY[0], PROXY[1]], Ok),
        ("feature mcp", &[FAR], Fail),
        ("feature settings", &[], Ok),
        ("feature settings", &[FAR], Warn),
        ("feature settings", &[FAR, PROXY[0], PROXY[1], ("CHM_PUBLIC_READ", "true")], Warn),
        (
            "feature settings",
            &[FAR, PROXY[0], PROXY[1], ("CHM_PUBLIC_READ", "true"), ("CHM_FEATURE_SETTINGS_ACCESS", "authenticated")],
            Ok,
        ),
        ("features in view", &[FAR, PROXY[0], PROXY[1]], Ok),
        ("features in view", &[FAR, PROXY[0], PROXY[1], ("CHM_PUBLIC_READ", "true")], Warn),
        ("control statements", &[], Ok),
        ("TLS", &[], Ok),
        ("TLS", &[FAR], Warn),
        ("names and origins", &[], Ok),
        ("names and origins", &[FAR], Fail),
        ("names and origins", &[FAR, ("CHM_ALLOWED_HOSTS", "chm.example.org")], Ok),
        ("names and origins", &[FAR, KEY], Ok),
        ("names and origins", &[("CHM_CORS_ORIGINS", "https://a.example.org")], Warn),
        ("names and origins", &[FAR, KEY, ("CHM_CORS_ORIGINS", "https://a.example.org")], Ok),
        ("client addresses", &[], Ok),
        ("client addresses", &PROXY, Warn),
        ("client addresses", &[PROXY[0], PROXY[1], ("CHM_TRUSTED_PROXIES", "10.0.0.7")], Ok),
        ("client addresses", &[("CHM_TRUSTED_PROXIES", "0.0.0.0/0")], Fail),
        ("client addresses", &[("CHM_TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1")], Fail),
        ("ClickHouse", &[], Fail),
        ("ClickHouse user, ch", &[NAME, host], Warn),
        ("ClickHouse user, ch", &[NAME, host, ("CLICKHOUSE_USER", "chm")], Ok),
        (
            "ClickHouse user, ch",
            &[NAME, ("CLICKHOUSE_HOST", "https://ch.example.org"), ("CLICKHOUSE_USER", "chm")],
            Fail,
        ),
        ("ClickHouse address, ch", &[NAME, ("CLICKHOUSE_HOST", "https://ch.example.org")], Ok),
        ("ClickHouse address, ch", &[NAME, ("CLICKHOUSE_HOST", "http://clickhouse:8123")], Ok),
        ("ClickHouse address, ch", &[NAME, ("CLICKHOUSE_HOST", "http://ch.example.org:8123")], Warn),
        ("ClickHouse address, ch", &[NAME, ("CLICKHOUSE_HOST", "http://8.8.8.8:8123")], Fail),
        ("query time limit", &[], Ok),
        ("query time limit", &[("CLICKHOUSE_MAX_EXECUTION_TIME", "61")], Warn),
        ("queries at once", &[], Ok),
        ("alert receiver", &[], Warn),
        ("alert receiver", &[("HEALTH_ALERT_WEBHOOK_URL", "https://hooks.example.org/x")], Ok),
        ("alert receiver", &[("HEALTH_ALERT_WEBHOOK_URL", "http://hooks.example.org/x")], Warn),
        ("cron secret", &[], Ok),
        ("agent token", &[], Ok),
        ("agent token", &[("AGENT_API_TOKEN", "0123456789abcdef")], Warn),
        ("agent token", &[KEY, ("AGENT_API_TOKEN", "0123456789abcdef-agent")], Ok),
        ("store", &[], Ok),
        ("store", &[("CHM_STORE_URL", "none")], Warn),
        ("store", &[("CHM_STORE_URL", "postgres://chm:hidden@db/chm")], Ok),
        ("plugins", &[], Fail),
        ("configuration", &[("CLICKHOUSE_TZ", "UTC")], Warn),
    ];
    for (item, given, level) in cases {
        let (found, line) = found(given, &Registry::default(), item);
        assert_eq!(found, *level, "{given:?}: {line}");
    }
}

#[test]
fn a_provider_whose_plugin_is_missing_or_refused_fails() {
    let mut registry = Registry::default();
    assert_eq!(found(&PROXY, &registry, "signing in").0, Level::Fail);
    registry.found.push(Found {
        id: "auth-trusted".to_owned(),
        file: "auth-trusted.wasm".to_owned(),
        state: State::Refused("its digest is another".to_owned()),
    });
    let (level, line) = found(&PROXY, &registry, "signing in");
    assert_eq!(level, Level::Fail);
    assert!(line.contains("was refused: its digest is another"), "{line}");
}

#[test]
fn secrets_in_a_file_are_named_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chm.toml");
    std::fs::write(&file, "[auth]\napi_key_secret = \"in-the-file-0123456789\"\n").unwrap();
    let level = |mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let options = LoadOptions { file: Some(file.clone()), ..LoadOptions::default() };
        let loaded = Config::load(&options, []).unwrap();
        let registry = Registry::default();
        let findings = dangers(&Subject::new(&loaded, &registry, []));
        let text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
        assert!(text.contains("holds auth.api_key_secret") && !text.contains("in-the-file"), "{text}");
        findings.iter().find(|finding| finding.item == "secrets in files").unwrap().level
    };
    assert_eq!(level(0o600), Level::Warn);
    assert_eq!(level(0o644), Level::Fail);
}

/// Texts of the configuration are found by their words: a text that changed would appear twice.
#[test]
fn a_warning_of_the_configuration_is_told_once() {
    let given = [FAR, PROXY[0], ("CHM_API_KEY_SECRET", "short")];
    let loaded = loaded(&given);
    let registry = Registry::default();
    let subject = Subject::new(&loaded, &registry, []);
    let findings = dangers(&subject);
    for warning in &loaded.warnings {
        assert_eq!(findings.iter().filter(|finding| finding.found == warning.text).count(), 1, "{warning}");
    }
    assert!(findings.iter().all(|finding| finding.item != "configuration"), "{findings:#?}");
    // `serve` has logged those: here are the others.
    let fresh = fresh_failures(&subject);
    assert!(
        !fresh.is_empty()
            && loaded.warnings.iter().all(|warning| fresh.iter().all(|line| !line.contains(&warning.text)))
    );
}
