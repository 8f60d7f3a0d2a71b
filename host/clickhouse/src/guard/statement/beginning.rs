//! How a statement begins: only with a word that reads.

use super::{Checker, Head};
use crate::guard::keywords::is_shown;
use crate::guard::refusal::{Place, Refusal};
use crate::guard::token::{Kind, Token};

impl Checker<'_> {
    pub(super) fn begin_statement(&mut self, token: &Token) -> Result<bool, Refusal> {
        let frame = self.frame()?;
        frame.head = if token.is("select") {
            Head::Select
        } else if token.is("with") {
            Head::With
        } else if token.is("explain") {
            Head::Explain
        } else if token.is("show") || token.is("describe") || token.is("desc") || token.is("exists") {
            Head::Listing
        } else if token.kind == Kind::Open(b'(') {
            self.begin_parenthesised(token)?;
            return Ok(false);
        } else {
            let word = if token.is_name() { token.text.clone() } else { "this".to_owned() };
            return Err(Refusal::NotAReadingStatement { word, place: token.place });
        };
        if token.is("explain") {
            self.explain()?;
        } else if token.is("show") {
            let shown = self.look(1);
            if !shown.is_some_and(is_shown) {
                return Err(Refusal::NotUnderstood {
                    word: "SHOW".to_owned(),
                    advice: "write what to show, for instance SHOW TABLES",
                    place: shown.map_or(token.place, |t| t.place),
                });
            }
            // The kind of thing is no name, and `SHOW SETTINGS` no clause: step over it.
            self.at += 1;
            let two_words = self.look(0).is_some_and(|t| t.is("changed") || t.is("create"));
            if two_words && self.next_is("settings") {
                self.at += 1;
            }
        } else if self.frame()?.head == Head::Listing {
            while ["temporary", "table", "view", "dictionary", "database"].iter().any(|w| self.next_is(w))
                && self.look(2).is_some()
            {
                self.at += 1;
            }
            if self.look(1).is_none() {
                return Err(Refusal::NotATable { found: "the end", place: token.place });
            }
            self.frame()?.expect_table = true;
        }
        Ok(true)
    }

    /// `(SELECT …) UNION ALL …`: what is in the brackets must be a select, else `(1)` would pass, which
    /// a server with `implicit_select` runs.
    fn begin_parenthesised(&mut self, token: &Token) -> Result<(), Refusal> {
        let inner = self.tokens[self.at..].iter().find(|t| t.kind != Kind::Open(b'('));
        match inner {
            Some(t) if t.is("select") || t.is("with") => {
                self.frame()?.head = Head::Select;
                Ok(())
            }
            Some(t) => Err(Refusal::NotAReadingStatement { word: t.text.clone(), place: t.place }),
            None => Err(Refusal::Unterminated { what: "bracket", place: token.place }),
        }
    }

    /// `EXPLAIN [kind] [name = 0, …]` up to the select it explains.
    fn explain(&mut self) -> Result<(), Refusal> {
        let advice =
            "write EXPLAIN [AST | SYNTAX | QUERY TREE | PLAN | PIPELINE | ESTIMATE] [name = 0 or 1, …] SELECT …";
        let mut ahead = 1;
        match self.look(1) {
            Some(t) if ["ast", "syntax", "plan", "pipeline", "estimate"].iter().any(|k| t.is(k)) => ahead = 2,
            Some(t) if t.is("query") && self.look(2).is_some_and(|t| t.is("tree")) => ahead = 3,
            _ => {}
        }
        loop {
            let Some(token) = self.look(ahead) else {
                let place = self.look(0).map_or(Place { line: 1, column: 1 }, |t| t.place);
                return Err(Refusal::NotUnderstood { word: "EXPLAIN".to_owned(), advice, place });
            };
            if token.is("select") || token.is("with") || token.kind == Kind::Open(b'(') {
                break;
            }
            let setting = token.kind == Kind::Word
                && self.look(ahead + 1).is_some_and(|t| t.is_operator("="))
                && self.look(ahead + 2).is_some_and(|t| t.kind == Kind::Number);
            if !setting {
                return Err(Refusal::NotUnderstood { word: token.text.clone(), advice, place: token.place });
            }
            ahead += 3;
            if self.look(ahead).is_some_and(|t| t.kind == Kind::Comma) {
                ahead += 1;
            }
        }
        self.at += ahead - 1;
        if let Some(token) = self.look(1).filter(|t| t.kind == Kind::Open(b'(')) {
            self.at += 1;
            let result = self.begin_parenthesised(token);
            self.at -= 1;
            return result;
        }
        Ok(())
    }
}
