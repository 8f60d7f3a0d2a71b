//! How many rows a result has, asked before it is read in a format that the host cannot count or cut.

use std::sync::Arc;

use chm_clickhouse::{Claim, Format, GuardedQuery, Host, ReadError, ReadOptions};

use crate::app::App;
use crate::query::{self, Source};

/// Rows of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Within the cap.
    pub rows: u64,
    /// Whether there is at least one more.
    pub truncated: bool,
}

/// Counts them, up to one more than the cap: the same statement runs again, as part of another or, where it cannot be one (it lists, or
/// is too long), with its rows counted as they come.
pub(super) async fn ask(
    app: &App,
    (host, claim): (&Arc<Host>, &Claim),
    query: &GuardedQuery,
    options: &ReadOptions,
    source: &Source<'_>,
) -> Result<Known, ReadError> {
    let cap = options.max_rows;
    let own_id = |options: &ReadOptions| ReadOptions {
        query_id: Some(format!("chm-{}-{}", source.request_id, ulid::Ulid::new())),
        ..options.clone()
    };
    if let Some(counting) = counting(query, cap) {
        let options = ReadOptions { format: Format::JsonCompactEachRow, max_rows: 1, ..own_id(options) };
        let mut reading = query::start(app, (host, claim), &counting, options, source).await?;
        let row = reading.rows.next_row().await?.ok_or(ReadError::Broken)?;
        // `[3]`, or `["3"]` where old servers quote.
        let digits: String = String::from_utf8_lossy(&row).chars().filter(char::is_ascii_digit).collect();
        let found: u64 = digits.parse().map_err(|_| ReadError::Broken)?;
        return Ok(Known { rows: found.min(cap), truncated: found > cap });
    }
    let options = ReadOptions { format: Format::JsonCompactEachRow, ..own_id(options) };
    let mut reading = query::start(app, (host, claim), query, options, source).await?;
    while reading.rows.next_block().await?.is_some() {}
    Ok(Known { rows: reading.rows.rows(), truncated: reading.rows.truncated() })
}

/// A statement that counts another's rows, where that is a `SELECT`.
fn counting(query: &GuardedQuery, cap: u64) -> Option<GuardedQuery> {
    around(query, |sql| format!("SELECT count() FROM (SELECT 1 FROM ({sql}\n) LIMIT {})", cap.saturating_add(1)))
}

/// A statement with no more rows than this, where it is a `SELECT`.
pub(super) fn cut(query: &GuardedQuery, cap: u64) -> Option<GuardedQuery> {
    around(query, |sql| format!("SELECT * FROM ({sql}\n) LIMIT {cap}"))
}

/// The line feed after the statement ends a comment that may stand there.
fn around(query: &GuardedQuery, write: impl FnOnce(&str) -> String) -> Option<GuardedQuery> {
    let sql = query.sql().trim().trim_end_matches(';');
    let first = sql.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    let selects = ["select", "with"].iter().any(|word| first.eq_ignore_ascii_case(word));
    selects.then(|| GuardedQuery::check(&write(sql)).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_select_is_counted_within_another_and_nothing_else_is() {
        let of = |sql: &str| counting(&GuardedQuery::check(sql).unwrap(), 10).map(|query| query.sql().to_owned());
        assert_eq!(
            of("SELECT a FROM t -- all\n;").as_deref(),
            Some("SELECT count() FROM (SELECT 1 FROM (SELECT a FROM t -- all\n\n) LIMIT 11)")
        );
        assert!(of("WITH 1 AS x SELECT x").is_some());
        for sql in ["SHOW TABLES", "EXPLAIN SELECT 1", "DESCRIBE TABLE system.one"] {
            assert_eq!(of(sql), None, "{sql}");
        }
    }
}
