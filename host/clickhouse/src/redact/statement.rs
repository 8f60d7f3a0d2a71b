//! Which statements read texts with SQL in them, and the same rule as an expression for formats that cannot be looked into.

use super::patterns::{ASSIGNED, IDENTIFIED, QUOTED_STATEMENT, SOURCED, SYNTAX_ERROR, TOKENS, USER_INFO, sensitive};
use crate::error::ReadError;
use crate::guard::GuardedQuery;
use crate::options::ReadOptions;

/// Tables of `system` and `information_schema` whose texts may quote SQL or hold credentials. A log that an upgrade put aside has a number behind its name.
/// Judged from `system.columns` of 26.7.
const HOLDERS: &[&str] = &[
    "asynchronous_insert_log",
    "asynchronous_inserts",
    "asynchronous_loader",
    "azure_queue",
    "azure_queue_log",
    "azure_queue_metadata_cache",
    "azure_queue_settings",
    "backup_log",
    "backups",
    "blob_storage_log",
    "columns",
    "constraints",
    "crash_log",
    "dashboards",
    "data_skipping_indices",
    "databases",
    "dictionaries",
    "disks",
    "distributed_ddl_queue",
    "distribution_queue",
    "error_log",
    "errors",
    "functions",
    "iceberg_metadata_log",
    "kafka_consumers",
    "masking_policies",
    "mutations",
    "named_collections",
    "opentelemetry_span_log",
    "part_log",
    "processes",
    "projections",
    "query_cache",
    "query_log",
    "query_thread_log",
    "query_views_log",
    "rabbitmq_consumers",
    "replication_queue",
    "resources",
    "row_policies",
    "s3_queue_settings",
    "s3queue",
    "s3queue_log",
    "s3queue_metadata_cache",
    "schema_inference_cache",
    "server_settings",
    "session_log",
    "settings",
    "settings_profile_elements",
    "stack_trace",
    "tables",
    "text_log",
    "user_defined_functions",
    "user_directories",
    "users",
    "view_definition",
    "view_refreshes",
    "views",
    "warnings",
    "workloads",
    "zookeeper",
    "zookeeper_log",
];

/// Databases all of whose tables are looked into, where that costs nothing but looking.
const DATABASES: &[&str] = &["system", "information_schema"];

/// Statements that answer with SQL.
const LISTING: &[&str] = &["show", "describe", "desc", "exists", "explain"];

fn is_holder(name: &str) -> bool {
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let family = digits.strip_suffix('_').filter(|_| digits.len() < name.len());
    is(name, HOLDERS) || family.is_some_and(|family| is(family, HOLDERS))
}

/// What the names in a statement tell of the texts it reads. It is kept with the statement, which may be asked often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    /// It answers with SQL, or finds its tables by a pattern.
    lists: bool,
    /// It names a database of the server's own.
    server: bool,
    /// It names what holds SQL or credentials.
    holder: bool,
    /// It answers with the lines of a plan.
    plan: bool,
}

impl Subject {
    /// Of every word and quoted name of a statement, in their order.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut subject = Self::default();
        for (at, name) in names.enumerate() {
            subject.plan |= at == 0 && is(name, &["explain"]);
            subject.lists |= at == 0 && is(name, LISTING) || is(name, &["merge"]);
            subject.name(name);
        }
        subject
    }

    /// Takes note of a database or table.
    fn name(&mut self, name: &str) {
        self.server |= is(name, DATABASES);
        self.holder |= is_holder(name);
    }
}

fn is(name: &str, list: &[&str]) -> bool {
    list.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// How carefully a result is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Care {
    /// Rows are looked into, whatever their columns are called.
    pub(crate) rows: bool,
    /// The statement reads what is known to hold SQL, so that a format which cannot be looked into would show it.
    pub(crate) holder: bool,
    /// The rows are the lines of a plan.
    pub(crate) plan: bool,
}

impl Care {
    pub(crate) fn of(query: &GuardedQuery, options: &ReadOptions) -> Self {
        let mut subject = query.subject();
        // Names may be bound, and a database may be chosen beside the statement.
        let bound = options.parameters.iter().flat_map(|(_, value)| value.split('.'));
        bound.chain(options.database.as_deref()).for_each(|name| subject.name(name));
        let Subject { lists, server, holder, plan } = subject;
        Self { rows: lists || server || holder, holder: lists || server && holder, plan }
    }

    /// Refuses what would show what cannot be hidden.
    pub(crate) fn check(self, options: &ReadOptions) -> Result<(), ReadError> {
        if self.holder && !options.format.has_rows() && !options.hides_credentials {
            return Err(ReadError::Option {
                option: "format",
                why: "cannot be looked into for credentials, and the statement reads what may quote SQL; choose ndjson, csv or tsv",
            });
        }
        Ok(())
    }
}

/// A literal of ClickHouse.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// An expression that is `expression` as text without credentials, for formats which cannot be looked into on their way: where
/// something sensitive is named, everything from the first quote is gone. Works on 18.16 and on 26.7.
#[must_use]
pub fn redaction_sql(expression: &str) -> String {
    let text = format!("toString({expression})");
    let sensitive = literal(&format!("(?is){}|{SYNTAX_ERROR}", sensitive()));
    // Only what stands before the first quote is kept, so that other lengths behind it do not matter.
    let quotes = ["$", "\u{2018}", "\u{2019}", "\u{201c}", "\u{201d}"];
    let plain = quotes.iter().fold(text.clone(), |inner, quote| format!("replaceAll({inner}, '{quote}', '\\'')"));
    let before = format!("substring({text}, 1, position(concat({plain}, '\\''), '\\'') - 1)");
    let quoted = literal(&format!("(?s){QUOTED_STATEMENT}"));
    let mut kept = format!("replaceRegexpAll({before}, {quoted}, '\\\\1 [HIDDEN]\\\\2')");
    for pattern in [ASSIGNED, IDENTIFIED, SOURCED] {
        kept = format!("replaceRegexpAll({kept}, {}, '\\\\1[HIDDEN]')", literal(&format!("(?is){pattern}")));
    }
    kept = format!("replaceRegexpAll({kept}, {}, '[HIDDEN]')", literal(&format!("(?is){TOKENS}")));
    let rest = format!("if(position({plain}, '\\'') > 0, '\\'[HIDDEN]\\'', '')");
    let user_info = literal(USER_INFO);
    format!(
        "replaceRegexpAll(if(match({text}, {sensitive}), concat({kept}, {rest}), {text}), {user_info}, '\\\\1[HIDDEN]@')"
    )
}
