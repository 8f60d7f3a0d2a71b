//! The error catalogue as Markdown, made from the types that make the answers.

use std::fmt::Write as _;

use chm_access::{Denial, Feature, FeatureId};
use chm_clickhouse::ErrorKind;
use poem::IntoResponse;

use super::error::{Problem, Word};
use super::gate::unauthenticated;

const HEAD: &str = r#"# Error catalogue

<!-- Made by `catalogue_markdown()`; a test compares. Do not edit. -->

Every failed answer has a status that says whose turn it is, and a word that programs can rely on. Texts are for people and may
change; none holds an address, a credential or a stack. The cause is in the host's log, under the id in the answer's
`X-Request-ID`.

## Operations

```json
{"success": false, "metadata": {"…": "…"}, "error": {"type": "validation_error", "message": "…", "details": {"field": "limit"}}}
```

`details` is absent, or has what a program may want: `field` (the parameter or part of the body), `near` (names like the one that
does not exist), `clickhouseCode`, `plugin` and `kind` (which plugin, and how its call ended: `failure`, `busy`, `wall`, `cpu`,
`memory`, `trap`).

| `error.type` | Status | ClickHouse's codes | Meaning |
|---|---|---|---|
"#;

const TAIL: &str = "
ClickHouse's other codes are `query_error`. A wrong method is 405 with `validation_error`.

An error that comes up after the first rows have been sent cannot change the status any more: the connection breaks off, so that
a partial answer never looks complete.

A panel whose tables a healthy server may lack answers 200 with no rows and `metadata.unavailable`: its `reason` is
`table_not_found` or `version`, and `missingTables` names the tables.
";

/// Every word, code and status a client may meet.
#[must_use]
pub fn catalogue_markdown() -> String {
    let mut text = HEAD.to_owned();
    for word in Word::ALL {
        let status = Problem::new(word, "").into_response().status().as_u16();
        let _ = writeln!(text, "| `{}` | {status} | {} | {} |", word.as_str(), codes(word), meaning(word));
    }
    text.push_str(TAIL);
    text.push_str("\n## Before the operation\n\n| Body | Status | When |\n|---|---|---|\n");
    let _ = writeln!(
        text,
        "| `{{\"error\":\"Authentication required\"}}` | {} | Nothing under `/api/v1/` is open to callers without credentials, \
         and this one has none that count. |",
        unauthenticated().status().as_u16()
    );
    let feature = FeatureId::Builtin(Feature::Agent);
    for (denial, when) in [
        (Denial::Disabled(feature.clone()), "The operator switched the feature off, for everybody."),
        (Denial::Unauthenticated(feature), "The feature, or changing something in it, needs a sign-in."),
    ] {
        let _ = writeln!(
            text,
            "| `{{\"error\":{{\"code\":\"{}\",\"message\":\"…\"}}}}` | {} | {when} |",
            denial.code(),
            denial.status()
        );
    }
    text.push_str("\nBoth kinds of 401 carry `WWW-Authenticate: Bearer`.\n");
    text
}

/// ClickHouse's numbers that become this word.
fn codes(word: Word) -> String {
    let all = (1..2000_u32).filter(|&code| {
        let kind = ErrorKind::from_code(code);
        kind != ErrorKind::Query && kind.as_str() == word.as_str()
    });
    all.map(|code| code.to_string()).collect::<Vec<_>>().join(", ")
}

fn meaning(word: Word) -> &'static str {
    match word {
        Word::Validation => "The input is wrong: a parameter, the body, or a statement that the guard refuses.",
        Word::Permission => "ClickHouse's user may not read this, or the operator did not grant it to the plugin.",
        Word::NotFound => "No such panel, chart, tool, path, table or database.",
        Word::ColumnNotFound => "No such column.",
        Word::CrossSite => "A write that a page of another site sent; see `edge.cors_origins`.",
        Word::TooSlow => "The request's body took longer than `limits.body_timeout_ms`.",
        Word::Changed => {
            "Something else would be hit than what was confirmed. Nothing has happened; `details` is as of `confirmation_required`."
        }
        Word::TooLarge => "The request's body is longer than `limits.body_bytes`.",
        Word::MediaType => "The request's body is not `application/json`.",
        Word::Misdirected => "The host does not answer to the name in `Host`; see `edge.allowed_hosts`.",
        Word::Unconfirmed => {
            "A change is shown before it is made. Nothing has happened: `details` has `summary`, `targets`, `confirmation` and `expiresIn` (seconds); send the same again with `confirmation`."
        }
        Word::RateLimited => {
            "Too many requests, or too many wrong credentials; `Retry-After` and `retryAfterSec` say how many seconds to wait."
        }
        Word::Query => "ClickHouse could not run the query; or something unexpected happened in the host.",
        Word::Upstream => "Something a plugin asked answered with an error, or with nonsense; the text says what.",
        Word::Plugin => "A plugin broke, was stopped at a limit, or answered with nonsense. Everything else goes on.",
        Word::Network => "ClickHouse, or what a plugin depends on, cannot be reached.",
        Word::Tls => "No trusted TLS connection to ClickHouse.",
        Word::Busy => "All places are taken, of the ClickHouse server or of the plugin; try again shortly.",
        Word::Timeout => {
            "It took longer than `clickhouse.max_execution_time`, or `limits.request_timeout_ms` altogether."
        }
    }
}
