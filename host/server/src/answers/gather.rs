//! The beginning of a result: small ones are in memory before anything is sent, larger ones go on as they come.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chm_clickhouse::{Claim, Holder, ReadError};
use sha2::{Digest, Sha256};

use super::ask::Part;
use super::count;
use crate::app::App;
use crate::query::{self, Reading, Source};
use crate::telemetry::QuerySource;

/// What is larger is not held, so not shared: the host's memory must not grow with what is asked of it.
pub(super) const HELD_BYTES: usize = 256 << 10;
/// How long rows that are here wait for the end of a small result, before they are sent without knowing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Far less than a person notices: who asks alone wants rows as they come.
    Short,
    /// Longer, as a result that is streamed cannot be shared. Those that can be come all at once, unless the machine is very busy.
    Long,
    /// Until the end: the last row is shown first.
    Unlimited,
}

impl Patience {
    fn time(self) -> Option<Duration> {
        match self {
            Self::Short => Some(Duration::from_millis(20)),
            Self::Long => Some(Duration::from_secs(1)),
            Self::Unlimited => None,
        }
    }
}

/// A whole result.
#[derive(Debug)]
pub(super) struct Whole {
    /// Lines before the rows.
    pub header: Bytes,
    /// The rows, as ClickHouse wrote them.
    pub rows: Bytes,
    /// How many.
    pub count: u64,
    /// Whether there was at least one more.
    pub truncated: bool,
    /// The query's id in ClickHouse's log.
    pub query_id: String,
    /// From sending the statement to the last row.
    pub took: Duration,
    /// When the last row came.
    pub made: Instant,
    digest: OnceLock<[u8; 32]>,
}

impl Whole {
    pub fn new(header: Bytes, rows: Bytes, count: u64, truncated: bool) -> Self {
        Self {
            header,
            rows,
            count,
            truncated,
            query_id: String::new(),
            took: Duration::ZERO,
            made: Instant::now(),
            digest: OnceLock::new(),
        }
    }

    /// How much memory it takes, in bytes, roughly.
    pub fn size(&self) -> usize {
        self.header.len() + self.rows.len()
    }

    /// The same for the same rows.
    pub fn digest(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| {
            let mut digest = Sha256::new();
            digest.update([u8::from(self.truncated)]);
            digest.update(self.header.len().to_le_bytes());
            digest.update(&self.header);
            digest.update(&self.rows);
            digest.finalize().into()
        })
    }
}

/// A result whose end is not known.
#[derive(Debug)]
pub(super) struct Running {
    /// Lines before the rows.
    pub header: Bytes,
    /// What has come.
    pub blocks: VecDeque<Bytes>,
    /// The rest.
    pub reading: Reading,
    /// Rows in all, and whether there was one more, where that was asked before because the format does not tell.
    pub known: Option<count::Known>,
    /// The query's id in ClickHouse's log.
    pub query_id: String,
}

impl Running {
    /// The next rows.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        match self.blocks.pop_front() {
            Some(block) => Ok(Some(block)),
            None => self.reading.rows.next_block().await,
        }
    }
}

/// A result that has begun.
#[derive(Debug)]
pub(super) enum Taken {
    /// And ended.
    Whole(Arc<Whole>),
    /// And goes on.
    Running(Box<Running>),
}

/// [`Source`] for longer than a request lives.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    kind: QuerySource,
    request_id: String,
    plugin: String,
    item: String,
    holder: Option<Holder>,
}

impl Origin {
    pub fn of(source: &Source<'_>) -> Self {
        Self {
            kind: source.kind,
            request_id: source.request_id.to_owned(),
            plugin: source.plugin.to_owned(),
            item: source.item.to_owned(),
            holder: source.holder(),
        }
    }

    /// Of whose share of places it reads.
    pub fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    /// Who calls is left out: that is in the options' comment already, and in the claim.
    fn source(&self) -> Source<'_> {
        let Self { kind, request_id, plugin, item, .. } = self;
        Source { kind: *kind, request_id, caller: None, address: None, plugin, item }
    }
}

/// Sends the statement, of this claim, and waits for its first rows, and somewhat longer for the rest of a small result. With
/// `reversed`, for all of it.
pub(super) async fn gather(
    app: &App,
    claim: Claim,
    part: Part,
    origin: &Origin,
    reversed: bool,
    patience: Patience,
) -> Result<Taken, ReadError> {
    let began = Instant::now();
    let Part { host, query, mut options } = part;
    let format = options.format;
    let reversed = reversed && format.has_rows();
    let patience = if reversed { Patience::Unlimited } else { patience };
    let place = (&host, &claim);
    let known =
        if format.has_rows() { None } else { Some(count::ask(app, place, &query, &options, &origin.source()).await?) };
    // The server cuts such formats by a setting, which not every user may send.
    let cut = known.filter(|known| known.truncated).and_then(|_| count::cut(&query, options.max_rows));
    let query = cut.unwrap_or(query);
    let query_id = format!("chm-{}-{}", origin.request_id, ulid::Ulid::new());
    options.query_id = Some(query_id.clone());
    let mut reading = query::start(app, place, &query, options, &origin.source()).await?;
    let mut blocks = VecDeque::new();
    let (mut size, mut until) = (0, None);
    loop {
        let next = reading.rows.next_block();
        let block = match until {
            None => next.await?,
            Some(until) => match tokio::time::timeout_at(until, next).await {
                Ok(block) => block?,
                Err(_) => break,
            },
        };
        let Some(block) = block else {
            let header: Bytes = joined(reading.rows.header());
            let all = joined(&blocks);
            let all = if reversed { newest_last(format, &all) } else { all };
            let (count, truncated) = match known {
                Some(known) => (known.rows, known.truncated),
                None => (reading.rows.rows(), reading.rows.truncated()),
            };
            let mut whole = Whole::new(header, all, count, truncated);
            whole.query_id = query_id;
            whole.took = began.elapsed();
            return Ok(Taken::Whole(Arc::new(whole)));
        };
        size += block.len();
        blocks.push_back(block);
        until = until.or_else(|| Some(tokio::time::Instant::now() + patience.time()?));
        if size > HELD_BYTES && !reversed {
            break;
        }
    }
    let header = joined(reading.rows.header());
    Ok(Taken::Running(Box::new(Running { header, blocks, reading, known, query_id })))
}

/// In one piece; one alone is not copied.
fn joined<'b>(pieces: impl IntoIterator<Item = &'b Bytes>) -> Bytes {
    let mut pieces = pieces.into_iter();
    let Some(first) = pieces.next() else { return Bytes::new() };
    let Some(second) = pieces.next() else { return first.clone() };
    let mut all = BytesMut::from(first.as_ref());
    all.extend_from_slice(second);
    pieces.for_each(|piece| all.extend_from_slice(piece));
    all.freeze()
}

fn newest_last(format: chm_clickhouse::Format, rows: &Bytes) -> Bytes {
    let mut all = BytesMut::with_capacity(rows.len());
    for row in format.rows_of(rows).iter().rev() {
        all.extend_from_slice(row);
    }
    all.freeze()
}
