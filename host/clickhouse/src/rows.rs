//! A result as it arrives: complete rows, counted and cut exactly, and no error text passed on as data.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use clickhouse::query::BytesCursor;
use tokio::time::Instant;

use crate::cells::Cells;
use crate::error::ReadError;
use crate::format::Format;
use crate::lines::{Budget, Grammar, Lines, Next};
use crate::place::Place;
use crate::redact::Redactor;
use crate::utf8;

/// Text of an error that follows data is read up to here.
const MAX_ERROR_TEXT: usize = 64 * 1024;

/// How much of what is beyond a cap is read, to keep the connection: a statement that ends with the row after the cap has most often
/// nothing more to say, and a new connection for each of its answers would cost more than the answer.
const REST: usize = 64 * 1024;
/// How long that may take. A query that goes on is then cancelled by closing its connection.
const REST_TIME: Duration = Duration::from_millis(50);

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
    /// Long texts are cut.
    pub(crate) cells: Option<Cells>,
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
    grammar: Grammar,
    lines: Lines,
    redactor: Redactor,
    /// The text of an error that came after rows, as far as it has arrived. Kept here, not by the one who waits for the rest of it:
    /// who waits may be dropped.
    failure: Option<BytesMut>,
    /// A row that is an error if nothing comes after it. Kept here for the same reason.
    suspect: Option<Bytes>,
    header: VecDeque<Bytes>,
    header_left: usize,
    rows: u64,
    bytes: u64,
    truncated: bool,
    /// Held while the query runs.
    place: Option<Place>,
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
        redactor: Redactor,
        caps: Caps,
        deadline: Instant,
        query_id: String,
        place: Place,
    ) -> Result<Self, ReadError> {
        let format = redactor.format();
        let grammar = Grammar::of(format, caps.crlf);
        let mut rows = Self {
            cursor: Some(cursor),
            format,
            caps,
            started: Instant::now(),
            deadline,
            query_id,
            grammar,
            lines: Lines::new(grammar),
            redactor,
            failure: None,
            suspect: None,
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

    /// Bytes passed on so far, as they came: before credentials were hidden in them.
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

    /// The next row, complete, with its line feed; nothing at the end. Only for formats with rows. Nothing is lost when the future is
    /// dropped.
    ///
    /// # Errors
    /// When the query fails after its first rows, the connection breaks, or the deadline passes. Rows before that were right.
    pub async fn next_row(&mut self) -> Result<Option<Bytes>, ReadError> {
        if !self.format.has_rows() {
            return Err(ReadError::Option {
                option: "format",
                why: "has no rows to read one by one; take them in blocks",
            });
        }
        loop {
            let Some(line) = self.next_line().await? else {
                self.end();
                return Ok(None);
            };
            if self.grammar.is_error(&line) {
                return Err(self.fail(&line).await);
            }
            let line = if self.caps.crlf { without_carriage_returns(&line) } else { line };
            if self.header_left > 0 {
                self.header_left -= 1;
                self.redactor.header(&line);
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
            return Ok(Some(self.shown(line)));
        }
    }

    /// Complete rows as they leave the host.
    fn shown(&mut self, rows: Bytes) -> Bytes {
        let rows = if self.format.row_brackets().is_some() { utf8::readable(rows) } else { rows };
        let rows = self.redactor.rows(rows);
        match self.caps.cells {
            Some(cells) => cells.cut(rows),
            None => rows,
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

    /// The next complete rows: as many as have arrived, as they have arrived, without the header; or the next bytes of a format
    /// without rows. Nothing at the end. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// As [`Rows::next_row`]; and [`ReadError::TooLarge`] for a format without rows.
    pub async fn next_block(&mut self) -> Result<Option<Bytes>, ReadError> {
        if !self.format.has_rows() {
            return self.next_raw().await;
        }
        loop {
            if let Some(text) = self.failure.take() {
                return Err(self.fail(&text).await);
            }
            // An error that looks like a row is found by looking at rows one by one.
            let looks_like_row = self.suspect.is_some() || self.caps.exception_rows && self.lines.contains(b"Code: ");
            if self.header_left > 0 || looks_like_row {
                return self.next_row().await;
            }
            let left = Budget { rows: self.caps.rows - self.rows, bytes: self.caps.bytes - self.bytes };
            match self.lines.next(left) {
                Next::Rows(block) => {
                    let rows = if self.caps.crlf { without_carriage_returns(&block.rows) } else { block.rows };
                    self.rows += block.count;
                    self.bytes = self.bytes.saturating_add(rows.len() as u64);
                    return Ok(Some(self.shown(rows)));
                }
                Next::Beyond => {
                    self.cut();
                    return Ok(None);
                }
                Next::Error => self.failure = Some(self.lines.take().into()),
                Next::Wait if self.arrives().await? => {}
                Next::Wait => {
                    self.end();
                    return Ok(None);
                }
            }
        }
    }

    async fn next_raw(&mut self) -> Result<Option<Bytes>, ReadError> {
        while self.lines.is_empty() {
            if !self.fill().await? {
                return Ok(None);
            }
        }
        let piece = self.lines.take();
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        if self.bytes > self.caps.bytes {
            self.cut();
            return Err(ReadError::TooLarge { limit: self.caps.bytes });
        }
        Ok(Some(piece))
    }

    async fn next_line(&mut self) -> Result<Option<Bytes>, ReadError> {
        loop {
            if let Some(text) = self.failure.take() {
                return Err(self.fail(&text).await);
            }
            if self.suspect.is_some() {
                return self.judge().await.map(Some);
            }
            if let Some(line) = self.lines.line() {
                if self.caps.exception_rows && is_suspect(&line) {
                    self.suspect = Some(line);
                    continue;
                }
                return Ok(Some(line));
            }
            if !self.arrives().await? {
                return Ok(None);
            }
        }
    }

    /// Waits for more, when there is no complete row. False at the end.
    async fn arrives(&mut self) -> Result<bool, ReadError> {
        // A row that alone is over the cap is not kept waiting for.
        if self.bytes.saturating_add(self.lines.len() as u64) > self.caps.bytes.saturating_add(MAX_ERROR_TEXT as u64) {
            self.cut();
            return Ok(false);
        }
        if self.fill().await? {
            return Ok(true);
        }
        if self.lines.is_empty() {
            return Ok(false);
        }
        let rest = self.lines.take();
        Err(self.fail(&rest).await)
    }

    /// Reads on. False at the end.
    async fn fill(&mut self) -> Result<bool, ReadError> {
        let Some(cursor) = &mut self.cursor else { return Ok(false) };
        let result = match tokio::time::timeout_at(self.deadline, cursor.next()).await {
            Ok(Ok(Some(chunk))) => {
                self.lines.push(chunk);
                return Ok(true);
            }
            Ok(Ok(None)) => Ok(false),
            Ok(Err(e)) => Err(ReadError::from_client(&e)),
            Err(_) => Err(ReadError::Deadline { after: self.deadline - self.started }),
        };
        if let (Ok(_) | Err(ReadError::Server { .. }), Some(place)) = (&result, &mut self.place) {
            place.query_ended();
        }
        self.close();
        result
    }

    fn close(&mut self) {
        self.cursor = None;
        self.place = None;
    }

    /// The result is over.
    fn end(&mut self) {
        if self.caps.silent_cut.is_some_and(|cut| self.rows >= cut) {
            self.truncated = true;
        }
    }

    fn cut(&mut self) {
        self.truncated = true;
        self.lines = Lines::new(self.grammar);
        // Without a runtime the process is ending, and its connections with it.
        if let (Some(cursor), Some(place)) = (self.cursor.take(), self.place.take())
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(read_end(cursor, place));
        }
    }

    /// In some versions an error after data is the last row; others like it are data, such as `SELECT exception FROM system.query_log`.
    async fn judge(&mut self) -> Result<Bytes, ReadError> {
        while self.lines.is_empty() && self.fill().await? {}
        let line = self.suspect.take().unwrap_or_default();
        if self.lines.is_empty() { Err(ReadError::from_answer(&String::from_utf8_lossy(&line))) } else { Ok(line) }
    }

    /// Reads the rest of an error that begins with `start`.
    async fn fail(&mut self, start: &[u8]) -> ReadError {
        self.failure = Some(BytesMut::from(start));
        loop {
            let more = self.lines.take();
            let length = self.failure.as_mut().map_or(0, |text| {
                text.extend_from_slice(&more);
                text.len()
            });
            if length > MAX_ERROR_TEXT {
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
        let text = self.failure.take().unwrap_or_default();
        self.cut();
        self.truncated = false;
        match ReadError::from_answer(&String::from_utf8_lossy(&text)) {
            error @ ReadError::Server { .. } => error,
            _ => ReadError::Broken,
        }
    }
}

/// Reads the end of a result that was cut, if it is near.
async fn read_end(mut cursor: BytesCursor, mut place: Place) {
    let mut left = REST;
    let ends = async {
        loop {
            match cursor.next().await {
                Ok(Some(chunk)) if chunk.len() <= left => left -= chunk.len(),
                Ok(None) => return true,
                _ => return false,
            }
        }
    };
    if tokio::time::timeout(REST_TIME, ends).await == Ok(true) {
        place.query_ended();
    }
}

/// Whether a row looks like the error that old servers end with.
fn is_suspect(line: &[u8]) -> bool {
    let in_row = line.starts_with(b"{\"exception\":\"Code: ") || line.starts_with(b"{\"exception\": \"Code: ");
    // So old that the client does not know how their errors end. In CSV every text has quotes, so there this is never data.
    let bare = line.starts_with(b"Code: ") && memchr::memmem::find(line, b", e.displayText() = ").is_some();
    in_row || bare
}

/// Lines as they are elsewhere. Within values these formats escape carriage returns.
fn without_carriage_returns(lines: &Bytes) -> Bytes {
    let mut shorter = BytesMut::with_capacity(lines.len());
    let mut rest = 0;
    for at in memchr::memchr_iter(b'\r', lines) {
        shorter.extend_from_slice(lines.get(rest..at).unwrap_or_default());
        rest = at + 1;
    }
    shorter.extend_from_slice(lines.get(rest..).unwrap_or_default());
    shorter.freeze()
}
