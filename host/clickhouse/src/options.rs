//! What a read carries beside its SQL.

use std::time::Duration;

use crate::error::ReadError;
use crate::format::Format;
use crate::guard::{GuardedQuery, Parameter};

/// How long the host waits for an answer after the server's own limit is over.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Limits and labels of one read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReadOptions {
    /// How the result is written.
    pub format: Format,
    /// Values for the `{name:Type}` parameters, as plain text; arrays as ClickHouse writes them.
    pub parameters: Vec<(String, String)>,
    /// Most rows that are passed on; at least 1.
    pub max_rows: u64,
    /// Most bytes that are passed on; at least 1.
    pub max_bytes: u64,
    /// How long the server may work; whole seconds, at least 1. The host waits 5 s longer.
    pub max_execution: Duration,
    /// The query's id; a new one is made when absent.
    pub query_id: Option<String>,
    /// JSON text for the server's log, naming request, principal, plugin and panel.
    pub log_comment: Option<String>,
    /// The database that names without a prefix belong to; the user's own when absent.
    pub database: Option<String>,
    /// Leave out replicas of a cluster that cannot be reached, instead of failing; as far as the user's profile lets the host ask so.
    pub skip_unavailable_shards: bool,
    /// An IANA time zone for reading and writing times, such as `Europe/Berlin`.
    pub timezone: Option<String>,
    /// The statement hides credentials itself, with [`redaction_sql`](crate::redact::redaction_sql): formats without rows are then possible also where
    /// texts with SQL are read.
    pub hides_credentials: bool,
    /// Texts in rows of JSON that have more characters than this are cut, and say how many there were.
    pub cell_chars: Option<u32>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: Format::default(),
            parameters: Vec::new(),
            max_rows: 10_000,
            max_bytes: 64 * 1024 * 1024,
            max_execution: Duration::from_secs(60),
            query_id: None,
            log_comment: None,
            database: None,
            skip_unavailable_shards: false,
            timezone: None,
            hides_credentials: false,
            cell_chars: None,
        }
    }
}

impl ReadOptions {
    /// Refuses what cannot be sent.
    pub(crate) fn check(&self, query: &GuardedQuery) -> Result<(), ReadError> {
        for (option, value) in [
            ("max_rows", self.max_rows),
            ("max_bytes", self.max_bytes),
            ("max_execution", self.max_execution.as_secs()),
        ] {
            if value == 0 {
                return Err(ReadError::Option { option, why: "must be at least 1" });
            }
        }
        if self
            .query_id
            .as_deref()
            .is_some_and(|id| id.is_empty() || id.len() > 128 || !id.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err(ReadError::Option {
                option: "query_id",
                why: "must be 1 to 128 visible ASCII characters without spaces",
            });
        }
        if self
            .database
            .as_deref()
            .is_some_and(|name| name.is_empty() || name.len() > 255 || name.chars().any(char::is_control))
        {
            return Err(ReadError::Option { option: "database", why: "must be the name of a database" });
        }
        let zone = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
        if self.timezone.as_deref().is_some_and(|z| z.is_empty() || z.len() > 64 || !z.bytes().all(zone)) {
            return Err(ReadError::Option { option: "timezone", why: "must be an IANA name such as Europe/Berlin" });
        }
        for (name, value) in &self.parameters {
            let parameter = |why| Err(ReadError::Parameter { name: name.chars().take(64).collect(), why });
            let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if name.is_empty() || name.len() > 64 || !word || name.as_bytes()[0].is_ascii_digit() {
                return parameter(
                    "its name must be 1 to 64 letters, digits and underscores, and not begin with a digit",
                );
            }
            // ClickHouse takes no more for one form field (`http_max_field_value_size`, 128 KiB).
            if value.len() > 100_000 {
                return parameter("its value is longer than 100,000 bytes; send less");
            }
            let mut uses = query.parameters().iter().filter(|p| p.name == *name);
            if uses.any(Parameter::is_identifier) && !GuardedQuery::is_bindable_identifier(value) {
                return parameter("it stands for a column or table, so its value must be a plain name");
            }
        }
        Ok(())
    }
}

/// A value as ClickHouse reads the parameter `name`: with its tab-separated escaping, but arrays and their like as they are.
pub(crate) fn escape_parameter(query: &GuardedQuery, name: &str, value: &str) -> String {
    if query.parameters().iter().any(|p| p.name == name && p.is_compound()) {
        return value.to_owned();
    }
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\0' => escaped.push_str("\\0"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_cannot_be_bound_as_an_identifier() {
        let query = GuardedQuery::check("SELECT arrayMap({f:Identifier}, ['/etc/passwd'])").unwrap();
        let with = |value: &str| {
            ReadOptions { parameters: vec![("f".into(), value.into())], ..Default::default() }.check(&query)
        };
        for bad in ["file", "FILE", "sleep", "", "a/b", "a`b", "x(1)"] {
            assert!(with(bad).is_err(), "{bad}");
        }
        for good in ["number", "a.b", "Größe"] {
            assert!(with(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn options_that_make_no_sense_are_named() {
        let query = GuardedQuery::check("SELECT 1").unwrap();
        let base = ReadOptions::default;
        for (options, part) in [
            (ReadOptions { max_rows: 0, ..base() }, "`max_rows`"),
            (ReadOptions { max_bytes: 0, ..base() }, "`max_bytes`"),
            (ReadOptions { max_execution: Duration::from_millis(900), ..base() }, "`max_execution`"),
            (ReadOptions { query_id: Some("a b".into()), ..base() }, "`query_id`"),
            (ReadOptions { timezone: Some("x';".into()), ..base() }, "`timezone`"),
            (ReadOptions { parameters: vec![("a-b".into(), String::new())], ..base() }, "parameter `a-b`"),
        ] {
            let text = options.check(&query).unwrap_err().to_string();
            assert!(text.contains(part), "{text}");
        }
    }
}
