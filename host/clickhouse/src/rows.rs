//! A result as it arrives: complete rows, counted and cut exactly, and no error text passed on as data.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use clickhouse::query::BytesCursor;
use futures::Stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::error::ReadError;
use crate::format::Format;

/// Text of an error that follows data is read up to here.
const MAX_ERROR_TEXT: usize = 64 * 1024;
/// How many bytes of rows are put into one piece of a byte stream.
const PIECE: usize = 64 * 1024;

/// What bounds a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// The server cuts here without saying so.
    pub(crate) silent_cut: Option<u64>,
    /// The server may write an error as a row.
    pub(crate) exception_rows: bool,
    /// Lines end with a carriage return, which is taken out.
    pub(crate) crlf: bool,
}

/// A running read. Dropping it closes the connection, which cancels the query on the server
/// (`cancel_http_readonly_queries_on_client_close`; seen in `system.processes` of 26.7).
pub struct Rows {
    cursor: Option<BytesCursor>,
    format: Format,
    caps: Caps,
    started: Instant,
    deadline: Instant,
    query_id: String,
    buffer: BytesMut,
    /// Bytes of the buffer already searched for the end of a row.
    searched: usize,
    /// Inside a quoted CSV field.
    quoted: bool,
    header: VecDeque<Bytes>,
    header_left: usize,
    rows: u64,
    bytes: u64,
    truncated: bool,
    /// Held while the query runs.
    place: Option<OwnedSemaphorePermit>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("query_id", &self.query_id)
            .field("format", &self.format)
            .field("rows", &self.rows)
            .field("bytes", &self.bytes)
            .field("truncated", &self.truncated)
            .finish_non_exhaustive()
    }
}

impl Rows {
    /// Waits for the beginning of the answer, so that a refused query is an error here and not in the middle of a response.
    pub(crate) async fn begin(
        cursor: BytesCursor,
        format: Format,
        caps: Caps,
        deadline: Instant,
        query_id: String,
        place: OwnedSemaphorePermit,
    ) -> Result<Self, ReadError> {
        let mut rows = Self {
            cursor: Some(cursor),
            format,
            caps,
            started: Instant::now(),
            deadline,
            query_id,
            buffer: BytesMut::new(),
            searched: 0,
            quoted: false,
            header: VecDeque::new(),
            header_left: format.header_lines(),
            rows: 0,
            bytes: 0,
            truncated: false,
            place: Some(place),
        };
        rows.fill().await?;
        Ok(rows)
    }

    /// The id the query has in the server's logs.
    #[must_use]
    pub fn query_id(&self) -> &str {
        &self.query_id
    }

    /// How the rows are written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Rows passed on so far. Always 0 for formats without rows ([`Format::has_rows`]).
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes passed on so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// After the last row: whether there was at least one more. Exact for formats with rows; others end with
    /// [`ReadError::TooLarge`] at the byte cap, and at the row cap without a sign.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// The lines before the first row (names; names and types); empty before the first call of [`Rows::next_row`].
    pub fn header(&self) -> impl Iterator<Item = &Bytes> {
        self.header.iter()
    }

    /// The next row, complete, with its line feed; nothing at the end. Only for formats with rows.
    ///
    /// # Errors
    /// When the query fails after its first rows, the connection breaks, or the deadline passes. Rows before that were right.
    pub async fn next_row(&mut self) -> Result<Option<Bytes>, ReadError> {
        if !self.format.has_rows() {
            return Err(ReadError::Option {
                option: "format",
                why: "has no rows to read one by one; take the byte stream",
            });
        }
        loop {
            let Some(line) = self.next_line().await? else {
                if self.caps.silent_cut.is_some_and(|cut| self.rows >= cut) {
                    self.truncated = true;
                }
                return Ok(None);
            };
            self.refuse_error_text(&line).await?;
            let line = if self.caps.crlf { without_carriage_return(line) } else { line };
            if self.header_left > 0 {
                self.header_left -= 1;
                self.header.push_back(line);
                continue;
            }
            let after = self.bytes.saturating_add(line.len() as u64);
            if self.rows >= self.caps.rows || after > self.caps.bytes {
                self.cut();
                return Ok(None);
            }
            self.rows += 1;
            self.bytes = after;
            return Ok(Some(line));
        }
    }

    /// All rows at once, for small results.
    ///
    /// # Errors
    /// As [`Rows::next_row`].
    pub async fn collect(&mut self) -> Result<Vec<Bytes>, ReadError> {
        let mut all = Vec::new();
        while let Some(row) = self.next_row().await? {
            all.push(row);
        }
        Ok(all)
    }

    /// The next bytes to pass on: header and complete rows in pieces of about 64 KiB, or the raw bytes of a format without rows.
    /// Nothing at the end.
    ///
    /// # Errors
    /// As [`Rows::next_row`]; and [`ReadError::TooLarge`] for a format without rows.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, ReadError> {
        if !self.format.has_rows() {
            return self.next_raw().await;
        }
        let mut piece = BytesMut::new();
        let mut ended = false;
        while piece.len() < PIECE {
            // Rows which are here already go out before the next ones are waited for.
            if !piece.is_empty() && self.find_row_end().is_none() && self.cursor.is_some() {
                break;
            }
            let row = self.next_row().await?;
            while let Some(line) = self.header.pop_front() {
                piece.extend_from_slice(&line);
            }
            match row {
                Some(row) => piece.extend_from_slice(&row),
                None => {
                    ended = true;
                    break;
                }
            }
        }
        Ok(if piece.is_empty() && ended { None } else { Some(piece.freeze()) })
    }

    /// [`Rows::next_piece`] as a stream that ends after an error.
    pub fn into_bytes_stream(self) -> impl Stream<Item = Result<Bytes, ReadError>> + Send {
        futures::stream::try_unfold(
            self,
            |mut rows| async move { Ok(rows.next_piece().await?.map(|piece| (piece, rows))) },
        )
    }

    async fn next_raw(&mut self) -> Result<Option<Bytes>, ReadError> {
        while self.buffer.is_empty() {
            if !self.fill().await? {
                return Ok(None);
            }
        }
        let piece = self.buffer.split().freeze();
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        if self.bytes > self.caps.bytes {
            self.cut();
            return Err(ReadError::TooLarge { limit: self.caps.bytes });
        }
        Ok(Some(piece))
    }

    async fn next_line(&mut self) -> Result<Option<Bytes>, ReadError> {
        loop {
            if let Some(end) = self.find_row_end() {
                self.searched = 0;
                return Ok(Some(self.buffer.split_to(end).freeze()));
            }
            // A row that alone is over the cap is not kept waiting for.
            if self.bytes.saturating_add(self.buffer.len() as u64)
                > self.caps.bytes.saturating_add(MAX_ERROR_TEXT as u64)
            {
                self.cut();
                return Ok(None);
            }
            if !self.fill().await? {
                if self.buffer.is_empty() {
                    return Ok(None);
                }
                let rest = self.buffer.split().freeze();
                return Err(self.error_text(&rest).await);
            }
        }
    }

    /// Bytes up to and with the line feed that ends the first row of the buffer.
    fn find_row_end(&mut self) -> Option<usize> {
        let csv = self.format == Format::Csv;
        for (offset, byte) in self.buffer.get(self.searched..)?.iter().enumerate() {
            match byte {
                // ClickHouse doubles quotes inside quotes, so a count of them tells where a field ends.
                b'"' if csv => self.quoted = !self.quoted,
                b'\n' if !self.quoted => {
                    let end = self.searched + offset + 1;
                    // Found again by the next call: nothing before it changes the state.
                    self.searched = end - 1;
                    return Some(end);
                }
                _ => {}
            }
        }
        self.searched = self.buffer.len();
        None
    }

    /// Reads on. False at the end.
    async fn fill(&mut self) -> Result<bool, ReadError> {
        let Some(cursor) = &mut self.cursor else { return Ok(false) };
        let result = match tokio::time::timeout_at(self.deadline, cursor.next()).await {
            Ok(Ok(Some(chunk))) => {
                self.buffer.extend_from_slice(&chunk);
                return Ok(true);
            }
            Ok(Ok(None)) => Ok(false),
            Ok(Err(e)) => Err(ReadError::from_client(&e)),
            Err(_) => Err(ReadError::Deadline { after: self.deadline - self.started }),
        };
        self.close();
        result
    }

    fn close(&mut self) {
        self.cursor = None;
        self.place = None;
    }

    fn cut(&mut self) {
        self.truncated = true;
        self.buffer.clear();
        self.searched = 0;
        self.close();
    }

    /// An error after data arrives in the body. Since 25.11 as a block that begins with an empty line and `__exception__`; before, as a bare line; in
    /// some versions as a row. The client finds the block only when a chunk ends with it, so the lines are looked at here too.
    async fn refuse_error_text(&mut self, line: &Bytes) -> Result<(), ReadError> {
        let body = line.strip_suffix(b"\n").unwrap_or(line);
        let error = match self.format.row_brackets() {
            Some((open, close)) => body.first() != Some(&open) || body.last() != Some(&close),
            // With line ends of two bytes an empty row looks like the first line of the block, so the second one tells.
            None => body == b"\r" && !self.caps.crlf || body == b"__exception__\r",
        };
        if error {
            return Err(self.error_text(line).await);
        }
        if self.caps.exception_rows
            && (line.starts_with(b"{\"exception\":\"Code: ") || line.starts_with(b"{\"exception\": \"Code: "))
        {
            // Only the last row is one; others are data, such as `SELECT exception FROM system.query_log`.
            while self.buffer.is_empty() && self.fill().await? {}
            if self.buffer.is_empty() {
                return Err(ReadError::from_answer(&String::from_utf8_lossy(line)));
            }
        }
        Ok(())
    }

    /// Reads the rest of an error that begins with `start`.
    async fn error_text(&mut self, start: &[u8]) -> ReadError {
        let mut text = start.to_vec();
        loop {
            text.extend_from_slice(&self.buffer.split());
            if text.len() > MAX_ERROR_TEXT {
                break;
            }
            match self.fill().await {
                Ok(true) => {}
                Ok(false) => break,
                // The client may have understood the rest of it.
                Err(error @ ReadError::Server { .. }) => return error,
                Err(_) => break,
            }
        }
        self.cut();
        self.truncated = false;
        match ReadError::from_answer(&String::from_utf8_lossy(&text)) {
            error @ ReadError::Server { .. } => error,
            _ => ReadError::Broken,
        }
    }
}

fn without_carriage_return(line: Bytes) -> Bytes {
    match line.strip_suffix(b"\r\n") {
        Some(body) => {
            let mut shorter = BytesMut::with_capacity(body.len() + 1);
            shorter.extend_from_slice(body);
            shorter.extend_from_slice(b"\n");
            shorter.freeze()
        }
        None => line,
    }
}
