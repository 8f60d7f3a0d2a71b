//! Splits a statement into tokens the way ClickHouse's own lexer does, or refuses it.
//!
//! The two must never disagree about where a string, a name or a comment ends: that is how a call
//! is smuggled past a scanner. So wherever ClickHouse versions differ, or the spelling is exotic,
//! this tokenizer has no opinion and refuses.

use std::ops::Range;

use super::refusal::{Place, Refusal};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An unquoted word: keyword, name or function.
    Word,
    /// A name in double quotes or back quotes. Never a keyword.
    Quoted,
    /// A string literal, in single quotes, as hexadecimal/binary literal or as heredoc.
    Text,
    /// A number.
    Number,
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `;`
    Semicolon,
    /// Any other operator.
    Operator,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Words, names and operators as ClickHouse reads them (quotes removed); empty for literals.
    pub(super) text: String,
    /// Where it begins.
    pub(super) place: Place,
    /// Its bytes in the statement, quotes included.
    pub(super) bytes: Range<usize>,
}

impl Token {
    /// An unquoted word equal to `keyword`, in any case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// A word or a quoted name.
    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }

    /// The operator `symbol`.
    pub(super) fn is_operator(&self, symbol: &str) -> bool {
        self.kind == Kind::Operator && self.text == symbol
    }
}

/// Longest first, so that `<=>` is not read as `<=` and `>`.
const OPERATORS: &[&str] = &[
    "<=>", "->", "::", "||", "==", "!=", "<>", "<=", ">=", "@@", "=", "<", ">", "+", "-", "*", "/", "%", "?", ":", "^",
];

/// Splits `sql`; comments and white space are left out.
pub(super) fn tokenize(sql: &str) -> Result<Vec<Token>, Refusal> {
    let mut scanner = Scanner { sql, at: 0, place: Place { line: 1, column: 1 } };
    let mut tokens: Vec<Token> = Vec::new();
    loop {
        scanner.skip_blank()?;
        if scanner.at >= sql.len() {
            return Ok(tokens);
        }
        let (place, start) = (scanner.place, scanner.at);
        let after_dot = tokens.last().is_some_and(|t| t.kind == Kind::Dot);
        let (kind, text) = scanner.token(place, after_dot)?;
        tokens.push(Token { kind, text, place, bytes: start..scanner.at });
    }
}

struct Scanner<'a> {
    sql: &'a str,
    at: usize,
    /// Of `at`. Kept, not counted anew: a long line would be counted for each of its tokens.
    place: Place,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.sql.as_bytes().get(self.at + ahead).copied()
    }

    /// Moves on by `bytes`, which must end on a character boundary.
    fn advance(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.sql.len());
        for byte in &self.sql.as_bytes()[self.at..end] {
            match byte {
                b'\n' => self.place = Place { line: self.place.line + 1, column: 1 },
                // Goes on with the character before it.
                0x80..=0xbf => {}
                _ => self.place.column += 1,
            }
        }
        self.at = end;
    }

    fn skip_blank(&mut self) -> Result<(), Refusal> {
        loop {
            let Some(next) = self.rest().chars().next() else { return Ok(()) };
            let place = self.place;
            if is_blank(next) {
                self.advance(next.len_utf8());
            } else if self.rest().starts_with("--") || self.rest().starts_with("# ") || self.rest().starts_with("#!") {
                // Only a line feed ends it, as in ClickHouse; a lone carriage return does not.
                let end = self.rest().find('\n').unwrap_or(self.rest().len());
                self.advance(end);
            } else if self.rest().starts_with("//") {
                // A comment in new versions, a syntax error in old ones (tried on 26.7).
                return Err(Refusal::CommentKind { place });
            } else if let Some(body) = self.rest().strip_prefix("/*") {
                let end = body.find("*/").ok_or(Refusal::Unterminated { what: "comment", place })?;
                // They nest on 26.7 and did not in old versions, so a comment inside a comment has two readings.
                if body[..end].contains("/*") {
                    return Err(Refusal::NestedComment { place });
                }
                self.advance(end + 4);
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self, place: Place, after_dot: bool) -> Result<(Kind, String), Refusal> {
        let Some(first) = self.peek(0) else {
            return Err(Refusal::Unterminated { what: "statement", place });
        };
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(place),
            b'0'..=b'9' => self.number(place, after_dot),
            b'.' if !after_dot && self.peek(1).is_some_and(|b| b.is_ascii_digit()) && !self.follows_operand() => {
                self.number(place, after_dot)
            }
            b'\'' => {
                self.quoted(b'\'', "string", place)?;
                Ok((Kind::Text, String::new()))
            }
            b'"' | b'`' => {
                let name = self.quoted(first, "quoted name", place)?;
                Ok((Kind::Quoted, name))
            }
            b'$' => self.heredoc(place),
            b'(' | b'[' | b'{' => self.single(Kind::Open(first)),
            b')' | b']' | b'}' => self.single(Kind::Close(first)),
            b',' => self.single(Kind::Comma),
            b'.' => self.single(Kind::Dot),
            b';' => self.single(Kind::Semicolon),
            _ => {
                if let Some(operator) = OPERATORS.iter().find(|o| self.rest().starts_with(**o)) {
                    self.advance(operator.len());
                    return Ok((Kind::Operator, (*operator).to_owned()));
                }
                let found = self.rest().chars().next().unwrap_or_default();
                Err(Refusal::UnknownCharacter { found, place })
            }
        }
    }

    /// `t.1` is a dot and an index, `x = .1` a number: decided by what stands directly before.
    fn follows_operand(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|i| self.sql.as_bytes().get(i));
        before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b')' | b']' | b'"' | b'`' | b'\''))
    }

    fn single(&mut self, kind: Kind) -> Result<(Kind, String), Refusal> {
        self.advance(1);
        Ok((kind, String::new()))
    }

    fn word(&mut self, place: Place) -> Result<(Kind, String), Refusal> {
        let rest = self.rest();
        let length = rest.bytes().take_while(|b| is_word_byte(*b)).count();
        let word = &rest[..length];
        match rest.as_bytes().get(length) {
            // Part of the name for ClickHouse, the start of a heredoc for a reader.
            Some(b'$') => return Err(Refusal::UnknownCharacter { found: '$', place }),
            Some(b'\'') if matches!(word, "x" | "X" | "b" | "B") => {
                // A hexadecimal or binary literal knows no escapes, so only its own digits are taken.
                let body = &rest[length + 1..];
                let digits = body.bytes().take_while(u8::is_ascii_hexdigit).count();
                if body.as_bytes().get(digits) != Some(&b'\'') {
                    return Err(Refusal::Unterminated { what: "hexadecimal or binary literal", place });
                }
                self.advance(length + digits + 2);
                return Ok((Kind::Text, String::new()));
            }
            _ => {}
        }
        self.advance(length);
        Ok((Kind::Word, word.to_owned()))
    }

    fn number(&mut self, place: Place, after_dot: bool) -> Result<(Kind, String), Refusal> {
        let bytes = self.rest().as_bytes();
        let run =
            |from: usize, ok: fn(&u8) -> bool| bytes.get(from..).map_or(0, |b| b.iter().take_while(|x| ok(x)).count());
        let digit: fn(&u8) -> bool = |b| b.is_ascii_digit() || *b == b'_';
        let hexadecimal: fn(&u8) -> bool = |b| b.is_ascii_hexdigit() || *b == b'_';
        let mut length;
        if after_dot {
            // The index in `t.1.2`: no fraction, no exponent.
            length = run(0, digit);
        } else if matches!(bytes, [b'0', b'x' | b'X', ..]) {
            length = 2 + run(2, hexadecimal);
        } else if matches!(bytes, [b'0', b'b' | b'B', ..]) {
            length = 2 + run(2, digit);
        } else {
            length = run(0, digit);
            if bytes.get(length) == Some(&b'.') {
                length += 1 + run(length + 1, digit);
            }
            if matches!(bytes.get(length), Some(b'e' | b'E')) {
                let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
                let exponent = run(length + 1 + sign, digit);
                if exponent > 0 {
                    length += 1 + sign + exponent;
                }
            }
        }
        // `1name` may be a name and `1.name` a number or a path: there are two readings.
        if bytes.get(length).is_some_and(|b| is_word_byte(*b) || *b == b'$') {
            return Err(Refusal::OddNumber { place });
        }
        self.advance(length);
        Ok((Kind::Number, String::new()))
    }

    /// A quoted run with the quote character doubled inside; the text without its quotes.
    fn quoted(&mut self, quote: u8, what: &'static str, place: Place) -> Result<String, Refusal> {
        let body = &self.rest()[1..];
        let bytes = body.as_bytes();
        let mut at = 0;
        loop {
            match bytes.get(at) {
                None => return Err(Refusal::Unterminated { what, place }),
                Some(b'\\') if quote == b'\'' => at += 2,
                // ClickHouse decodes `"\x66ile"` to `file` (tried on 26.7).
                Some(b'\\') => return Err(Refusal::EscapeInName { place }),
                Some(b) if *b == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
                Some(b) if *b == quote => break,
                Some(_) => at += 1,
            }
        }
        let text = if quote == b'\'' {
            String::new()
        } else {
            let one = char::from(quote).to_string();
            body.get(..at).unwrap_or_default().replace(&one.repeat(2), &one)
        };
        if quote != b'\'' && text.is_empty() {
            return Err(Refusal::EscapeInName { place });
        }
        self.advance(at + 2);
        Ok(text)
    }

    /// `$tag$ … $tag$`. A dollar sign which opens no heredoc is refused: it may be part of a name.
    fn heredoc(&mut self, place: Place) -> Result<(Kind, String), Refusal> {
        let rest = self.rest();
        let tag = rest.bytes().skip(1).take_while(|b| is_word_byte(*b)).count();
        if rest.as_bytes().get(tag + 1) != Some(&b'$') {
            return Err(Refusal::UnknownCharacter { found: '$', place });
        }
        let marker = &rest[..tag + 2];
        let end = rest[marker.len()..].find(marker).ok_or(Refusal::Unterminated { what: "heredoc", place })?;
        self.advance(marker.len() * 2 + end);
        Ok((Kind::Text, String::new()))
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// ASCII white space, and the spaces that come with pasted text; ClickHouse skips these too.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{a0}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<Kind> {
        tokenize(sql).unwrap().into_iter().map(|t| t.kind).collect()
    }

    #[test]
    fn literals_names_and_comments_end_where_clickhouse_ends_them() {
        for (sql, expected) in [
            (r"'a''b\'c'", vec![Kind::Text]),
            ("$$ ' $$", vec![Kind::Text]),
            ("$a$ $b$ $a$", vec![Kind::Text]),
            (r#""a""b" `c``d`"#, vec![Kind::Quoted, Kind::Quoted]),
            ("-- x ' \n 1", vec![Kind::Number]),
            ("# x ' \n 1", vec![Kind::Number]),
            ("/* ' */1", vec![Kind::Number]),
            ("/*/ x */1", vec![Kind::Number]),
            ("x'4142'", vec![Kind::Text]),
            ("1.5e-3 0xFF 1_000 .5 1.", vec![Kind::Number; 5]),
            ("t.1.2", vec![Kind::Word, Kind::Dot, Kind::Number, Kind::Dot, Kind::Number]),
            ("a\u{a0}b", vec![Kind::Word, Kind::Word]),
        ] {
            assert_eq!(kinds(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for sql in [
            "'a",
            "\"a",
            "`a",
            "/* a",
            "/* a /* b */ c */",
            "$$ a",
            "$a$ x $b$",
            "a$b",
            "$a",
            "1abc",
            "1.url",
            "x'\\'",
            "// c",
            "\"\\x66ile\"",
            "``",
            "#c",
            "’a’",
            "a | b",
            "\\",
            "\u{200b}",
            "\u{1}",
        ] {
            assert!(tokenize(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn places_count_lines_and_characters() {
        let tokens = tokenize("SELECT\n  'é' /* \n */ x").unwrap();
        let places: Vec<_> = tokens.iter().map(|t| (t.place.line, t.place.column)).collect();
        assert_eq!(places, [(1, 1), (2, 3), (3, 5)]);
    }
}
