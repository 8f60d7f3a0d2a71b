//! The actions against a host that grants what each test gives it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chm_plugin::actions::{Context, DryRun, Effect};
use chm_plugin::host::clickhouse::{QueryError, Rows, ServerError};
use chm_plugin::host::control::ControlError;
use chm_plugin::testing::FakeHost;
use chm_plugin::{Actions, Failure};
use panel_actions::ClickHouse;
use serde_json::{Value, json};

const KILL: &str = "killQuery";
const OPTIMIZE: &str = "optimizeTable";
const SETTINGS: &str = "querySettings";

fn of(id: &str) -> Context {
    Context::example(&[("queryId", id)])
}

fn table(name: &str) -> Context {
    Context::example(&[("table", name)])
}

fn running(is_initial: u8, identity: &str) -> Value {
    json!({
        "user": "ann", "is_initial": is_initial, "initial_query_id": "whole", "initial_address": "::ffff:10.0.0.7",
        "initial_port": 9000, "elapsed": 12.5, "memory_bytes": 1536.0, "is_cancelled": 0, "identity": identity,
        "text": "SELECT count() FROM numbers(1e12)",
    })
}

/// Hosts 0 and 1, each with these queries by id.
fn hosts(processes: [&'static [(&'static str, u8)]; 2]) -> FakeHost {
    FakeHost::new().clickhouse_host(0, "a", "26.7").clickhouse_host(1, "b", "26.7").answer_with(move |host, query| {
        let id = &query.bindings.iter().find(|binding| binding.name == "query_id")?.value;
        let here = processes.get(host as usize)?.iter().filter(|(known, _)| known == id);
        let rows: Vec<Value> = here.map(|(_, is_initial)| running(*is_initial, "i1")).collect();
        let count = rows.len() as u32;
        Some(Ok(Rows { json: Value::from(rows).to_string().into_bytes(), count, truncated: false }))
    })
}

fn targets(dry: &DryRun) -> Value {
    serde_json::from_slice(&dry.targets).unwrap()
}

fn words(failure: Failure) -> String {
    match failure {
        Failure::InvalidInput(text) | Failure::NotFound(text) | Failure::Denied(text) | Failure::Unavailable(text) => {
            text
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_changes_something_says_which_statement_it_needs() {
    let described = ClickHouse::describe();
    let names: Vec<&str> = described.iter().map(|action| action.name.as_str()).collect();
    assert_eq!(names, [KILL, OPTIMIZE, SETTINGS]);
    for action in described {
        assert_eq!(action.effect == Effect::Changes, !action.statements.is_empty(), "{}", action.name);
        assert!(action.summary.ends_with('.') && action.parameters.iter().all(|parameter| parameter.default.is_none()));
    }
}

#[test]
fn a_preview_shows_the_query_and_changes_nothing() {
    let fake = hosts([&[("q1", 1)], &[]]).control();
    let dry = ClickHouse::preview(KILL, of("q1")).unwrap();
    for word in ["q1", "ann", "12.5 s", "1.5 KiB"] {
        assert!(dry.summary.contains(word), "{}", dry.summary);
    }
    assert_eq!(targets(&dry)[0]["query"], "SELECT count() FROM numbers(1e12)");
    assert!(fake.controls().is_empty());
    ClickHouse::run(KILL, of("q1")).unwrap();
    assert_eq!(fake.controls(), ["kill 0 q1"]);
}

#[test]
fn a_part_of_a_query_is_stopped_where_the_whole_was_started() {
    let fake = hosts([&[("part", 0)], &[("whole", 1)]]).control();
    let dry = ClickHouse::preview(KILL, of("part")).unwrap();
    assert_eq!((&targets(&dry)[0]["hostId"], &targets(&dry)[0]["queryId"]), (&json!(1), &json!("whole")));
    assert!(dry.summary.contains("a part"), "{}", dry.summary);
    ClickHouse::run(KILL, of("part")).unwrap();
    assert_eq!(fake.controls(), ["kill 1 whole"]);
}

#[test]
fn a_part_whose_whole_runs_elsewhere_is_left_alone_and_the_server_is_named() {
    let fake = hosts([&[("part", 0)], &[("whole", 0)]]).control();
    let said = words(ClickHouse::run(KILL, of("part")).unwrap_err());
    assert!(said.contains("::ffff:10.0.0.7") && said.contains("`whole`"), "{said}");
    assert!(fake.controls().is_empty());
    hosts([&[("part", 0)], &[]])
        .answer_with(|host, _| (host == 1).then(|| Err(QueryError::Unavailable("no answer".into()))));
    let said = words(ClickHouse::preview(KILL, of("part")).unwrap_err());
    assert!(said.contains("1 (b)"), "{said}");
}

#[test]
fn a_fingerprint_is_another_when_another_query_would_be_hit() {
    let fingerprint = |identity: &'static str| {
        let _ = FakeHost::new().answer("system.processes", json!([running(1, identity)]));
        ClickHouse::preview(KILL, of("q1")).unwrap().fingerprint
    };
    assert_eq!(fingerprint("i1"), fingerprint("i1"));
    assert_ne!(fingerprint("i1"), fingerprint("i2"));
}

#[test]
fn what_is_over_or_not_permitted_is_said_in_words() {
    let _ = hosts([&[("q1", 1)], &[]]).control_answer(Ok(0));
    assert!(words(ClickHouse::run(KILL, of("q1")).unwrap_err()).contains("has ended"));
    let _ = hosts([&[], &[]]).control();
    assert!(matches!(ClickHouse::preview(KILL, of("q1")), Err(Failure::NotFound(said)) if said.contains("q1")));
    assert!(matches!(ClickHouse::preview(KILL, of(" ")), Err(Failure::InvalidInput(said)) if said.contains("queryId")));
    let _ = hosts([&[("q1", 1)], &[]]).control_answer(Err(ControlError::Denied("GRANT KILL QUERY".into())));
    assert_eq!(ClickHouse::run(KILL, of("q1")).unwrap_err(), Failure::denied("GRANT KILL QUERY"));
    assert!(matches!(ClickHouse::run("drop", of("q1")), Err(Failure::NotFound(_))));
}

fn tables(engine: &str) -> FakeHost {
    FakeHost::new()
        .control()
        .answer("system.tables", json!([{"database": "shop", "name": "orders", "engine": engine, "identity": "7"}]))
        .answer("system.parts", json!([{"parts": 3.0, "partitions": 1.0, "rows": 30.0, "bytes": 2048.0}]))
        .answer("system.merges", json!([{"merges": 1.0}]))
}

#[test]
fn a_table_is_optimised_by_its_checked_name() {
    let fake = tables("ReplicatedMergeTree");
    let dry = ClickHouse::preview(OPTIMIZE, table("shop.orders")).unwrap();
    for word in ["3 active parts", "1 partition,", "30 rows", "2.0 KiB", "1 merge of it"] {
        assert!(dry.summary.contains(word), "{}", dry.summary);
    }
    assert!(fake.controls().is_empty());
    let outcome = ClickHouse::run(OPTIMIZE, table("`orders`")).unwrap();
    assert!(outcome.message.contains("going on"), "{}", outcome.message);
    assert_eq!(fake.controls(), ["optimize 0 shop.orders"]);
}

#[test]
fn what_has_no_parts_is_not_optimised() {
    for (engine, word) in [("View", "View"), ("MaterializedView", "writes to"), ("Distributed", "MergeTree")] {
        let fake = tables(engine);
        let said = words(ClickHouse::run(OPTIMIZE, table("shop.orders")).unwrap_err());
        assert!(said.contains(word) && said.contains("`table`"), "{said}");
        assert!(fake.controls().is_empty());
    }
    let fake = tables("MergeTree").answer("system.tables", json!([]));
    assert!(words(ClickHouse::preview(OPTIMIZE, table("shop.gone")).unwrap_err()).contains("shop.gone"));
    assert!(words(ClickHouse::preview(OPTIMIZE, table("shop.orders FINAL")).unwrap_err()).contains("`table`"));
    assert!(fake.controls().is_empty());
}

#[test]
fn settings_are_read_from_old_and_new_servers_and_their_credentials_are_hidden() {
    let sent = json!({"max_threads": "8", "s3_secret_access_key": "hunter2"});
    let expected = json!({
        "queryId": "q1", "hidden": ["s3_secret_access_key"],
        "settings": {"max_threads": "8", "s3_secret_access_key": "[HIDDEN]"},
    });
    let data =
        || -> Value { serde_json::from_slice(&ClickHouse::run(SETTINGS, of("q1")).unwrap().data.unwrap()).unwrap() };
    let _ = FakeHost::new().answer("Settings AS", json!([{"settings": sent}]));
    assert_eq!(data(), expected);
    let unknown = QueryError::Server(ServerError { code: 47, message: "Unknown identifier".into() });
    let names = json!(["max_threads", "s3_secret_access_key"]);
    let _ = FakeHost::new()
        .answer_error("Settings AS", unknown)
        .answer("Settings.Names", json!([{"names": names, "values": ["8", "hunter2"]}]));
    assert_eq!(data(), expected);
    let _ = FakeHost::new().answer("Settings AS", json!([]));
    assert!(matches!(ClickHouse::run(SETTINGS, of("q1")), Err(Failure::NotFound(_))));
}
