//! Hides credentials in rows as they are encoded, value by value: what is hidden never reaches into the next value.

use std::borrow::Cow;

use bytes::Bytes;

use super::patterns::{SENSITIVE, SUSPICIOUS, SYNTAX_ERROR, names_secret};
use super::{HIDDEN, hide, literals};
use crate::format::Format;
use crate::json_strings::json_strings;

/// Columns that hold SQL, or errors that quote it, whatever table they are of: views and copies of the server's logs.
const COLUMNS: &[&str] = &[
    "as_select",
    "create_query",
    "create_table_query",
    "engine_full",
    "exception",
    "explain",
    "formatted_query",
    "last_error_message",
    "last_exception",
    "normalized_query",
    "query",
    "settings",
    "stack_trace",
    "statement",
    "view_definition",
];

/// Whether there is something to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Always,
    /// The names of the columns tell, when they come.
    Undecided,
    Never,
}

/// Passes rows of one result on, without credentials.
#[derive(Debug)]
pub(crate) struct Redactor {
    format: Format,
    mode: Mode,
    plan: Plan,
}

/// Whether the rows are the lines of a plan, which quotes on another line than it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    No,
    /// One that has not named anything sensitive so far.
    Harmless,
    Sensitive,
}

impl Redactor {
    /// `always`: the statement reads what may hold SQL; else the names of the columns decide.
    pub(crate) fn new(format: Format, always: bool) -> Self {
        let mode = match format {
            _ if !format.has_rows() => Mode::Never,
            _ if always => Mode::Always,
            // There are no names to decide by.
            Format::JsonCompactEachRow => Mode::Always,
            _ => Mode::Undecided,
        };
        Self { format, mode, plan: Plan::No }
    }

    /// The rows are the lines of one plan: what one of them names, those behind it may quote, and those that came with it.
    pub(crate) fn of_plan(self) -> Self {
        Self { plan: Plan::Harmless, ..self }
    }

    /// The format of the rows.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Takes note of a line before the first row.
    pub(crate) fn header(&mut self, line: &[u8]) {
        if self.mode == Mode::Undecided {
            let text = String::from_utf8_lossy(line).to_ascii_lowercase();
            let mut names = text.split(|c: char| matches!(c, ',' | '\t' | '"' | '[' | ']') || c.is_whitespace());
            self.mode = if names.any(|name| COLUMNS.contains(&name)) { Mode::Always } else { Mode::Undecided };
        }
    }

    /// Complete rows, each with its line feed.
    pub(crate) fn rows(&mut self, rows: Bytes) -> Bytes {
        if self.mode == Mode::Undecided {
            let found = self.format == Format::JsonEachRow && names_sql(&rows);
            self.mode = if found { Mode::Always } else { Mode::Never };
        }
        if self.mode == Mode::Never {
            return rows;
        }
        if self.plan == Plan::Harmless && SENSITIVE.is_match(&rows) {
            self.plan = Plan::Sensitive;
        }
        // No row before the one in which a match begins can have one of its own.
        let suspicion = |from: usize| SUSPICIOUS.find_at(&rows, from).map(|found| found.start());
        let mut suspicious = suspicion(0);
        let each = self.plan == Plan::Sensitive;
        if suspicious.is_none() && !each {
            return rows;
        }
        let mut kept = Vec::with_capacity(rows.len());
        let mut begin = 0;
        while begin < rows.len() {
            let rest = rows.get(begin..).unwrap_or_default();
            let (row, _) = rest.split_at(self.end_of_row(rest));
            begin += row.len();
            let is_suspicious = suspicious.is_some_and(|at| at < begin);
            if is_suspicious || each {
                self.row(row, &mut kept);
            } else {
                kept.extend_from_slice(row);
            }
            if is_suspicious {
                suspicious = suspicion(begin);
            }
        }
        Bytes::from(kept)
    }

    /// Behind the line feed that ends the first row.
    fn end_of_row(&self, rows: &[u8]) -> usize {
        let mut quoted = false;
        let csv = self.format == Format::Csv;
        let end = memchr::memchr2_iter(b'"', b'\n', rows).find(|&at| {
            let quote = csv && rows.get(at) == Some(&b'"');
            quoted ^= quote;
            rows.get(at) == Some(&b'\n') && !quoted
        });
        end.map_or(rows.len(), |end| end + 1)
    }

    fn row(&self, row: &[u8], kept: &mut Vec<u8>) {
        let values = match self.format {
            Format::Csv => separated(row, b',', true),
            Format::Tsv => separated(row, b'\t', false),
            _ => json(row),
        };
        // What one value quotes, another one may have named: an error and the statement it is about.
        let sensitive = self.plan == Plan::Sensitive
            || values.iter().any(|value| {
                let bytes = value.text.as_bytes();
                SENSITIVE.is_match(bytes) || value.text.contains(SYNTAX_ERROR)
            });
        let mut from = 0;
        for value in &values {
            let hidden = if value.secret && !value.text.is_empty() {
                Cow::Borrowed(HIDDEN)
            } else if sensitive && matches!(value.code, Code::Plain) {
                literals::cut(&value.text)
            } else {
                hide(&value.text, sensitive)
            };
            if hidden != value.text {
                kept.extend_from_slice(row.get(from..value.begin).unwrap_or_default());
                value.code.write(&hidden, kept);
                from = value.end;
            }
        }
        kept.extend_from_slice(row.get(from..).unwrap_or_default());
    }
}

/// Whether the first row has a column that holds SQL.
fn names_sql(rows: &[u8]) -> bool {
    let row = rows.split(|b| *b == b'\n').next().unwrap_or_default();
    json_strings(row).any(|(begin, end, is_key)| {
        let name = row.get(begin + 1..end - 1).unwrap_or_default().to_ascii_lowercase();
        is_key && COLUMNS.iter().any(|column| column.as_bytes() == name)
    })
}

/// One text in a row.
struct Value<'r> {
    begin: usize,
    end: usize,
    text: Cow<'r, str>,
    /// Its name says that it is a secret.
    secret: bool,
    code: Code,
}

/// How a text is written.
#[derive(Clone, Copy)]
enum Code {
    Json,
    Csv,
    Tsv,
    /// As it is: in TSV arrays, maps and tuples have an escaping of their own inside, and texts that begin like them another one.
    Plain,
}

impl Code {
    fn write(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Json => out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes()),
            Self::Csv => {
                out.push(b'"');
                out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
                out.push(b'"');
            }
            Self::Plain => out.extend_from_slice(text.as_bytes()),
            Self::Tsv => {
                for byte in text.bytes() {
                    match byte {
                        b'\\' => out.extend_from_slice(b"\\\\"),
                        b'\t' => out.extend_from_slice(b"\\t"),
                        b'\n' => out.extend_from_slice(b"\\n"),
                        b'\r' => out.extend_from_slice(b"\\r"),
                        b'\0' => out.extend_from_slice(b"\\0"),
                        0x08 => out.extend_from_slice(b"\\b"),
                        0x0c => out.extend_from_slice(b"\\f"),
                        b'\'' => out.extend_from_slice(b"\\'"),
                        _ => out.push(byte),
                    }
                }
            }
        }
    }
}

fn json(row: &[u8]) -> Vec<Value<'_>> {
    let mut values = Vec::new();
    let mut name = "";
    for (begin, end, is_key) in json_strings(row) {
        let token = row.get(begin..end).unwrap_or_default();
        if is_key {
            name = std::str::from_utf8(token).unwrap_or_default();
            continue;
        }
        let text = String::from_utf8_lossy(token);
        let text = match serde_json::from_str::<String>(&text) {
            Ok(text) => Cow::Owned(text),
            // No JSON after all: what stands between the quotes, then.
            Err(_) => Cow::Owned(text.get(1..text.len() - 1).unwrap_or_default().to_owned()),
        };
        let secret = names_secret(name.trim_matches('"'));
        name = "";
        values.push(Value { begin, end, text, secret, code: Code::Json });
    }
    values
}

/// The values of a line of CSV or TSV.
fn separated(row: &[u8], separator: u8, quotes: bool) -> Vec<Value<'_>> {
    let line = row.strip_suffix(b"\n").unwrap_or(row);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut values = Vec::new();
    let mut begin = 0;
    while begin <= line.len() {
        let mut quoted = false;
        let length = line.get(begin..).unwrap_or_default().iter().position(|byte| {
            quoted ^= quotes && *byte == b'"';
            *byte == separator && !quoted
        });
        let end = length.map_or(line.len(), |length| begin + length);
        values.push(value(line, begin, end, quotes));
        begin = end + 1;
    }
    values
}

fn value(line: &[u8], begin: usize, end: usize, csv: bool) -> Value<'_> {
    let raw = line.get(begin..end).unwrap_or_default();
    let (text, code) = if csv {
        match raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
            Some(inner) => (Cow::Owned(String::from_utf8_lossy(inner).replace("\"\"", "\"")), Code::Csv),
            None => (String::from_utf8_lossy(raw), Code::Csv),
        }
    } else if matches!(raw.first(), Some(b'[' | b'{' | b'(')) {
        (String::from_utf8_lossy(raw), Code::Plain)
    } else {
        (Cow::Owned(String::from_utf8_lossy(&unescaped(raw)).into_owned()), Code::Tsv)
    };
    Value { begin, end, text, secret: false, code }
}

fn unescaped(raw: &[u8]) -> Vec<u8> {
    // `NULL` is written `\N`, and is no text.
    if raw == b"\\N" || memchr::memchr(b'\\', raw).is_none() {
        return raw.to_vec();
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        text.push(match bytes.next() {
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b'0') => b'\0',
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(&other) => other,
            None => b'\\',
        });
    }
    text
}
