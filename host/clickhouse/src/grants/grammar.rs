//! Reads the statements that `SHOW GRANTS` answers with. Strict: a line is understood as a whole or not at all.

use std::fmt;

use super::quoted;
use super::target::{Pattern, Target};

/// Longest line that is read, in bytes. An administrator's is 1,500.
const LONGEST: usize = 100_000;

/// A line that is none of the known shapes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at `{}`, in `{}`", cut(.rest, 40), cut(.line, 200))]
pub struct NotUnderstood {
    /// The line.
    pub line: String,
    /// What was left of it.
    pub rest: String,
    /// What should have stood there.
    pub expected: &'static str,
}

fn cut(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(most).collect();
    if text.chars().count() > most {
        shown.push('…');
    }
    shown
}

/// What a statement does with a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Gives it.
    Grant,
    /// Takes a part of it away.
    Revoke,
    /// Takes the right to pass it on away.
    RevokeOption,
}

/// One right on one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What is done with it.
    pub effect: Effect,
    /// Its name as the server writes it, such as `SELECT` or `KILL QUERY`.
    pub right: String,
    /// Only these columns; all when empty.
    pub columns: Vec<String>,
    /// On what.
    pub target: Target,
    /// The holder may pass it on.
    pub passes_on: bool,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Rights of one holder.
    Rights {
        /// At least one.
        rules: Vec<Rule>,
        /// The user or role.
        holder: String,
    },
    /// Roles of one holder.
    Roles {
        /// Their names.
        roles: Vec<String>,
        /// The user or role.
        holder: String,
    },
}

impl Statement {
    /// Reads one line.
    ///
    /// # Errors
    /// Says what was expected, and where.
    pub fn parse(line: &str) -> Result<Self, NotUnderstood> {
        let mut reader = Reader { line, rest: line.trim() };
        if line.len() > LONGEST {
            return Err(reader.bad("fewer than 100,000 bytes"));
        }
        let effect = if reader.word("GRANT") {
            Effect::Grant
        } else if reader.word("REVOKE") {
            let option = reader.words(&["GRANT", "OPTION", "FOR"]) || reader.words(&["ADMIN", "OPTION", "FOR"]);
            if option { Effect::RevokeOption } else { Effect::Revoke }
        } else {
            return Err(reader.bad("GRANT or REVOKE"));
        };
        let joint = if effect == Effect::Grant { "TO" } else { "FROM" };
        let mut roles = Vec::new();
        let mut rules: Vec<Rule> = Vec::new();
        let mut pending: Vec<(String, Vec<String>)> = Vec::new();
        loop {
            if let Some(role) = reader.quoted_name()? {
                roles.push(role);
            } else {
                let right = reader.right()?;
                let columns = reader.columns()?;
                pending.push((right, columns));
            }
            if reader.word("ON") {
                let target = reader.target()?;
                let rule = |(right, columns)| Rule { effect, right, columns, target: target.clone(), passes_on: false };
                rules.extend(pending.drain(..).map(rule));
            }
            if !reader.symbol(',') {
                break;
            }
        }
        if !reader.word(joint) {
            return Err(reader.bad(if effect == Effect::Grant { "ON or TO" } else { "ON or FROM" }));
        }
        let holder = reader.name()?;
        let passes_on = effect == Effect::Grant && reader.words(&["WITH", "GRANT", "OPTION"]);
        let administers = effect == Effect::Grant && reader.words(&["WITH", "ADMIN", "OPTION"]);
        if !reader.rest.is_empty() {
            return Err(reader.bad("the end"));
        }
        if !rules.is_empty() && pending.is_empty() && roles.is_empty() && !administers {
            rules.iter_mut().for_each(|rule| rule.passes_on = passes_on);
            return Ok(Self::Rights { rules, holder });
        }
        // Names without ON are roles; that one of them looked like a right is no matter.
        if rules.is_empty() && !passes_on && effect == Effect::Grant && pending.iter().all(|(_, c)| c.is_empty()) {
            roles.extend(pending.into_iter().map(|(name, _)| name));
            if roles.iter().all(|role| !role.is_empty()) {
                return Ok(Self::Roles { roles, holder });
            }
        }
        Err(NotUnderstood {
            line: line.to_owned(),
            rest: line.to_owned(),
            expected: "either rights ON something or roles",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<String> = self.columns.iter().map(|column| quoted(column)).collect();
        let columns = if columns.is_empty() { String::new() } else { format!("({})", columns.join(", ")) };
        write!(f, "{}{columns} ON {}", self.right, self.target)
    }
}

struct Reader<'a> {
    line: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn bad(&self, expected: &'static str) -> NotUnderstood {
        NotUnderstood { line: self.line.to_owned(), rest: self.rest.to_owned(), expected }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default().trim_start();
    }

    fn symbol(&mut self, symbol: char) -> bool {
        let found = self.rest.starts_with(symbol);
        if found {
            self.skip(symbol.len_utf8());
        }
        found
    }

    /// The unquoted word here, not taken.
    fn peek(&self) -> Option<&'a str> {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let word = self.rest.get(..end)?;
        word.starts_with(|c: char| !c.is_ascii_digit()).then_some(word)
    }

    fn word(&mut self, wanted: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        if found {
            self.skip(wanted.len());
        }
        found
    }

    /// All of these words in a row, or none.
    fn words(&mut self, wanted: &[&str]) -> bool {
        let before = self.rest;
        let found = wanted.iter().all(|word| self.word(word));
        if !found {
            self.rest = before;
        }
        found
    }

    /// The words of a right, up to what cannot belong to it.
    fn right(&mut self) -> Result<String, NotUnderstood> {
        let mut words = Vec::new();
        while let Some(word) = self.peek() {
            if ["ON", "TO", "FROM"].iter().any(|end| word.eq_ignore_ascii_case(end)) {
                break;
            }
            words.push(word);
            self.skip(word.len());
        }
        if words.is_empty() { Err(self.bad("a right or a role")) } else { Ok(words.join(" ")) }
    }

    fn columns(&mut self) -> Result<Vec<String>, NotUnderstood> {
        let mut columns = Vec::new();
        if self.symbol('(') {
            loop {
                columns.push(self.name()?);
                if !self.symbol(',') {
                    break;
                }
            }
            if !self.symbol(')') {
                return Err(self.bad("`,` or `)` after a column"));
            }
        }
        Ok(columns)
    }

    fn target(&mut self) -> Result<Target, NotUnderstood> {
        if self.symbol('*') {
            if !self.symbol('.') {
                return Ok(Target::AnyObject);
            }
            return if self.symbol('*') { Ok(Target::Everything) } else { Err(self.bad("`*` after `*.`")) };
        }
        let name = self.pattern()?;
        if self.symbol('.') {
            if self.symbol('*') {
                return Ok(Target::Database(name));
            }
            if name.is_prefix {
                return Err(self.bad("`*` after a database that ends in `*`"));
            }
            return Ok(Target::Table { database: name.text, table: self.pattern()? });
        }
        let mut filter = None;
        if self.symbol('(') {
            filter = Some(self.name()?);
            if !self.symbol(')') {
                return Err(self.bad("`)` after an expression"));
            }
        }
        Ok(Target::Object { name, filter })
    }

    fn pattern(&mut self) -> Result<Pattern, NotUnderstood> {
        let text = self.name()?;
        let is_prefix = self.symbol('*');
        Ok(Pattern { text, is_prefix })
    }

    fn name(&mut self) -> Result<String, NotUnderstood> {
        if let Some(name) = self.quoted_name()? {
            return Ok(name);
        }
        let word = self.peek().ok_or_else(|| self.bad("a name"))?;
        self.skip(word.len());
        Ok(word.to_owned())
    }

    /// A name in back quotes or quotes; a quote in it is doubled or has a backslash.
    fn quoted_name(&mut self) -> Result<Option<String>, NotUnderstood> {
        let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '`' | '\'' | '"')) else { return Ok(None) };
        let mut name = String::new();
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            if character == '\\' {
                match characters.next() {
                    Some((_, escaped)) if escaped == '\\' || matches!(escaped, '`' | '\'' | '"') => name.push(escaped),
                    _ => return Err(self.bad("a name without escapes other than of quotes and backslashes")),
                }
            } else if character != quote {
                name.push(character);
            } else if characters.next_if(|(_, next)| *next == quote).is_some() {
                name.push(quote);
            } else if name.is_empty() {
                return Err(self.bad("a name that is not empty"));
            } else {
                self.skip(at + quote.len_utf8());
                return Ok(Some(name));
            }
        }
        Err(self.bad("a closing quote"))
    }
}
