//! `{name:Type}` in a statement.

use super::Checker;
use crate::guard::Parameter;
use crate::guard::refusal::{Place, Refusal};
use crate::guard::token::Kind;

impl Checker<'_> {
    /// `{name:Type}`. An `Identifier` may stand for any column or table, and then its value is checked when it is bound.
    pub(super) fn parameter(&mut self, for_table: bool) -> Result<(), Refusal> {
        let name = self.look(1).filter(|t| t.kind == Kind::Word && self.look(2).is_some_and(|t| t.is_operator(":")));
        let kind = self.look(3).filter(|t| t.kind == Kind::Word);
        let identifier = kind.is_some_and(|t| t.text.eq_ignore_ascii_case("Identifier"));
        let (Some(name), Some(kind)) = (name, kind) else {
            return if for_table { Err(self.not_a_value()) } else { Ok(()) };
        };
        if for_table && !identifier {
            return Err(self.not_a_value());
        }
        // A type has no braces of its own; one that is not closed is refused when the statement ends.
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let close = rest.iter().find(|t| t.kind == Kind::Close(b'}')).map_or(kind.bytes.clone(), |t| t.bytes.clone());
        let open = self.look(0).map_or(name.bytes.start, |t| t.bytes.start);
        self.parameters.push(Parameter {
            name: name.text.clone(),
            kind: kind.text.clone(),
            bytes: open..close.end,
            type_bytes: kind.bytes.start..close.start,
        });
        self.at += 2;
        Ok(())
    }

    fn not_a_value(&self) -> Refusal {
        let place = self.look(0).map_or(Place { line: 1, column: 1 }, |t| t.place);
        Refusal::NotATable { found: "a value", place }
    }
}
