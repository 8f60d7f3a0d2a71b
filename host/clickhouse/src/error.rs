//! What can go wrong with a query, sorted by ClickHouse's numeric code or the kind of transport error.

use std::time::Duration;

use crate::guard::GuardedQuery;
use crate::redact;

/// The stable class of an error: what clients see as `error.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The query or a parameter is wrong.
    Validation,
    /// The user may not do this, or may not sign in.
    Permission,
    /// No such table or database.
    TableNotFound,
    /// No such column.
    ColumnNotFound,
    /// It took too long.
    Timeout,
    /// The server could not be reached, or left in the middle.
    Network,
    /// No trusted connection.
    Ssl,
    /// Too many queries at once.
    Busy,
    /// Any other failure of the query.
    Query,
}

impl ErrorKind {
    /// The name clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation_error",
            Self::Permission => "permission_error",
            Self::TableNotFound => "table_not_found",
            Self::ColumnNotFound => "column_not_found",
            Self::Timeout => "timeout_error",
            Self::Network => "network_error",
            Self::Ssl => "ssl_error",
            Self::Busy => "busy",
            Self::Query => "query_error",
        }
    }

    /// By ClickHouse's own error number (`system.errors`).
    #[must_use]
    pub fn from_code(code: u32) -> Self {
        match code {
            // Syntax, unknown identifier, function, format, type, setting or parameter; arguments that do not fit, or are too much.
            6
            | 10
            | 19
            | 20
            | 27
            | 34..=36
            | 38
            | 41..=44
            | 46
            | 47
            | 50
            | 51
            | 53
            | 57
            | 62
            | 63
            | 69
            | 70
            | 72
            | 73
            | 115
            | 116
            | 125
            | 128
            | 130
            | 131
            | 153
            | 167..=169
            | 179
            | 183
            | 184
            | 190
            | 207
            | 215
            | 306
            | 321
            | 352
            | 386
            | 407
            | 456
            | 457
            | 706 => Self::Validation,
            164 | 192..=195 | 291 | 452 | 497 | 516 => Self::Permission,
            60 | 81 => Self::TableNotFound,
            8 | 16 => Self::ColumnNotFound,
            159 | 160 | 209 => Self::Timeout,
            210 | 279 => Self::Network,
            202 => Self::Busy,
            _ => Self::Query,
        }
    }
}

/// Why a read (or control statement) gave no result. The texts are safe to show: no address, no credentials, no stack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// ClickHouse refused or failed.
    #[error("ClickHouse answered: {message} (code {code})")]
    Server {
        /// Its error number.
        code: u32,
        /// Its text, cleaned and cut to [`MAX_MESSAGE`] characters.
        message: String,
    },
    /// Something else answers at this address.
    #[error(
        "the server's answer is not ClickHouse's ({hint}); check that the address is ClickHouse's HTTP port and what stands in front of it"
    )]
    NotClickHouse {
        /// The first words of the answer.
        hint: String,
    },
    /// No connection, or it broke.
    #[error("ClickHouse cannot be reached: {reason}")]
    Network {
        /// What failed.
        reason: String,
    },
    /// The connection is not trusted.
    #[error("no trusted TLS connection to ClickHouse: {reason}; check its certificate, or give the CA that signed it")]
    Tls {
        /// What failed.
        reason: String,
    },
    /// No answer within the limit of the query and its grace.
    #[error("no complete answer within {} s; narrow the query or raise the limit", after.as_secs())]
    Deadline {
        /// How long was waited.
        after: Duration,
    },
    /// All places of the host are taken.
    #[error("this ClickHouse already runs {concurrent} queries for this server; try again shortly")]
    Busy {
        /// How many may run.
        concurrent: usize,
    },
    /// All places that one caller may have are taken, by the caller's own queries.
    #[error(
        "your queries hold all {share} places that one caller may have of {concurrent} on this ClickHouse; read or leave their answers \
         and try again, or have `clickhouse.caller_share_percent` raised"
    )]
    ShareFull {
        /// How many one caller may have.
        share: usize,
        /// How many there are.
        concurrent: usize,
    },
    /// A value bound to the query cannot be sent.
    #[error("parameter `{name}`: {why}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong and what is expected.
        why: &'static str,
    },
    /// An option of the read makes no sense.
    #[error("`{option}`: {why}")]
    Option {
        /// Which.
        option: &'static str,
        /// What is wrong and what is expected.
        why: &'static str,
    },
    /// The user's profile pins `readonly = 0`, so no read can be made read-only.
    #[error(
        "the ClickHouse user's profile forbids setting `readonly`, so reads cannot be protected; remove that constraint"
    )]
    ReadonlyPinned,
    /// The server is too old for what was asked.
    #[error("{what} needs ClickHouse {since}; this server has {version}")]
    TooOld {
        /// What was asked.
        what: &'static str,
        /// The first release that can.
        since: String,
        /// The server's version.
        version: String,
    },
    /// A result that cannot be cut in the middle is larger than allowed.
    #[error(
        "the result is larger than {limit} bytes and its format cannot be cut; add LIMIT, or choose a format of rows"
    )]
    TooLarge {
        /// The cap in bytes.
        limit: u64,
    },
    /// The answer is no rows of the format asked for.
    #[error("ClickHouse's answer broke off or is not the format asked for")]
    Broken,
}

/// Longest text taken from a server, in characters.
pub const MAX_MESSAGE: usize = 1_000;

impl ReadError {
    /// The stable class.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Server { code, .. } => ErrorKind::from_code(*code),
            Self::NotClickHouse { .. } | Self::Network { .. } | Self::Broken => ErrorKind::Network,
            Self::Tls { .. } => ErrorKind::Ssl,
            Self::Deadline { .. } => ErrorKind::Timeout,
            Self::Busy { .. } | Self::ShareFull { .. } => ErrorKind::Busy,
            Self::Parameter { .. } | Self::Option { .. } => ErrorKind::Validation,
            Self::ReadonlyPinned => ErrorKind::Permission,
            Self::TooLarge { .. } | Self::TooOld { .. } => ErrorKind::Query,
        }
    }

    /// ClickHouse's error number, when it was ClickHouse that failed.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Server { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The error of this statement: it may quote what the statement says, and so its keys.
    pub(crate) fn about(self, query: &GuardedQuery) -> Self {
        match self {
            Self::Server { code, message } if redact::is_sensitive(query.sql()) => {
                Self::Server { code, message: redact::hide(&message, true).into_owned() }
            }
            error => error,
        }
    }

    /// From the text of an answer: the number and message of the exception in it, the last one if they follow data.
    pub(crate) fn from_answer(answer: &str) -> Self {
        // An error about another server has that one's error within it.
        let start = if answer.starts_with("Code: ") { Some(0) } else { answer.rfind("Code: ") };
        if let Some(start) = start {
            let rest = &answer[start + "Code: ".len()..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if let Ok(code) = rest[..digits].parse::<u32>() {
                let message = clean(&rest[digits..]);
                return Self::Server { code, message };
            }
        }
        let words: String = answer.chars().filter(|c| !c.is_control()).take(80).collect();
        Self::NotClickHouse { hint: hide_addresses(&words) }
    }

    /// From the client's error; the kind of transport error is found by type, not by words.
    pub(crate) fn from_client(error: &clickhouse::error::Error) -> Self {
        use clickhouse::error::Error;
        match error {
            Error::BadResponse(answer) => Self::from_answer(answer),
            Error::Network(source) => from_transport(source.as_ref()),
            Error::TimedOut => Self::Deadline { after: Duration::ZERO },
            Error::InvalidParams(_) => {
                Self::Option { option: "request", why: "it cannot be written as an HTTP request" }
            }
            _ => Self::Broken,
        }
    }
}

fn from_transport(error: &(dyn std::error::Error + 'static)) -> ReadError {
    let mut current = Some(error);
    let mut reason = "the connection failed".to_owned();
    while let Some(e) = current {
        if let Some(tls) = tls_within(e) {
            return ReadError::Tls { reason: tls.to_string() };
        }
        if let Some(io) = e.downcast_ref::<std::io::Error>() {
            reason = match io.kind() {
                std::io::ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
                std::io::ErrorKind::TimedOut => "no connection in time".to_owned(),
                std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof => {
                    "the connection broke".to_owned()
                }
                // Name lookup has no kind of its own.
                _ if io.to_string().contains("lookup") => "its name cannot be resolved".to_owned(),
                _ => reason,
            };
        }
        current = e.source();
    }
    ReadError::Network { reason }
}

/// The TLS error in `error`; I/O errors carry theirs without naming it as their source.
fn tls_within<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut inner = error;
    while let Some(next) = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        inner = next;
    }
    inner.downcast_ref::<rustls::Error>()
}

/// The text of an exception without its number, version, stack and addresses.
fn clean(text: &str) -> String {
    let mut text = text.trim_start_matches([',', '.', ' ']);
    for prefix in ["e.displayText() = ", "DB::Exception: ", "DB::NetException: "] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    for end in ["Stack trace", ", e.what() =", " (version "] {
        if let Some(at) = text.find(end) {
            text = &text[..at];
        }
    }
    let kept = hide_addresses(&redact::hide_credentials(text.trim().trim_end_matches([',', '.', ' '])));
    match kept.char_indices().nth(MAX_MESSAGE - 1) {
        Some((at, _)) => format!("{}…", &kept[..at]),
        None => kept,
    }
}

/// Replaces `scheme://…` up to the next space, quote or bracket.
fn hide_addresses(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let scheme = rest[..at]
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |i| i + rest[i..].chars().next().map_or(1, char::len_utf8));
        kept.push_str(&rest[..scheme]);
        kept.push_str("<address>");
        let tail = &rest[at + 3..];
        let end = tail
            .find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`' | ')' | '>' | ','))
            .unwrap_or(tail.len());
        rest = &tail[end..];
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_stable_kinds() {
        for (code, kind) in [
            (62, "validation_error"),
            (47, "validation_error"),
            (46, "validation_error"),
            (63, "validation_error"),
            (457, "validation_error"),
            (131, "validation_error"),
            (190, "validation_error"),
            (497, "permission_error"),
            (164, "permission_error"),
            (516, "permission_error"),
            (60, "table_not_found"),
            (81, "table_not_found"),
            (16, "column_not_found"),
            (159, "timeout_error"),
            (209, "timeout_error"),
            (279, "network_error"),
            (202, "busy"),
            (241, "query_error"),
            (395, "query_error"),
            (99_999, "query_error"),
        ] {
            assert_eq!(ErrorKind::from_code(code).as_str(), kind, "{code}");
        }
    }

    #[test]
    fn answers_of_every_age_give_code_and_clean_text() {
        for (answer, code, message) in [
            (
                "Code: 60. DB::Exception: Unknown table expression identifier 'x'. (UNKNOWN_TABLE) (version 26.7.2.1)\n",
                60,
                "Unknown table expression identifier 'x'. (UNKNOWN_TABLE)",
            ),
            ("Code: 62, e.displayText() = DB::Exception: Syntax error, e.what() = DB::Exception\n", 62, "Syntax error"),
            ("1\t2\nCode: 395. DB::Exception: stopped (X) (version 24.1)", 395, "stopped (X)"),
            (
                "Code: 210. DB::NetException: cannot reach http://u:p@h:1/x?y (a) Stack trace: 0. foo",
                210,
                "cannot reach <address> (a)",
            ),
        ] {
            let error = ReadError::from_answer(answer);
            assert_eq!(error, ReadError::Server { code, message: message.to_owned() });
        }
    }

    #[test]
    fn a_page_of_something_else_is_no_answer_of_clickhouse() {
        let error = ReadError::from_answer("<html>502 Bad Gateway http://u:p@inside/</html>");
        assert_eq!(error.kind(), ErrorKind::Network);
        assert!(!error.to_string().contains("u:p"), "{error}");
    }

    #[test]
    fn long_texts_are_cut() {
        let ReadError::Server { message, .. } = ReadError::from_answer(&format!("Code: 1. {}", "é".repeat(5_000)))
        else {
            panic!("a server error");
        };
        assert_eq!(message.chars().count(), MAX_MESSAGE);
    }
}
