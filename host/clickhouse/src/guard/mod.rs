//! The read-only guard: the one gate all SQL passes (law 3).
//!
//! `readonly=1` in the request is no wall by itself (tried on 26.7): a nested `SETTINGS readonly = 0` lifts it, and a
//! file can be read with no call to be seen. So the guard reads the whole statement, at every depth, and refuses what it
//! does not understand.

use std::ops::Range;

mod functions;
mod keywords;
mod literals;
mod refusal;
mod replicas;
mod statement;
mod tables;
mod token;

pub use refusal::{Place, Refusal};
pub use replicas::{Arrangement, REPLICA};
use token::Kind;

use crate::redact::Subject;

/// Longest statement that is read, in bytes. Below the 128 KiB ClickHouse takes for one form field.
pub const MAX_STATEMENT_BYTES: usize = 100_000;

/// One statement that only reads. There is no other way to get one than [`GuardedQuery::check`], and it is the only
/// thing a [`Host`](crate::Host) reads with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GuardedQuery {
    sql: String,
    parameters: Vec<Parameter>,
    /// Where the last token ends, without a final `;`.
    end: usize,
    /// It begins with SELECT or WITH.
    is_select: bool,
    /// What its names tell of the texts it reads.
    subject: Subject,
}

/// A `{name:Type}` parameter of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The first word of its type: `Array` of `Array(String)`.
    pub kind: String,
    /// Where it stands in the statement, with its braces.
    pub(crate) bytes: Range<usize>,
    /// Where its whole type stands.
    type_bytes: Range<usize>,
}

impl Parameter {
    /// Stands for a column or table.
    pub(crate) fn is_identifier(&self) -> bool {
        self.kind.eq_ignore_ascii_case("Identifier")
    }

    /// Holds other values, which ClickHouse reads as literals: without the escaping it expects of all others (tried on 26.7).
    pub(crate) fn is_compound(&self) -> bool {
        ["Array", "Map", "Tuple", "Nested"].iter().any(|k| self.kind.eq_ignore_ascii_case(k))
    }
}

impl GuardedQuery {
    /// Accepts one SELECT, WITH … SELECT, DESCRIBE, EXPLAIN of a select, SHOW or EXISTS statement that stays inside
    /// the server and leaves settings, format and destination to the host.
    ///
    /// # Errors
    /// A [`Refusal`] that says where, what and what to do.
    pub fn check(sql: &str) -> Result<Self, Refusal> {
        if sql.len() > MAX_STATEMENT_BYTES {
            return Err(Refusal::TooLong { bytes: sql.len(), limit: MAX_STATEMENT_BYTES });
        }
        if let Some(at) = sql.find('\0') {
            let before = &sql[..at];
            let line_start = before.rfind('\n').map_or(0, |i| i + 1);
            let place =
                Place { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 };
            return Err(Refusal::Nul { place });
        }
        let tokens = token::tokenize(sql)?;
        let tokens = match tokens.split_last() {
            Some((last, rest)) if last.kind == Kind::Semicolon => rest,
            _ => &tokens,
        };
        if tokens.is_empty() {
            return Err(Refusal::Empty);
        }
        let parameters = statement::check(tokens)?;
        let end = tokens.last().map_or(sql.len(), |last| last.bytes.end);
        let is_select = tokens.first().is_some_and(|first| first.is("select") || first.is("with"));
        let subject = Subject::of(tokens.iter().filter(|token| token.is_name()).map(|token| &*token.text));
        Ok(Self { sql: sql.to_owned(), parameters, end, is_select, subject })
    }

    /// The statement as it was given.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The `{name:Type}` parameters, in their order; a name may come more than once.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// What its names tell of the texts it reads, for whoever hides credentials in its rows.
    pub(crate) fn subject(&self) -> Subject {
        self.subject
    }

    /// Whether `value` may be bound to an `Identifier` parameter: a plain name which calls nothing.
    /// `arrayMap({f:Identifier}, …)` with `f=file` reads a file (tried on 26.7).
    #[must_use]
    pub fn is_bindable_identifier(value: &str) -> bool {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ' ' | '$' | '%');
        !value.is_empty() && value.len() <= 255 && value.chars().all(plain) && functions::refused_name(value).is_none()
    }
}
