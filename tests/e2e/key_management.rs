//! API keys that this host made: what they may do, who makes them, and how they end.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Host, HostBuilder, command, eventually, run, shared};
use crate::keys::{mint as signed, valid};
use crate::postgres::Database;

const SECRET: &str = "a-secret-that-signs-keys";
const ADMIN: &str = "a-secret-that-makes-keys";
const CRON: &str = "a-secret-of-the-timer";

/// How soon a key that has ended is refused everywhere.
const SOON: Duration = Duration::from_secs(1);

fn with_keys() -> HostBuilder {
    Host::with_bundled().unhurried().env("CHM_API_KEY_SECRET", SECRET).env("CHM_API_KEY_ADMIN_SECRET", ADMIN)
}

pub async fn ask(host: &Host, method: Method, path: &str, bearer: &str, body: Option<Value>) -> Answer {
    let request = host.request(method, path).bearer_auth(bearer);
    Answer::of(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// Has a key made; its token and its id.
pub async fn minted(host: &Host, admin: &str, body: Value) -> (String, String) {
    let answer = ask(host, Method::POST, "/api/v1/auth/api-key", admin, Some(body)).await.expect(200);
    let data = answer.json()["data"].clone();
    let text = |name: &str| data[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned();
    (text("apiKey"), text("id"))
}

async fn hosts(host: &Host, token: &str) -> u16 {
    ask(host, Method::GET, "/api/v1/hosts", token, None).await.status
}

/// Claims that a key is refused from `limit` after `since` on. What counts is when a request was sent: a busy machine answers later.
async fn ends(host: &Host, token: &str, since: Instant, limit: Duration) {
    loop {
        let sent = since.elapsed();
        if hosts(host, token).await == 401 {
            return;
        }
        assert!(sent < limit, "the key is still valid after {sent:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn many_keys_that_ended_are_no_attack_and_many_that_never_were_are_one() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_API_KEY_SECRET", SECRET)
            .env("CHM_API_KEY_ADMIN_SECRET", ADMIN)
            .env("CHM_FAILED_SIGN_INS_PER_MIN", "5")
            .start()
            .await;
        let (good, _) = minted(&host, ADMIN, json!({})).await;
        for _ in 0..10 {
            let (ended, id) = minted(&host, ADMIN, json!({})).await;
            ask(&host, Method::DELETE, &format!("/api/v1/auth/api-keys/{id}"), ADMIN, None).await.expect(200);
            assert_eq!(hosts(&host, &ended).await, 401);
        }
        assert_eq!(hosts(&host, &good).await, 200);
        for number in 0..10 {
            hosts(&host, &valid(&format!("guess {number}"))).await;
        }
        assert_eq!(hosts(&host, &good).await, 429);
    });
}

#[test]
fn a_request_for_a_key_is_answered_as_the_contract_says() {
    run(async {
        let answer = shared().await.post("/api/v1/auth/api-key", &json!({})).await.expect(503);
        assert_eq!(answer.json(), json!({"error": "CHM_API_KEY_SECRET is not configured"}));

        let host = with_keys().start().await;
        for (what, bearer) in
            [("nothing", None), ("wrong", Some("wrong")), ("the key secret", Some(SECRET)), ("blank", Some(""))]
        {
            let mut request = host.request(Method::POST, "/api/v1/auth/api-key").json(&json!({}));
            if let Some(bearer) = bearer {
                request = request.bearer_auth(bearer);
            }
            let answer = Answer::of(request).await.expect(401);
            let error = answer.json()["error"].as_str().map(str::to_owned).unwrap_or_default();
            assert!(error.starts_with("Unauthorized: "), "{what}: {answer}");
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{what}");
        }

        let send = async |body: &'static str| {
            let request = host.request(Method::POST, "/api/v1/auth/api-key").bearer_auth(ADMIN);
            let request = request.header("content-type", "application/json").body(body);
            Answer::of(request).await
        };
        let days = "days must be an integer from 1 to 365";
        for (body, error) in [
            ("{", "Request body must be valid JSON"),
            (r#"{"days": 0}"#, days),
            (r#"{"days": 366}"#, days),
            (r#"{"days": 1.5}"#, days),
            (r#"{"days": "x"}"#, days),
        ] {
            assert_eq!(send(body).await.expect(400).json(), json!({"error": error}), "{body}");
        }
        for body in [
            r#"{"scopes": ["tabels:read"]}"#,
            r#"{"scopes": ["agent:run"]}"#,
            r#"{"scopes": ["tables:read", ""]}"#,
            r#"{"scopes": "tables:read"}"#,
            r#"{"scope": ["tables:read"]}"#,
            r#"{"label": "a\u0000b"}"#,
            r#"{"roles": ["a,b"]}"#,
        ] {
            assert!(send(body).await.expect(400).json()["error"].is_string(), "{body}");
        }
        for (body, sub, expires) in [
            ("", "cli", 30),
            ("[]", "cli", 30),
            (r#"{"label": 7}"#, "cli", 30),
            (r#"{"label": "ci", "days": "7"}"#, "ci", 7),
        ] {
            let answer = send(body).await.expect(200);
            let data = &answer.json()["data"];
            assert_eq!((data["sub"].as_str(), data["expiresInDays"].as_i64()), (Some(sub), Some(expires)), "{body}");
            assert_eq!(data["scopes"], json!(["*:read", "*:write"]), "{body}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }

        // Without an admin secret the key secret is one, as the contract has it.
        let host = Host::with_bundled().env("CHM_API_KEY_SECRET", SECRET).start().await;
        let (token, _) = minted(&host, SECRET, json!({})).await;
        assert_eq!(hosts(&host, &token).await, 200);
    });
}

#[test]
fn a_key_may_do_what_its_scopes_say_and_nothing_else() {
    run(async {
        let host = with_keys().env("CHM_FEATURE_METRICS_READ", "role:sre").start().await;
        let query = json!({"sql": "SELECT 1"});
        for (scopes, reads, writes, others) in [
            (json!(null), 200, 200, 200),
            (json!(["*:read"]), 200, 403, 200),
            (json!(["tables:read"]), 200, 403, 403),
            (json!(["tables:write"]), 200, 200, 403),
            (json!(["overview:read"]), 403, 403, 200),
            (json!([]), 403, 403, 403),
        ] {
            let (token, _) = minted(&host, ADMIN, json!({"scopes": scopes})).await;
            let read = ask(&host, Method::GET, "/api/v1/tables/tables-overview?limit=1", &token, None).await;
            let write = ask(&host, Method::POST, "/api/v1/explorer/query", &token, Some(query.clone())).await;
            let other = hosts(&host, &token).await;
            assert_eq!((read.status, write.status, other), (reads, writes, others), "{scopes}: {read} {write}");
        }
        // A role counts where the matrix asks for one.
        for (roles, status) in [(json!([]), 403), (json!(["SRE"]), 200)] {
            let (token, _) = minted(&host, ADMIN, json!({"roles": roles})).await;
            ask(&host, Method::GET, "/metrics", &token, None).await.expect(status);
        }
    });
}

#[test]
fn a_token_is_shown_once_and_kept_nowhere() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("state.db").display());
        let host = with_keys().env("CHM_STORE_URL", &store).start().await;
        let (token, id) = minted(&host, ADMIN, json!({"label": "ci"})).await;
        assert_eq!(hosts(&host, &token).await, 200);
        let list = ask(&host, Method::GET, "/api/v1/auth/api-keys", ADMIN, None).await.expect(200);
        assert_eq!(list.json()["data"][0]["id"], json!(id), "{list}");
        assert_eq!(list.json()["data"][0]["active"], json!(true), "{list}");
        let signature = token.rsplit_once('.').unwrap().1.to_owned();
        let mut kept = format!("{}{}{}", list.text(), host.stderr(), host.stdout());
        for file in std::fs::read_dir(folder.path()).unwrap() {
            kept.push_str(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
        }
        assert!(kept.contains(&id));
        for secret in [&signature[..], SECRET, ADMIN] {
            assert!(!kept.contains(secret), "a secret was kept or shown");
        }
        // When it was used is written down in the background.
        eventually("the time of its last use", Duration::from_secs(15), async || {
            let list = ask(&host, Method::GET, "/api/v1/auth/api-keys", ADMIN, None).await;
            list.json()["data"][0]["lastUsedAt"].is_string()
        })
        .await;
    });
}

#[test]
fn keys_are_listed_page_by_page() {
    run(async {
        let host = with_keys().start().await;
        for number in 0..5 {
            minted(&host, ADMIN, json!({"label": format!("n{number}")})).await;
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/auth/api-keys?limit=2{cursor}");
            let page = ask(&host, Method::GET, &path, ADMIN, None).await.expect(200).json();
            seen.extend(page["data"].as_array().unwrap().iter().map(|key| key["sub"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        seen.sort();
        assert_eq!(seen, ["n0", "n1", "n2", "n3", "n4"]);
        for path in ["/api/v1/auth/api-keys?cursor=2", "/api/v1/auth/api-keys?limit=0", "/api/v1/auth/api-keys?limit=x"]
        {
            ask(&host, Method::GET, path, ADMIN, None).await.error(400, "validation_error");
        }
    });
}

/// Two hosts share a store: what ends on one has ended on the other.
async fn a_key_ends_on_both(store: &str) {
    let start = || with_keys().env("CHM_STORE_URL", store).start();
    let (one, other) = tokio::join!(start(), start());
    let (token, id) = minted(&one, ADMIN, json!({})).await;
    assert_eq!((hosts(&one, &token).await, hosts(&other, &token).await), (200, 200));
    let path = format!("/api/v1/auth/api-keys/{id}");
    let revoked = ask(&one, Method::DELETE, &path, ADMIN, None).await.expect(200);
    let since = Instant::now();
    tokio::join!(ends(&one, &token, since, SOON), ends(&other, &token, since, SOON));
    assert_eq!(revoked.json()["active"], json!(false), "{revoked}");
    let again = ask(&other, Method::DELETE, &path, ADMIN, None).await.expect(200);
    assert_eq!(again.json()["revokedAt"], revoked.json()["revokedAt"]);

    let (old, id) = minted(&other, ADMIN, json!({"label": "ci", "scopes": ["overview:read"], "days": 7})).await;
    assert_eq!((hosts(&one, &old).await, hosts(&other, &old).await), (200, 200));
    let path = format!("/api/v1/auth/api-keys/{id}/rotate");
    let rotated = ask(&one, Method::POST, &path, ADMIN, Some(json!({}))).await.expect(200);
    let since = Instant::now();
    tokio::join!(ends(&one, &old, since, SOON), ends(&other, &old, since, SOON));
    let data = rotated.json()["data"].clone();
    assert_eq!(
        (&data["sub"], &data["scopes"], &data["expiresInDays"]),
        (&json!("ci"), &json!(["overview:read"]), &json!(7))
    );
    let new = data["apiKey"].as_str().unwrap().to_owned();
    assert_eq!((hosts(&one, &new).await, hosts(&other, &new).await), (200, 200));
    ask(&other, Method::POST, &path, ADMIN, Some(json!({}))).await.error(400, "validation_error");

    // With an overlap both are valid until it ends.
    let path = format!("/api/v1/auth/api-keys/{}/rotate", data["id"].as_str().unwrap());
    let body = json!({"overlapSeconds": 10});
    let newest = ask(&other, Method::POST, &path, ADMIN, Some(body)).await.expect(200).json();
    let newest = newest["data"]["apiKey"].as_str().unwrap().to_owned();
    assert_eq!((hosts(&one, &new).await, hosts(&other, &newest).await), (200, 200));
    eventually("the end of the overlap", Duration::from_secs(20), async || hosts(&one, &new).await == 401).await;
    assert_eq!((hosts(&other, &new).await, hosts(&one, &newest).await), (401, 200));
}

#[test]
fn a_key_that_ended_is_refused_within_a_second_on_two_hosts_that_share_a_file() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        a_key_ends_on_both(&format!("sqlite:{}", folder.path().join("state.db").display())).await;
    });
}

#[test]
fn a_key_that_ended_is_refused_within_a_second_on_two_hosts_that_share_a_database() {
    run(async {
        let database = tokio::task::spawn_blocking(Database::create).await.unwrap();
        a_key_ends_on_both(&database.url()).await;
    });
}

#[test]
fn a_store_that_cannot_be_reached_lets_no_key_in_that_it_would_have_to_know() {
    run(async {
        let database = tokio::task::spawn_blocking(Database::create).await.unwrap();
        let host = with_keys().env("CHM_STORE_URL", &database.url()).start().await;
        let (token, _) = minted(&host, ADMIN, json!({})).await;
        assert_eq!(hosts(&host, &token).await, 200);
        database.cut();
        let since = Instant::now();
        ends(&host, &token, since, Duration::from_secs(5)).await;
        // Keys without an id are in no store.
        assert_eq!(hosts(&host, &valid(SECRET)).await, 200);
        let refused = ask(&host, Method::POST, "/api/v1/auth/api-key", ADMIN, Some(json!({}))).await.expect(503);
        assert!(!refused.text().contains("postgres"), "{refused}");
        ask(&host, Method::GET, "/api/v1/audit", ADMIN, None).await.error(503, "network_error");
        // What was done is answered, and what cannot be kept is in the log.
        let query = json!({"sql": "SELECT 1"});
        ask(&host, Method::POST, "/api/v1/explorer/query", &valid(SECRET), Some(query)).await.expect(200);
        host.logged("an entry is not in the audit log, only here").await;
        database.mend();
        eventually("the key is valid again", Duration::from_secs(20), async || hosts(&host, &token).await == 200).await;
        assert!(!host.stderr().contains(crate::postgres::PASSWORD));
    });
}

#[test]
fn a_key_whose_id_no_store_knows_is_refused() {
    run(async {
        let host = with_keys().start().await;
        let stranger =
            signed(SECRET, &json!({"sub": "cli", "exp": 4_000_000_000_u64, "jti": "01jd000000000000000000000"}));
        assert_eq!(hosts(&host, &stranger).await, 401);
        assert_eq!(hosts(&host, &valid(SECRET)).await, 200, "the peer's keys have no id");

        let strict = with_keys().config("[auth]\naccept_unlisted_keys = false").start().await;
        assert_eq!(hosts(&strict, &valid(SECRET)).await, 401);
        let (token, _) = minted(&strict, ADMIN, json!({})).await;
        assert_eq!(hosts(&strict, &token).await, 200);

        let storeless = with_keys().env("CHM_STORE_URL", "none").start().await;
        assert_eq!(hosts(&storeless, &token).await, 401);
        let refused = ask(&storeless, Method::POST, "/api/v1/auth/api-key", ADMIN, Some(json!({}))).await.expect(503);
        assert!(refused.json()["error"].as_str().unwrap().contains("CHM_STORE_URL"), "{refused}");
    });
}

#[test]
fn two_secrets_overlap_while_keys_move_over() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("state.db").display());
        let before = with_keys().env("CHM_STORE_URL", &store).start().await;
        let (old, _) = minted(&before, ADMIN, json!({})).await;
        let with = |current: &str| with_keys().env("CHM_STORE_URL", &store).env("CHM_API_KEY_SECRET", current);
        let during = with("the-next-secret-of-keys").env("CHM_API_KEY_PREVIOUS_SECRET", SECRET).start().await;
        let (new, _) = minted(&during, ADMIN, json!({})).await;
        assert_eq!((hosts(&during, &old).await, hosts(&during, &new).await), (200, 200));
        assert_eq!(hosts(&before, &new).await, 401);
        let after = with("the-next-secret-of-keys").start().await;
        assert_eq!((hosts(&after, &old).await, hosts(&after, &new).await), (401, 200));
    });
}

#[test]
fn only_operators_make_and_end_keys() {
    run(async {
        let host = with_keys()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_ALLOW_INSECURE", "true")
            .env("CHM_OPERATORS", "role:sre, carl")
            .start()
            .await;
        let (token, id) = minted(&host, ADMIN, json!({"label": "carl", "roles": ["sre"]})).await;
        let one = format!("/api/v1/auth/api-keys/{id}");
        let rotate = format!("{one}/rotate");
        let routes = [
            (Method::POST, "/api/v1/auth/api-key"),
            (Method::GET, "/api/v1/auth/api-keys"),
            (Method::POST, rotate.as_str()),
            (Method::DELETE, one.as_str()),
            (Method::GET, "/api/v1/audit"),
        ];
        let bearer = format!("Bearer {token}");
        for (who, headers, expected) in [
            ("nobody", vec![], 401),
            ("somebody", vec![("x-forwarded-user", "bob"), ("x-forwarded-groups", "dev")], 403),
            ("a key, whatever it says", vec![("authorization", bearer.as_str())], 403),
            ("an operator by name", vec![("x-forwarded-user", "carl")], 200),
            ("an operator by role", vec![("x-forwarded-user", "ann"), ("x-forwarded-groups", "SRE")], 200),
        ] {
            for (method, path) in &routes {
                let mut request = host.request(method.clone(), path);
                for (name, value) in &headers {
                    request = request.header(*name, *value);
                }
                if *method == Method::POST {
                    request = request.json(&json!({}));
                }
                let answer = Answer::of(request).await;
                // Of a key that was rotated or revoked there is nothing more to rotate.
                let status = if answer.status == 400 && path.ends_with("/rotate") { 200 } else { answer.status };
                assert_eq!(status, expected, "{who}: {answer}");
                if expected == 403 {
                    assert_eq!(answer.json()["error"]["code"], "OPERATOR_REQUIRED", "{who}: {answer}");
                }
            }
        }
        let unknown = ask(&host, Method::DELETE, "/api/v1/auth/api-keys/nothing", ADMIN, None).await;
        unknown.error(404, "table_not_found");
    });
}

fn keys(store: &Path, arguments: &[&str]) -> Output {
    let mut command = command(&[&["keys"], arguments].concat());
    command.env("CHM_STORE_URL", format!("sqlite:{}", store.display())).env("CHM_API_KEY_SECRET", SECRET);
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn keys_are_made_and_ended_on_the_command_line() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("state.db");
        let made = keys(&store, &["mint", "--label", "ci", "--days", "7", "--scope", "overview:read", "--role", "sre"]);
        let token = stdout(&made);
        assert_eq!(token.lines().count(), 1, "the token alone: {token}");
        let token = token.trim();
        let host = Host::with_bundled()
            .unhurried()
            .env("CHM_API_KEY_SECRET", SECRET)
            .env("CHM_STORE_URL", &format!("sqlite:{}", store.display()))
            .start()
            .await;
        assert_eq!(hosts(&host, token).await, 200);
        ask(&host, Method::GET, "/api/v1/tables/tables-overview", token, None).await.expect(403);

        let list = stdout(&keys(&store, &["list"]));
        let row: Vec<&str> = list.lines().nth(1).unwrap().split('\t').collect();
        assert_eq!((row[1], row[2], row[6]), ("ci", "active", "overview:read"), "{list}");
        assert!(!list.contains(token));

        let next = stdout(&keys(&store, &["rotate", row[0]]));
        ends(&host, token, Instant::now(), SOON).await;
        assert_eq!(hosts(&host, next.trim()).await, 200);
        let list = stdout(&keys(&store, &["list"]));
        let newest = list.lines().nth(1).unwrap().split('\t').next().unwrap().to_owned();
        stdout(&keys(&store, &["revoke", &newest]));
        ends(&host, next.trim(), Instant::now(), SOON).await;

        for (arguments, expected) in [
            (&["mint", "--days", "400"][..], "days must be an integer from 1 to 365"),
            (&["mint", "--scope", "tabels:read"], "did you mean tables?"),
            (&["revoke", "nothing"], "there is no key"),
            (&["rotate", &newest], "has ended"),
            (&["rotate", &newest, "--overlap", "9999999"], "overlapSeconds must be"),
        ] {
            let refused = keys(&store, arguments);
            let words = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && words.contains(expected), "{arguments:?}: {words}");
            assert!(refused.stdout.is_empty(), "{arguments:?}");
        }
    });
}

#[test]
fn the_timer_removes_keys_that_ended_long_ago_with_a_secret_of_its_own() {
    run(async {
        let path = "/api/cron/retention-prune";
        for method in [Method::GET, Method::POST] {
            let answer = Answer::of(shared().await.request(method, path)).await.expect(503);
            assert_eq!(answer.json(), json!({"error": "CRON_SECRET is not configured"}));
        }
        let database = tokio::task::spawn_blocking(Database::create).await.unwrap();
        let host = with_keys().env("CRON_SECRET", CRON).env("CHM_STORE_URL", &database.url()).start().await;
        let (live, _) = minted(&host, ADMIN, json!({})).await;
        for (id, days) in [("long-ago", 91), ("not-so-long-ago", 89)] {
            let row = format!(
                "INSERT INTO chm_keys (id, subject, scopes, roles, created_at, created_by, expires_at) \
                 VALUES ('{id}', 'x', '[]', '[]', 0, 'x', extract(epoch FROM now())::bigint - {days} * 86400)"
            );
            database.try_run(&row).unwrap();
        }
        for (what, request) in [
            ("nothing", host.request(Method::GET, path)),
            ("in the address", host.request(Method::GET, &format!("{path}?secret={CRON}"))),
            ("in another header", host.request(Method::GET, path).header("x-api-key", CRON)),
            ("the admin's", host.request(Method::GET, path).bearer_auth(ADMIN)),
            ("a key", host.request(Method::POST, path).bearer_auth(&live)),
        ] {
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 401, "{what}: {answer}");
        }
        ask(&host, Method::GET, "/api/v1/hosts", CRON, None).await.expect(401);
        for (method, removed) in [(Method::GET, 1), (Method::POST, 0)] {
            let answer = ask(&host, method, path, CRON, None).await.expect(200);
            let data = &answer.json()["data"];
            assert_eq!((&data["removedKeys"], &data["olderThanDays"]), (&json!(removed), &json!(90)), "{answer}");
        }
        assert_eq!(hosts(&host, &live).await, 200);
        let log = ask(&host, Method::GET, "/api/v1/audit?action=key.prune", ADMIN, None).await.expect(200).json();
        assert_eq!(log["data"].as_array().unwrap().len(), 2);
        assert_eq!(log["data"][0]["actor"], json!({"kind": "token", "subject": "token:cron"}));
    });
}
