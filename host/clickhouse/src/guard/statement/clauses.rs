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
            () if self.back_is(1, "fill") && self.is_keyword(2, "with") => 3,
            () if self.back_is(1, "distinct") && self.is_keyword(2, "is") => 3,
            () if self.back_is(1, "distinct") && self.back_is(2, "not") && self.is_keyword(3, "is") => 4,
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
                // `SETTINGS final, readonly = 0` is a clause, and so is `SETTINGS group, readonly = 0` in a nested select.
                let goes_on = self.look(ahead).is_some_and(|t| t.is_operator("=") || t.kind == Kind::Comma);
                if follows_column(next) && !goes_on && !next.is("final") { Ok(()) } else { clause }
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
