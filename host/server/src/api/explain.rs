//! What a server would do with a statement.

use std::sync::Arc;
use std::time::Duration;

use chm_clickhouse::{GuardedQuery, hide_credentials};
use poem::http::HeaderMap;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::checked_json::CheckedJson;
use super::envelope::Metadata;
use super::error::Problem;
use super::explorer;
use super::gate::{Gate, TablesWrite};
use super::host_id::HostId;
use super::parameters::AnswerFormat;
use super::routes::RowsResponse;
use crate::answers::{self, Ask, Part};
use crate::app::App;
use crate::query::{self, Source};
use crate::telemetry::QuerySource;

/// Most rows of an explanation.
const MOST_ROWS: u32 = 10_000;

/// Plans.
pub struct ExplainApi;

/// A statement to explain.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainQuery {
    /// Position of the ClickHouse host in the configuration.
    pub host_id: u32,
    /// One SELECT; a final `;` and `FORMAT` are left out.
    #[oai(validator(max_length = 100_000))]
    pub query: String,
    /// `PLAN` (also when empty), `PIPELINE`, `AST`, `SYNTAX` or `ESTIMATE`.
    #[oai(nullable)]
    pub mode: Option<String>,
    /// For plans: `name=0` or `name=1`, with commas between; names are optimize, header, description, indexes, projections, actions,
    /// sorting, `keep_logical_steps`, json and distributed.
    #[oai(nullable)]
    pub plan_settings: Option<String>,
}

/// Modes beside the plan.
const MODES: [&str; 4] = ["PIPELINE", "AST", "SYNTAX", "ESTIMATE"];
/// Settings of a plan.
const SETTINGS: [&str; 10] = [
    "optimize",
    "header",
    "description",
    "indexes",
    "projections",
    "actions",
    "sorting",
    "keep_logical_steps",
    "json",
    "distributed",
];
/// Formats that people end a statement with.
const FORMATS: [&str; 20] = [
    "arrow",
    "arrowstream",
    "csv",
    "csvwithnames",
    "json",
    "jsoncompact",
    "jsoncompacteachrow",
    "jsoneachrow",
    "markdown",
    "native",
    "null",
    "parquet",
    "pretty",
    "prettycompact",
    "tabseparated",
    "tsv",
    "tsvraw",
    "tsvwithnames",
    "values",
    "vertical",
];

/// The statement without a final `;` and `FORMAT`.
fn bare(query: &str) -> &str {
    let trimmed = |text: &str| text.trim_end_matches(|c: char| c == ';' || c.is_whitespace()).len();
    let mut kept = query.get(..trimmed(query)).unwrap_or_default();
    let name = kept.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    let format = kept.get(name.len()..).unwrap_or_default().to_ascii_lowercase();
    if FORMATS.contains(&format.as_str()) && name.ends_with(char::is_whitespace) {
        let before = name.trim_end();
        let word = before.len().checked_sub("format".len()).and_then(|at| before.split_at_checked(at));
        if let Some((statement, word)) = word
            && word.eq_ignore_ascii_case("format")
            && statement.ends_with(|c: char| c.is_whitespace() || c == ')')
        {
            kept = statement.get(..trimmed(statement)).unwrap_or_default();
        }
    }
    kept
}

/// `EXPLAIN …` of a statement that only reads.
fn statement(query: &str, mode: Option<&str>, settings: Option<&str>) -> Result<GuardedQuery, Problem> {
    let query = bare(query);
    // Alone first: what is wrong with it is then told where the caller wrote it.
    GuardedQuery::check(query).map_err(|refusal| Problem::invalid("query", refusal.to_string()))?;
    let mode = mode.unwrap_or_default().trim().to_ascii_uppercase();
    let is_plan = mode.is_empty() || mode == "PLAN";
    if !is_plan && !MODES.contains(&mode.as_str()) {
        let message = format!("parameter `mode`: expected PLAN, {}", MODES.join(", "));
        return Err(Problem::invalid("mode", message));
    }
    let wanted = settings.unwrap_or_default().trim();
    let settings = if wanted.is_empty() {
        String::new()
    } else if is_plan {
        plan_settings(wanted)?
    } else {
        return Err(Problem::invalid(
            "planSettings",
            "parameter `planSettings`: only a plan has settings; leave `mode` out",
        ));
    };
    let mode = if is_plan { "PLAN" } else { mode.as_str() };
    let sql = format!("EXPLAIN {mode} {settings}\n{query}");
    GuardedQuery::check(&sql)
        .map_err(|_| Problem::invalid("query", "parameter `query`: expected one SELECT or WITH statement"))
}

fn plan_settings(wanted: &str) -> Result<String, Problem> {
    let mut settings = Vec::new();
    for pair in wanted.split(',') {
        let known = pair.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        match known {
            Some((name, value @ ("0" | "1"))) if SETTINGS.contains(&name) => settings.push(format!("{name} = {value}")),
            _ => {
                let message = format!(
                    "parameter `planSettings`: expected name=0 or name=1 with commas between; names are {}",
                    SETTINGS.join(", ")
                );
                return Err(Problem::invalid("planSettings", message));
            }
        }
    }
    Ok(settings.join(", "))
}

async fn explain(
    app: &Arc<App>,
    gate: &Gate<TablesWrite>,
    host_id: &str,
    (query, mode, settings): (&str, Option<&str>, Option<&str>),
) -> Result<RowsResponse, Problem> {
    let (id, host) = explorer::host(app, &gate.caller, host_id)?;
    let guarded = statement(query, mode, settings)?;
    let source = Source {
        kind: QuerySource::Explorer,
        request_id: &gate.request_id,
        caller: Some(&gate.caller),
        address: Some(gate.address),
        plugin: "host",
        item: "explain",
    };
    let metadata = Metadata {
        host: id.to_string(),
        clickhouse_version: host.version().await.ok(),
        sql: Some(hide_credentials(guarded.sql()).into_owned()),
        ..Metadata::default()
    };
    let options = query::options(app, &source, Vec::new(), MOST_ROWS);
    let parts = vec![Part { host, query: guarded, options }];
    let ask = Ask { app, parts, format: AnswerFormat::Json, source, cache: Duration::ZERO, reversed: false, metadata };
    Ok(RowsResponse(answers::answer(ask, &HeaderMap::new()).await?))
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Explorer")]
impl ExplainApi {
    /// Explain a short statement
    ///
    /// The statement passes the guard as in the console, and is not run. `metadata.sql` is what was asked.
    #[oai(path = "/explain", method = "get", operation_id = "explain_short_query")]
    async fn get(
        &self,
        gate: Gate<TablesWrite>,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<HostId>,
        /// One SELECT; a final `;` and `FORMAT` are left out.
        #[oai(validator(max_length = 100_000))]
        query: Query<String>,
        /// `PLAN` (also when empty), `PIPELINE`, `AST`, `SYNTAX` or `ESTIMATE`.
        mode: Query<Option<String>>,
        /// For plans: `name=0` or `name=1`, with commas between.
        #[oai(name = "planSettings")]
        plan_settings: Query<Option<String>>,
    ) -> Result<RowsResponse, Problem> {
        explain(&app, &gate, &host_id, (&query, mode.as_deref(), plan_settings.as_deref())).await
    }

    /// Explain a statement
    ///
    /// The statement passes the guard as in the console, and is not run. `metadata.sql` is what was asked.
    #[oai(path = "/explain", method = "post", operation_id = "explain_query")]
    async fn post(
        &self,
        gate: Gate<TablesWrite>,
        app: Data<&Arc<App>>,
        body: CheckedJson<ExplainQuery>,
    ) -> Result<RowsResponse, Problem> {
        let asked = (body.query.as_str(), body.mode.as_deref(), body.plan_settings.as_deref());
        explain(&app, &gate, &body.host_id.to_string(), asked).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_that_are_not_explained_are_left_out() {
        for (query, kept) in [
            ("SELECT 1", "SELECT 1"),
            ("SELECT 1 ; ;\n", "SELECT 1"),
            ("SELECT 1 FORMAT JSON;", "SELECT 1"),
            ("SELECT (1)format TSV", "SELECT (1)"),
            ("SELECT x AS format FROM t", "SELECT x AS format FROM t"),
            ("SELECT format FROM json", "SELECT format FROM json"),
            ("FORMAT JSON", "FORMAT JSON"),
            ("", ""),
        ] {
            assert_eq!(bare(query), kept, "{query}");
        }
    }

    #[test]
    fn an_explanation_is_a_guarded_statement() {
        let sql = |query, mode, settings| statement(query, mode, settings).map(|it| it.sql().to_owned());
        assert_eq!(sql("SELECT 1;", None, None).unwrap(), "EXPLAIN PLAN \nSELECT 1");
        assert_eq!(sql("SELECT 1", Some("ast"), None).unwrap(), "EXPLAIN AST \nSELECT 1");
        let settings = Some("indexes=1, json = 0");
        assert_eq!(sql("SELECT 1", Some(""), settings).unwrap(), "EXPLAIN PLAN indexes = 1, json = 0\nSELECT 1");
        for (query, mode, settings, field) in [
            ("DROP TABLE t", None, None, "begins with SELECT"),
            ("SHOW TABLES", None, None, "expected one SELECT"),
            ("EXPLAIN SELECT 1", None, None, "expected one SELECT"),
            ("SELECT * FROM url('http://x')", None, None, "url"),
            ("SELECT 1", Some("TREE"), None, "mode"),
            ("SELECT 1", None, Some("indexes=2"), "planSettings"),
            ("SELECT 1", None, Some("readonly=0"), "planSettings"),
            ("SELECT 1", Some("AST"), Some("json=1"), "planSettings"),
        ] {
            let problem = statement(query, mode, settings).unwrap_err();
            let message = problem.message();
            assert!(message.contains(field) || field.starts_with("begins"), "{query}: {message}");
        }
    }
}
