//! The rows of all parts, one after another.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chm_clickhouse::ReadError;
use futures::future::join_all;

use super::ask::Ask;
use super::gather::{Origin, Taken, Whole};
use super::share;
use crate::api::{Metadata, Unreachable};

/// Results that have begun.
#[derive(Debug)]
pub(super) struct Flow {
    began: Instant,
    parts: VecDeque<Taken>,
    rows: u64,
    truncated: bool,
    metadata: Metadata,
}

impl Flow {
    /// Asks every server at once.
    ///
    /// # Errors
    /// The first server's, when all failed.
    pub async fn begin(ask: Ask<'_>) -> Result<Self, ReadError> {
        let began = Instant::now();
        let Ask { app, parts, format, source, cache, reversed, mut metadata } = ask;
        if parts.len() > 1 && !format.has_rows() {
            return Err(ReadError::Option {
                option: "format",
                why: "joins no rows of several servers; ask for json, ndjson, csv or tsv, or ask one server",
            });
        }
        let origin = Origin::of(&source);
        let hosts: Vec<usize> = parts.iter().map(|part| part.host.config().id).collect();
        let taking = parts.into_iter().map(|part| share::take(app, part.written_as(format), &origin, reversed, cache));
        let mut begun = VecDeque::new();
        let mut first_error = None;
        for (host, outcome) in hosts.into_iter().zip(join_all(taking).await) {
            match outcome {
                Ok(taken) => begun.push_back(taken),
                Err(error) => {
                    metadata.unreachable.push(Unreachable { host: host.to_string(), reason: error.to_string() });
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) if begun.is_empty() => Err(error),
            _ => Ok(Self::of(begun, metadata, began)),
        }
    }

    /// Of results that are there.
    pub fn of(parts: VecDeque<Taken>, mut metadata: Metadata, began: Instant) -> Self {
        let ids: Vec<&str> = parts
            .iter()
            .map(|part| match part {
                Taken::Whole(whole) => whole.query_id.as_str(),
                Taken::Running(running) => running.query_id.as_str(),
            })
            .collect();
        if metadata.query_id.is_empty() {
            metadata.query_id = ids.join(",");
        }
        Self { began, parts, rows: 0, truncated: false, metadata }
    }

    /// All parts, when all of them have ended.
    pub fn whole(&self) -> Option<Vec<&Whole>> {
        let whole = self.parts.iter().map(|part| match part {
            Taken::Whole(whole) => Some(whole.as_ref()),
            Taken::Running(_) => None,
        });
        whole.collect()
    }

    /// Rows in all and whether there are more, when that is known already.
    pub fn known(&self) -> Option<(u64, bool)> {
        self.parts.iter().try_fold((self.rows, self.truncated), |(rows, truncated), part| match part {
            Taken::Whole(whole) => Some((rows + whole.count, truncated || whole.truncated)),
            Taken::Running(running) => running.known.map(|known| (rows + known.rows, truncated || known.truncated)),
        })
    }

    /// Lines before the rows.
    pub fn header(&self) -> Bytes {
        match self.parts.front() {
            Some(Taken::Whole(whole)) => whole.header.clone(),
            Some(Taken::Running(running)) => running.header.clone(),
            None => Bytes::new(),
        }
    }

    /// How old its rows are: those that are oldest.
    pub fn age(&self) -> Duration {
        let ages = self.parts.iter().map(|part| match part {
            Taken::Whole(whole) => whole.made.elapsed(),
            Taken::Running(_) => Duration::ZERO,
        });
        ages.max().unwrap_or_default()
    }

    /// The next rows; nothing at the end.
    ///
    /// # Errors
    /// When a query fails after its first rows.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        loop {
            let Some(part) = self.parts.front_mut() else { return Ok(None) };
            match part {
                Taken::Whole(whole) => {
                    self.rows += whole.count;
                    self.truncated |= whole.truncated;
                    let rows = whole.rows.clone();
                    self.parts.pop_front();
                    if !rows.is_empty() {
                        return Ok(Some(rows));
                    }
                }
                Taken::Running(running) => {
                    if let Some(block) = running.next().await? {
                        return Ok(Some(block));
                    }
                    let rows = &running.reading.rows;
                    let (count, truncated) =
                        running.known.map_or((rows.rows(), rows.truncated()), |known| (known.rows, known.truncated));
                    self.rows += count;
                    self.truncated |= truncated;
                    self.parts.pop_front();
                }
            }
        }
    }

    /// What the envelope says, after the last row.
    pub fn metadata(&self) -> Metadata {
        Metadata {
            duration: self.began.elapsed().as_secs_f64(),
            rows: self.rows,
            truncated: self.truncated,
            ..self.metadata.clone()
        }
    }

    /// What the envelope says, as far as it is known before.
    pub fn words(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, to say more.
    pub fn words_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }
}
