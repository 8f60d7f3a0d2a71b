//! Watched servers that only some people may see.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Credentials, Host, HostBuilder, Operation, engine, run};
use crate::keys::mint;

const SECRET: &str = "a-secret-that-signs-keys";

/// Four servers, which all are the shared engine. Nobody is on an empty list.
async fn four_servers() -> String {
    let engine = engine().await;
    let (user, password) = engine.administrator();
    let server = |name: &str, allow: &str| {
        format!(
            "[[clickhouse.hosts]]\nurl = \"{}\"\nuser = \"{user}\"\npassword = \"{password}\"\nname = \"{name}\"\n{allow}\n",
            engine.url()
        )
    };
    [
        server("for-everybody", ""),
        server("for-sre", "allow = [\"role:SRE\"]"),
        server("for-two", "allow = [\"ann@example.org\", \"bot\"]"),
        server("for-nobody", "allow = []"),
    ]
    .concat()
}

async fn builder() -> HostBuilder {
    Host::with_bundled().unhurried().watches_nothing().config(&four_servers().await)
}

async fn signing_in() -> HostBuilder {
    let builder = builder().await.env("CHM_AUTH_PROVIDER", "trusted").env("CHM_TRUSTED_ALLOW_INSECURE", "true");
    builder.env("CHM_API_KEY_SECRET", SECRET)
}

fn person(user: &str, groups: &str) -> Credentials {
    vec![("x-forwarded-user", user.to_owned()), ("x-forwarded-groups", groups.to_owned())]
}

fn key(claims: &Value) -> Credentials {
    let mut payload = json!({"exp": 4_000_000_000_u64});
    for (name, value) in claims.as_object().expect("claims") {
        payload[name] = value.clone();
    }
    vec![("x-api-key", mint(SECRET, &payload))]
}

/// Callers, and the servers that each may see.
fn callers() -> Vec<(&'static str, Credentials, &'static [u32])> {
    vec![
        ("nobody", vec![], &[0]),
        ("somebody", person("bob", "dev"), &[0]),
        ("somebody called like the role", person("sre", ""), &[0]),
        ("the role", person("bob", "dev,sre"), &[0, 1]),
        ("a person", person("ann@example.org", ""), &[0, 2]),
        ("that person in another spelling", person("Ann@example.org", ""), &[0]),
        ("a person with the role", person("ann@example.org", "SRE"), &[0, 1, 2]),
        ("another person's address as a group", person("bob", "ann@example.org"), &[0]),
        ("a key by its subject", key(&json!({"sub": "bot"})), &[0, 2]),
        ("a key by its role", key(&json!({"sub": "other", "roles": ["sre"]})), &[0, 1]),
        ("a key with neither", key(&json!({"sub": "sre", "scopes": ["*:write"]})), &[0]),
    ]
}

async fn get(host: &Host, path: &str, credentials: &Credentials) -> Answer {
    let request = host.request(Method::GET, path);
    Answer::of(credentials.iter().fold(request, |request, (name, value)| request.header(*name, value))).await
}

#[test]
fn a_server_is_listed_for_those_who_may_see_it() {
    run(async {
        let host = signing_in().await.env("CHM_PUBLIC_READ", "true").start().await;
        for (who, credentials, seen) in callers() {
            let rows = get(&host, "/api/v1/hosts", &credentials).await.expect(200).rows();
            let ids: Vec<u32> = rows.iter().filter_map(|row| row["id"].as_u64()?.try_into().ok()).collect();
            assert_eq!(ids, seen, "{who}");
            for id in 0..4 {
                let status = get(&host, &format!("/api/v1/host-status?hostId={id}"), &credentials).await;
                if seen.contains(&id) {
                    status.expect(200);
                } else {
                    let message = status.error(403, "permission_error");
                    assert!(!message.contains("for-"), "{who}: a name is told: {message}");
                }
            }
            // Of those that are not there, only the seen ones are named as alternatives.
            let absent = get(&host, "/api/v1/host-status?hostId=99", &credentials).await.error(400, "validation_error");
            let listed = seen.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            assert!(absent.ends_with(&listed), "{who}: {absent}");
        }
    });
}

#[test]
fn no_operation_asks_a_server_for_whom_it_is_closed() {
    run(async {
        let host = signing_in()
            .await
            .guest("misbehaves")
            .config("[plugins.misbehaves.grants]\nclickhouse = { hosts = \"all\" }");
        let host = host.start().await;
        let operations = Operation::of(&host).await;
        let asking: Vec<&Operation> = operations.iter().filter(|operation| operation.takes_a_host()).collect();
        let kinds: BTreeSet<&str> = asking.iter().filter_map(|operation| operation.path.split('/').nth(3)).collect();
        assert_eq!(
            kinds,
            BTreeSet::from([
                "actions",
                "alerts",
                "charts",
                "cluster-counts",
                "cluster-topology",
                "data",
                "explain",
                "explorer",
                "health",
                "host-status",
                "menu-counts",
                "notifications",
                "overview",
                "table-availability",
                "tables",
                "tools",
            ]),
            "{asking:?}"
        );
        for (who, credentials, closed) in [
            ("somebody", person("bob", "dev"), &[1, 2, 3][..]),
            ("the role", person("bob", "sre"), &[2, 3]),
            ("a person", person("ann@example.org", ""), &[1, 3]),
            ("a key", key(&json!({"sub": "cli"})), &[1, 2, 3]),
        ] {
            for operation in asking.iter().filter(|operation| !operation.path.contains("misbehaves.")) {
                for id in closed {
                    let answer = operation.ask_of(&host, *id, &credentials).await;
                    answer.error(403, "permission_error");
                    assert!(!answer.text().contains("for-"), "{who}: a name is told: {answer}");
                }
                // With the same words another server answers: it was the list that refused.
                let answer = operation.ask_of(&host, 0, &credentials).await;
                assert_ne!(answer.status, 403, "{who}: {answer}");
                assert!(answer.status < 500, "{who}: {answer}");
            }
        }
    });
}

#[test]
fn where_nobody_signs_in_a_closed_server_is_closed_to_everybody() {
    run(async {
        let host = builder().await.start().await;
        // Headers that would name somebody elsewhere say nothing here.
        for credentials in [vec![], person("ann@example.org", "sre"), key(&json!({"sub": "bot", "roles": ["sre"]}))] {
            let rows = get(&host, "/api/v1/hosts", &credentials).await.expect(200).rows();
            let ids: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
            assert_eq!(ids, [0]);
            for operation in Operation::of(&host).await.iter().filter(|operation| operation.takes_a_host()) {
                for id in [1, 2, 3] {
                    operation.ask_of(&host, id, &credentials).await.error(403, "permission_error");
                }
            }
        }
    });
}

#[test]
fn a_plugin_sees_the_servers_of_the_caller_it_works_for() {
    run(async {
        let host = signing_in()
            .await
            .guest("lists-hosts")
            .config("[plugins.lists-hosts.grants]\nclickhouse = { hosts = \"all\" }\ncontrol = [\"kill-query\"]")
            .start()
            .await;
        for (who, credentials, seen) in callers().into_iter().filter(|(_, credentials, _)| !credentials.is_empty()) {
            let call = |tool: &str, arguments: Value| {
                let request = host.request(Method::POST, &format!("/api/v1/tools/lists-hosts.{tool}")).json(&arguments);
                Answer::of(credentials.iter().fold(request, |request, (name, value)| request.header(*name, value)))
            };
            let data = call("hosts", json!({})).await.expect(200).json()["data"].clone();
            assert_eq!(data["ids"], json!(seen), "{who}");
            for id in 0..4 {
                let open = seen.contains(&id);
                let read = call("read", json!({"hostId": id})).await;
                let killed = call("kill", json!({"hostId": id})).await;
                if open {
                    read.expect(200);
                    killed.expect(200);
                } else {
                    read.error(403, "permission_error");
                    killed.error(403, "permission_error");
                }
            }
        }
    });
}

#[test]
fn an_address_is_told_to_those_who_signed_in() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_ALLOW_INSECURE", "true")
            .env("CHM_PUBLIC_READ", "true")
            .start()
            .await;
        let address = engine().await.url();
        let ann = get(&host, "/api/v1/hosts", &person("ann", "")).await.expect(200).rows();
        assert_eq!(ann[0]["host"], address.as_str());
        let nobody = host.get("/api/v1/hosts").await.expect(200).rows();
        assert_eq!((&nobody[0]["host"], &nobody[0]["name"]), (&json!("host 0"), &json!("host 0")));
        let address = address.trim_start_matches("http://");
        for path in
            ["/healthz", "/api/health", "/api/version", "/api/v1/config", "/api/v1/host-status?hostId=0", "/metrics"]
        {
            let answer = host.get(path).await;
            assert!(!answer.text().contains(address), "{answer}");
        }
    });
}

#[test]
fn a_list_is_not_replaced_in_passing() {
    run(async {
        let lists = four_servers().await;
        let ended = Host::with_bundled().config(&lists).try_start().await.err().expect("it stops the start");
        for word in ["CLICKHOUSE_HOST", "clickhouse.hosts[1].allow", "unset", "remove"] {
            assert!(ended.stderr.contains(word), "no `{word}` in {}", ended.stderr);
        }
        for (bad, words) in [
            ("allow = \"role:sre\"", &["clickhouse.hosts[0].allow", "list"][..]),
            ("allow = [\"role:\"]", &["clickhouse.hosts[0].allow", "role:<name>"]),
            ("allow = [\"\"]", &["clickhouse.hosts[0].allow"]),
            ("allowed = [\"ann\"]", &["clickhouse.hosts[0].allowed", "clickhouse.hosts[0].allow?"]),
        ] {
            let lines = format!("[[clickhouse.hosts]]\nurl = \"http://127.0.0.1:1\"\n{bad}");
            let ended = Host::with_bundled().watches_nothing().config(&lines).try_start().await.err();
            let ended = ended.unwrap_or_else(|| panic!("{bad} did not stop the start"));
            for word in words {
                assert!(ended.stderr.contains(word), "{bad}: no `{word}` in {}", ended.stderr);
            }
        }
    });
}
