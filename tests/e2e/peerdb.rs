//! PeerDB, through its plugin: the listed calls, and nothing else, with the host's password and without anybody's secrets.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Host, HostBuilder, Mood, PEER_SECRET, PEERDB_PASSWORD, Peerdb, eventually, run, shared};
use crate::keys::mint;

/// The contract's list, with names in it, and what of each answer must be there.
const CALLS: [(&str, &str, &str); 17] = [
    ("GET", "version", "/version"),
    ("GET", "dynamic_settings", "/settings/1/value"),
    ("GET", "mirrors/list", "/mirrors/3/name"),
    ("GET", "mirrors/names", "/names/0"),
    ("GET", "mirrors/cdc/table_total_counts/orders", "/totalData/insertsCount"),
    ("GET", "mirrors/cdc/initial_load/orders", "/tableSummaries/0/flowJobName"),
    ("GET", "mirrors/total_rows_synced/orders", "/totalCount"),
    ("GET", "peers/list", "/items/0/name"),
    ("GET", "peers/slots/pg_shop", "/slotData/0/slotName"),
    ("GET", "peers/stats/pg_shop", "/statData/0/query"),
    ("GET", "peers/info/pg_shop", "/peer/postgresConfig/user"),
    ("GET", "peers/type/pg_shop", "/peerType"),
    ("POST", "mirrors/status", "/currentFlowState"),
    ("POST", "mirrors/cdc/graph", "/data/0/rows"),
    ("POST", "mirrors/cdc/batches", "/cdcBatches/0/batchId"),
    ("POST", "mirrors/logs", "/errors/0/errorType"),
    ("POST", "peers/slots/lag_history", "/data/0/size"),
];

fn body_of(path: &str) -> Value {
    match path {
        "peers/slots/lag_history" => json!({"peerName": "pg_shop", "slotName": "forgotten", "timeSince": "1day"}),
        _ => json!({"flowJobName": "orders", "page": 1, "numPerPage": 24, "aggregateType": "1hour"}),
    }
}

async fn ask(host: &Host, method: &str, path: &str) -> Answer {
    let path_here = format!("/api/v1/peerdb/{path}");
    match method {
        "GET" => host.get(&path_here).await,
        _ => host.post(&path_here, &body_of(path)).await,
    }
}

/// A host with this PeerDB that asks it each time.
fn forgetful(peerdb: &Peerdb) -> HostBuilder {
    peerdb.known_to(Host::with_bundled().unhurried()).env("PEERDB_CACHE_TTL_MS", "0")
}

/// Claims that a text holds nothing that only PeerDB and the operator may know.
#[track_caller]
fn holds_no_secret(what: &str, text: &str) {
    let encoded = STANDARD.encode(format!(":{PEERDB_PASSWORD}"));
    for secret in [PEER_SECRET, PEERDB_PASSWORD, encoded.as_str()] {
        assert!(!text.contains(secret), "{what} holds {secret}: {text}");
    }
}

#[test]
fn every_listed_call_passes_with_the_operators_password_and_without_anybodys_secrets() {
    run(async {
        let peerdb = Peerdb::start().await;
        let host = forgetful(&peerdb).start().await;
        let authorization = format!("Basic {}", STANDARD.encode(format!(":{PEERDB_PASSWORD}")));
        for (method, path, there) in CALLS {
            let answer = ask(&host, method, path).await.expect(200);
            let body = answer.json();
            assert_eq!(body["success"], true, "{answer}");
            let value = body["data"].pointer(there).unwrap_or_else(|| panic!("no {there}: {answer}"));
            assert!(!value.is_null(), "{answer}");
            holds_no_secret(path, &answer.text());
            assert!(!answer.text().contains(peerdb.authority()), "{answer}");
            assert!(!answer.header("x-request-id").is_empty(), "{answer}");
            let seen = peerdb.seen().pop().expect("a request");
            assert_eq!((seen.method.as_str(), seen.path.as_str()), (method, format!("/api/v1/{path}").as_str()));
            assert_eq!(seen.header("authorization"), authorization, "{path}");
            if method == "POST" {
                assert_eq!(serde_json::from_slice::<Value>(&seen.body).expect("JSON"), body_of(path), "{path}");
                assert_eq!(seen.header("content-type"), "application/json");
            }
        }
        assert_eq!(peerdb.count(), CALLS.len());
        // The tool makes the same calls.
        for (method, path, there) in CALLS {
            let mut arguments = json!({"method": method, "path": path});
            if method == "POST" {
                arguments["body"] = body_of(path);
            }
            let answer = host.post("/api/v1/tools/peerdb", &arguments).await.expect(200);
            assert!(answer.json()["data"].pointer(there).is_some(), "{answer}");
            holds_no_secret(path, &answer.text());
        }
        let info = ask(&host, "GET", "peers/info/pg_shop").await.json()["data"]["peer"].clone();
        assert_eq!(
            (&info["postgresConfig"]["password"], &info["postgresConfig"]["host"]),
            (&json!("***"), &json!("db.internal"))
        );
        assert_eq!(info["s3Config"]["url"], "https://***@bucket");
        let head = Answer::of(host.request(Method::HEAD, "/api/v1/peerdb/version")).await.expect(200);
        assert!(head.body.is_empty());
        // A query string passes as it is.
        let echo = host.get("/api/v1/peerdb/version?a=b%26c&d=").await.expect(200);
        assert_eq!(echo.json()["data"]["echo"], "a=b%26c&d=");

        for path in
            ["/openapi.json", "/api/v1/config", "/api/v1/plugins", "/api/v1/tools", "/metrics", "/api/v1/peerdb-status"]
        {
            holds_no_secret(path, &host.get(path).await.expect(200).text());
        }
        holds_no_secret("the log", &host.stderr());
    });
}

#[test]
fn what_is_not_listed_is_refused_in_every_spelling_and_peerdb_is_not_asked() {
    run(async {
        let peerdb = Peerdb::start().await;
        let host = forgetful(&peerdb).start().await;
        let unlisted = [
            (Method::GET, "alerts/config"),
            (Method::GET, "peers/publications"),
            (Method::GET, "scripts/1"),
            (Method::GET, "instance/info"),
            (Method::POST, "peers/create"),
            (Method::POST, "peers/drop"),
            (Method::POST, "mirrors/state_change"),
            (Method::POST, "flows/cdc/create"),
            (Method::GET, "v1/version"),
            // Listed with the other method.
            (Method::GET, "mirrors/status"),
            (Method::GET, "mirrors/cdc/graph"),
            (Method::POST, "version"),
            (Method::POST, "dynamic_settings"),
            (Method::POST, "mirrors/list"),
            (Method::POST, "peers/info/pg_shop"),
        ];
        for (method, path) in unlisted {
            let mut request = host.request(method.clone(), &format!("/api/v1/peerdb/{path}"));
            if method == Method::POST {
                request = request.json(&json!({"flowJobName": "orders"}));
            }
            let message = Answer::of(request).await.error(403, "permission_error");
            assert!(message.contains(path) && message.contains("not among the calls"), "{message}");
            let arguments = json!({"method": method.as_str(), "path": path, "body": {"flowJobName": "orders"}});
            host.post("/api/v1/tools/peerdb", &arguments).await.error(403, "permission_error");
        }
        // Whatever somebody takes for another path. Sent as they stand: a client would tidy them up.
        for path in [
            "peers/info/..",
            "peers/info/../list",
            "peers/info/%2e%2e",
            "peers/info/%2E%2E%2Flist",
            "peers/info/pg%2Fshop",
            "peers/info/pg%5Cshop",
            "peers/info/pg%252Fshop",
            "peers/info/pg;x",
            "peers/info/pg%00",
            "peers/info/",
            "peers//list",
            "/version",
            "version/",
            "./version",
            "VERSION",
            "versio%6E",
            "peers/info/a/b",
            "mirrors/cdc/initial_load/a/b",
            "mirrors%2Flist",
        ] {
            let (status, text) = raw(host.url(), &format!("/api/v1/peerdb/{path}")).await;
            assert!([400, 403, 404].contains(&status), "{path}: {text}");
            let answer = host.post("/api/v1/tools/peerdb", &json!({"method": "GET", "path": path})).await;
            assert!([400, 403].contains(&answer.status), "{answer}");
        }
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = Answer::of(host.request(method, "/api/v1/peerdb/version").json(&json!({}))).await;
            assert!([404, 405].contains(&answer.status), "{answer}");
        }
        // A body that says nothing, and a host that PeerDB is not.
        for (path, body) in [
            ("mirrors/status", json!({})),
            ("mirrors/status", json!({"flowJobName": ""})),
            ("mirrors/status", json!({"flowJobName": 1})),
            ("mirrors/status", json!([])),
            ("peers/slots/lag_history", json!({"peerName": "p"})),
        ] {
            host.post(&format!("/api/v1/peerdb/{path}"), &body).await.error(400, "validation_error");
        }
        for path in ["version?hostId=0", "version?a=1&a=2"] {
            host.get(&format!("/api/v1/peerdb/{path}")).await.error(400, "validation_error");
        }
        let form = host.request(Method::POST, "/api/v1/peerdb/mirrors/status").body("flowJobName=orders");
        Answer::of(form.header("content-type", "application/x-www-form-urlencoded"))
            .await
            .error(415, "unsupported_media_type");
        let strange = host.request(Method::POST, "/api/v1/peerdb/mirrors/status").json(&body_of("mirrors/status"));
        Answer::of(strange.header("origin", "https://evil.example")).await.error(403, "cross_site");
        assert_eq!(peerdb.count(), 0, "{:?}", peerdb.seen());
    });
}

/// Asks for a path as it stands.
async fn raw(url: &str, path: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let authority = url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(authority).await.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    (text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default(), text)
}

async fn status(host: &Host) -> Value {
    host.get("/api/v1/peerdb-status").await.expect(200).json()["data"].clone()
}

#[test]
fn peerdbs_faults_are_told_apart_and_none_is_taken_for_ours() {
    run(async {
        let peerdb = Peerdb::start().await;
        let patient = forgetful(&peerdb).start().await;
        let hasty = forgetful(&peerdb).env("PEERDB_FETCH_TIMEOUT_MS", "50").start().await;
        assert_eq!(
            status(&patient).await,
            json!({"configured": true, "host": peerdb.authority(), "state": "connected", "version": "v0.30.1"})
        );
        for (mood, code, word, state) in [
            (Mood::Fails(401), 502, "upstream_error", "auth"),
            (Mood::Fails(403), 502, "upstream_error", "auth"),
            (Mood::Fails(400), 502, "upstream_error", "unreachable"),
            (Mood::Fails(404), 502, "upstream_error", "unreachable"),
            (Mood::Fails(500), 502, "upstream_error", "unreachable"),
            (Mood::Fails(503), 502, "upstream_error", "unreachable"),
            (Mood::Fails(302), 502, "upstream_error", "unreachable"),
            (Mood::Fails(201), 502, "upstream_error", "unreachable"),
            (Mood::Page, 502, "upstream_error", "unreachable"),
            (Mood::List, 502, "upstream_error", "unreachable"),
            (Mood::Huge, 502, "upstream_error", "unreachable"),
            (Mood::Hangs, 504, "timeout_error", "unreachable"),
        ] {
            peerdb.is(mood);
            let host = if mood == Mood::Hangs { &hasty } else { &patient };
            for (method, path) in [("GET", "mirrors/list"), ("POST", "mirrors/status")] {
                let answer = ask(host, method, path).await;
                let message = answer.error(code, word);
                assert!(message.contains("PeerDB"), "{mood:?}: {message}");
                assert_eq!(answer.header("www-authenticate"), "", "{mood:?}");
                holds_no_secret(path, &answer.text());
            }
            host.get("/api/v1/tables/peerdb-mirrors").await.error(code, word);
            let told = status(host).await;
            assert_eq!((&told["configured"], &told["state"]), (&json!(true), &json!(state)), "{mood:?}: {told}");
            assert!(told["error"].is_string() && told["version"].is_null(), "{mood:?}: {told}");
            holds_no_secret("the status", &told.to_string());
        }
        peerdb.is(Mood::Well);
        ask(&patient, "GET", "mirrors/list").await.expect(200);
        for host in [&patient, &hasty] {
            holds_no_secret("the log", &host.stderr());
        }
    });
}

#[test]
fn another_password_is_the_operators_trouble_and_nobody_there_is_502() {
    run(async {
        let peerdb = Peerdb::start().await;
        // The address may end in slashes.
        let wrong = Host::with_bundled().env("PEERDB_API_URL", &format!("{}///", peerdb.url())).start().await;
        let message = wrong.get("/api/v1/peerdb/version").await.error(502, "upstream_error");
        assert!(message.contains("PEERDB_PASSWORD"), "{message}");
        assert_eq!(peerdb.seen()[0].path, "/api/v1/version");
        assert_eq!(status(&wrong).await["state"], "auth");
        // A port that was somebody's a moment ago.
        let address =
            tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
        let nobody = Host::with_bundled().env("PEERDB_API_URL", &format!("http://{address}/api")).start().await;
        let answer = nobody.get("/api/v1/peerdb/version").await;
        let message = answer.error(502, "upstream_error");
        assert!(message.contains("cannot be reached") && !answer.text().contains(&address.to_string()), "{answer}");
        let told = status(&nobody).await;
        assert_eq!(
            (&told["state"], &told["configured"], &told["host"]),
            (&json!("unreachable"), &json!(true), &json!(address.to_string()))
        );
    });
}

#[test]
fn an_answer_is_given_again_for_its_time_and_only_to_the_same_question() {
    run(async {
        let peerdb = Peerdb::start().await;
        let host = peerdb.known_to(Host::with_bundled()).env("PEERDB_CACHE_TTL_MS", "60000").start().await;
        for _ in 0..3 {
            for (method, path, _) in CALLS {
                ask(&host, method, path).await.expect(200);
            }
        }
        let asked = peerdb.count();
        // Two questions may share a place, and then the one drives the other out.
        assert!((17..20).contains(&asked), "{asked}");
        holds_no_secret("a kept answer", &ask(&host, "GET", "peers/info/pg_shop").await.text());
        for path in ["peers/info/pg_users", "mirrors/list?x=1", "mirrors/list?x=2"] {
            let before = peerdb.count();
            ask(&host, "GET", path).await.expect(200);
            assert_eq!(peerdb.count(), before + 1, "{path}");
        }
        let logs = |page: u32| json!({"flowJobName": "orders", "page": page});
        let before = peerdb.count();
        for page in [1, 2, 1, 2] {
            host.post("/api/v1/peerdb/mirrors/logs", &logs(page)).await.expect(200);
        }
        assert_eq!(peerdb.count(), before + 2);
        // Panels, the tool and the status ask the same questions.
        let before = peerdb.count();
        host.get("/api/v1/tables/peerdb-peers").await.expect(200);
        host.post("/api/v1/tools/peerdb", &json!({"method": "GET", "path": "peers/list"})).await.expect(200);
        assert_eq!((status(&host).await["state"].clone(), peerdb.count()), (json!("connected"), before));
        // A fault is not kept.
        peerdb.is(Mood::Fails(500));
        ask(&host, "GET", "peers/type/new").await.expect(502);
        peerdb.is(Mood::Well);
        ask(&host, "GET", "peers/type/new").await.expect(200);

        let brief = peerdb.known_to(Host::with_bundled()).env("PEERDB_CACHE_TTL_MS", "200").start().await;
        ask(&brief, "GET", "version").await.expect(200);
        let before = peerdb.count();
        eventually("PeerDB is asked again", Duration::from_secs(10), async || {
            ask(&brief, "GET", "version").await.expect(200);
            peerdb.count() > before
        })
        .await;

        let small = peerdb.known_to(Host::with_bundled()).env("PEERDB_CACHE_MAX_ENTRIES", "1").start().await;
        let before = peerdb.count();
        for path in ["version", "version", "mirrors/list", "version"] {
            ask(&small, "GET", path).await.expect(200);
        }
        assert_eq!(peerdb.count(), before + 3, "there is room for one answer");
    });
}

#[test]
fn without_an_address_everything_says_so_and_menus_can_know() {
    run(async {
        let host = shared().await;
        for (method, path, _) in CALLS {
            let message = ask(host, method, path).await.error(503, "network_error");
            assert!(message.contains("PEERDB_API_URL"), "{message}");
        }
        // A panel says it as it says that a table is not there, and so does a check.
        let slots = host.get("/api/v1/tables/peerdb-slots").await.expect(200).json();
        let unavailable = &slots["metadata"]["unavailable"];
        assert_eq!((&slots["data"], &unavailable["reason"]), (&json!([]), &json!("not_enabled")), "{slots}");
        assert!(unavailable["message"].as_str().is_some_and(|words| words.contains("PEERDB_API_URL")), "{slots}");
        let checks = host.get("/api/v1/health/checks?charts=peerdb-slot-health").await.expect(200).json();
        assert_eq!(checks["checks"]["peerdb-slot-health"]["status"], "unavailable", "{checks}");
        // What is not listed is not, wherever.
        host.get("/api/v1/peerdb/alerts/config").await.error(403, "permission_error");
        let told = status(host).await;
        assert_eq!(
            (&told["configured"], &told["host"], &told["state"]),
            (&json!(false), &Value::Null, &json!("not-configured"))
        );
        let configured =
            async |host: &Host| host.get("/api/v1/config").await.json()["resolved"]["peerdb"]["configured"].clone();
        assert_eq!(configured(host).await, false);
        let plugins = host.get("/api/v1/plugins").await.expect(200).rows();
        let plugin = plugins.iter().find(|plugin| plugin["id"] == "panel-peerdb").expect("the plugin");
        assert_eq!(plugin["state"], "active", "{plugin}");

        let peerdb = Peerdb::start().await;
        let there = forgetful(&peerdb).start().await;
        assert_eq!(configured(&there).await, true);
        let absent = forgetful(&peerdb).config("[plugins.panel-peerdb]\nenabled = false").start().await;
        assert_eq!(configured(&absent).await, false);
        assert_eq!(status(&absent).await["state"], "not-configured");
        absent.get("/api/v1/peerdb/version").await.error(503, "network_error");
        // Whoever takes the grant away closes it, and is told which line that was.
        let refused = forgetful(&peerdb).config("[plugins.panel-peerdb.grants]\nhttp = []").start().await;
        assert_eq!(status(&refused).await["state"], "not-configured");
        assert!([502, 503].contains(&refused.get("/api/v1/peerdb/version").await.status));
        assert_eq!(peerdb.count(), 0);
    });
}

#[test]
fn only_who_may_read_peerdb_does() {
    run(async {
        const SECRET: &str = "a-secret-that-signs-keys";
        let peerdb = Peerdb::start().await;
        let off = forgetful(&peerdb).env("CHM_FEATURE_PEERDB_ENABLED", "false").start().await;
        let guarded = forgetful(&peerdb).env("CHM_AUTH_REQUIRED_FEATURES", "peerdb");
        let guarded = guarded.env("CHM_AUTH_PROVIDER", "trusted").env("CHM_TRUSTED_ALLOW_INSECURE", "true");
        let guarded = guarded.env("CHM_PUBLIC_READ", "true").env("CHM_API_KEY_SECRET", SECRET).start().await;
        let everything = |method: &'static str, path: &'static str| (method, format!("/api/v1/peerdb/{path}"));
        let mut all: Vec<(&str, String)> = CALLS.iter().map(|(method, path, _)| everything(method, path)).collect();
        all.extend([everything("GET", "alerts/config"), everything("POST", "peers/create")]);
        all.push(("GET", "/api/v1/peerdb-status".to_owned()));
        all.push(("GET", "/api/v1/tables/peerdb-slots".to_owned()));
        all.push(("POST", "/api/v1/tools/peerdb".to_owned()));
        for (method, path) in &all {
            let send = async |host: &Host| {
                let request = host.request(method.parse().expect("a method"), path);
                Answer::of(if *method == "POST" { request.json(&json!({})) } else { request }).await
            };
            assert_eq!(send(&off).await.expect(404).json()["error"]["code"], "FEATURE_DISABLED", "{path}");
            assert_eq!(send(&guarded).await.expect(401).json()["error"]["code"], "AUTHENTICATION_REQUIRED", "{path}");
        }
        assert_eq!(peerdb.count(), 0);
        let holder = |scope: &str| {
            let key = mint(SECRET, &json!({"sub": "cli", "exp": 4_000_000_000_u64, "scopes": [scope]}));
            format!("Bearer {key}")
        };
        let with = async |scope: &str| {
            let request =
                guarded.request(Method::POST, "/api/v1/peerdb/mirrors/status").header("authorization", holder(scope));
            Answer::of(request.json(&body_of("mirrors/status"))).await
        };
        assert_eq!(with("tables:write").await.expect(403).json()["error"]["code"], "SCOPE_REQUIRED");
        assert_eq!(peerdb.count(), 0);
        // A question with a body reads.
        with("peerdb:read").await.expect(200);
        // Where it is, is told to those who signed in.
        let open = peerdb.known_to(Host::with_bundled());
        let open = open.env("CHM_AUTH_PROVIDER", "trusted").env("CHM_TRUSTED_ALLOW_INSECURE", "true");
        let open = open.env("CHM_PUBLIC_READ", "true").start().await;
        assert_eq!(status(&open).await["host"], Value::Null);
        let ann = open.request(Method::GET, "/api/v1/peerdb-status").header("x-forwarded-user", "ann");
        assert_eq!(Answer::of(ann).await.json()["data"]["host"], peerdb.authority());
    });
}

#[test]
fn panels_show_mirrors_peers_and_the_lag_of_slots_and_check_it() {
    run(async {
        let peerdb = Peerdb::start().await;
        let host = forgetful(&peerdb).start().await;
        let rows = async |path: &str| host.get(&format!("/api/v1/{path}")).await.expect(200).rows();
        let mirrors = rows("tables/peerdb-mirrors").await;
        let states: Vec<_> = mirrors.iter().map(|row| (row["name"].as_str(), row["state"].as_str())).collect();
        let expected = [("orders", "running"), ("users", "snapshot"), ("events", "paused"), ("invoices", "failed")];
        assert_eq!(states, expected.map(|(name, state)| (Some(name), Some(state))));
        assert_eq!(rows("tables/peerdb-mirrors?state=failed").await.len(), 1);
        assert_eq!(rows("tables/peerdb-mirrors?search=PG_USERS").await[0]["name"], "users");
        host.get("/api/v1/tables/peerdb-mirrors?state=lost").await.error(400, "validation_error");
        assert_eq!(rows("tables/peerdb-peers").await.len(), 3);
        assert_eq!(rows("tables/peerdb-status").await[0]["version"], "v0.30.1");

        let slots = rows("tables/peerdb-slots").await;
        let order: Vec<_> =
            slots.iter().map(|row| (row["peer"].clone(), row["slot"].clone(), row["lag_mib"].clone())).collect();
        let expected = [
            (json!("pg_shop"), json!("forgotten"), json!(20_480.0)),
            (json!("pg_users"), json!("peerflow_slot_users"), json!(2000.0)),
            (json!("pg_shop"), json!("peerflow_slot_orders"), json!(12.5)),
        ];
        assert_eq!(order, expected);
        assert_eq!((&slots[0]["active"], &slots[0]["lag_bytes"]), (&json!(false), &json!(21_474_836_480_u64)));
        let points = rows("charts/peerdb-slot-lag?peer=pg_shop&slot=forgotten").await;
        assert_eq!((&points[0]["event_time"], &points[0]["lag_mib"]), (&json!("2024-01-01 00:00:00"), &json!(128.0)));
        assert_eq!((points.len(), &points[1]["lag_mib"]), (2, &json!(512.5)));
        host.get("/api/v1/charts/peerdb-slot-lag?slot=forgotten").await.error(400, "validation_error");

        let names = "peerdb-slots,peerdb-slot-health,peerdb-mirror-health";
        let checks =
            host.get(&format!("/api/v1/health/checks?charts={names}")).await.expect(200).json()["checks"].clone();
        for (name, status, value) in [
            ("peerdb-slots", "critical", 20_480.0),
            ("peerdb-slot-health", "warning", 1.0),
            ("peerdb-mirror-health", "warning", 1.0),
        ] {
            assert_eq!((&checks[name]["status"], &checks[name]["value"]), (&json!(status), &json!(value)), "{checks}");
        }
    });
}

#[test]
fn each_call_is_an_operation_of_the_document() {
    run(async {
        let document = shared().await.get("/openapi.json").await.expect(200).json();
        let paths = document["paths"].as_object().expect("paths");
        let mut listed = 0;
        for (path, methods) in paths.iter().filter(|(path, _)| path.starts_with("/api/v1/peerdb/")) {
            assert!(!path.contains('*'), "{path}");
            for operation in methods.as_object().expect("methods").values() {
                assert_eq!(
                    (&operation["x-chm-feature"], &operation["x-chm-operation"]),
                    (&json!("peerdb"), &json!("read"))
                );
                listed += usize::from(operation["x-chm-plugin"] == "panel-peerdb");
            }
        }
        assert_eq!(listed, CALLS.len());
        for (method, path, _) in CALLS {
            let fits = |template: &str| {
                let template = template.trim_start_matches("/api/v1/peerdb/");
                template.split('/').count() == path.split('/').count()
                    && template.split('/').zip(path.split('/')).all(|(one, other)| one == other || one.starts_with('{'))
            };
            let found = paths.iter().any(|(template, methods)| {
                fits(template) && methods[method.to_lowercase()]["x-chm-plugin"] == "panel-peerdb"
            });
            assert!(found, "{method} {path}");
        }
    });
}
