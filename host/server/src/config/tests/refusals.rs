//! What stops the start, and in which words.

use proptest::prelude::*;

use super::*;
use crate::config::variables::VARIABLES;

#[test]
fn every_problem_of_a_file_is_reported_at_once_with_its_line() {
    let file = File::new(
        "chm.toml",
        "lisen = \"x\"\nlisten = \"nowhere\"\nmax_execution_time = 5\n[clickhouse]\npool_size = 0\nhosts = [{ user = \"u\" }]\n[auth]\n\
         provider = \"proxy none\"\napi_key_secret = 17\n[features.agnet]\nenabled = true\n[features.mcp]\naccess = \"private\"\n[log]\n\
         formt = \"json\"\n[plugins.agent]\n[plugins.x1.grants]\ncontrol = [\"drop-table\"]\n[endpoints.Bad]\nurl = \"https://h\"\n",
    );
    let mut found = file.problems();
    found.sort();
    let mut expected = vec![
        "F, line 1: no such key `lisen`; did you mean listen?".to_owned(),
        "F, line 2: `listen`: found `nowhere`, expected an address and a port, for example 127.0.0.1:3000".to_owned(),
        "F, line 3: no such key `max_execution_time`; did you mean clickhouse.max_execution_time?".to_owned(),
        "F, line 5: `clickhouse.pool_size`: found `0`, expected a whole number from 1 to 1000".to_owned(),
        "`clickhouse.hosts[0].url` is missing: expected an http or https address, for example https://clickhouse:8443"
            .to_owned(),
        format!("F, line 8: `auth.provider`: found `proxy none`, expected {UnknownProvider}"),
        "F, line 9: `auth.api_key_secret`: expected a secret text that is not blank".to_owned(),
        "F, line 10: `features.agnet`: found `agnet`, expected a feature id; did you mean agent?".to_owned(),
        "F, line 13: `features.mcp.access`: found `private`, expected `public` (or `guest`), `authenticated`, or `role:<name>[,<name>…]`"
            .to_owned(),
        "F, line 15: no such key `log.formt`; did you mean log.format?".to_owned(),
        "F, line 18: `plugins.x1.grants.control`: found [`drop-table`], expected a list of kill-query, optimize-table"
            .to_owned(),
    ];
    let rest: Vec<_> =
        found.iter().filter(|problem| !expected.contains(&problem.replace("file F", "F"))).cloned().collect();
    expected.retain(|expected| !found.iter().any(|problem| problem.replace("file F", "F") == *expected));
    assert_eq!(expected, Vec::<String>::new(), "not reported; the rest is {rest:#?}");
    assert_eq!(rest.len(), 2, "{rest:#?}");
    assert!(
        rest[0].contains("line 16: `plugins.agent`: expected")
            || rest[1].contains("line 16: `plugins.agent`: expected"),
        "{rest:#?}"
    );
    assert!(rest.iter().any(|problem| problem.contains("line 19: `endpoints.Bad`: expected a name")), "{rest:#?}");
}

#[test]
fn bad_variables_stop_the_start_and_are_named() {
    for (name, value, expected) in [
        ("CHM_TRUSTED_ALLOWED_GROUP", "sre", "no such variable; did you mean CHM_TRUSTED_ALLOWED_GROUPS"),
        ("CHM_LISTNE", "x", "did you mean CHM_LISTEN"),
        ("CHM_NONSENSE_AT_ALL", "x", "no such variable; correct its name or unset it"),
        ("CHM_FEATURE_AGNET_ENABLED", "true", "did you mean CHM_FEATURE_AGENT_ENABLED"),
        ("CHM_FEATURE_AGENT_ENABLED", "maybe", "found `maybe`, expected a boolean"),
        ("CHM_FEATURE_AGENT_ACCESS", "private", "found `private`, expected `public`"),
        ("CHM_FEATURE_AGENT", "true", "no such variable"),
        ("CHM_DISABLED_FEATURES", "actions,peerbd", "unknown feature `peerbd`; did you mean peerdb?"),
        ("CHM_AUTH_REQUIRED_FEATURES", "everything", "unknown feature `everything`"),
        (
            "CHM_AUTH_PROVIDER",
            "trustd",
            "the provider `trustd` is neither a bundled plugin nor has it a [plugins.trustd] table; did you mean trusted",
        ),
        ("CHM_AUTH_PROVIDER", "clerk none", "found `clerk none`, expected `none`, or a comma list"),
        ("CHM_AUTH_PROVIDER", "trusted,none", "expected `none`"),
        ("CHM_LISTEN", "3000", "found `3000`, expected an address and a port"),
        ("CHM_PUBLIC_READ", "2", "expected a boolean"),
        ("CHM_LOG_FORMAT", "xml", "expected one of pretty, json"),
        ("CLICKHOUSE_MAX_EXECUTION_TIME", "abc", "found `abc`, expected a whole number"),
        ("CLICKHOUSE_POOL_SIZE", "0", "found `0`"),
        ("CLICKHOUSE_HOST", "a:8123", "expected an http or https address"),
        ("CLICKHOUSE_HOST", "http://a,,http://b", "`clickhouse.hosts[1].url`: found nothing, expected an http"),
        ("CLICKHOUSE_HOST", "http://a/?readonly=0", "an address without query"),
        ("HEALTH_ALERT_WEBHOOK_URL", "hooks.example/x", "expected an http or https address"),
        ("VITE_AUTH_PROVIDER", "clerk", "VITE_AUTH_PROVIDER asks for signing in"),
        ("CHM_DEPLOYMENT_MODE", "saas", "CHM_DEPLOYMENT_MODE asks for signing in"),
        ("CHM_CLOUD_MODE", "yes", "CHM_CLOUD_MODE asks for signing in"),
    ] {
        let found = problems(&[(name, value)]);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(
            found[0].contains(name) || name == "CLICKHOUSE_HOST" || found[0].contains("provider `"),
            "{name}: {found:?}"
        );
        assert!(found[0].contains(expected), "{name}={value}: {found:?}");
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let error = load(&[
        ("CHM_LISTNE", "x"),
        ("CLICKHOUSE_POOL_SIZE", "x"),
        ("CHM_DISABLED_FEATURES", "a1,b2"),
        ("CLICKHOUSE_HOST", "x,y"),
    ]);
    let error = error.unwrap_err();
    assert_eq!(error.problems.len(), 6, "{error}");
    assert!(error.to_string().starts_with("the configuration is wrong in 6 places:\n  - "));
}

#[test]
fn names_that_lead_nowhere_stop_the_start() {
    for (text, expected) in [
        (
            "[plugins.p1.grants]\nhttp = [\"alert\"]\n[endpoints.alerts]\nurl = \"http://h\"",
            "there is no [endpoints.alert]; did you mean alerts?",
        ),
        ("[plugins.p1.grants]\njwt = [\"sso\"]", "there is no [issuers.sso]"),
        ("[plugins.p1.grants.clickhouse]\nhosts = [1]", "names host 1, but host ids end at 0"),
        (
            "[auth]\nprovider = \"trusted\"\n[plugins.auth-trusted]\nenabled = false",
            "`plugins.auth-trusted.enabled` is false",
        ),
        ("[issuers.sso]\nissuer = \"i\"\naudiences = []", "`issuers.sso.audiences` is empty"),
        ("[issuers.sso]\nissuer = \"i\"", "`issuers.sso.audiences` is missing"),
        ("[issuers.sso]\nissuer = \"i\"\naudiences = [\"a\"]\nalgorithms = [\"HS256\"]", "expected a list of RS256"),
        ("[issuers.sso]\nissuer = \"i\"\naudiences = [\"a\"]\nalgorithms = [\"none\"]", "expected a list of RS256"),
        ("[endpoints.chat]\ntimeout_ms = 5", "`endpoints.chat.url` is missing"),
        ("[endpoints.chat]\nurl = \"https://u:p@h\"", "credentials go into `headers`"),
        ("[features.mcp]\nenabled = true\n[features.MCP]\nenabled = false", "is there twice, in two spellings"),
        ("[plugins.p1]\nsha256 = \"abc\"", "expected 64 hexadecimal digits"),
    ] {
        let found = File::new("a.toml", text).problems();
        assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:?}");
    }
}

#[test]
fn two_variables_for_one_key_must_agree() {
    let one = ("CHM_OTLP_ENDPOINT", "http://collector:4318");
    assert!(load(&[one, ("CHM_OTEL_EXPORTER_URL", "http://collector:4318")]).is_ok());
    let found = problems(&[one, ("CHM_OTEL_EXPORTER_URL", "http://other:4318")]);
    assert!(found.len() == 1 && found[0].contains("CHM_OTEL_EXPORTER_URL and CHM_OTLP_ENDPOINT"), "{found:?}");
}

#[cfg(unix)]
#[test]
fn variables_that_are_no_text_stop_the_start() {
    use std::os::unix::ffi::OsStringExt as _;
    let broken = OsString::from_vec(vec![b'a', 0xff]);
    let error = Config::load(&LoadOptions::default(), [("CHM_API_KEY_SECRET".into(), broken.clone())]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration is wrong: environment variable CHM_API_KEY_SECRET: expected text in UTF-8"
    );
    assert!(Config::load(&LoadOptions::default(), [("SOMETHING".into(), broken)]).is_ok());
}

fn known_name() -> impl Strategy<Value = String> {
    let names: Vec<String> =
        VARIABLES.iter().map(|variable| variable.name.replace("<ID>", "AGENT").replace('*', "X")).collect();
    prop_oneof![8 => proptest::sample::select(names), 1 => "CHM_[A-Z_]{0,20}"]
}

fn awkward_value() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "[a-z0-9,:/@%.?# -]{0,40}",
        "(http://[a-z:@%0-9]{0,12},?){0,3}",
        Just("true".to_owned()),
        Just("-1".to_owned()),
        Just("99999999999999999999999999999999999999999".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_environment_makes_loading_panic_or_show_a_secret(
        pairs in proptest::collection::vec((known_name(), awkward_value()), 0..6),
        secret in "hush[a-z]{8}",
    ) {
        let mut pairs: Vec<(OsString, OsString)> = pairs
            .into_iter()
            .filter(|(name, _)| name != "CHM_CONFIG_FILE")
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        for name in ["CHM_API_KEY_SECRET", "CHM_TRUSTED_AUTH_SECRET", "CLICKHOUSE_PASSWORD"] {
            pairs.push((name.into(), secret.clone().into()));
        }
        let text = match Config::load(&LoadOptions::default(), pairs) {
            Ok(loaded) => format!("{}{loaded:?}", loaded.render()),
            Err(error) => format!("{error}{error:?}"),
        };
        prop_assert!(!text.contains(&secret), "{}", text);
    }

    #[test]
    fn no_file_makes_loading_panic(text in ".{0,200}", yaml in any::<bool>()) {
        let file = File::new(if yaml { "a.yaml" } else { "a.toml" }, &text);
        let _ = file.load(&[]);
    }
}
