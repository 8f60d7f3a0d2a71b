//! What is claimed of statements.

use std::collections::BTreeSet;

use chm_sandbox::bindings::panels::{self, Column, ColumnKind, Operator, Unit, VariantQuery};
use proptest::prelude::*;

use super::*;
use crate::panels::Filter;
use crate::panels::facts::Imagined;

/// A server with these columns of `system.log`, of release 22.3.
struct Server {
    columns: BTreeSet<&'static str>,
    predecessors: bool,
}

impl Server {
    fn with(columns: &[&'static str]) -> Self {
        Self { columns: columns.iter().copied().collect(), predecessors: false }
    }
}

impl Facts for Server {
    fn release(&self) -> Option<Release> {
        Some((22, 3))
    }

    fn has_table(&self, table: &TableName) -> bool {
        table.table() == "log"
    }

    fn has_column(&self, table: &TableName, column: &str) -> bool {
        self.has_table(table) && self.columns.contains(column)
    }

    fn has_predecessors(&self, _: &TableName) -> bool {
        self.predecessors
    }
}

fn column(name: &str, kind: ColumnKind, sql: Option<&str>, needs: &[&str]) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        unit: Unit::None,
        summary: String::new(),
        nullable: false,
        sql: sql.map(str::to_owned),
        needs: needs.iter().map(|&needed| needed.to_owned()).collect(),
        otherwise: None,
    }
}

fn columns() -> Vec<Column> {
    vec![
        column("text", ColumnKind::Statement, None, &[]),
        column("size", ColumnKind::Integer, Some("length(raw) + 1"), &["raw"]),
        column("at", ColumnKind::Timestamp, Some("now()"), &[]),
    ]
}

fn requirement(table: &str, columns: &[&str]) -> panels::Requirement {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    panels::Requirement { table: table.to_owned(), columns, family: true }
}

fn variant(since: Option<&str>, sql: &str) -> VariantQuery {
    VariantQuery { since: since.map(str::to_owned), needs: Vec::new(), sql: sql.to_owned() }
}

fn selection(requires: Vec<panels::Requirement>, queries: Vec<VariantQuery>) -> Result<Selection, String> {
    Selection::of(&columns(), &requires, &queries)
}

fn simple() -> Selection {
    selection(vec![requirement("system.log", &[])], vec![variant(None, "SELECT $columns FROM $log AS log")]).unwrap()
}

#[test]
fn a_column_that_the_server_lacks_is_null_and_named() {
    let statement = described(&simple(), &Server::with(&["text"]), &Wishes::default()).unwrap();
    assert_eq!(statement.absent, ["size"]);
    let sql = statement.query.sql();
    assert!(sql.contains("`text` AS `text`") && sql.contains("NULL AS `size`"), "{sql}");
    let statement = described(&simple(), &Server::with(&["text", "raw"]), &Wishes::default()).unwrap();
    assert!(statement.absent.is_empty() && statement.query.sql().contains("length(raw) + 1 AS `size`"));
}

#[test]
fn a_log_is_read_with_its_predecessors_only_where_there_are_some() {
    let mut server = Server::with(&["text", "raw"]);
    assert!(
        described(&simple(), &server, &Wishes::default()).unwrap().query.sql().contains("FROM `system`.`log` AS log")
    );
    server.predecessors = true;
    let sql = described(&simple(), &server, &Wishes::default()).unwrap().query.sql().to_owned();
    assert!(sql.contains("FROM merge('system', '^log(_[0-9]+)?$') AS log"), "{sql}");
}

#[test]
fn the_newest_statement_that_fits_the_server_is_taken() {
    let of = |releases: &[Option<&str>]| {
        let variants = releases.iter().map(|since| {
            variant(*since, &format!("SELECT $columns, '{}' AS from_release FROM $log", since.unwrap_or("any")))
        });
        selection(vec![requirement("system.log", &[])], variants.collect()).unwrap()
    };
    let picked = |releases: &[Option<&str>]| {
        let statement = described(&of(releases), &Server::with(&["text"]), &Wishes::default());
        statement.map(|it| it.query.sql().split('\'').nth(1).unwrap().to_owned())
    };
    assert_eq!(picked(&[None, Some("21.8"), Some("24.1")]).unwrap(), "21.8");
    assert_eq!(picked(&[Some("22.3"), None]).unwrap(), "22.3");
    match picked(&[Some("24.1"), Some("26.6")]).unwrap_err() {
        NoStatement::Lack(Lack::Release(release)) => assert_eq!(release, (24, 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_panel_cannot_do_without_is_named() {
    let lack = |requires: Vec<panels::Requirement>| {
        let selection = selection(requires, vec![variant(None, "SELECT $columns FROM $log")]).unwrap();
        match described(&selection, &Server::with(&["text"]), &Wishes::default()) {
            Err(NoStatement::Lack(lack)) => lack,
            other => panic!("{other:?}"),
        }
    };
    let other = requirement("system.other", &[]);
    assert_eq!(
        lack(vec![requirement("system.log", &[]), other]),
        Lack::Table(TableName::new("system", "other").unwrap())
    );
    let columns = lack(vec![requirement("system.log", &["text", "host", "port"])]);
    let log = TableName::new("system", "log").unwrap();
    assert_eq!(columns, Lack::Columns(log, vec!["host".to_owned(), "port".to_owned()]));
}

#[test]
fn a_statement_that_the_guard_would_refuse_on_some_server_is_not_taken_at_all() {
    for sql in [
        "SELECT $columns FROM url('http://x', CSV)",
        "SELECT $columns FROM $log) UNION ALL (SELECT 1",
        "SELECT $columns FROM $log; DROP TABLE x",
        "INSERT INTO x SELECT $columns FROM $log",
        "SELECT $columns FROM $log SETTINGS readonly = 0",
    ] {
        let refused = selection(vec![requirement("system.log", &[])], vec![variant(None, sql)]);
        assert!(refused.unwrap_err().contains("guard"), "{sql}");
    }
    // Not only the statement: an expression that is selected only where a column is missing, too.
    let mut hidden = columns();
    hidden[1].otherwise = Some("file('/etc/passwd')".to_owned());
    let queries = [variant(None, "SELECT $columns FROM $log")];
    let refused = Selection::of(&hidden, &[requirement("system.log", &[])], &queries);
    assert!(refused.unwrap_err().contains("guard"));
}

#[test]
fn order_and_page_are_around_the_panels_own_statement_and_one_more_row_is_asked_for() {
    let key = |column: &str, descending| SortKey { column: column.to_owned(), descending };
    let cut = Cut { order: vec![key("size", true), key("at", false)], offset: 20, limit: Some(10) };
    let wishes = Wishes { cut, ..Wishes::default() };
    let ends = |columns: &[&'static str]| {
        let sql = described(&simple(), &Server::with(columns), &wishes).unwrap().query.sql().to_owned();
        sql[sql.rfind("\n)").unwrap()..].to_owned()
    };
    assert_eq!(ends(&["text", "raw"]), "\n)\nORDER BY `size` DESC, `at`\nLIMIT 20, 11");
    // A column that is null here orders nothing.
    assert_eq!(ends(&["text"]), "\n)\nORDER BY `at`\nLIMIT 20, 11");
}

#[test]
fn a_filter_on_a_column_that_the_server_lacks_is_an_error_not_an_empty_answer() {
    let filter = filter("size", &[Operator::Gte]);
    let conditions = vec![filter.condition(Some("5")).unwrap().unwrap()];
    let wishes = Wishes { conditions, ..Wishes::default() };
    match described(&simple(), &Server::with(&["text"]), &wishes).unwrap_err() {
        NoStatement::Filter { name, column } => assert_eq!((name.as_str(), column.as_str()), ("f", "size")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn credentials_are_hidden_by_the_server_where_no_row_can_be_read_on_its_way() {
    let sql = |hide_in_sql| {
        let wishes = Wishes { hide_in_sql, ..Wishes::default() };
        described(&simple(), &Server::with(&["text", "raw"]), &wishes).unwrap().query.sql().to_owned()
    };
    assert!(sql(false).contains("`text` AS `text`"));
    assert!(sql(true).contains(&format!("{} AS `text`", redaction_sql("`text`"))));
}

#[test]
fn a_null_has_a_type_in_formats_that_cannot_do_without() {
    let wishes = Wishes { hide_in_sql: true, ..Wishes::default() };
    let statement = described(&simple(), &Server::with(&["text"]), &wishes).unwrap();
    assert!(statement.query.sql().contains("CAST(NULL AS Nullable(String)) AS `size`"), "{}", statement.query.sql());
    assert_eq!(statement.absent, ["size"]);
}

fn filter(column: &str, operators: &[Operator]) -> Filter {
    let declared = panels::Filter {
        name: "f".to_owned(),
        column: column.to_owned(),
        operators: operators.to_vec(),
        scale: 1.0,
        default: None,
        summary: String::new(),
    };
    Filter::new(declared, &columns()).unwrap()
}

#[test]
fn a_time_that_is_no_time_is_named_before_the_server_is_asked() {
    let at = filter("at", &[Operator::Gte]);
    for time in
        ["2026-01-31", "2026-01-31 23:59:59", "2026-01-31T23:59:59.5Z", "2026-01-31T23:59:59+02:00", "1769904000"]
    {
        assert!(at.condition(Some(time)).is_ok(), "{time}");
    }
    for time in ["2026-13-45", "2026-02-30 00:00:00", "2026-01-31 25:00:00", "soon", "1234567"] {
        let words = at.condition(Some(time)).unwrap_err().to_string();
        assert!(words.contains("expected a time such as 2026-01-31 23:59:59") && words.contains(time), "{words}");
    }
}

proptest! {
    /// Whatever a client sends is bound, or an error: the statement is the same for every value of the same shape.
    #[test]
    fn no_value_of_a_filter_becomes_part_of_the_statement(value in "\\PC{0,40}", word in "(eq|contains|in|notIn):") {
        let operators = [Operator::Eq, Operator::Contains, Operator::InList, Operator::NotInList];
        let filter = filter("text", &operators);
        let Ok(Some(condition)) = filter.condition(Some(&format!("{word}{value}"))) else { return Ok(()) };
        let conditions = vec![condition];
        let wishes = Wishes { conditions, ..Wishes::default() };
        let server = Imagined { columns: true, predecessors: false };
        let statement = described(&simple(), &server, &wishes).unwrap();
        let plain = described(&simple(), &server, &Wishes::default()).unwrap();
        let added = statement.query.sql().strip_prefix(plain.query.sql()).unwrap();
        let allowed = "WHERE AND toString positionCaseInsensitiveUTF8 text IN NOT flt String";
        for token in added.split(|c: char| !c.is_ascii_alphabetic()).filter(|token| !token.is_empty()) {
            prop_assert!(allowed.contains(token), "`{token}` in {added}");
        }
        prop_assert!(added.is_ascii() && !added.contains('\''), "{added}");
        prop_assert_eq!(statement.bindings.len(), statement.query.parameters().len());
    }

    /// No text makes a filter panic, and what it takes it takes whole.
    #[test]
    fn a_filter_takes_a_value_or_says_what_it_expects(value in "\\PC{0,60}") {
        for (column, operators) in [
            ("text", &[Operator::Eq, Operator::InList][..]),
            ("size", &[Operator::Gte, Operator::Between]),
            ("at", &[Operator::WithinHours, Operator::Between, Operator::Gte]),
        ] {
            match filter(column, operators).condition(Some(&value)) {
                Ok(_) => {}
                Err(bad) => prop_assert!(bad.to_string().starts_with("parameter `f`: "), "{bad}"),
            }
        }
    }
}
