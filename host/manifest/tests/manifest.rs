//! What `plugin.toml` may say, and how it is refused.

use chm_manifest::{ApiVersion, Manifest, ManifestError, SettingKind};
use proptest::prelude::*;

const FULL: &str = r#"id = "auth-trusted"
version = "0.1.0"
api = "0.1"
summary = "Signs people in by a proxy's headers."
license = "MIT OR Apache-2.0"
authors = ["A"]
homepage = "https://example.org"
[auth]
headers = ["x-extra"]
cookies = ["__session"]
[settings.auth_secret]
type = "secret"
summary = "What the proxy sends."
[settings.user_header]
type = "header"
default = "X-Forwarded-User"
[settings.shared_secret_header]
type = "header"
default = "X-Chm-Proxy-Secret"
sealed = true
[settings.custom_headers]
type = "header-map"
default = { team = "X-Team" }
[settings.allowed_groups]
type = "list"
default = ["a", "b"]
[settings.retries]
type = "integer"
default = 3
[settings.insecure]
type = "boolean"
default = false
[endpoints.alerts]
summary = "Where alerts go."
[issuers.x]
summary = "Who signs tokens."
"#;

const MINIMAL: &str = "id = \"ab\"\nversion = \"0.1.0\"\napi = \"0.1\"\nsummary = \"S.\"\n";

#[test]
fn a_full_manifest_is_read_completely() {
    let manifest = Manifest::parse(FULL).unwrap();
    assert_eq!(manifest.id.as_str(), "auth-trusted");
    assert_eq!(manifest.api, ApiVersion::CURRENT);
    assert_eq!(manifest.auth.as_ref().unwrap().headers, ["x-extra"]);
    assert_eq!(manifest.settings.len(), 7);
    assert_eq!(manifest.settings["auth_secret"].kind, SettingKind::Secret);
    assert!(manifest.settings["shared_secret_header"].sealed);
    let defaults = |name: &str| manifest.settings[name].default_text();
    assert_eq!(defaults("custom_headers").as_deref(), Some("team:X-Team"));
    assert_eq!(defaults("allowed_groups").as_deref(), Some("a,b"));
    assert_eq!(defaults("retries").as_deref(), Some("3"));
    assert_eq!(defaults("insecure").as_deref(), Some("false"));
    assert_eq!(defaults("auth_secret"), None);
    assert_eq!(manifest.endpoints["alerts"].summary, "Where alerts go.");
    assert!(manifest.issuers.contains_key("x"));
    let json = serde_json::to_value(&manifest).unwrap();
    assert_eq!(json["settings"]["user_header"]["type"], "header");
    assert_eq!(json["api"], "0.1");
    Manifest::parse(MINIMAL).unwrap();
}

#[test]
fn a_refusal_names_the_line_the_key_and_what_was_expected() {
    let cases: &[(&str, &[&str])] = &[
        ("id = ", &["line 1", "not valid TOML"]),
        ("id = \"ab\"\nid = \"ab\"", &["line 2", "duplicate"]),
        ("id = \"ab\"", &["missing field `version`"]),
        (&(MINIMAL.to_owned() + "colour = 1"), &["line 5", "`colour`", "unknown field", "expected one of"]),
        (&MINIMAL.replace("\"S.\"", "3"), &["line 4", "key `summary`", "expected a string"]),
        (&MINIMAL.replace("\"S.\"", "\" \""), &["line 4", "key `summary`", "expected one sentence"]),
        (&MINIMAL.replace("\"ab\"", "\"Ab\""), &["line 1", "key `id`", "lower-case"]),
        (&MINIMAL.replace("\"ab\"", "\"queries\""), &["line 1", "key `id`", "own features"]),
        (&MINIMAL.replace("0.1.0", "1"), &["line 2", "key `version`", "expected for example `0.1.0`"]),
        (&MINIMAL.replace("\"0.1\"", "\"0.1.0\""), &["line 3", "key `api`", "major.minor"]),
        (&(MINIMAL.to_owned() + "homepage = \"ftp://x\""), &["line 5", "key `homepage`"]),
        (
            &(MINIMAL.to_owned() + "[auth]\nheader = []"),
            &["line 6", "`auth.header`", "expected one of `headers`, `cookies`, `sealed_headers`"],
        ),
        (&(MINIMAL.to_owned() + "[auth]\nheaders = [\"a b\"]"), &["line 6", "key `auth.headers`", "`a b`"]),
        (&(MINIMAL.to_owned() + "[auth]\nheaders = [\"Cookie\"]"), &["line 6", "key `auth.headers`", "auth.cookies"]),
        (&(MINIMAL.to_owned() + "[auth]\ncookies = [\"a;b\"]"), &["line 6", "key `auth.cookies`"]),
        (
            &(MINIMAL.to_owned() + "[auth]\nsealed_headers = [\"cookie\"]"),
            &["line 6", "key `auth.sealed_headers`", "auth.sealed_cookies"],
        ),
        (
            &(MINIMAL.to_owned() + "[auth]\nheaders = [\"x-a\"]\nsealed_headers = [\"X-A\"]"),
            &["line 7", "key `auth.sealed_headers`", "`auth.headers` too"],
        ),
        (
            &(MINIMAL.to_owned() + "[auth]\ncookies = [\"a\"]\nsealed_cookies = [\"a\"]"),
            &["line 7", "key `auth.sealed_cookies`", "`auth.cookies` too"],
        ),
        (
            &(MINIMAL.to_owned() + "[settings.a]\ntype = \"colour\""),
            &["line 6", "`settings.a.type`", "unknown variant", "`header-map`"],
        ),
        (&(MINIMAL.to_owned() + "[settings.A]\ntype = \"text\""), &["line 5", "key `settings.A`", "lower-case"]),
        (&(MINIMAL.to_owned() + "[settings.a-b]\ntype = \"text\""), &["line 5", "key `settings.a-b`", "`a_b`"]),
        (
            &(MINIMAL.to_owned() + "[settings.a]\ntype = \"secret\"\ndefault = \"hunter2\""),
            &["line 7", "`settings.a.default`", "no default"],
        ),
        (
            &(MINIMAL.to_owned() + "[settings.a]\ntype = \"integer\"\ndefault = \"x\""),
            &["line 7", "`settings.a.default`", "expected a whole number"],
        ),
        (
            &(MINIMAL.to_owned() + "[auth]\n[settings.a]\ntype = \"text\"\nsealed = true"),
            &["line 8", "`settings.a.sealed`", "`header`"],
        ),
        (
            &(MINIMAL.to_owned() + "[settings.a]\ntype = \"header\"\nsealed = true"),
            &["line 7", "`settings.a.sealed`", "`[auth]`"],
        ),
        (&(MINIMAL.to_owned() + "[endpoints.a]\nurl = \"x\""), &["line 6", "`endpoints.a.url`", "expected `summary`"]),
        (&(MINIMAL.to_owned() + "[issuers.\"a b\"]"), &["key `issuers.a b`", "lower-case"]),
        (&" ".repeat(70_000), &["70000", "at most"]),
    ];
    for (text, words) in cases {
        let error = Manifest::parse(text).unwrap_err();
        let said = error.to_string();
        for word in *words {
            assert!(said.contains(word), "expected {word:?} in {said:?} for\n{}", text.get(..200).unwrap_or(text));
        }
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn an_error_knows_its_line() {
    let error = Manifest::parse(&MINIMAL.replace("\"S.\"", "3")).unwrap_err();
    assert_eq!(error.line(), Some(4));
    assert!(matches!(error, ManifestError::Shape { .. }));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        drop(Manifest::parse(&text));
    }

    #[test]
    fn no_edit_of_a_good_manifest_makes_the_parser_panic(at in 0..FULL.len(), cut in 0..20usize, put in "[\\[\\]=\"a-z.\n0-9]{0,6}") {
        let end = (at + cut).min(FULL.len());
        drop(Manifest::parse(&format!("{}{put}{}", &FULL[..at], &FULL[end..])));
    }
}
