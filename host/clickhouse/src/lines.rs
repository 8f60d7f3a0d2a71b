//! Bytes that have arrived and were not passed on, and where rows end in them.

use bytes::{Bytes, BytesMut};

use crate::format::Format;

/// How a format ends its rows, and how an error text among them is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grammar {
    /// Line feeds inside of quotes end nothing.
    quotes: bool,
    /// The bytes a row begins and ends with.
    brackets: Option<(u8, u8)>,
    /// Lines end with a carriage return too.
    crlf: bool,
}

impl Grammar {
    pub(crate) fn of(format: Format, crlf: bool) -> Self {
        Self { quotes: format == Format::Csv, brackets: format.row_brackets(), crlf }
    }

    /// Whether this line, with its line feed, is no row. Since 25.11 an error after data comes as a block that begins with an empty
    /// line and `__exception__`; before, as a bare line.
    pub(crate) fn is_error(self, line: &[u8]) -> bool {
        let body = line.strip_suffix(b"\n").unwrap_or(line);
        match self.brackets {
            Some((open, close)) => body.first() != Some(&open) || body.last() != Some(&close),
            // With line ends of two bytes an empty row looks like the first line of the block, so the second one tells.
            None => body == b"\r" && !self.crlf || body == b"__exception__\r",
        }
    }
}

/// How many rows and bytes may still be passed on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// Complete rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) rows: Bytes,
    pub(crate) count: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Rows.
    Rows(Block),
    /// No complete row is here.
    Wait,
    /// The next row is beyond the budget.
    Beyond,
    /// The next line is no row.
    Error,
}

/// Chunks as they came from the network, which are cut at row ends and passed on without being copied; only a row that lies in two
/// chunks is put together.
#[derive(Debug)]
pub(crate) struct Lines {
    grammar: Grammar,
    /// The beginning of a row that goes on in `chunk`.
    begun: BytesMut,
    /// `begun` ends inside of quotes.
    quoted: bool,
    chunk: Bytes,
}

impl Lines {
    pub(crate) fn new(grammar: Grammar) -> Self {
        Self { grammar, begun: BytesMut::new(), quoted: false, chunk: Bytes::new() }
    }

    /// How many bytes are here.
    pub(crate) fn len(&self) -> usize {
        self.begun.len() + self.chunk.len()
    }

    /// Whether nothing is here.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the text is in what is here.
    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        // Both parts are looked at alone: a text over their border is in a row that is put together, and looked at again.
        memchr::memmem::find(&self.chunk, text).is_some() || !self.begun.is_empty()
    }

    /// Takes in what arrived.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        self.absorb();
        self.chunk = chunk;
    }

    fn absorb(&mut self) {
        if self.grammar.quotes {
            self.quoted ^= memchr::memchr_iter(b'"', &self.chunk).count() % 2 == 1;
        }
        self.begun.extend_from_slice(&self.chunk);
        self.chunk.clear();
    }

    /// Everything, whatever it is.
    pub(crate) fn take(&mut self) -> Bytes {
        self.quoted = false;
        if self.begun.is_empty() {
            return std::mem::take(&mut self.chunk);
        }
        self.absorb();
        self.quoted = false;
        self.begun.split().freeze()
    }

    /// The first complete line, with its line feed.
    pub(crate) fn line(&mut self) -> Option<Bytes> {
        let end = self.line_end()? + 1;
        if self.begun.is_empty() {
            return Some(self.chunk.split_to(end));
        }
        self.quoted = false;
        self.begun.extend_from_slice(&self.chunk.split_to(end));
        Some(self.begun.split().freeze())
    }

    /// Where in the chunk the first line ends.
    fn line_end(&self) -> Option<usize> {
        if !self.grammar.quotes {
            return memchr::memchr(b'\n', &self.chunk);
        }
        // ClickHouse doubles quotes inside quotes, so a count of them tells where a field ends.
        let mut quoted = self.quoted;
        memchr::memchr2_iter(b'"', b'\n', &self.chunk).find(|&at| {
            let quote = self.chunk.get(at) == Some(&b'"');
            quoted ^= quote;
            !quote && !quoted
        })
    }

    /// The complete rows that are here, up to the budget.
    pub(crate) fn next(&mut self, budget: Budget) -> Next {
        if self.begun.is_empty() {
            let scan = scan(&self.chunk, self.grammar, budget);
            return match scan.stop {
                _ if scan.count > 0 => Next::Rows(Block { rows: self.chunk.split_to(scan.end), count: scan.count }),
                Stop::Chunk => Next::Wait,
                Stop::Beyond => Next::Beyond,
                Stop::Error => Next::Error,
            };
        }
        // The row that was begun, alone: it is put together, and the rest of the chunk is left as it is.
        let Some(row) = self.line() else { return Next::Wait };
        let scan = scan(&row, self.grammar, budget);
        match scan.stop {
            _ if scan.count > 0 => return Next::Rows(Block { rows: row, count: 1 }),
            Stop::Chunk | Stop::Beyond => self.put_back(&row),
            Stop::Error => {
                self.put_back(&row);
                return Next::Error;
            }
        }
        Next::Beyond
    }

    fn put_back(&mut self, row: &[u8]) {
        self.begun.extend_from_slice(row);
        self.absorb();
    }
}

struct Scan {
    /// Bytes of complete rows.
    end: usize,
    count: u64,
    stop: Stop,
}

enum Stop {
    Chunk,
    Beyond,
    Error,
}

/// Where the complete rows end that may be passed on.
fn scan(bytes: &[u8], grammar: Grammar, budget: Budget) -> Scan {
    let whole = grammar.brackets.and_then(|brackets| scan_whole(bytes, brackets, budget));
    whole.unwrap_or_else(|| scan_rows(bytes, grammar, budget))
}

/// All of them at once, at the speed of memory: when each has its brackets, so that none is an error, and all are within the budget.
fn scan_whole(bytes: &[u8], (open, close): (u8, u8), budget: Budget) -> Option<Scan> {
    /// As many as a byte can count.
    const STRETCH: usize = 255;
    let end = memchr::memrchr(b'\n', bytes)? + 1;
    let rows = bytes.get(..end)?;
    let between = rows.get(..end - 1)?;
    if end as u64 > budget.bytes || rows.first() != Some(&open) || between.last() != Some(&close) {
        return None;
    }
    // Each line feed, with what stands before and behind it. Without branches, so that the compiler takes many bytes in one step.
    let (before, feeds, behind) = (between, between.get(1..)?, rows.get(2..)?);
    let stretches = before.chunks(STRETCH).zip(feeds.chunks(STRETCH)).zip(behind.chunks(STRETCH));
    let mut count = 1;
    for ((before, feeds), behind) in stretches {
        let (mut found, mut odd) = (0_u8, 0_u8);
        for ((before, byte), behind) in before.iter().zip(feeds).zip(behind) {
            let feed = u8::from(*byte == b'\n');
            found += feed;
            odd |= feed & u8::from((*before != close) | (*behind != open));
        }
        if odd != 0 {
            return None;
        }
        count += u64::from(found);
    }
    (count <= budget.rows).then_some(Scan { end, count, stop: Stop::Chunk })
}

/// Goes from row end to row end.
fn scan_rows(bytes: &[u8], grammar: Grammar, budget: Budget) -> Scan {
    let mut scan = Scan { end: 0, count: 0, stop: Stop::Chunk };
    let mut passed = 0_u64;
    let mut row = |at: usize| {
        let line = bytes.get(scan.end..=at).unwrap_or_default();
        if grammar.is_error(line) {
            scan.stop = Stop::Error;
            return false;
        }
        passed += line.len() as u64 - u64::from(grammar.crlf && line.ends_with(b"\r\n"));
        if scan.count >= budget.rows || passed > budget.bytes {
            scan.stop = Stop::Beyond;
            return false;
        }
        scan.end = at + 1;
        scan.count += 1;
        true
    };
    if grammar.quotes {
        let mut quoted = false;
        for at in memchr::memchr2_iter(b'"', b'\n', bytes) {
            if bytes.get(at) == Some(&b'"') {
                quoted = !quoted;
            } else if !quoted && !row(at) {
                break;
            }
        }
    } else {
        for at in memchr::memchr_iter(b'\n', bytes) {
            if !row(at) {
                break;
            }
        }
    }
    scan
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Budget = Budget { rows: u64::MAX, bytes: u64::MAX };

    /// Rows in blocks, and how it ended.
    fn blocks(format: Format, crlf: bool, chunks: &[&[u8]], budget: Budget) -> (Vec<u8>, u64, Next) {
        let mut lines = Lines::new(Grammar::of(format, crlf));
        let (mut rows, mut count) = (Vec::new(), 0);
        let mut end = Next::Wait;
        for chunk in chunks {
            lines.push(Bytes::copy_from_slice(chunk));
            loop {
                let left = Budget { rows: budget.rows - count, bytes: budget.bytes - rows.len() as u64 };
                match lines.next(left) {
                    Next::Rows(block) => {
                        rows.extend_from_slice(&block.rows);
                        count += block.count;
                    }
                    Next::Wait => break,
                    other => {
                        end = other;
                        break;
                    }
                }
            }
            if end != Next::Wait {
                break;
            }
        }
        (rows, count, end)
    }

    #[test]
    fn rows_end_where_the_format_says() {
        for (format, text, count) in [
            (Format::JsonEachRow, "{\"a\":1}\n{\"a\":2}\n", 2),
            (Format::JsonCompactEachRow, "[1]\n[2]\n[3]\n", 3),
            (Format::Csv, "1,\"a\nb\"\n2,\"c \"\"\n\"\" d\"\n3,x\n", 3),
            (Format::Tsv, "1\ta\\nb\n\n", 2),
        ] {
            for split in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(split);
                let (rows, found, end) = blocks(format, false, &[head, tail], ALL);
                assert_eq!((rows.as_slice(), found, end), (text.as_bytes(), count, Next::Wait), "{format:?} {split}");
            }
        }
    }

    #[test]
    fn an_error_among_rows_is_seen_and_the_rows_before_it_are_not_lost() {
        for (format, row) in [(Format::JsonEachRow, "{\"a\":1}\n"), (Format::Csv, "1\n"), (Format::Tsv, "x\n")] {
            let text = format!("{row}{row}\r\n__exception__\r\nabcd\r\nCode: 1.\n");
            for split in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(split);
                let (rows, count, end) = blocks(format, false, &[head, tail], ALL);
                assert_eq!((rows, count, end), (row.repeat(2).into_bytes(), 2, Next::Error), "{format:?} {split}");
            }
        }
    }

    proptest! {
        /// Rows are read at once only where they would be read the same one by one.
        #[test]
        fn rows_at_once_are_what_they_are_one_by_one(text in "[{}a\n]{0,40}", repeated in 0_usize..40, most in 0_u64..60, bytes in 0_u64..500) {
            let text = "{\"a\":1}\n".repeat(repeated) + &text;
            let budget = Budget { rows: most, bytes };
            let grammar = Grammar::of(Format::JsonEachRow, false);
            if let Some(whole) = scan_whole(text.as_bytes(), (b'{', b'}'), budget) {
                let each = scan_rows(text.as_bytes(), grammar, budget);
                prop_assert_eq!((whole.end, whole.count), (each.end, each.count));
                prop_assert!(matches!(each.stop, Stop::Chunk));
            }
        }

        /// What is within the budget and free of errors is read at once.
        #[test]
        fn rows_without_errors_are_read_at_once(values in prop::collection::vec("[a-z{}]{0,300}", 1..40), rest in "[a-z{}]{0,9}") {
            let rows: String = values.iter().map(|value| format!("{{\"a\":\"{value}\"}}\n")).collect();
            let whole = scan_whole((rows.clone() + &rest).as_bytes(), (b'{', b'}'), ALL);
            prop_assert_eq!(whole.map(|it| (it.end, it.count)), Some((rows.len(), values.len() as u64)));
        }

        /// However the chunks are cut, as many rows and bytes come as the budget allows, and no byte changes.
        #[test]
        fn a_budget_is_kept_exactly(values in prop::collection::vec("[a-z\"\n]{0,12}", 0..40),
            most in 0_u64..50, bytes in 0_u64..400, cuts in prop::collection::vec(0_usize..400, 0..8)) {
            let rows: Vec<String> = values.iter().map(|v| format!("\"{}\"\n", v.replace('"', "\"\""))).collect();
            let text = rows.concat();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
            let (found, count, _) = blocks(Format::Csv, false, &chunks, Budget { rows: most, bytes });
            let mut expected = String::new();
            let mut number = 0;
            for row in &rows {
                if number == most || (expected.len() + row.len()) as u64 > bytes { break; }
                expected.push_str(row);
                number += 1;
            }
            prop_assert_eq!((String::from_utf8_lossy(&found).into_owned(), count), (expected, number));
        }
    }
}
