//! One statement over ClickHouse's HTTP interface, to an engine of our own on loopback.
//!
//! A few lines of HTTP/1.1 on a TCP stream: this crate asks a handful of questions of a server it
//! started, and a client library for that would be its largest dependency. Results are held whole.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest wait for one statement.
const LIMIT: Duration = Duration::from_secs(60);

/// Why a statement gave no result.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// No connection, or it broke.
    #[error("the embedded ClickHouse cannot be reached: {0}")]
    Unreachable(#[from] io::Error),
    /// No answer in time.
    #[error("the embedded ClickHouse did not answer within {} s", LIMIT.as_secs())]
    TimedOut,
    /// The answer is not HTTP.
    #[error("the embedded ClickHouse answered with something that is not HTTP")]
    Malformed,
    /// ClickHouse refused or failed.
    #[error("the embedded ClickHouse answered {status}: {text}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// ClickHouse's numeric error code.
        code: Option<i32>,
        /// ClickHouse's message.
        text: String,
    },
}

impl StatementError {
    /// ClickHouse's numeric error code, when it was ClickHouse that refused.
    pub fn code(&self) -> Option<i32> {
        match self {
            StatementError::Refused { code, .. } => *code,
            _ => None,
        }
    }
}

/// Address and user of an engine.
#[derive(Clone)]
pub struct Connection {
    pub(crate) address: SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("address", &self.address)
            .field("user", &self.user)
            .field("password", &"[hidden]")
            .finish()
    }
}

impl Connection {
    /// The same engine as another user.
    #[must_use]
    pub fn as_user(&self, user: &str, password: &str) -> Connection {
        Connection { address: self.address, user: user.to_owned(), password: password.to_owned() }
    }

    /// Runs one statement and returns its result as ClickHouse formats it (TabSeparated unless the
    /// statement says otherwise).
    ///
    /// # Errors
    /// See [`StatementError`]; also when the failure came after the first rows.
    pub async fn run(&self, sql: &str) -> Result<String, StatementError> {
        self.run_with(sql, &[]).await
    }

    /// As [`run`](Self::run), with ClickHouse settings. Names and values are URL-encoded here.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub async fn run_with(&self, sql: &str, settings: &[(&str, &str)]) -> Result<String, StatementError> {
        // Waiting for the end gives every failure its HTTP status, also one after the first rows.
        let mut query = "wait_end_of_query=1".to_owned();
        for (name, value) in settings {
            query.push('&');
            query.push_str(&encode(name));
            query.push('=');
            query.push_str(&encode(value));
        }
        let request = format!(
            "POST /?{query} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-ClickHouse-User: {}\r\n\
             X-ClickHouse-Key: {}\r\nContent-Length: {}\r\n\r\n{sql}",
            self.address,
            self.user,
            self.password,
            sql.len()
        );
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<_, io::Error>(answer)
        };
        let answer = tokio::time::timeout(LIMIT, exchange).await.map_err(|_| StatementError::TimedOut)??;
        read_answer(&answer)
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn read_answer(answer: &[u8]) -> Result<String, StatementError> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or(StatementError::Malformed)?;
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| StatementError::Malformed)?;
    let mut lines = head.split("\r\n");
    let status: u16 = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or(StatementError::Malformed)?;
    let (mut chunked, mut code, mut length) = (false, None, None);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "x-clickhouse-exception-code" => code = value.parse().ok(),
            "content-length" => length = value.parse::<usize>().ok(),
            _ => {}
        }
    }
    let body = &answer[end + 4..];
    let body = if chunked {
        join_chunks(body).ok_or(StatementError::Malformed)?
    } else if length.is_some_and(|length| length != body.len()) {
        return Err(StatementError::Malformed);
    } else {
        body.to_vec()
    };
    let text = String::from_utf8_lossy(&body).into_owned();
    if status == 200 && code.is_none() {
        Ok(text)
    } else {
        Err(StatementError::Refused { status, code, text: text.trim_end().to_owned() })
    }
}

/// `None` when the last chunk is missing: the answer was cut off.
fn join_chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..line_end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let start = line_end + 2;
        let end = start.checked_add(size)?;
        body.extend_from_slice(rest.get(start..end)?);
        rest = rest.get(end.checked_add(2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_or_refused() {
        let good = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1\n", "1\n"),
            ("HTTP/1.0 200 OK\r\n\r\n1\n", "1\n"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n", "abcde"),
        ];
        for (answer, expected) in good {
            assert_eq!(read_answer(answer.as_bytes()).unwrap(), expected);
        }
        let bad = [
            "",
            "1\n",
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n1\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab",
        ];
        for answer in bad {
            let error = read_answer(answer.as_bytes()).unwrap_err();
            assert!(matches!(error, StatementError::Malformed), "{answer:?}: {error}");
        }
    }

    #[test]
    fn a_refusal_carries_clickhouses_code() {
        let error =
            read_answer(b"HTTP/1.1 404 Not Found\r\nX-ClickHouse-Exception-Code: 60\r\n\r\nCode: 60. DB::Exception\n")
                .unwrap_err();
        assert_eq!(error.code(), Some(60));
        assert!(error.to_string().contains("404"), "{error}");
    }

    #[test]
    fn settings_are_encoded_and_passwords_not_shown() {
        assert_eq!(encode("a b&c=1~é"), "a%20b%26c%3D1~%C3%A9");
        let connection =
            Connection { address: ([127, 0, 0, 1], 1).into(), user: "u".to_owned(), password: "hush".to_owned() };
        assert!(!format!("{connection:?}").contains("hush"));
    }
}
