//! Follows a statement bracket by bracket and refuses what does more than read.
//!
//! It is not a parser of ClickHouse's grammar. It knows, at every depth, whether the next name is a table, and looks
//! at the words that can change something; what fits none of its patterns is refused.

mod beginning;
mod clauses;
mod names;
mod parameters;

use super::Parameter;
use super::functions;
use super::keywords::{begins_table, counts_after_as, ends_from, follows_column, starts_writing};
use super::refusal::{Place, Refusal};
use super::token::{Kind, Token};
use names::is_path;

/// Deepest nesting that is followed.
pub(super) const MAX_DEPTH: usize = 100;

/// What a bracket (or the whole statement) holds, decided by its first words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// No word read yet.
    New,
    /// WITH read, its SELECT not yet.
    With,
    /// EXPLAIN read, its SELECT not yet.
    Explain,
    /// A select.
    Select,
    /// SHOW, DESCRIBE or EXISTS as a statement.
    Listing,
    /// A bracket that stands where a table stands, without a select: joined tables.
    Tables,
    /// Expressions, or arguments of a function.
    Expression,
}

struct Frame {
    /// The bracket that opened it, and where; nothing for the statement itself.
    bracket: Option<(u8, Place)>,
    /// The function whose arguments it holds.
    function: Option<String>,
    /// It stands where a table stands.
    for_table: bool,
    head: Head,
    /// Inside the list after FROM.
    in_from: bool,
    /// A FROM was read in this select.
    from_seen: bool,
    /// The next token is a table.
    expect_table: bool,
}

impl Frame {
    fn new(bracket: Option<(u8, Place)>) -> Self {
        Self {
            bracket,
            function: None,
            for_table: false,
            head: Head::New,
            in_from: false,
            from_seen: false,
            expect_table: false,
        }
    }
}

pub(super) struct Checker<'a> {
    tokens: &'a [Token],
    frames: Vec<Frame>,
    at: usize,
    parameters: Vec<Parameter>,
}

/// Checks the tokens of one statement (without its final `;`); its `{name:Type}` parameters.
pub(super) fn check(tokens: &[Token]) -> Result<Vec<Parameter>, Refusal> {
    let mut checker = Checker { tokens, frames: vec![Frame::new(None)], at: 0, parameters: Vec::new() };
    while let Some(token) = tokens.get(checker.at) {
        checker.step(token)?;
        checker.at += 1;
    }
    checker.finish()?;
    Ok(checker.parameters)
}

impl<'a> Checker<'a> {
    fn look(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead)
    }

    fn back(&self, behind: usize) -> Option<&'a Token> {
        self.at.checked_sub(behind).and_then(|i| self.tokens.get(i))
    }

    fn next_is(&self, keyword: &str) -> bool {
        self.look(1).is_some_and(|t| t.is(keyword))
    }

    fn back_is(&self, behind: usize, keyword: &str) -> bool {
        self.back(behind).is_some_and(|t| t.is(keyword))
    }

    fn is_dot(&self, behind: usize) -> bool {
        self.back(behind).is_some_and(|t| t.kind == Kind::Dot)
    }

    fn frame(&mut self) -> Result<&mut Frame, Refusal> {
        // The statement's own frame is never popped: see `close`.
        self.frames.last_mut().ok_or(Refusal::Empty)
    }

    fn step(&mut self, token: &Token) -> Result<(), Refusal> {
        if self.frame()?.head == Head::New && self.begin(token)? {
            return Ok(());
        }
        match token.kind {
            Kind::Open(bracket) => self.open(bracket, token),
            Kind::Close(bracket) => self.close(bracket, token),
            Kind::Semicolon => Err(Refusal::SecondStatement { place: token.place }),
            Kind::Word | Kind::Quoted => self.name(token),
            Kind::Comma => {
                let frame = self.frame()?;
                if frame.expect_table {
                    return Err(Refusal::NotATable { found: "a comma", place: token.place });
                }
                frame.expect_table = frame.in_from;
                Ok(())
            }
            Kind::Text | Kind::Number | Kind::Dot | Kind::Operator => {
                if self.frame()?.expect_table {
                    let found = match token.kind {
                        // ClickHouse reads `FROM '/etc/passwd'` as a file.
                        Kind::Text => "a string",
                        Kind::Number => "a number",
                        _ => "an operator",
                    };
                    return Err(Refusal::NotATable { found, place: token.place });
                }
                Ok(())
            }
        }
    }

    /// Decides what a bracket, or the statement, holds from its first token. Answers whether that token is now read.
    fn begin(&mut self, token: &Token) -> Result<bool, Refusal> {
        if self.frames.len() == 1 { self.begin_statement(token) } else { self.begin_bracket(token) }
    }

    fn begin_bracket(&mut self, token: &Token) -> Result<bool, Refusal> {
        let next_is_name = self.look(1).is_some_and(|t| t.is_name() && !follows_column(t));
        let frame = self.frame()?;
        if (token.is("select") || token.is("with")) && matches!(frame.bracket, Some((b'(', _))) {
            frame.head = if token.is("with") { Head::With } else { Head::Select };
            return Ok(true);
        }
        // `(FROM t SELECT …)` is a query too, and `(EXPLAIN …)` reads through an internal table function.
        if token.is("from") || token.is("explain") && next_is_name {
            return Err(Refusal::NotUnderstood {
                word: token.text.clone(),
                advice: "begin a nested query with SELECT or WITH",
                place: token.place,
            });
        }
        if starts_writing(token) && next_is_name {
            return Err(Refusal::NotAReadingStatement { word: token.text.clone(), place: token.place });
        }
        if frame.for_table {
            frame.head = Head::Tables;
            (frame.in_from, frame.from_seen, frame.expect_table) = (true, true, true);
        } else {
            frame.head = Head::Expression;
        }
        Ok(false)
    }

    fn open(&mut self, bracket: u8, token: &Token) -> Result<(), Refusal> {
        if self.frames.len() > MAX_DEPTH {
            return Err(Refusal::TooDeep { place: token.place, limit: MAX_DEPTH });
        }
        let function = self.back(1).filter(|t| t.is_name()).map(|t| t.text.clone());
        let parent = self.frame()?;
        let for_table = parent.expect_table;
        if for_table && bracket == b'[' {
            return Err(Refusal::NotATable { found: "a bracket", place: token.place });
        }
        parent.expect_table = false;
        let mut frame = Frame::new(Some((bracket, token.place)));
        frame.function = function;
        frame.for_table = for_table && bracket == b'(';
        self.frames.push(frame);
        if bracket == b'{' {
            self.parameter(for_table)?;
        }
        Ok(())
    }

    fn close(&mut self, bracket: u8, token: &Token) -> Result<(), Refusal> {
        let unbalanced = Refusal::Unbalanced { found: char::from(bracket), place: token.place };
        let opened = self.frames.last().and_then(|f| f.bracket).map(|(b, _)| b);
        let expected = match opened {
            Some(b'(') => b')',
            Some(b'[') => b']',
            Some(b'{') => b'}',
            _ => return Err(unbalanced),
        };
        if expected != bracket {
            return Err(unbalanced);
        }
        self.end(token.place)?;
        self.frames.pop();
        Ok(())
    }

    /// A bracket, or the statement, ends here: nothing may be owed.
    fn end(&mut self, place: Place) -> Result<(), Refusal> {
        let frame = self.frame()?;
        let owed = match frame.head {
            Head::With => Some("WITH"),
            Head::Explain => Some("EXPLAIN"),
            _ => None,
        };
        if let Some(word) = owed {
            return Err(Refusal::NotUnderstood { word: word.to_owned(), advice: "it needs a SELECT", place });
        }
        if frame.expect_table {
            return Err(Refusal::NotATable { found: "the end", place });
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Refusal> {
        if let Some((_, place)) = self.frame()?.bracket {
            return Err(Refusal::Unterminated { what: "bracket", place });
        }
        let end = self.tokens.last().map_or(Place { line: 1, column: 1 }, |t| t.place);
        self.end(end)
    }

    fn name(&mut self, token: &Token) -> Result<(), Refusal> {
        let after_dot = self.is_dot(1);
        let after_as = self.back_is(1, "as") && !self.is_dot(2);
        let called = self.look(1).is_some_and(|t| t.kind == Kind::Open(b'('));
        let function = |why| Refusal::Function { name: token.text.clone(), why, place: token.place };
        if called {
            if let Some(why) = functions::refused_call(&token.text) {
                return Err(function(why));
            }
            // Internal helpers of the planner; some of them crash when they are called by hand.
            if token.text.starts_with("__") {
                return Err(function("is internal to ClickHouse"));
            }
        }
        if !after_dot
            && !after_as
            && let Some(why) = functions::refused_name(&token.text)
        {
            return Err(function(why));
        }
        if self.frame()?.expect_table && self.table(token, called, after_dot)? {
            return Ok(());
        }
        if is_path(token) && !after_as && self.may_be_table() {
            return Err(Refusal::NotATable { found: "a path", place: token.place });
        }
        // Of `FROM (SELECT SAMPLE 1, '/etc/passwd')` ClickHouse makes a list of tables, if there is one of this name (tried on 26.7).
        if !after_dot && token.kind == Kind::Quoted && token.text.eq_ignore_ascii_case("select") {
            let advice = "a name may not be this word, unless its table stands before it with a dot";
            return Err(Refusal::NotUnderstood { word: token.text.clone(), advice, place: token.place });
        }
        if !after_dot && token.is("as") && !self.ends_operand(1) {
            let advice = "it has nothing to name; a table or column called `as` can be quoted";
            return Err(Refusal::NotUnderstood { word: token.text.clone(), advice, place: token.place });
        }
        if after_as && begins_table(token) {
            let advice = "an alias of this name can be quoted";
            return Err(Refusal::NotUnderstood { word: token.text.clone(), advice, place: token.place });
        }
        if token.kind == Kind::Quoted || after_dot || after_as && !counts_after_as(token) {
            return Ok(());
        }
        self.keyword(token)
    }

    /// The token stands where a table stands. Answers whether it was a table's name.
    fn table(&mut self, token: &Token, called: bool, after_dot: bool) -> Result<bool, Refusal> {
        if !after_dot
            && token.kind == Kind::Word
            && (["select", "with", "as"].iter().any(|word| token.is(word)) || begins_table(token) || ends_from(token))
        {
            return Err(Refusal::NotATable { found: "a keyword", place: token.place });
        }
        // `SELECT from SETTINGS …` may name a column `from`: a clause here too, unless nothing but a table fits.
        if !after_dot && token.is("settings") {
            self.settings(token)?;
        } else if !after_dot && token.is("format") {
            self.format(token)?;
        }
        if called && !functions::is_inside_table_function(&token.text) {
            return Err(Refusal::TableFunction {
                name: token.text.clone(),
                allowed: functions::TABLE_FUNCTIONS.join(", "),
                place: token.place,
            });
        }
        if is_path(token) {
            return Err(Refusal::NotATable { found: "a path", place: token.place });
        }
        if self.look(1).is_some_and(|t| t.kind == Kind::Dot) {
            // The name goes on: the part after the dot is looked at as a table again.
            self.at += 1;
            return match self.look(1) {
                Some(t) if t.is_name() || t.kind == Kind::Open(b'{') => Ok(true),
                _ => Err(Refusal::NotATable { found: "an operator", place: token.place }),
            };
        }
        let frame = self.frame()?;
        frame.expect_table = false;
        Ok(true)
    }

    fn keyword(&mut self, token: &Token) -> Result<(), Refusal> {
        let place = token.place;
        let misplaced = |advice| Err(Refusal::NotUnderstood { word: token.text.clone(), advice, place });
        let starts = self.back(1).is_none_or(|t| matches!(t.kind, Kind::Open(_)));
        let joined = self.joins_selects();
        let of_expression = self.is_from_of_expression();
        let modifier = ["totals", "rollup", "cube", "fill", "ties"].iter().any(|w| self.next_is(w));
        let next_is_name = self.look(1).is_some_and(|t| t.is_name() && !follows_column(t));
        let head = self.frame()?.head;

        if token.is("select") {
            let expected = starts || matches!(head, Head::With | Head::Explain) || joined && head != Head::Listing;
            if !expected {
                return misplaced("a SELECT begins a statement, a bracket, or follows UNION; put it in brackets");
            }
            let frame = self.frame()?;
            (frame.head, frame.in_from, frame.from_seen) = (Head::Select, false, false);
        } else if token.is("with") {
            if self.back_is(1, "parallel") && !modifier {
                return misplaced("PARALLEL WITH joins statements; send one at a time");
            }
            if !modifier && (head == Head::Explain || joined && head != Head::Listing) {
                let frame = self.frame()?;
                (frame.head, frame.in_from) = (Head::With, false);
            }
        } else if token.is("from") {
            match head {
                Head::Select if !of_expression => {
                    let frame = self.frame()?;
                    (frame.in_from, frame.from_seen, frame.expect_table) = (true, true, true);
                }
                Head::Listing => self.frame()?.expect_table = true,
                Head::Expression | Head::Select | Head::With if of_expression => {}
                Head::Expression if self.frame()?.function.as_deref().is_some_and(functions::takes_from) => {}
                _ => return misplaced("write SELECT … FROM …, in this order"),
            }
        } else if token.is("join") {
            let after_array = self.follows_array();
            let frame = self.frame()?;
            if frame.head == Head::Select && !frame.from_seen {
                return misplaced("it follows FROM; a name like this can be quoted");
            }
            frame.in_from = frame.from_seen && !after_array;
            frame.expect_table = frame.in_from;
        } else if ends_from(token) && self.ends_operand(1) && !self.look(1).is_some_and(|t| t.kind == Kind::Dot) {
            // What begins no clause may be the name of what stands before, and the list goes on: `FROM t window, '/etc/passwd'`.
            if self.look(1).is_none_or(|t| matches!(t.kind, Kind::Comma | Kind::Close(_))) && self.frame()?.in_from {
                return misplaced("a clause follows it; a name like this can be quoted");
            }
            self.frame()?.in_from = false;
        } else if token.is("into") && self.next_is("outfile") {
            return Err(Refusal::Clause { clause: "INTO OUTFILE", advice: "the result is sent back to you", place });
        } else if token.is("insert") && self.next_is("into")
            || head == Head::With && starts_writing(token) && next_is_name
        {
            return Err(Refusal::NotAReadingStatement { word: token.text.clone(), place });
        } else if token.is("settings") {
            self.settings(token)?;
        } else if token.is("format") {
            self.format(token)?;
        }
        Ok(())
    }
}
