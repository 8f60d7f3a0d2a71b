//! `chm-host doctor`: what an operator is told before anybody else finds out.

use std::process::Output;

use serde_json::Value;

use crate::harness::{Host, LACKING, PluginFolder, READER, STRICT, command, engine, run};

/// Nothing in it is dangerous: a provider with a secret, and an alert receiver.
const SOUND: &[(&str, &str)] = &[
    ("CLICKHOUSE_NAME", "ch"),
    ("CHM_AUTH_PROVIDER", "trusted"),
    ("CHM_TRUSTED_AUTH_SECRET", "knows-the-proxy-0123456789"),
    ("CHM_TRUSTED_PROXIES", "127.0.0.1"),
    ("HEALTH_ALERT_WEBHOOK_URL", "https://hooks.example.org/in-the-path"),
];

struct Examined {
    code: Option<i32>,
    said: String,
    complained: String,
}

impl Examined {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let (said, complained) = (text(output.stdout), text(output.stderr));
        for secret in ["knows-the-proxy", "in-the-path", READER.1, STRICT.1, LACKING.1] {
            assert!(!said.contains(secret) && !complained.contains(secret), "`{secret}` in {said}{complained}");
        }
        Self { code: output.status.code(), said, complained }
    }

    /// The line of an item, with the statements beneath it.
    fn item(&self, level: &str, item: &str) -> Vec<&str> {
        let head = format!("{level:<4}  {item}: ");
        let mut lines = self.said.lines().skip_while(|line| !line.starts_with(&head));
        let first = lines.next().unwrap_or_else(|| panic!("no `{head}` in\n{}\n{}", self.said, self.complained));
        [first].into_iter().chain(lines.take_while(|line| line.starts_with("        ")).map(str::trim)).collect()
    }
}

async fn doctor(user: (&str, &str), variables: &[(&str, &str)], arguments: &[&str]) -> Examined {
    let plugins = PluginFolder::bundled();
    let mut command = command(&["doctor", "--plugins"]);
    command.arg(plugins.path()).args(arguments).env("CLICKHOUSE_HOST", engine().await.url());
    command.env("CLICKHOUSE_USER", user.0).env("CLICKHOUSE_PASSWORD", user.1);
    command.envs(SOUND.iter().copied()).envs(variables.iter().copied());
    Examined::of(command.output().expect("a process"))
}

#[test]
fn a_user_with_the_systems_tables_is_enough() {
    run(async {
        let examined = doctor(READER, &[], &[]).await;
        assert_eq!(examined.code, Some(0), "{}", examined.said);
        assert!(examined.said.starts_with("anonymous callers can: read nothing; write nothing\n"), "{}", examined.said);
        assert_eq!(examined.item("ok", "grants, ch").len(), 1);
        assert_eq!(examined.item("ok", "superfluous grants, ch").len(), 1);
        let names = examined.item("warn", "names of tables, ch");
        assert_eq!(names[1..], ["GRANT SHOW TABLES, SHOW COLUMNS ON *.* TO reader;"]);
        assert!(names[0].contains("users configuration"), "{names:?}");
        examined.item("ok", "ClickHouse, ch");
        examined.item("warn", "settings profile, ch");
        assert!(examined.said.contains("\nCheck yourself: TLS in front"), "{}", examined.said);
        assert!(examined.said.ends_with(", 0 failed\n"), "{}", examined.said);
    });
}

#[test]
fn a_missing_grant_is_named_by_its_exact_line() {
    run(async {
        let examined = doctor(LACKING, &[], &[]).await;
        assert_eq!(examined.code, Some(1), "{}", examined.said);
        let grants = examined.item("FAIL", "grants, ch");
        assert_eq!(grants[1..], ["GRANT SELECT ON system.query_log TO lacking;"]);
        assert_eq!(examined.item("ok", "superfluous grants, ch").len(), 1);
        assert!(!examined.said.contains("names of tables"), "{}", examined.said);

        // What a plugin may have run is needed, too.
        let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        let control = "[plugins.tools-clickhouse.grants]\ncontrol = [\"kill-query\", \"optimize-table\"]\n";
        std::fs::write(file.path(), control).expect("a file");
        let file = file.path().to_string_lossy().into_owned();
        let examined = doctor(READER, &[], &["--config", &file]).await;
        let lines = ["GRANT KILL QUERY ON *.* TO reader;", "GRANT OPTIMIZE ON *.* TO reader;"];
        assert_eq!(examined.item("FAIL", "grants, ch")[1..], lines);
        assert_eq!(examined.code, Some(1));
    });
}

#[test]
fn the_grants_of_an_administrator_are_superfluous_one_by_one() {
    run(async {
        let administrator = engine().await.administrator();
        let examined = doctor(administrator, &[], &[]).await;
        assert_eq!(examined.code, Some(0), "{}", examined.said);
        let superfluous = examined.item("warn", "superfluous grants, ch").join("\n");
        for right in ["INSERT", "ALTER", "CREATE", "DROP", "SYSTEM", "KILL QUERY", "OPTIMIZE", "URL", "S3", "REMOTE"] {
            let in_line = |line: &str| {
                let rights = line.strip_prefix("REVOKE ").and_then(|rest| rest.split_once(" ON "));
                rights.is_some_and(|(rights, _)| rights.split(", ").any(|one| one == right))
            };
            assert!(superfluous.lines().any(in_line), "{right}: {superfluous}");
        }
        let of_sources = |line: &str| line.starts_with("REVOKE READ, WRITE") && line.contains(" ON * FROM ");
        assert!(superfluous.lines().any(of_sources), "{superfluous}");
        let kept = |line: &str| {
            line.split_once(" ON ").is_some_and(|(rights, _)| rights.split(", ").any(|one| one == "SELECT"))
        };
        assert!(
            !superfluous
                .lines()
                .any(|line| line.starts_with("REVOKE ") && !line.starts_with("REVOKE GRANT") && kept(line))
        );
        let data = examined.item("warn", "data, ch");
        let name = administrator.0;
        assert_eq!(
            data[1..3],
            [format!("REVOKE SELECT ON *.* FROM {name};"), format!("GRANT SELECT ON system.* TO {name};")]
        );
        // ClickHouse understands each; it does not follow, as its users are in a file.
        for statement in superfluous.lines().skip(1).chain(data[1..].iter().copied()) {
            let refusal = engine().await.ask_with(statement.trim_end_matches(';'), &[]).await.expect_err(statement);
            assert!(!refusal.contains("SYNTAX_ERROR") && !refusal.contains("Syntax error"), "{refusal}");
        }
    });
}

#[test]
fn a_readonly_profile_is_recognised() {
    run(async {
        let examined = doctor(STRICT, &[], &[]).await;
        assert!(examined.item("ok", "settings profile, ch")[0].ends_with("readonly = 1"), "{}", examined.said);
    });
}

#[test]
fn the_report_is_there_as_json() {
    run(async {
        let examined = doctor(LACKING, &[], &["--json"]).await;
        assert_eq!(examined.code, Some(1));
        let report: Value = serde_json::from_str(&examined.said).expect("JSON");
        assert_eq!(report["posture"], "anonymous callers can: read nothing; write nothing");
        let findings = report["findings"].as_array().expect("a list");
        let grants = findings.iter().find(|finding| finding["item"] == "grants, ch").expect("grants");
        assert_eq!(grants["level"], "fail");
        assert_eq!(grants["statements"], serde_json::json!(["GRANT SELECT ON system.query_log TO lacking"]));
        assert!(report["checkYourself"].as_array().is_some_and(|list| list.len() > 5));
    });
}

#[test]
fn an_open_door_fails_and_a_dead_server_does() {
    run(async {
        let open = [("CHM_AUTH_PROVIDER", "none"), ("CHM_TRUSTED_AUTH_SECRET", ""), ("CHM_LISTEN", "0.0.0.0:3000")];
        let examined = doctor(READER, &open, &[]).await;
        assert_eq!(examined.code, Some(1));
        assert!(examined.said.starts_with("anonymous callers can: read and write everything\n"), "{}", examined.said);
        for item in ["authentication", "feature agent", "feature actions", "names and origins"] {
            examined.item("FAIL", item);
        }
        // Port 1 of loopback: nobody listens there.
        let examined = doctor(READER, &[("CLICKHOUSE_HOST", "http://127.0.0.1:1")], &[]).await;
        assert_eq!(examined.code, Some(1));
        assert!(examined.item("FAIL", "ClickHouse, ch")[0].contains("refused"), "{}", examined.said);
        let examined = doctor((READER.0, "wrong"), &[], &[]).await;
        assert_eq!(examined.code, Some(1));
        examined.item("FAIL", "ClickHouse, ch");
    });
}

#[test]
fn a_wrong_configuration_is_another_exit_and_all_of_it_is_named() {
    run(async {
        let wrong = [("CHM_NONSENSE", "1"), ("CLICKHOUSE_MAX_EXECUTION_TIME", "abc")];
        let examined = doctor(READER, &wrong, &[]).await;
        assert_eq!(examined.code, Some(2), "{}", examined.said);
        assert!(examined.said.is_empty());
        for word in ["CHM_NONSENSE", "CLICKHOUSE_MAX_EXECUTION_TIME"] {
            assert!(examined.complained.contains(word), "{}", examined.complained);
        }
        // What only the plugins can tell.
        let wrong = [("CHM_TRUSTED_ALLOW_INSECURE", "perhaps"), ("CHM_CF_ACCESS_COOKIE", "perhaps")];
        let examined = doctor(READER, &wrong, &[]).await;
        assert_eq!(examined.code, Some(2), "{}", examined.said);
        for (word, _) in wrong {
            assert!(examined.complained.contains(word), "{}", examined.complained);
        }
    });
}

#[test]
fn a_server_that_starts_anyway_says_what_the_doctor_would() {
    run(async {
        let host = Host::with_bundled().env("NEXT_PUBLIC_LLM_API_KEY", "in-the-browser").start().await;
        host.logged("secrets in client variables: NEXT_PUBLIC_LLM_API_KEY").await;
        assert!(!host.stderr().contains("in-the-browser"));
    });
}
