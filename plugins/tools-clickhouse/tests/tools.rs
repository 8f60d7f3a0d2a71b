//! What each tool asks, and what it answers.

#![allow(clippy::unwrap_used)]

use chm_plugin::host::clickhouse::{QueryError, ServerError};
use chm_plugin::testing::FakeHost;
use chm_plugin::tools::Caller;
use chm_plugin::{Failure, Operation, Toolset};
use serde_json::{Value, json};
use tools_clickhouse::ClickHouse;

fn call(name: &str, arguments: Value) -> Result<Value, Failure> {
    ClickHouse::call(name, arguments, Caller::anonymous())
}

fn server(code: u32) -> QueryError {
    QueryError::Server(ServerError { code, message: "no".into() })
}

#[test]
fn each_tool_has_its_feature_and_schemas_of_objects() {
    let tools: Vec<_> = ClickHouse::describe()
        .into_iter()
        .map(|tool| {
            let input: Value = serde_json::from_str(&tool.input_schema).unwrap();
            let output: Value = serde_json::from_str(&tool.output_schema).unwrap();
            assert_eq!((&input["type"], &output["type"]), (&json!("object"), &json!("object")), "{}", tool.name);
            assert_eq!(input["properties"]["hostId"]["minimum"], 0, "{}", tool.name);
            (tool.name, tool.feature, tool.operation)
        })
        .collect();
    let expected = [
        ("list_databases", "tables", Operation::Read),
        ("list_tables", "tables", Operation::Read),
        ("get_table_schema", "tables", Operation::Read),
        ("query", "tables", Operation::Write),
        ("get_running_queries", "queries", Operation::Read),
        ("get_slow_queries", "queries", Operation::Read),
    ];
    assert_eq!(tools, expected.map(|(name, feature, operation)| (name.into(), feature.into(), operation)));
}

#[test]
fn names_are_bound_and_never_part_of_the_statement() {
    let hostile = "x'; DROP TABLE t; --";
    for (tool, arguments) in [
        ("list_tables", json!({"database": hostile, "hostId": 2})),
        ("get_table_schema", json!({"database": hostile, "table": hostile, "hostId": 2})),
    ] {
        let fake = FakeHost::new().answer("system", json!([{"name": "a"}]));
        call(tool, arguments).unwrap();
        let [(host, query)] = fake.queries().try_into().unwrap();
        assert_eq!(host, 2, "{tool}");
        assert!(!query.sql.contains("DROP"), "{tool}");
        assert!(query.bindings.iter().all(|binding| binding.value == hostile), "{tool}");
    }
}

#[test]
fn things_that_do_not_exist_are_not_found() {
    let _ = FakeHost::new().answer("system", json!([]));
    assert!(matches!(call("list_tables", json!({"database": "x"})), Err(Failure::NotFound(_))));
    assert!(matches!(call("get_table_schema", json!({"database": "x", "table": "y"})), Err(Failure::NotFound(_))));
    assert!(matches!(call("absent", json!({})), Err(Failure::NotFound(_))));
}

#[test]
fn an_empty_database_is_an_empty_list() {
    let _ = FakeHost::new().answer("system.tables", json!([])).answer("system.databases", json!([{"name": "x"}]));
    assert_eq!(call("list_tables", json!({"database": "x"})).unwrap(), json!({"tables": [], "truncated": false}));
}

#[test]
fn a_query_returns_its_rows_and_says_when_there_were_more() {
    let fake = FakeHost::new().answer("SELECT", json!([{"n": 1}, {"n": 2}, {"n": 3}]));
    let answer = call("query", json!({"sql": "SELECT n FROM t", "maxRows": 2})).unwrap();
    assert_eq!(answer, json!({"rows": [{"n": 1}, {"n": 2}], "truncated": true}));
    assert_eq!((fake.queries()[0].0, fake.queries()[0].1.max_rows), (0, 2));
}

#[test]
fn a_query_that_fails_says_whose_fault_it_is() {
    type Expected = fn(&Failure) -> bool;
    let cases: [(QueryError, Expected); 8] = [
        (QueryError::Refused("no".into()), |f| matches!(f, Failure::InvalidInput(_))),
        (QueryError::Denied("no".into()), |f| matches!(f, Failure::Denied(_))),
        (QueryError::Unavailable("no".into()), |f| matches!(f, Failure::Unavailable(_))),
        (server(60), |f| matches!(f, Failure::NotFound(_))),
        (server(81), |f| matches!(f, Failure::NotFound(_))),
        (server(62), |f| matches!(f, Failure::InvalidInput(_))),
        (server(241), |f| matches!(f, Failure::Unavailable(_))),
        (server(497), |f| matches!(f, Failure::Denied(_))),
    ];
    for (error, expected) in cases {
        let _ = FakeHost::new().answer_error("", error.clone());
        let failure = call("query", json!({"sql": "SELECT 1"})).unwrap_err();
        assert!(expected(&failure), "{error:?} became {failure:?}");
    }
    let _ = FakeHost::new().answer_error("", server(47));
    assert!(matches!(call("get_running_queries", json!({})), Err(Failure::Internal(_))), "our own statement is wrong");
}

#[test]
fn slow_queries_keep_to_their_limits() {
    for (sent, bound) in [(json!({}), "10"), (json!({"limit": 1000}), "1000"), (json!({"limit": 5000}), "1000")] {
        let fake = FakeHost::new().answer("query_log", json!([]));
        call("get_slow_queries", sent).unwrap();
        let (_, query) = fake.queries().swap_remove(0);
        assert_eq!(query.bindings.iter().find(|binding| binding.name == "limit").unwrap().value, bound);
    }
}

#[test]
fn arguments_that_do_not_fit_are_named() {
    let _ = FakeHost::new();
    for (tool, arguments, named) in [
        ("query", json!({}), "sql"),
        ("query", json!({"sql": "SELECT 1", "hostID": 1}), "hostID"),
        ("list_databases", json!({"hostId": -1}), "-1"),
        ("list_tables", json!({"database": 7}), "7"),
    ] {
        match call(tool, arguments) {
            Err(Failure::InvalidInput(text)) => assert!(text.contains(named), "{text}"),
            other => assert!(matches!(other, Err(Failure::InvalidInput(_))), "{other:?}"),
        }
    }
}
