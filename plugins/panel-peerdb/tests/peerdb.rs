//! What the plugin asks PeerDB, and what it makes of the answers.

#![allow(clippy::unwrap_used)]

use chm_plugin::host::http::{HttpError, Request, Response};
use chm_plugin::panels::{Context, Shape};
use chm_plugin::testing::{FakeHost, problems};
use chm_plugin::tools::Caller;
use chm_plugin::{Failure, Panels, Toolset};
use panel_peerdb::{Tables, Tools};
use serde_json::{Value, json};

fn answer(body: &Value) -> Result<Response, HttpError> {
    Ok(Response { body: body.to_string().into_bytes(), ..Response::status(200) })
}

/// A host whose PeerDB answers by path.
fn peerdb(answer: impl Fn(&str, &Request) -> Result<Response, HttpError> + 'static) -> FakeHost {
    FakeHost::new()
        .setting("cache_ttl_ms", "10000")
        .setting("cache_max_entries", "500")
        .kv(1 << 20)
        .now(1e12)
        .endpoint("peerdb", move |request| answer(&request.path, request))
}

fn call(arguments: Value) -> Result<Value, Failure> {
    Tools::call("peerdb", arguments, Caller::anonymous())
}

fn get(path: &str) -> Result<Value, Failure> {
    call(json!({"method": "GET", "path": path}))
}

fn rows(panel: &str, parameters: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
    Tables::fetch(panel, Context::example(parameters)).map(|rows| serde_json::from_slice(&rows).unwrap())
}

#[test]
fn the_panels_are_as_the_host_wants_them() {
    for panel in Tables::describe() {
        assert_eq!(problems(&panel), [] as [String; 0]);
        assert_eq!((panel.feature.as_str(), panel.cache_seconds), ("peerdb", 0), "{}", panel.id);
        assert!(panel.id.starts_with("peerdb-"), "{}", panel.id);
        if let Some(check) = &panel.check {
            assert!(panel.columns.iter().any(|column| column.name == check.column), "{}", panel.id);
            assert_eq!(panel.shape == Shape::Table, panel.id == "peerdb-slots", "{}", panel.id);
        }
    }
}

#[test]
fn the_tool_lists_its_calls() {
    let [tool] = Tools::describe().try_into().unwrap();
    assert_eq!((tool.name.as_str(), tool.feature.as_str()), ("peerdb", "peerdb"));
    let schema: Value = serde_json::from_str(&tool.input_schema).unwrap();
    let calls = schema["x-chm-calls"].as_array().unwrap();
    assert_eq!(calls.len(), 17);
    for call in calls {
        let path = call["path"].as_str().unwrap();
        assert!(tool.summary.contains(path), "{path}");
    }
}

#[test]
fn a_call_goes_out_as_it_came_below_its_version() {
    let host = peerdb(|_, _| answer(&json!({"ok": true})));
    assert_eq!(
        call(json!({"method": "GET", "path": "mirrors/total_rows_synced/m", "query": {"excludeCdc": "true"}})),
        Ok(json!({"ok": true}))
    );
    call(json!({"method": "POST", "path": "mirrors/logs", "body": {"flowJobName": "m", "page": 2}})).unwrap();
    let [get, post] = host.requests().try_into().unwrap();
    assert_eq!((get.endpoint.as_str(), get.request.method.as_str()), ("peerdb", "GET"));
    assert_eq!(get.request.path, "v1/mirrors/total_rows_synced/m");
    assert_eq!((get.request.query[0].name.as_str(), get.request.query[0].value.as_str()), ("excludeCdc", "true"));
    assert!(get.request.body.is_empty());
    assert_eq!((post.request.method.as_str(), post.request.path.as_str()), ("POST", "v1/mirrors/logs"));
    assert_eq!(post.json(), json!({"flowJobName": "m", "page": 2}));
}

#[test]
fn what_is_not_listed_is_denied_and_not_asked() {
    let host = peerdb(|_, _| answer(&json!({})));
    for (method, path) in [
        ("GET", "alerts/config"),
        ("GET", "mirrors/status"),
        ("POST", "mirrors/list"),
        ("POST", "peers/create"),
        ("GET", "peers/info/a/b"),
        ("GET", "peers/info/.."),
        ("GET", "peers/info/%2e%2e"),
        ("GET", "../v1/version"),
        ("GET", "/version"),
        ("GET", "version/"),
        ("GET", "v1/version"),
        ("GET", ""),
    ] {
        let refused = call(json!({"method": method, "path": path}));
        assert!(matches!(refused, Err(Failure::Denied(_))), "{method} {path}: {refused:?}");
    }
    for arguments in [
        json!({"method": "DELETE", "path": "version"}),
        json!({"method": "get", "path": "version"}),
        json!({"method": "POST", "path": "mirrors/status"}),
        json!({"method": "POST", "path": "mirrors/status", "body": {"flowJobName": ""}}),
        json!({"method": "GET", "path": "version", "body": {}}),
        json!({"method": "GET", "path": "version", "more": 1}),
    ] {
        let refused = call(arguments.clone());
        assert!(matches!(refused, Err(Failure::InvalidInput(_))), "{arguments}: {refused:?}");
    }
    assert_eq!(host.requests().len(), 0);
}

#[test]
fn each_fault_has_its_failure_and_shows_no_secret() {
    type Fault = fn() -> Result<Response, HttpError>;
    let faults: [(Fault, &str, &str); 10] = [
        (|| Ok(Response::status(401)), "upstream", "PEERDB_PASSWORD"),
        (|| Ok(Response::status(403)), "upstream", "PEERDB_PASSWORD"),
        (|| Ok(Response::status(302)), "upstream", "/api"),
        (
            || {
                let body = br#"{"code":2,"message":"no connection to postgres://u:hunter2@db/x","details":[]}"#;
                Ok(Response { body: body.to_vec(), ..Response::status(500) })
            },
            "upstream",
            "PeerDB answered 500: no connection to postgres://***@db/x",
        ),
        (|| Ok(Response { body: b"<html>".to_vec(), ..Response::status(200) }), "upstream", "JSON"),
        (|| Ok(Response { body: b"[1]".to_vec(), ..Response::status(200) }), "upstream", "JSON"),
        (|| Err(HttpError::TooLarge), "upstream", "max_response_bytes"),
        (|| Err(HttpError::Timeout), "timeout", "PEERDB_FETCH_TIMEOUT_MS"),
        (|| Err(HttpError::Unreachable("refused".into())), "upstream", "refused"),
        (|| Err(HttpError::Denied("not configured".into())), "unavailable", "PEERDB_API_URL"),
    ];
    for (fault, kind, words) in faults {
        let host = peerdb(move |_, _| fault());
        let (found, text) = match get("version").unwrap_err() {
            Failure::Upstream(text) => ("upstream", text),
            Failure::Timeout(text) => ("timeout", text),
            Failure::Unavailable(text) => ("unavailable", text),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, kind, "{text}");
        assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
        // A fault is not remembered.
        get("version").unwrap_err();
        assert_eq!(host.requests().len(), 2, "{text}");
    }
}

#[test]
fn an_answer_is_kept_without_secrets_for_its_time_and_for_equal_questions_only() {
    let host = peerdb(|path, _| answer(&json!({"path": path, "password": "hunter2"})));
    for _ in 0..3 {
        assert_eq!(get("version").unwrap()["password"], "***");
    }
    assert_eq!(host.requests().len(), 1);
    let host = host.now(1e12 + 9999.0);
    get("version").unwrap();
    assert_eq!(host.requests().len(), 1);
    let host = host.now(1e12 + 10_000.0);
    get("version").unwrap();
    assert_eq!(host.requests().len(), 2);
    // The clock was set back.
    let host = host.now(1e12 - 1.0);
    get("version").unwrap();
    assert_eq!(host.requests().len(), 3);

    let body =
        |page: u32| json!({"method": "POST", "path": "mirrors/logs", "body": {"flowJobName": "m", "page": page}});
    for arguments in [
        body(1),
        body(2),
        body(1),
        json!({"method": "GET", "path": "mirrors/list", "query": {"a": "b"}}),
        json!({"method": "GET", "path": "mirrors/list"}),
    ] {
        call(arguments).unwrap();
    }
    assert_eq!(host.requests().len(), 3 + 4);
}

#[test]
fn the_cache_can_be_off_small_absent_or_full() {
    let asked = |host: FakeHost| {
        for path in ["version", "mirrors/list", "version", "mirrors/list"] {
            get(path).unwrap();
        }
        host.requests().len()
    };
    let host = || peerdb(|_, _| answer(&json!({"long": "x".repeat(500)})));
    assert_eq!(asked(host()), 2);
    assert_eq!(asked(host().setting("cache_ttl_ms", "0")), 4);
    assert_eq!(asked(host().setting("cache_max_entries", "0")), 4);
    assert_eq!(asked(host().setting("cache_max_entries", "1")), 4, "the second answer is in the first one's place");
    assert_eq!(asked(host().kv(10)), 4);
    assert_eq!(asked(host().kv(700)), 4, "there is room for one");
    // The same question again is answered by what made room for itself.
    let host = host().kv(700);
    for path in ["version", "mirrors/list", "mirrors/list", "mirrors/list"] {
        get(path).unwrap();
    }
    assert_eq!(host.requests().len(), 2);
}

#[test]
fn the_status_is_a_row_whatever_is_wrong() {
    for (fault, state) in [
        (Err(HttpError::Denied("no".into())), "not-configured"),
        (Ok(Response::status(401)), "auth"),
        (Ok(Response::status(500)), "unreachable"),
        (Err(HttpError::Timeout), "unreachable"),
        (answer(&json!({"version": "v0.30.1"})), "connected"),
    ] {
        let _host = peerdb(move |_, _| fault.clone());
        let [row] = rows("peerdb-status", &[]).unwrap().try_into().unwrap();
        assert_eq!(row["state"], state);
        assert_eq!(row["configured"], json!(state != "not-configured"));
        assert_eq!(
            (row["version"].is_string(), row["error"].is_string()),
            (state == "connected", state != "connected")
        );
    }
}

/// Three mirrors, as PeerDB's interface has them; the third's state cannot be had.
fn mirrors(path: &str, request: &Request) -> Result<Response, HttpError> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match (path, body["flowJobName"].as_str()) {
        ("v1/mirrors/list", _) => answer(&json!({"mirrors": [
            {"id": "1", "name": "orders", "sourceName": "pg", "sourceType": "POSTGRES", "destinationName": "ch",
                "destinationType": 8, "createdAt": 1.7e12, "isCdc": true},
            {"id": "2", "name": "users", "sourceName": "My", "sourceType": 7, "destinationName": "ch",
                "destinationType": "CLICKHOUSE", "createdAt": 0, "isCdc": false},
            {"id": "3", "name": "lost", "sourceName": "pg", "destinationName": "ch"}]})),
        ("v1/mirrors/status", Some("orders")) => answer(&json!({"currentFlowState": "STATUS_RUNNING"})),
        ("v1/mirrors/status", Some("users")) => answer(&json!({"currentFlowState": 10})),
        _ => Ok(Response::status(500)),
    }
}

#[test]
fn mirrors_have_their_states_and_what_is_wrong_with_one_is_in_its_row() {
    let _host = peerdb(mirrors);
    let all = rows("peerdb-mirrors", &[]).unwrap();
    assert_eq!(
        all[0],
        json!({"name": "orders", "kind": "cdc", "state": "running", "source": "pg", "source_type": "postgres",
            "destination": "ch", "destination_type": "clickhouse", "created_at": "2023-11-14 22:13:20", "problem": null})
    );
    assert_eq!((&all[1]["state"], &all[1]["source_type"]), (&json!("failed"), &json!("mysql")));
    assert_eq!((&all[1]["kind"], &all[1]["created_at"]), (&json!("query"), &Value::Null));
    assert_eq!(all[2]["state"], Value::Null);
    assert!(all[2]["problem"].as_str().unwrap().contains("500"), "{}", all[2]);
    let names = |parameters: &[(&str, &str)]| -> Vec<String> {
        rows("peerdb-mirrors", parameters).unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&[("state", "failed")]), ["users", "lost"], "who looks for failed ones misses none");
    assert_eq!(names(&[("search", "MY")]), ["users"]);
    assert_eq!(names(&[("state", "running"), ("search", "users")]), [] as [&str; 0]);
    let [health] = rows("peerdb-mirror-health", &[]).unwrap().try_into().unwrap();
    assert_eq!(health, json!({"failed": 1, "running": 1, "snapshot": 0, "paused": 0, "other": 1, "mirrors": 3}));
}

fn slots(path: &str, _: &Request) -> Result<Response, HttpError> {
    match path {
        "v1/peers/list" => answer(&json!({
            "items": [{"name": "a", "type": "POSTGRES"}, {"name": "b b", "type": 3}, {"name": "ch", "type": "CLICKHOUSE"},
                {"name": "gone", "type": "POSTGRES"}],
            "sourceItems": [{"name": "a", "type": "POSTGRES"}]})),
        "v1/peers/slots/a" => answer(&json!({"slotData": [
            {"slotName": "idle", "active": false, "lagInMb": 20480.5, "walStatus": "extended", "restartLSN": "0/1"},
            {"slotName": "new", "active": true, "lagInMb": -1}]})),
        "v1/peers/slots/b%20b" => answer(&json!({"slotData": [{"slotName": "big", "active": true, "lagInMb": 30000,
            "waitEventType": "Client", "waitEvent": "ClientRead"}]})),
        _ => Ok(Response::status(500)),
    }
}

#[test]
fn slots_come_by_their_lag_and_a_peers_trouble_is_a_row() {
    let host = peerdb(slots);
    let all = rows("peerdb-slots", &[]).unwrap();
    let order: Vec<_> = all.iter().map(|row| row["slot"].as_str()).collect();
    assert_eq!(order, [Some("big"), Some("idle"), Some("new"), None]);
    assert_eq!((&all[0]["peer"], &all[0]["waits_for"]), (&json!("b b"), &json!("Client: ClientRead")));
    assert_eq!((&all[1]["lag_mib"], &all[1]["lag_bytes"]), (&json!(20480.5), &json!(21_475_360_768_u64)));
    assert_eq!((&all[1]["wal_status"], &all[1]["restart_lsn"]), (&json!("extended"), &json!("0/1")));
    assert_eq!(all[2]["lag_mib"], 0.0);
    assert_eq!((&all[3]["peer"], &all[3]["lag_mib"]), (&json!("gone"), &Value::Null));
    assert!(all[3]["problem"].as_str().unwrap().contains("500"));
    assert!(host.requests().iter().all(|sent| sent.request.path != "v1/peers/slots/ch"), "ClickHouse has no slots");

    let [health] = rows("peerdb-slot-health", &[]).unwrap().try_into().unwrap();
    assert_eq!(
        health,
        json!({"inactive": 1, "slots": 3, "worst_lag_mib": 30000.0, "worst_slot": "b b/big", "unknown_peers": 1})
    );
    assert_eq!(rows("peerdb-slots", &[("peer", "a")]).unwrap().len(), 2);
    assert!(matches!(rows("peerdb-slots", &[("peer", "gone")]), Err(Failure::Upstream(_))));
    for peer in ["a/b", "..", "100%"] {
        assert!(matches!(rows("peerdb-slots", &[("peer", peer)]), Err(Failure::InvalidInput(_))), "{peer}");
    }
    let peers = rows("peerdb-peers", &[]).unwrap();
    assert_eq!(peers[0], json!({"name": "a", "type": "postgres", "is_source": true, "is_destination": null}));
    assert_eq!(peers.len(), 4);
}

#[test]
fn lag_over_time_is_in_order_whatever_order_peerdb_has() {
    let host = peerdb(|_, _| {
        answer(&json!({"data": [{"time": 1_704_067_260_000.0, "size": 2.5, "restartLSN": "0/2"},
            {"time": 1_704_067_200_000.0, "size": 1}, {"size": 9}, {"time": 1e300, "size": 9}]}))
    });
    let parameters = [("peer", "p"), ("slot", "s"), ("since", "1day")];
    let points = rows("peerdb-slot-lag", &parameters).unwrap();
    assert_eq!(points.len(), 2);
    assert_eq!((&points[0]["event_time"], &points[0]["lag_bytes"]), (&json!("2024-01-01 00:00:00"), &json!(1_048_576)));
    assert_eq!((&points[1]["lag_mib"], &points[1]["restart_lsn"]), (&json!(2.5), &json!("0/2")));
    let [sent] = host.requests().try_into().unwrap();
    assert_eq!(sent.json(), json!({"peerName": "p", "slotName": "s", "timeSince": "1day"}));
}

#[test]
fn nothing_that_peerdb_says_makes_a_panel_break() {
    for strange in [
        json!({}),
        json!({"mirrors": {}, "items": 7, "slotData": null, "data": "x"}),
        json!({"mirrors": [null, 1, {"name": 7, "createdAt": "x", "isCdc": "y"}], "items": [null, {"type": {}}, {"name": "p",
            "type": 3}], "slotData": [null, {"lagInMb": "NaN", "active": "no"}], "data": [[], {"time": "x", "size": {}}],
            "currentFlowState": [], "version": 3}),
    ] {
        let _host = peerdb(move |_, _| answer(&strange));
        for panel in Tables::describe() {
            let parameters = [("peer", ""), ("slot", ""), ("since", "1day"), ("state", ""), ("search", "")];
            match rows(&panel.id, &parameters) {
                Ok(rows) => {
                    for row in &rows {
                        assert_eq!(row.as_object().unwrap().len(), panel.columns.len(), "{}: {row}", panel.id);
                    }
                }
                Err(failure) => assert!(matches!(failure, Failure::InvalidInput(_)), "{}: {failure:?}", panel.id),
            }
        }
    }
}
