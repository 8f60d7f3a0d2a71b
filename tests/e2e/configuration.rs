//! Law 9: the configuration is checked at start. And law 5 from outside: secrets stay where they are.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Answer, Host, Receiver, Reply, command, engine, run};
use crate::keys;

#[test]
fn what_is_wrong_stops_the_start_and_is_named() {
    run(async {
        let variables: &[(&str, &str, &[&str])] = &[
            ("CHM_TRUSTED_ALLOWED_GROUP", "sre", &["CHM_TRUSTED_ALLOWED_GROUP", "CHM_TRUSTED_ALLOWED_GROUPS"]),
            ("CHM_NONSENSE", "1", &["CHM_NONSENSE"]),
            ("CHM_AUTH_PROVIDER", "clerc", &["clerc", "did you mean clerk"]),
            ("CHM_AUTH_PROVIDER", "trusted,none", &["CHM_AUTH_PROVIDER", "trusted"]),
            ("CHM_FEATURE_AGNET_ENABLED", "true", &["CHM_FEATURE_AGNET_ENABLED", "CHM_FEATURE_AGENT_ENABLED"]),
            ("CHM_FEATURE_AGENT_ENABLED", "maybe", &["CHM_FEATURE_AGENT_ENABLED", "maybe"]),
            ("CHM_FEATURE_AGENT_ACCESS", "secret", &["CHM_FEATURE_AGENT_ACCESS", "authenticated"]),
            ("CHM_DISABLED_FEATURES", "queries,nothing", &["CHM_DISABLED_FEATURES", "nothing"]),
            ("CLICKHOUSE_MAX_EXECUTION_TIME", "abc", &["CLICKHOUSE_MAX_EXECUTION_TIME", "abc"]),
            ("CLICKHOUSE_HOST", "ftp://x", &["CLICKHOUSE_HOST", "http"]),
            ("CHM_LOG_FORMAT", "xml", &["CHM_LOG_FORMAT", "pretty"]),
            ("CHM_PUBLIC_READ", "perhaps", &["CHM_PUBLIC_READ", "perhaps"]),
            // Settings of plugins, whether these are chosen or not.
            ("CHM_TRUSTED_ALLOW_INSECURE", "perhaps", &["CHM_TRUSTED_ALLOW_INSECURE", "perhaps", "boolean"]),
            ("CHM_TRUSTED_USER_HEADER", "X Forwarded", &["CHM_TRUSTED_USER_HEADER", "X Forwarded", "header"]),
            ("CHM_TRUSTED_CUSTOM_HEADERS", "team", &["CHM_TRUSTED_CUSTOM_HEADERS", "`team`", "field:Header-Name"]),
            ("CHM_PROXY_AUTH_HEADER", "Cookie", &["CHM_PROXY_AUTH_HEADER", "Cookie"]),
            ("CHM_CF_ACCESS_COOKIE", "perhaps", &["CHM_CF_ACCESS_COOKIE", "perhaps"]),
            ("CHM_CLERK_OAUTH_TOKENS", "perhaps", &["CHM_CLERK_OAUTH_TOKENS", "perhaps"]),
            ("HEALTH_ALERT_WEBHOOK_URL", "not an address", &["HEALTH_ALERT_WEBHOOK_URL"]),
        ];
        for (name, value, words) in variables {
            let ended = Host::with_bundled().env(name, value).try_start().await.err();
            let ended = ended.unwrap_or_else(|| panic!("{name}={value} did not stop the start"));
            assert!(!ended.status.success(), "{name}: {ended:?}");
            for word in *words {
                assert!(ended.stderr.contains(word), "{name}: no `{word}` in {}", ended.stderr);
            }
        }
        let files: &[(&str, &[&str])] = &[
            ("colour = \"red\"", &["colour", "chm.toml", "line 1"]),
            ("[limits]\nbody_bites = 1", &["limits.body_bites", "limits.body_bytes", "line 2"]),
            ("[limits]\nbody_bytes = \"many\"", &["limits.body_bytes", "line 2"]),
            ("[limits]\nbody_bytes = -1", &["limits.body_bytes"]),
            ("limits = 1", &["limits"]),
            ("[limits", &["chm.toml", "line 1"]),
            ("[endpoints.alerts]\ntimeout_ms = 1", &["endpoints.alerts", "url"]),
            ("[plugins.alert-webhook.grants]\nhtpp = []", &["plugins.alert-webhook.grants.htpp", "http"]),
            ("[auth]\nprovider = \"proxy proxy\"", &["auth.provider", "proxy proxy"]),
        ];
        for (config, words) in files {
            let ended = Host::with_bundled().config(config).try_start().await.err();
            let ended = ended.unwrap_or_else(|| panic!("{config:?} did not stop the start"));
            assert!(!ended.status.success(), "{config}: {ended:?}");
            for word in *words {
                assert!(ended.stderr.contains(word), "{config}: no `{word}` in {}", ended.stderr);
            }
        }
    });
}

#[test]
fn a_variable_of_the_contract_that_means_nothing_here_is_named_and_stops_nothing() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_CLERK_PUBLIC_READ", "true")
            .env("CLICKHOUSE_POOL_TIMEOUT", "5")
            .env("CLICKHOUSE_TZ", "Europe/Berlin")
            .start()
            .await;
        host.get("/api/v1/hosts").await.expect(200);
        for name in ["CHM_CLERK_PUBLIC_READ", "CLICKHOUSE_POOL_TIMEOUT", "CLICKHOUSE_TZ"] {
            host.logged(name).await;
        }
    });
}

#[test]
fn config_check_tells_every_origin_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("chm.toml");
    let text = "[log]\nlevel = \"debug\"\n[endpoints.chat]\nurl = \"https://chat.example.org/hook/in-the-path\"\n\
                [endpoints.chat.headers]\nAuthorization = \"in-a-header\"\n";
    std::fs::write(&file, text).expect("a file");
    let check = |config: &std::path::Path, variables: &[(&str, &str)]| {
        let mut command = command(&["config", "check", "--config"]);
        let output = command.arg(config).envs(variables.iter().copied()).output().expect("a process");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.success(), text(output.stdout) + &text(output.stderr))
    };
    let (good, said) = check(
        &file,
        &[
            ("CLICKHOUSE_HOST", "http://ann:in-the-address@ch.example.org:8123"),
            ("CHM_API_KEY_SECRET", "signs-the-keys"),
            ("CHM_AUTH_PROVIDER", "trusted"),
            ("CHM_TRUSTED_AUTH_SECRET", "knows-the-proxy"),
        ],
    );
    assert!(good, "{said}");
    for word in
        ["CHM_API_KEY_SECRET", "CHM_TRUSTED_AUTH_SECRET", "CLICKHOUSE_HOST", "chm.toml", "default", "ch.example.org"]
    {
        assert!(said.contains(word), "no `{word}` in {said}");
    }
    for secret in ["signs-the-keys", "knows-the-proxy", "in-the-address", "in-the-path", "in-a-header"] {
        assert!(!said.contains(secret), "`{secret}` in {said}");
    }
    let (good, said) = check(&file, &[("CHM_API_KEY_SECRET", "signs-the-keys"), ("CHM_NONSENSE", "x")]);
    assert!(!good && said.contains("CHM_NONSENSE") && !said.contains("signs-the-keys"), "{said}");
    let (good, said) = check(std::path::Path::new("no/such/file.toml"), &[]);
    assert!(!good && said.contains("no/such/file.toml"), "{said}");
}

#[test]
fn secrets_are_nowhere_to_be_read() {
    run(async {
        let receiver = Receiver::start(|_, _| Reply::status(500)).await;
        let engine = engine().await;
        let (user, password) = engine.administrator();
        let with_user = engine.url().replace("http://", &format!("http://{user}:{password}@"));
        let mut host = Host::with_bundled()
            .env("CLICKHOUSE_HOST", &with_user)
            .env("CHM_LOG_LEVEL", "debug")
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_PUBLIC_READ", "true")
            .env("CHM_TRUSTED_AUTH_SECRET", "knows-the-proxy")
            .env("CHM_API_KEY_SECRET", "signs-the-keys")
            .config(&format!(
                "[endpoints.alerts]\nurl = \"{}/in-the-path?token=in-the-query\"\nheaders.Authorization = \"in-a-header\"",
                receiver.url()
            ))
            .start()
            .await;
        let key = keys::valid("signs-the-keys");
        let signed_in = |request: reqwest::RequestBuilder| {
            request.header("X-Forwarded-User", "ann").header("X-Chm-Proxy-Secret", "knows-the-proxy")
        };
        let mut read = String::new();
        for path in [
            "/metrics",
            "/openapi.json",
            "/openapi.yaml",
            "/api/v1/plugins",
            "/api/v1/config",
            "/api/v1/hosts",
            "/api/v1/auth/me",
            "/api/v1/tools",
            "/api/v1/host-status?hostId=0",
            "/api/v1/tables/running-queries",
            "/api/v1/tables/failed-queries",
            "/api/v1/tables/history-queries",
            "/api/v1/tables/absent",
            "/docs",
        ] {
            read += &Answer::of(signed_in(host.request(reqwest::Method::GET, path))).await.text();
            read += &host.get(path).await.text();
        }
        let post = |path: &str, body: serde_json::Value| host.request(reqwest::Method::POST, path).json(&body);
        for (path, body) in [
            ("/api/v1/explorer/query", json!({"sql": "SELECT * FROM system.processes"})),
            ("/api/v1/explorer/query", json!({"sql": "SELECT nothing()"})),
            ("/api/v1/explorer/query", json!({"sql": "SELECT getClientHTTPHeader('Authorization')"})),
            ("/api/v1/tools/query", json!({"sql": "SELECT * FROM system.settings WHERE changed"})),
            ("/api/v1/alerts/test", json!({"title": "a test"})),
        ] {
            read += &Answer::of(signed_in(post(path, body.clone()))).await.text();
            read += &Answer::of(post(path, body).bearer_auth(&key)).await.text();
            // Credentials that are almost right.
            read += &Answer::of(host.request(reqwest::Method::GET, path).bearer_auth(format!("{key}x"))).await.text();
        }
        let seen = receiver.seen();
        assert_eq!(seen[0].header("authorization"), "in-a-header");
        assert!(seen[0].path.contains("in-the-query"));
        host.signal(nix::sys::signal::Signal::SIGTERM);
        assert!(host.wait(Duration::from_secs(10)).is_some_and(|status| status.success()));
        host.logged("stopped").await;
        for (place, text) in
            [("an answer", &read), ("the log", &host.stderr()), ("the standard output", &host.stdout())]
        {
            for secret in [
                password,
                "knows-the-proxy",
                "signs-the-keys",
                "in-the-path",
                "in-the-query",
                "in-a-header",
                key.as_str(),
            ] {
                if let Some(at) = text.find(secret) {
                    let around: String =
                        text[text.floor_char_boundary(at.saturating_sub(300))..].chars().take(600).collect();
                    panic!("`{secret}` is in {place}: …{around}…");
                }
            }
        }
        assert!(!read.is_empty() && host.stderr().contains("alert"), "there was something to read");
        // Nor in ClickHouse's own log, where everybody with the right to look can see who asked.
        engine.ask("SYSTEM FLUSH LOGS").await;
        for secret in ["knows-the-proxy", "signs-the-keys", key.as_str()] {
            let (first, second) = secret.split_at(5);
            let sql = format!(
                "SELECT count() FROM system.query_log WHERE position(log_comment, concat('{first}', '{second}')) > 0"
            );
            assert_eq!(engine.ask(&sql).await, "0");
        }
    });
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure_of_a_command() {
    // As `chm-host config reference | head` leaves it.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended = command(&["config", "reference"]).stdout(writer).output().expect("it runs");
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}
