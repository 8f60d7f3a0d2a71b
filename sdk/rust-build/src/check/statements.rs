//! Statements, and the tables they read.

use std::collections::BTreeSet;

use toml::Spanned;

use super::{Found, at};
use crate::file::{PanelFile, Variant};
use crate::near;
use crate::shape::Shape;
use crate::sql::{
    Placed, Token, clause_of_the_host, reads_a_table_directly, system_tables, table_functions, tokens, unpaired,
};

pub(super) fn check(file: &PanelFile, shape: Shape, found: &mut Found) {
    let mut reads = BTreeSet::new();
    for read in &file.reads {
        let table = read.get_ref().table.as_str();
        match table.split_once('.') {
            Some((database, name)) if !database.is_empty() && !name.is_empty() && !name.contains('.') => {
                reads.insert(name);
            }
            _ => found.push((at(read), format!("`reads` names `{table}`; expected `database.table`"))),
        }
    }
    let mut needed_somewhere = BTreeSet::new();
    let mut servers = BTreeSet::new();
    if let Some(sql) = &file.sql {
        statement(file, shape, sql, (&reads, &BTreeSet::new()), false, found);
    }
    for variant in &file.variants {
        let since = variant.since.as_ref().map(|since| since.get_ref().as_str());
        if let Some(since) = &variant.since
            && !is_version(since.get_ref())
        {
            found.push((at(since), format!("`since` is `{}`; expected a version such as 24.1", since.get_ref())));
        }
        if since.is_none() && variant.needs.is_empty() && file.sql.is_some() {
            found.push((at(&variant.sql), "a variant says what it is for: `since`, `needs`, or both".to_owned()));
        }
        if !servers.insert((since, variant.needs.iter().map(|need| need.get_ref()).collect::<Vec<_>>())) {
            found.push((at(&variant.sql), "another variant is for the same servers".to_owned()));
        }
        let needed = needed_tables(variant, found);
        statement(file, shape, &variant.sql, (&reads, &needed), since.is_some(), found);
        needed_somewhere.extend(needed);
    }
    for column in file.columns.iter() {
        // What a column needs may be in a table that the panel as a whole can do without.
        let mut needed = needed_somewhere.clone();
        needed.extend(column.value.needs.iter().filter_map(|needed| {
            let mut parts = needed.get_ref().split('.').skip(1);
            parts.next().filter(|_| parts.next().is_some())
        }));
        for expression in column.value.sql.iter().chain(&column.value.otherwise) {
            let (name, tokens) = (&column.name, tokens(expression.get_ref()));
            let mut say = |said: String| found.push((at(expression), format!("column `{name}`: {said}")));
            tables(&tokens, &reads, &needed, &mut say);
            if let Some(sign) = unpaired(&tokens) {
                say(format!("`{sign}` has no partner in this expression"));
            }
            if tokens.iter().any(|placed| placed.token == Token::Sign(';')) {
                say("an expression has no `;`".to_owned());
            }
            if tokens.iter().any(|placed| matches!(placed.token, Token::Slot(_))) {
                say("`$` is for statements; an expression names the table itself".to_owned());
            }
        }
    }
}

/// The tables a variant needs beside those in `reads`.
fn needed_tables<'f>(variant: &'f Variant, found: &mut Found) -> BTreeSet<&'f str> {
    let mut tables = BTreeSet::new();
    for need in &variant.needs {
        let parts: Vec<&str> = need.get_ref().splitn(3, '.').collect();
        match parts.as_slice() {
            [database, table, ..] if !database.is_empty() && !table.is_empty() => {
                tables.insert(*table);
            }
            _ => {
                let need_name = need.get_ref();
                let said = format!("`needs` names `{need_name}`; expected `database.table` or `database.table.column`");
                found.push((at(need), said));
            }
        }
    }
    tables
}

/// One statement, which may name the tables of the panel and those it needs itself.
fn statement(
    file: &PanelFile,
    shape: Shape,
    sql: &Spanned<String>,
    (reads, needed): (&BTreeSet<&str>, &BTreeSet<&str>),
    newer: bool,
    found: &mut Found,
) {
    let tokens = tokens(sql.get_ref());
    let mut say = |said: String| found.push((at(sql), said));
    outermost(&tokens, newer, &mut say);
    tables(&tokens, reads, needed, &mut say);
    if tokens.iter().any(|placed| placed.token == Token::Slot("columns")) {
        return;
    }
    // The host selects them, so they must have a place.
    let selected = file.columns.iter().any(|column| column.value.is_written_by_the_host()) && file.over_time.is_none();
    if selected || file.statements().any(|sql| sql.contains("$columns")) {
        say("columns have expressions, which stand nowhere: write `$columns` after SELECT".to_owned());
    } else if shape == Shape::Table && reads_a_table_directly(&tokens) {
        let why = "the columns that a server lacks are then null, instead of an error";
        say(format!("write `SELECT $columns`: {why}"));
    }
}

/// What the outermost statement leaves to the host.
fn outermost(tokens: &[Placed<'_>], newer: bool, say: &mut impl FnMut(String)) {
    if let Some(sign) = unpaired(tokens) {
        say(format!("`{sign}` has no partner in this statement"));
    }
    if !tokens.first().is_some_and(|first| first.is("SELECT") || first.is("WITH")) {
        say("expected a statement that begins with SELECT or WITH".to_owned());
    }
    if tokens.iter().any(|placed| placed.token == Token::Sign(';')) {
        say("a statement has no `;`, not even at its end".to_owned());
    }
    match clause_of_the_host(tokens) {
        Some("SETTINGS") => say("SETTINGS are the host's; leave them out".to_owned()),
        Some("FORMAT") => say("FORMAT is the client's choice; leave it out".to_owned()),
        Some("LIMIT") => say("the host adds LIMIT, from `row_cap` and the client's wish; leave it out".to_owned()),
        Some(_) => say("the host adds ORDER BY, from `order_by` and the client's wish; leave it out".to_owned()),
        None => {}
    }
    for function in table_functions(tokens) {
        if function.eq_ignore_ascii_case("merge") {
            say("write `$table` instead of merge(…), and `\"system.table*\"` in `reads`".to_owned());
        } else if !newer {
            let said = "a server where readonly=1 refuses table functions may be an old one; use arrayJoin(range(…)), or give the variant `since`";
            say(format!("{function}(…): {said}"));
        }
    }
}

fn tables(tokens: &[Placed<'_>], reads: &BTreeSet<&str>, needed: &BTreeSet<&str>, say: &mut impl FnMut(String)) {
    for table in system_tables(tokens) {
        if !reads.contains(table) && !needed.contains(table) {
            let hint = near::hint(table, reads.iter().copied());
            say(format!("reads system.{table}, which is not in `reads`{hint}"));
        }
    }
    for placed in tokens {
        if let Token::Slot(table) = placed.token
            && table != "columns"
            && !reads.contains(table)
        {
            let hint = near::hint(table, reads.iter().copied().chain(["columns"]));
            say(format!("`${table}` is neither `$columns` nor a table in `reads`{hint}"));
        }
    }
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}
