//! What a word is when keywords may be names: ClickHouse takes most of them for columns, tables and aliases.

use super::{Checker, Head};
use crate::guard::functions::takes_set;
use crate::guard::keywords::{combines_selects, expects_operand};
use crate::guard::token::{Kind, Token};

/// A name that an overlay or file-system database opens as a file.
pub(super) fn is_path(token: &Token) -> bool {
    token.kind == Kind::Quoted && token.text.contains(['/', '\\', '*', '?', '{', ':'])
}

impl Checker<'_> {
    /// `keyword`, and neither a part of a longer name nor an alias.
    pub(super) fn is_keyword(&self, behind: usize, keyword: &str) -> bool {
        self.back_is(behind, keyword) && !self.is_dot(behind + 1) && !self.back_is(behind + 1, "as")
    }

    /// Before the token stands what can have a name. `SELECT as FROM '/etc/passwd'` has a column `as`, and a FROM (tried on 26.7).
    pub(super) fn ends_operand(&self, behind: usize) -> bool {
        match self.back(behind) {
            Some(t) if t.kind == Kind::Word => {
                !expects_operand(t) || self.is_dot(behind + 1) || self.back_is(behind + 1, "as")
            }
            Some(t) => matches!(t.kind, Kind::Close(_) | Kind::Number | Kind::Text | Kind::Quoted),
            None => false,
        }
    }

    /// Directly before stands UNION, EXCEPT or INTERSECT, with ALL or DISTINCT. `FROM distinct select, '/etc/passwd'` has a table and
    /// its alias.
    pub(super) fn joins_selects(&self) -> bool {
        let behind = if self.back_is(1, "all") || self.back_is(1, "distinct") { 2 } else { 1 };
        self.back(behind).is_some_and(combines_selects) && !self.is_dot(behind + 1) && !self.back_is(behind + 1, "as")
    }

    /// ARRAY stands directly before, and is no name: `FROM t AS array JOIN '/etc/passwd'` joins a table, and so does `USING array JOIN …`.
    pub(super) fn follows_array(&self) -> bool {
        let table = ["from", "join"].iter().any(|word| self.back_is(2, word));
        let kind = ["left", "inner"].iter().any(|word| self.back_is(2, word));
        self.is_keyword(1, "array") && !table && (kind || self.ends_operand(2))
    }

    /// The name may be read as a table although no FROM asks for one: right of IN, in a function that does the same, or after the
    /// dot of a database that is a parameter. Table functions are not resolved there but by the old analyzer (tried on 26.7:
    /// "function `numbers` does not exist"), and those of its time are all on the list of refused calls.
    pub(super) fn may_be_table(&self) -> bool {
        let mut behind = 1;
        while self.is_dot(behind) {
            if self.back(behind + 1).is_some_and(|t| t.kind == Kind::Close(b'}')) {
                return true;
            }
            behind += 2;
        }
        // `IN (…)` is a function of that name here, which fits: `x IN ("/etc/passwd")` reads the file too (tried on 26.7).
        let enclosing = self.frames.iter().rev().take_while(|frame| frame.head == Head::Expression);
        self.back_is(behind, "in") || enclosing.filter_map(|frame| frame.function.as_deref()).any(takes_set)
    }
}
