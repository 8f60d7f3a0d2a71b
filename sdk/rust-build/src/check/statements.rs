//! Statements, and the tables they read.

use std::collections::BTreeSet;

use super::{Found, at};
use crate::columns::Column;
use crate::file::PanelFile;
use crate::near;
use crate::shape::Shape;
use crate::sql::{Placed, Token, clause_of_the_host, reads_a_table_directly, system_tables, table_functions, tokens};

pub(super) fn check(file: &PanelFile, shape: Shape, found: &mut Found) {
    let mut declared = BTreeSet::new();
    for read in &file.reads {
        let table = read.get_ref().table.as_str();
        match table.split_once('.') {
            Some((database, name)) if !database.is_empty() && !name.is_empty() && !name.contains('.') => {
                declared.insert(name);
            }
            _ => found.push((at(read), format!("`reads` names `{table}`; expected `database.table`"))),
        }
    }
    let mut versions = BTreeSet::new();
    for variant in &file.variants {
        let since = variant.since.as_ref().map(|since| since.get_ref().as_str());
        if let Some(since) = &variant.since
            && !is_version(since.get_ref())
        {
            found.push((at(since), format!("`since` is `{}`; expected a version such as 24.1", since.get_ref())));
        }
        if since.is_none() && variant.needs.is_empty() {
            found.push((at(&variant.sql), "a variant says what it is for: `since`, `needs`, or both".to_owned()));
        }
        if !versions.insert((since, variant.needs.iter().map(|need| need.get_ref()).collect::<Vec<_>>())) {
            found.push((at(&variant.sql), "another variant is for the same servers".to_owned()));
        }
        for need in &variant.needs {
            let parts: Vec<&str> = need.get_ref().split('.').collect();
            match parts.as_slice() {
                [database, table] | [database, table, _] if !database.is_empty() => {
                    declared.insert(table);
                }
                _ => {
                    let said = format!(
                        "`needs` names `{}`; expected `database.table` or `database.table.column`",
                        need.get_ref()
                    );
                    found.push((at(need), said));
                }
            }
        }
    }
    let writes = |column: &Column| column.is_written_by_the_host();
    let needs_slot = file.columns.iter().any(|column| column.at.is_some() && writes(&column.value));
    let has_slot = file.statements().any(|sql| sql.contains("$columns"));
    let all = file.sql.iter().map(|sql| (sql, false));
    for (sql, newer) in all.chain(file.variants.iter().map(|variant| (&variant.sql, variant.since.is_some()))) {
        let tokens = tokens(sql.get_ref());
        let mut say = |said: String| found.push((at(sql), said));
        outermost(&tokens, newer, &mut say);
        tables(&tokens, &declared, &mut say);
        if !tokens.iter().any(|placed| placed.token == Token::Slot("columns")) {
            if has_slot || (needs_slot && file.over_time.is_none()) {
                say("columns have expressions, which stand nowhere: write `$columns` after SELECT".to_owned());
            } else if shape == Shape::Table && reads_a_table_directly(&tokens) {
                say("write `SELECT $columns`: the columns that a server lacks are then null, instead of an error"
                    .to_owned());
            }
        }
    }
    for column in file.columns.iter() {
        // What a column needs may be in a table that the panel as a whole can do without.
        let mut declared = declared.clone();
        declared.extend(column.value.needs.iter().filter_map(|needed| {
            let mut parts = needed.get_ref().split('.').skip(1);
            parts.next().filter(|_| parts.next().is_some())
        }));
        for expression in column.value.sql.iter().chain(&column.value.otherwise) {
            let tokens = tokens(expression.get_ref());
            let name = &column.name;
            tables(&tokens, &declared, &mut |said| found.push((at(expression), format!("column `{name}`: {said}"))));
            if tokens.iter().any(|placed| placed.token == Token::Sign(';')) {
                found.push((at(expression), format!("column `{name}`: an expression has no `;`")));
            }
        }
    }
}

/// What the outermost statement leaves to the host.
fn outermost(tokens: &[Placed<'_>], newer: bool, say: &mut impl FnMut(String)) {
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

fn tables(tokens: &[Placed<'_>], declared: &BTreeSet<&str>, say: &mut impl FnMut(String)) {
    for table in system_tables(tokens) {
        if !declared.contains(table) {
            let hint = near::hint(table, declared.iter().copied());
            say(format!("reads system.{table}, which is not in `reads`{hint}"));
        }
    }
    for placed in tokens {
        if let Token::Slot(table) = placed.token
            && table != "columns"
            && !declared.contains(table)
        {
            let hint = near::hint(table, declared.iter().copied().chain(["columns"]));
            say(format!("`${table}` is neither `$columns` nor a table in `reads`{hint}"));
        }
    }
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}
