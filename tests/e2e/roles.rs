//! The matrix (contract §4, and roles beyond it): where its rules come from, which one wins, and what each caller is told.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Answer, Credentials, Host, HostBuilder, Operation, gate_code, run};
use crate::keys::mint;

const SECRET: &str = "a-secret-that-signs-keys";

/// What one feature is told by each source, and the rule in effect: on, who reads, who writes.
struct Rule {
    feature: &'static str,
    file: &'static [(&'static str, &'static str)],
    off: bool,
    guarded: bool,
    variables: &'static [(&'static str, &'static str)],
    effect: (bool, &'static str, &'static str),
}

/// Every feature is a case, so that one host shows them all.
fn rules() -> Vec<Rule> {
    const LISTED: bool = true;
    const NOT: bool = false;
    let rule = |feature, file, off, guarded, variables, effect| Rule { feature, file, off, guarded, variables, effect };
    vec![
        // Nobody says anything: the contract's defaults (§4.2).
        rule("overview", &[], NOT, NOT, &[], (true, "public", "public")),
        rule("actions", &[], NOT, NOT, &[], (true, "authenticated", "authenticated")),
        rule("insights", &[], NOT, NOT, &[], (true, "public", "authenticated")),
        // The file.
        rule("health", &[("access", "role:sre")], NOT, NOT, &[], (true, "role:sre", "role:sre")),
        rule("queries", &[("read", "public"), ("write", "role:sre")], NOT, NOT, &[], (true, "public", "role:sre")),
        rule(
            "tables",
            &[("access", "authenticated"), ("write", "role:b, A")],
            NOT,
            NOT,
            &[],
            (true, "authenticated", "role:A,b"),
        ),
        // The list of those that are off wins over the file; a feature's own variable over the list.
        rule("metrics", &[("enabled", "true")], LISTED, NOT, &[], (false, "public", "public")),
        rule("dashboard", &[("enabled", "true")], NOT, NOT, &[("ENABLED", "off")], (false, "public", "public")),
        rule("security", &[], LISTED, NOT, &[("ENABLED", "Yes")], (true, "public", "public")),
        // The list of those that need signing in: more than the file asks for, never less.
        rule("logs", &[("access", "guest")], NOT, LISTED, &[], (true, "authenticated", "authenticated")),
        rule("settings", &[("access", "role:sre")], NOT, LISTED, &[], (true, "role:sre", "role:sre")),
        rule(
            "billing",
            &[("read", "public"), ("write", "role:money")],
            NOT,
            LISTED,
            &[],
            (true, "authenticated", "role:money"),
        ),
        rule(
            "peerdb",
            &[("access", "role:a"), ("read", "public")],
            NOT,
            LISTED,
            &[],
            (true, "authenticated", "role:a"),
        ),
        rule("about", &[("enabled", "false")], NOT, LISTED, &[], (false, "authenticated", "authenticated")),
        // A feature's own variable wins over all of it, and over the file's finer words.
        rule("cluster", &[], NOT, LISTED, &[("ACCESS", "Public")], (true, "public", "public")),
        rule(
            "operations",
            &[("write", "role:sre")],
            NOT,
            LISTED,
            &[("ACCESS", "authenticated")],
            (true, "authenticated", "authenticated"),
        ),
        rule(
            "mcp",
            &[("access", "public")],
            NOT,
            NOT,
            &[("READ", "role:a"), ("WRITE", "ROLE:b")],
            (true, "role:a", "role:b"),
        ),
        rule("docs", &[], NOT, LISTED, &[("ACCESS", "role:a,b"), ("READ", "public")], (true, "public", "role:a,b")),
        rule(
            "agent",
            &[("access", "role:a")],
            LISTED,
            LISTED,
            &[("ENABLED", "1"), ("WRITE", "role:b")],
            (true, "role:a", "role:b"),
        ),
        // A plugin's own feature is like any other.
        rule("misbehaves", &[("read", "role:a")], NOT, LISTED, &[("WRITE", "public")], (true, "role:a", "public")),
    ]
}

fn toml(rules: &[Rule]) -> String {
    let line = |(key, value): &(&str, &str)| {
        if *key == "enabled" { format!("{key} = {value}\n") } else { format!("{key} = \"{value}\"\n") }
    };
    let table =
        |rule: &Rule| format!("[features.{}]\n{}", rule.feature, rule.file.iter().map(line).collect::<String>());
    let tables: String = rules.iter().filter(|rule| !rule.file.is_empty()).map(table).collect();
    format!("{tables}[plugins.misbehaves.grants]\nclickhouse = {{ hosts = \"all\" }}\n")
}

fn yaml(rules: &[Rule]) -> String {
    let line = |(key, value): &(&str, &str)| {
        if *key == "enabled" { format!("    {key}: {value}\n") } else { format!("    {key}: \"{value}\"\n") }
    };
    let table = |rule: &Rule| format!("  {}:\n{}", rule.feature, rule.file.iter().map(line).collect::<String>());
    let tables: String = rules.iter().filter(|rule| !rule.file.is_empty()).map(table).collect();
    format!("features:\n{tables}plugins:\n  misbehaves:\n    grants:\n      clickhouse:\n        hosts: all\n")
}

/// A host whose variables say what the rules do, and whose file does.
fn host_of(rules: &[Rule], file: &Path) -> HostBuilder {
    let listed = |is: fn(&Rule) -> bool| {
        rules.iter().filter(|rule| is(rule)).map(|rule| rule.feature).collect::<Vec<_>>().join(",")
    };
    let mut builder = Host::with_bundled()
        .guest("misbehaves")
        .env("CHM_AUTH_PROVIDER", "trusted")
        .env("CHM_TRUSTED_ALLOW_INSECURE", "true")
        .env("CHM_CONFIG_FILE", &file.to_string_lossy())
        .env("CHM_DISABLED_FEATURES", &listed(|rule| rule.off))
        // In the spelling of the contract: capitals, blanks and hyphens do not count (§4.1).
        .env("CHM_AUTH_REQUIRED_FEATURES", &listed(|rule| rule.guarded).to_uppercase().replace(',', " , "));
    for rule in rules {
        for (field, value) in rule.variables {
            builder = builder.env(&format!("CHM_FEATURE_{}_{field}", rule.feature.to_uppercase()), value);
        }
    }
    builder
}

#[test]
fn the_rule_of_the_strongest_source_holds_whatever_the_file_is_written_in() {
    run(async {
        let rules = rules();
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("chm.toml", toml(&rules)), ("chm.yaml", yaml(&rules))] {
            let file = folder.path().join(name);
            std::fs::write(&file, &text).expect("a file");
            let host = host_of(&rules, &file).start().await;
            let ann = vec![("x-forwarded-user", "ann".to_owned())];
            let resolved = config(&host, &ann).await["resolved"].clone();
            for rule in &rules {
                let found = &resolved[rule.feature];
                let (enabled, read, write) = rule.effect;
                let effect = json!({"enabled": enabled, "access": read, "writeAccess": write});
                for (key, expected) in effect.as_object().expect("an object") {
                    assert_eq!(&found[key], expected, "{name}: {}.{key}: {found}\n{text}", rule.feature);
                }
                // Ann signed in and has no role.
                let may = |access: &str| enabled && !access.starts_with("role:");
                assert_eq!(
                    (&found["read"], &found["write"]),
                    (&json!(may(read)), &json!(may(write))),
                    "{name}: {}",
                    rule.feature
                );
            }
        }
    });
}

/// What the host says of a caller.
async fn config(host: &Host, credentials: &Credentials) -> Value {
    let mut request = host.request(reqwest::Method::GET, "/api/v1/config");
    for (name, value) in credentials {
        request = request.header(*name, value);
    }
    Answer::of(request).await.expect(200).json()
}

#[test]
fn rules_that_mean_nothing_stop_the_start() {
    run(async {
        for (lines, words) in [
            ("[features.tables]\naccess = \"sre\"", &["features.tables.access", "role:"][..]),
            ("[features.tables]\naccess = \"role:\"", &["features.tables.access", "role:"]),
            ("[features.tables]\nread = \"role:a,,b\"", &["features.tables.read"]),
            ("[features.tables]\nread = true", &["features.tables.read"]),
            ("[features.tables]\nwrites = \"role:a\"", &["features.tables.writes", "features.tables.write"]),
            ("[features.tabels]\naccess = \"public\"", &["tabels", "tables"]),
        ] {
            let ended = Host::with_bundled().config(lines).try_start().await.err();
            let ended = ended.unwrap_or_else(|| panic!("{lines:?} did not stop the start"));
            for word in words.iter().chain(&["chm.toml"]) {
                assert!(ended.stderr.contains(word), "{lines}: no `{word}` in {}", ended.stderr);
            }
        }
        for (name, value) in [
            ("CHM_FEATURE_TABLES_READ", "role:"),
            ("CHM_FEATURE_TABLES_WRITE", "sre"),
            ("CHM_FEATURE_TABELS_READ", "public"),
            ("CHM_AUTH_REQUIRED_FEATURES", "tables,tabels"),
        ] {
            let ended = Host::with_bundled().env(name, value).try_start().await.err();
            let ended = ended.unwrap_or_else(|| panic!("{name}={value} did not stop the start"));
            assert!(ended.stderr.contains(name), "{name}={value}: {}", ended.stderr);
        }
    });
}

/// Callers of one host, and the code (or none) of a reading of `queries`, a writing to `tables`, and a reading of what is off.
type Answers = [Option<&'static str>; 3];

#[test]
fn each_caller_hears_what_is_missing() {
    run(async {
        const IN: Option<&str> = None;
        const SIGN_IN: Option<&str> = Some("AUTHENTICATION_REQUIRED");
        const ROLE: Option<&str> = Some("ROLE_REQUIRED");
        const SCOPE: Option<&str> = Some("SCOPE_REQUIRED");
        const OFF: Option<&str> = Some("FEATURE_DISABLED");
        let rules = "[features.queries]\naccess = \"role:SRE,lead\"\n[features.tables]\nread = \"public\"\nwrite = \"role:sre\"\n\
                     [features.operations]\nenabled = false\naccess = \"role:sre\"";
        let person =
            |groups: &str| vec![("x-forwarded-user", "ann".to_owned()), ("x-forwarded-groups", groups.to_owned())];
        let key = |claims: Value| {
            let mut payload = json!({"sub": "sre", "exp": 4_000_000_000_u64});
            for (name, value) in claims.as_object().expect("claims") {
                payload[name] = value.clone();
            }
            vec![("x-api-key", mint(SECRET, &payload))]
        };
        let callers: Vec<(&str, Credentials, Answers)> = vec![
            ("nobody", vec![], [SIGN_IN, SIGN_IN, OFF]),
            ("somebody with no role", person(""), [ROLE, ROLE, OFF]),
            ("another role", person("dev,sr,sre2,srex"), [ROLE, ROLE, OFF]),
            ("the rule's word is no role", person("role:sre"), [ROLE, ROLE, OFF]),
            ("the role", person("dev, sre"), [IN, IN, OFF]),
            ("the role in another case", person("Sre"), [IN, IN, OFF]),
            ("the other role", person("lead"), [IN, ROLE, OFF]),
            ("a key of that name, without roles", key(json!({})), [ROLE, ROLE, OFF]),
            ("a key with the role", key(json!({"roles": ["sre"]})), [IN, IN, OFF]),
            (
                "a key with the role that only reads",
                key(json!({"roles": ["sre"], "scopes": ["*:read"]})),
                [IN, SCOPE, OFF],
            ),
            ("a key with the scope and no role", key(json!({"scopes": ["*:write"]})), [ROLE, ROLE, OFF]),
            ("a key with neither", key(json!({"scopes": []})), [SCOPE, SCOPE, OFF]),
        ];
        let host = |public_read| {
            let host = Host::with_bundled().unhurried().config(rules).env("CHM_PUBLIC_READ", public_read);
            host.env("CHM_AUTH_PROVIDER", "trusted")
                .env("CHM_TRUSTED_ALLOW_INSECURE", "true")
                .env("CHM_API_KEY_SECRET", SECRET)
        };
        let host = host("true").start().await;
        for (who, credentials, expected) in callers {
            let answers = asked(&host, &credentials).await;
            assert_eq!(answers.each_ref().map(gate_code), expected, "{who}: {answers:?}");
            // Reading tables is for everybody.
            let tables = read(&host, "/api/v1/tables/disks", &credentials).await;
            assert_eq!(tables.status, 200, "{who}: {tables}");
        }
        // Where nobody signs in, nobody has a role; and the operator is told.
        let open = Host::with_bundled().config(rules).start().await;
        let answers = asked(&open, &person("sre")).await;
        assert_eq!(answers.each_ref().map(gate_code), [SIGN_IN, SIGN_IN, OFF], "{answers:?}");
        open.logged("closed to everybody").await;
    });
}

async fn read(host: &Host, path: &str, credentials: &Credentials) -> Answer {
    let request = host.request(reqwest::Method::GET, path);
    Answer::of(credentials.iter().fold(request, |request, (name, value)| request.header(*name, value))).await
}

async fn asked(host: &Host, credentials: &Credentials) -> [Answer; 3] {
    let console = host.request(reqwest::Method::POST, "/api/v1/explorer/query").json(&json!({"sql": "SELECT 1"}));
    let console = credentials.iter().fold(console, |request, (name, value)| request.header(*name, value));
    [
        read(host, "/api/v1/tables/running-queries?limit=1", credentials).await,
        Answer::of(console).await,
        read(host, "/api/v1/tables/merges", credentials).await,
    ]
}

#[test]
fn the_config_route_tells_each_caller_exactly_what_he_may_do() {
    run(async {
        let rules = "[features.queries]\naccess = \"role:sre\"\n[features.tables]\nread = \"public\"\nwrite = \"role:sre\"\n\
                     [features.operations]\nenabled = false\n[features.settings]\naccess = \"authenticated\"\n\
                     [features.metrics]\naccess = \"role:ops\"\n[features.misbehaves]\naccess = \"role:sre\"\n\
                     [plugins.misbehaves.grants]\nclickhouse = { hosts = \"all\" }";
        let person =
            |groups: &str| vec![("x-forwarded-user", "ann".to_owned()), ("x-forwarded-groups", groups.to_owned())];
        let key = |scopes: Value| {
            let payload = json!({"sub": "cli", "exp": 4_000_000_000_u64, "scopes": scopes, "roles": ["sre"]});
            vec![("authorization", format!("Bearer {}", mint(SECRET, &payload)))]
        };
        let callers: Vec<(&str, &str, Credentials)> = vec![
            ("nobody", "anonymous", vec![]),
            ("without a role", "ann", person("")),
            ("with a role", "ann", person("sre")),
            ("with two", "ann", person("sre,ops")),
            ("a narrow key", "cli", key(json!(["tables:read", "metrics:read", "misbehaves:write"]))),
            ("a key that writes anything", "cli", key(json!(["*:write"]))),
            ("a key for nothing", "cli", key(json!([]))),
            ("the agent", "token:agent", vec![("authorization", "Bearer the-agents-own-token".to_owned())]),
        ];
        for (posture, variables) in [
            ("closed", &[("CHM_AUTH_PROVIDER", "trusted")][..]),
            ("public read", &[("CHM_AUTH_PROVIDER", "trusted"), ("CHM_PUBLIC_READ", "true")]),
            ("open", &[]),
        ] {
            let mut host = Host::with_bundled().unhurried().guest("misbehaves").config(rules);
            for (name, value) in variables {
                host = host.env(name, value);
            }
            if posture != "open" {
                host = host.env("CHM_TRUSTED_ALLOW_INSECURE", "true").env("CHM_API_KEY_SECRET", SECRET);
                host = host.env("AGENT_API_TOKEN", "the-agents-own-token");
            }
            let host = host.start().await;
            let operations = Operation::of(&host).await;
            for (who, subject, credentials) in &callers {
                // Who may not come in is told nothing; where nobody signs in, everybody is nobody.
                if (posture == "closed") && (*who == "nobody") || (posture == "open") && (*who != "nobody") {
                    continue;
                }
                let told = config(&host, credentials).await;
                assert_eq!(told["principal"], *subject, "{posture}, {who}");
                for operation in operations.iter().filter(|operation| operation.is_gated()) {
                    let rule = &told["resolved"][&operation.feature];
                    let may =
                        rule[&operation.kind].as_bool().unwrap_or_else(|| panic!("{}: {told}", operation.feature));
                    let answer = operation.probe(&host, credentials).await;
                    assert_eq!(
                        gate_code(&answer).is_none(),
                        may,
                        "{posture}, {who}, {}: {answer}\n{rule}",
                        operation.feature
                    );
                    assert!(answer.status < 500, "{posture}, {who}: {answer}");
                }
            }
        }
    });
}
