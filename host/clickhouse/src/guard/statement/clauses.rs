//! Words which are a clause in one place and a column in another.

use super::Checker;
use crate::guard::keywords::follows_column;
use crate::guard::refusal::Refusal;
use crate::guard::token::{Kind, Token};

impl Checker<'_> {
    /// `a IS DISTINCT FROM b` and `ORDER BY a WITH FILL FROM 1` name no table. ClickHouse takes keywords for columns (tried on 26.7:
    /// `SELECT from FROM …`), so that `SELECT with fill FROM '/etc/passwd'` does: an operand must stand before.
    pub(super) fn is_from_of_expression(&self) -> bool {
        let operand = match () {
            () if self.back_is(1, "fill") && self.back_is(2, "with") => 3,
            () if self.back_is(1, "distinct") && self.back_is(2, "is") => 3,
            () if self.back_is(1, "distinct") && self.back_is(2, "not") && self.back_is(3, "is") => 4,
            () => return false,
        };
        let named =
            self.back(operand + 1).is_some_and(|t| t.is("as") || t.is("select") && self.back_is(operand, "distinct"));
        match self.back(operand) {
            Some(t) if matches!(t.kind, Kind::Close(_) | Kind::Number | Kind::Text | Kind::Quoted) => true,
            Some(t) => {
                t.kind == Kind::Word && !named && !t.is("select") && !t.is("as") && !t.is("by") && !follows_column(t)
                    || t.is("desc")
                    || t.is("asc")
            }
            None => false,
        }
    }

    /// Right of IN may be a table, but also any expression. Table functions are only resolved there by the old analyzer (tried
    /// on 26.7: "function `numbers` does not exist"), and those of its time are all on the list of refused calls.
    pub(super) fn in_operand(&mut self) -> Result<(), Refusal> {
        match self.look(1) {
            Some(t) if t.kind == Kind::Quoted && t.text.contains(['/', '\\', '*', '?', '{']) => {
                Err(Refusal::NotATable { found: "a path", place: t.place })
            }
            _ => Ok(()),
        }
    }

    /// A SETTINGS clause at any depth may lift `readonly` (tried on 26.7), so only what cannot be one passes: a column or table
    /// of this name, followed by what may follow a column. `SETTINGS name` without a value is a clause too (tried on 26.7: it sets a boolean).
    pub(super) fn settings(&mut self, token: &Token) -> Result<(), Refusal> {
        let clause = Err(Refusal::Clause {
            clause: "SETTINGS",
            advice: "limits are set by the host; a column of this name can be quoted",
            place: token.place,
        });
        let Some(next) = self.look(1) else { return Ok(()) };
        match next.kind {
            Kind::Word | Kind::Quoted => {
                let mut ahead = 2;
                while self.look(ahead).is_some_and(|t| t.kind == Kind::Dot) {
                    ahead += 2;
                }
                let assigned = self.look(ahead).is_some_and(|t| t.is_operator("="));
                if follows_column(next) && !assigned { Ok(()) } else { clause }
            }
            Kind::Text | Kind::Number | Kind::Open(b'{') => clause,
            _ => Ok(()),
        }
    }

    /// `format(…)` and a column `format` pass; `FORMAT Name` after a complete expression is a clause.
    pub(super) fn format(&mut self, token: &Token) -> Result<(), Refusal> {
        let clause = Err(Refusal::Clause {
            clause: "FORMAT",
            advice: "choose the format with the request instead; a column of this name can be quoted",
            place: token.place,
        });
        match self.look(1) {
            Some(next) if next.is_name() && !follows_column(next) => clause,
            Some(next) if matches!(next.kind, Kind::Text | Kind::Open(b'{')) => clause,
            _ => Ok(()),
        }
    }
}
