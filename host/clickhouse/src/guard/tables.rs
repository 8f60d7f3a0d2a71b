//! The tables a statement names.

use super::GuardedQuery;
use super::token::{self, Kind};
use crate::tables::TableName;

impl GuardedQuery {
    /// The tables it names as `database.table` after FROM or JOIN, and all it names in `system`. Those that a table function finds
    /// are not among them.
    #[must_use]
    pub fn tables(&self) -> Vec<TableName> {
        let Ok(tokens) = token::tokenize(&self.sql) else { return Vec::new() };
        let mut found: Vec<TableName> = Vec::new();
        for (at, window) in tokens.windows(3).enumerate() {
            let [database, dot, table] = window else { continue };
            if !database.is_name() || dot.kind != Kind::Dot || !table.is_name() {
                continue;
            }
            let before = at.checked_sub(1).and_then(|before| tokens.get(before));
            let is_call = tokens.get(at + 3).is_some_and(|next| next.kind == Kind::Open(b'('));
            let is_first = before.is_none_or(|token| token.kind != Kind::Dot);
            let is_listed = before.is_some_and(|token| token.is("from") || token.is("join"));
            if is_first
                && !is_call
                && (is_listed || database.text == "system")
                && let Ok(name) = TableName::new(&*database.text, &*table.text)
                && !found.contains(&name)
            {
                found.push(name);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_a_statement_are_found() {
        for (sql, tables) in [
            ("SELECT 1", &[][..]),
            ("SELECT t.x FROM system.parts AS t", &["system.parts"]),
            ("SELECT x FROM `my db`.\"t-1\" JOIN system . disks ON 1", &["my db.t-1", "system.disks"]),
            ("SELECT a.b, system.errors.name FROM system.errors, system.parts", &["system.errors", "system.parts"]),
            (
                "WITH p AS (SELECT 1 FROM system.processes) SELECT * FROM p WHERE p.x IN (SELECT 1 FROM a.b)",
                &["system.processes", "a.b"],
            ),
        ] {
            let found: Vec<String> =
                GuardedQuery::check(sql).unwrap().tables().iter().map(ToString::to_string).collect();
            assert_eq!(found, tables, "{sql}");
        }
    }
}
