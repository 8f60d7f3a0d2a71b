//! Why a statement is not run.

use std::fmt;

/// Where in the statement; both numbers begin at 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why the guard refused a statement. The text says where (line:column), what, and what to do instead;
/// it is safe to show to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing but white space and comments.
    #[error("the statement is empty; write one SELECT, WITH, DESCRIBE, EXPLAIN, SHOW or EXISTS statement")]
    Empty,
    /// Longer than the guard reads.
    #[error(
        "the statement has {bytes} bytes, more than the {limit} that are read; shorten it, for instance with parameters"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Brackets nested deeper than the guard follows.
    #[error("{place}: brackets are nested more than {limit} deep; flatten the statement, for instance with WITH")]
    TooDeep {
        /// Where.
        place: Place,
        /// The limit.
        limit: usize,
    },
    /// A NUL byte.
    #[error("{place}: the statement contains a NUL byte; remove it")]
    Nul {
        /// Where.
        place: Place,
    },
    /// A string, name, comment, heredoc or bracket that does not end.
    #[error("{place}: this {what} is not closed; close it")]
    Unterminated {
        /// What does not end.
        what: &'static str,
        /// Where it begins.
        place: Place,
    },
    /// A closing bracket without its opening one.
    #[error("{place}: unexpected `{found}`; balance the brackets")]
    Unbalanced {
        /// The bracket.
        found: char,
        /// Where.
        place: Place,
    },
    /// A character outside quotes that is no part of ClickHouse's SQL, or that has two readings.
    #[error("{place}: `{}` is not understood outside quotes; remove it or quote the name it belongs to", found.escape_default())]
    UnknownCharacter {
        /// The character.
        found: char,
        /// Where.
        place: Place,
    },
    /// A `//` comment.
    #[error("{place}: `//` is not a comment in every ClickHouse version; write `--` or `/* */`")]
    CommentKind {
        /// Where.
        place: Place,
    },
    /// A comment inside a comment.
    #[error(
        "{place}: this comment contains another `/*`, which ClickHouse versions read differently; remove the inner one"
    )]
    NestedComment {
        /// Where.
        place: Place,
    },
    /// Digits that run into letters.
    #[error("{place}: a number runs into a word; put a space between them or quote the name")]
    OddNumber {
        /// Where.
        place: Place,
    },
    /// A backslash escape in, or no text between, the quotes of a name.
    #[error("{place}: a quoted name is empty or contains a backslash; write the name plainly")]
    EscapeInName {
        /// Where.
        place: Place,
    },
    /// The first word starts no reading statement.
    #[error(
        "{place}: `{word}` starts no statement that only reads; begin with SELECT, WITH, DESCRIBE, EXPLAIN, SHOW or EXISTS"
    )]
    NotAReadingStatement {
        /// The word.
        word: String,
        /// Where.
        place: Place,
    },
    /// Something after `;`.
    #[error("{place}: only one statement is run at a time; send what follows `;` on its own")]
    SecondStatement {
        /// Where.
        place: Place,
    },
    /// A clause that changes how the statement runs or where its result goes.
    #[error("{place}: a {clause} clause is not allowed; {advice}")]
    Clause {
        /// Its name.
        clause: &'static str,
        /// What to do instead.
        advice: &'static str,
        /// Where.
        place: Place,
    },
    /// A function which reaches outside the server, writes, or waits.
    #[error(
        "{place}: the function `{name}` {why}; leave it out (a column of this name: `t.{name}`, or quote it and use no bracket)"
    )]
    Function {
        /// Its name.
        name: String,
        /// What it would do.
        why: &'static str,
        /// Where.
        place: Place,
    },
    /// A table function which is not known to stay inside the server.
    #[error(
        "{place}: the table function `{name}` is not known to stay inside the server; read from a table, or from one of: {allowed}"
    )]
    TableFunction {
        /// Its name.
        name: String,
        /// The known ones.
        allowed: String,
        /// Where.
        place: Place,
    },
    /// A file path or other text where a table's name belongs.
    #[error("{place}: a table name is expected here, not {found}; write database.table")]
    NotATable {
        /// What stands there.
        found: &'static str,
        /// Where.
        place: Place,
    },
    /// A construction the guard does not understand.
    #[error("{place}: `{word}` is not understood here; {advice}")]
    NotUnderstood {
        /// The word.
        word: String,
        /// What to do.
        advice: &'static str,
        /// Where.
        place: Place,
    },
}
