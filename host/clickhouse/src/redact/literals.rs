//! Takes the string literals out of a text that may be SQL, cut SQL, or prose that quotes some.

use std::borrow::Cow;

/// What stands in the place of a literal.
const LITERAL: &str = "'[HIDDEN]'";

/// Every literal replaced; where literals have more than one reading, everything from the first quote on.
pub(super) fn hide_literals(text: &str) -> Cow<'_, str> {
    if !text.contains(['\'', '$', '"', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']) {
        return Cow::Borrowed(text);
    }
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, first: None, literals: Vec::new() };
    let kept = if reader.read() {
        let mut kept = String::with_capacity(text.len());
        let mut from = 0;
        for (begin, end) in reader.literals {
            kept.push_str(text.get(from..begin).unwrap_or_default());
            kept.push_str(LITERAL);
            from = end;
        }
        kept.push_str(text.get(from..).unwrap_or_default());
        kept
    } else {
        let before = text.get(..reader.first.unwrap_or_default()).unwrap_or_default();
        format!("{before}{LITERAL}")
    };
    if kept == text { Cow::Borrowed(text) } else { Cow::Owned(kept) }
}

/// Everything from the first quote on replaced, whatever kind of quote it is.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    match text.find(['\'', '$', '"', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']) {
        Some(at) => Cow::Owned(format!("{}{LITERAL}", text.get(..at).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    /// Where the first quote stands.
    first: Option<usize>,
    literals: Vec<(usize, usize)>,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// False when there is more than one reading.
    fn read(&mut self) -> bool {
        while let Some(&byte) = self.bytes.get(self.at) {
            let clear = match byte {
                b'\'' => self.literal(),
                b'"' | b'`' => self.name(byte),
                b'$' => self.heredoc(),
                b'-' if self.rest().starts_with(b"--") => self.comment(b"\n", 2),
                b'#' if self.rest().starts_with(b"# ") || self.rest().starts_with(b"#!") => self.comment(b"\n", 1),
                b'/' if self.rest().starts_with(b"/*") => self.comment(b"*/", 2),
                // Typographic quotes, which newer servers read as plain ones.
                0xe2 if matches!(self.rest(), [0xe2, 0x80, 0x98 | 0x99 | 0x9c | 0x9d, ..]) => {
                    self.many_readings(self.at)
                }
                _ => {
                    self.at += 1;
                    true
                }
            };
            if !clear {
                return false;
            }
        }
        true
    }

    fn many_readings(&mut self, at: usize) -> bool {
        self.first.get_or_insert(at);
        false
    }

    fn is_word(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
    }

    /// `'…'` with `''` and backslashes inside. Next to a word, as in `don't`, it may be an apostrophe, or everything may be the other way round.
    fn literal(&mut self) -> bool {
        let begin = self.at;
        self.first.get_or_insert(begin);
        let after_word = begin.checked_sub(1).is_some_and(|before| self.is_word(before));
        let Some(end) = self.end_of_quoted(b'\'') else { return false };
        if after_word || self.is_word(end) {
            return false;
        }
        self.found(begin, end);
        true
    }

    /// Literals without anything between them are one: `''` would be read as a quote the next time.
    fn found(&mut self, begin: usize, end: usize) {
        match self.literals.last_mut() {
            Some(last) if last.1 == begin => last.1 = end,
            _ => self.literals.push((begin, end)),
        }
        self.at = end;
    }

    /// A quoted name; with a quote in it, it may be none.
    fn name(&mut self, quote: u8) -> bool {
        let begin = self.at;
        let Some(end) = self.end_of_quoted(quote) else { return self.many_readings(begin) };
        if self.is_quoting(begin + 1, end - 1) {
            return self.many_readings(begin);
        }
        self.at = end;
        true
    }

    /// Behind the closing quote.
    fn end_of_quoted(&self, quote: u8) -> Option<usize> {
        let mut at = self.at + 1;
        loop {
            match self.bytes.get(at)? {
                b'\\' => at += 2,
                b if *b == quote && self.bytes.get(at + 1) == Some(&quote) => at += 2,
                b if *b == quote => return Some(at + 1),
                _ => at += 1,
            }
        }
    }

    /// `$tag$ … $tag$`.
    fn heredoc(&mut self) -> bool {
        let begin = self.at;
        let mut tag_end = begin + 1;
        while self.is_word(tag_end) {
            tag_end += 1;
        }
        if self.bytes.get(tag_end) != Some(&b'$') {
            self.at += 1;
            return true;
        }
        self.first.get_or_insert(begin);
        if begin.checked_sub(1).is_some_and(|before| self.is_word(before)) {
            return false;
        }
        let marker = self.bytes.get(begin..=tag_end).unwrap_or_default();
        let body = self.bytes.get(tag_end + 1..).unwrap_or_default();
        let Some(length) = memchr::memmem::find(body, marker) else { return false };
        let end = tag_end + 1 + length + marker.len();
        if self.is_word(end) {
            return false;
        }
        self.found(begin, end);
        true
    }

    /// A comment; with a quote in it, it may be none.
    fn comment(&mut self, end: &[u8], mark: usize) -> bool {
        let body = self.at + mark;
        let length = memchr::memmem::find(self.bytes.get(body..).unwrap_or_default(), end);
        let close = length.map_or(self.bytes.len(), |length| body + length);
        if self.is_quoting(body, close) {
            return self.many_readings(self.at);
        }
        self.at = length.map_or(close, |_| close + end.len());
        true
    }

    fn is_quoting(&self, from: usize, to: usize) -> bool {
        let inside = self.bytes.get(from..to).unwrap_or_default();
        inside.iter().any(|b| matches!(b, b'\'' | b'"' | b'`' | b'$')) || memchr::memmem::find(inside, b"/*").is_some()
    }
}
