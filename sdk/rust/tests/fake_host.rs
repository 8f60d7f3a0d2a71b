//! What the fake host grants, and what it refuses.

use chm_plugin::host::clickhouse::{QueryError, ServerError, query};
use chm_plugin::host::http::{self, HttpError, Response};
use chm_plugin::host::jwt::{JwtError, Place};
use chm_plugin::host::kv::KvError;
use chm_plugin::host::secrets::{BasicOutcome, SecretError};
use chm_plugin::host::{config, control, jwt, kv, secrets};
use chm_plugin::testing::FakeHost;
use chm_plugin::{Failure, host};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, PartialEq, Deserialize)]
struct Named {
    name: String,
}

#[test]
fn what_the_test_does_not_grant_is_denied() {
    let _ = FakeHost::new();
    assert!(matches!(secrets::is_set("s"), Err(SecretError::Denied(_))));
    assert!(matches!(http::get().send("e"), Err(HttpError::Denied(_))));
    assert!(matches!(kv::get("k"), Err(KvError::Denied(_))));
    assert!(matches!(jwt::verify("i", "t"), Err(JwtError::Denied(_))));
    assert!(matches!(control::kill_query(0, "q").map_err(Failure::from), Err(Failure::Denied(_))));
    assert!(matches!(query("SELECT 1").read(0), Err(QueryError::Unavailable(_))));
    assert_eq!(config::get("x"), None);
}

#[test]
fn settings_have_the_types_of_the_manifest() {
    let _ = FakeHost::new().setting("on", "true").setting("n", "42").setting("l", "a, b,,c").setting("empty", "");
    assert!(config::boolean("on") && !config::boolean("off"));
    assert_eq!(config::integer("n"), Some(42));
    assert_eq!(config::list("l"), ["a", "b", "c"]);
    assert_eq!(config::get("empty"), None);
}

#[test]
fn a_secret_without_a_value_is_unset_not_empty() {
    let _ = FakeHost::new().unset_secret("s");
    assert_eq!(secrets::is_set("s"), Ok(false));
    assert_eq!(secrets::equals("s", ""), Err(SecretError::Unset));
}

#[test]
fn tokens_are_what_the_test_says_to_each_issuer_and_place() {
    let _ = FakeHost::new()
        .token("company", "t", json!({"sub": "ann"}))
        .token_error("company", "old", JwtError::Invalid("it has expired".into()))
        .unset_issuer("later")
        .issuer("other")
        .sent_token("company", Place::Header("X-Assertion".into()), json!({"sub": "bob"}))
        .sent_token_error("company", Place::Cookie("Token".into()), JwtError::Unavailable("no keys".into()));
    assert_eq!((jwt::configured("company"), jwt::configured("later")), (Ok(true), Ok(false)));
    assert!(matches!(jwt::configured("unknown"), Err(JwtError::Denied(_))));
    assert_eq!(jwt::verify("company", "t").unwrap(), r#"{"sub":"ann"}"#);
    assert!(matches!(jwt::verify("company", "old"), Err(JwtError::Invalid(_))));
    assert!(matches!(jwt::verify("company", "unheard of"), Err(JwtError::Foreign(_))));
    assert_eq!(jwt::verify("later", "t"), Err(JwtError::Unset));
    let header = || Place::Header("x-assertion".into());
    assert_eq!(jwt::verify_sent("company", header()).unwrap().as_deref(), Some(r#"{"sub":"bob"}"#));
    assert!(matches!(jwt::verify_sent("other", header()), Err(JwtError::Foreign(_))));
    assert!(matches!(jwt::verify_sent("company", Place::Cookie("Token".into())), Err(JwtError::Unavailable(_))));
    assert_eq!(jwt::verify_sent("company", Place::Bearer), Ok(None));
    assert_eq!(jwt::verify_sent("later", Place::Bearer), Err(JwtError::Unset));
}

#[test]
fn basic_credentials_are_those_of_the_request() {
    let sends = |authorization: &str| {
        let _ = FakeHost::new().basic_user("users", "ann", "s3cret").request_header("Authorization", authorization);
        secrets::basic("users").unwrap()
    };
    assert_eq!(sends("Basic YW5uOnMzY3JldA=="), BasicOutcome::User("ann".into()));
    assert_eq!(sends("Basic YW5uOndyb25n"), BasicOutcome::Wrong);
    assert_eq!(sends("Basic ?"), BasicOutcome::Wrong);
    assert_eq!(sends("Bearer t"), BasicOutcome::Absent);
    assert!(secrets::header_present("authorization") && !secrets::header_present("x-other"));
}

#[test]
fn the_latest_answer_that_fits_a_statement_counts() {
    let fake = FakeHost::new().answer("system", json!([{"name": "old"}])).answer(
        "system.tables",
        json!([
            {"name": "a"}, {"name": "b"}
        ]),
    );
    let tables = query("SELECT name FROM system.tables WHERE database = {db:String}").bind("db", "x").max_rows(1);
    assert_eq!(tables.rows::<Named>(3).unwrap(), [Named { name: "a".into() }]);
    assert!(tables.read(3).unwrap().truncated);
    let (host, asked) = fake.queries().swap_remove(0);
    assert_eq!((host, asked.bindings[0].value.as_str()), (3, "x"));
}

#[test]
fn clickhouses_errors_become_failures_by_their_code() {
    let failure = |code| {
        let _ = FakeHost::new().answer_error("SELECT", QueryError::Server(ServerError { code, message: "no".into() }));
        query("SELECT 1").rows::<Named>(0).unwrap_err()
    };
    assert!(matches!(failure(60), Failure::NotFound(_)));
    assert!(matches!(failure(81), Failure::NotFound(_)));
    assert!(matches!(failure(497), Failure::Denied(_)));
    assert!(matches!(failure(159), Failure::Unavailable(_)));
    assert!(matches!(failure(47), Failure::Internal(_)), "the plugin wrote the statement");
    let server = QueryError::Server(ServerError { code: 47, message: "no".into() });
    assert!(matches!(server.of_callers_statement(), Failure::InvalidInput(_)), "the caller wrote the statement");
}

#[test]
fn requests_are_recorded_and_answered() {
    let fake = FakeHost::new().endpoint("hook", |request| {
        Ok(Response::status(if request.method == "POST" { 201 } else { 405 }).with_header("X-Id", "7"))
    });
    let response = http::post().path("/x").json(&json!({"a": 1})).unwrap().send("hook").unwrap();
    assert_eq!((response.status, response.header("x-id")), (201, Some("7")));
    assert_eq!(fake.requests()[0].json(), json!({"a": 1}));
}

#[test]
fn the_store_keeps_to_its_bytes() {
    let _ = FakeHost::new().kv(8);
    assert_eq!(kv::set("k", b"1234567"), Ok(()));
    assert_eq!(kv::set("k", b"12345678"), Err(KvError::Full));
    assert_eq!(kv::get("k").unwrap().as_deref(), Some(&b"1234567"[..]));
    kv::delete("k").unwrap();
    assert_eq!(kv::get("k"), Ok(None));
}

#[test]
fn time_stands_still_and_chance_repeats() {
    let draw = || {
        let _ = FakeHost::new().now(5.0);
        (host::clock::now(), host::random::bytes(4))
    };
    assert_eq!(draw(), draw());
}
