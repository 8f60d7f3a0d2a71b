//! The response: its headers, and its body whole or as it comes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chm_clickhouse::{GuardedQuery, Host, ReadError, ReadOptions};
use futures::Stream;
use http_body_util::StreamBody;
use http_body_util::combinators::BoxBody;
use hyper::body::Frame;
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use poem::{Body, Response, ResponseBuilder};
use sha2::{Digest, Sha256};

use super::ask::{Ask, Part};
use super::flow::Flow;
use super::json;
use super::stall::{self, Attended};
use crate::api::Metadata;
use crate::api::parameters::AnswerFormat;
use crate::app::App;
use crate::query::Source;

/// How many rows an answer without envelope has. A header where it is known before the rows are sent; else a trailer, for clients that
/// read those (`TE: trailers`).
const ROWS: HeaderName = HeaderName::from_static("x-chm-rows");
/// `true` if and only if there was at least one more row; sent as [`ROWS`] is.
const TRUNCATED: HeaderName = HeaderName::from_static("x-chm-truncated");
/// Ids of configured hosts whose rows are missing, where there is no envelope to say so.
const UNREACHABLE: HeaderName = HeaderName::from_static("x-chm-unreachable");
/// ClickHouse's query id.
const QUERY_ID: HeaderName = HeaderName::from_static("x-chm-query-id");

/// Reads and answers. `head` is the request's: a client that has these rows already is told so (304).
///
/// # Errors
/// Until the first rows: ClickHouse's or the connection's error. A later one breaks the connection off, so that a partial answer never
/// looks complete.
pub async fn answer(ask: Ask<'_>, head: &HeaderMap) -> Result<Response, ReadError> {
    Ok(begin(ask).await?.respond(head))
}

/// [`answer`] in two steps, for those who say more when there are no rows.
///
/// # Errors
/// As [`answer`].
pub async fn begin(ask: Ask<'_>) -> Result<Begun, ReadError> {
    let (format, cache) = (ask.format, ask.cache);
    Ok(Begun { flow: Flow::begin(ask).await?, format, cache })
}

/// One statement on one server, for one caller: neither kept nor shared.
///
/// # Errors
/// As [`answer`].
pub async fn stream(
    app: &Arc<App>,
    host: &Arc<Host>,
    query: &GuardedQuery,
    options: ReadOptions,
    format: AnswerFormat,
    source: &Source<'_>,
) -> Result<Response, ReadError> {
    let clickhouse_version = host.version().await.ok();
    let metadata = Metadata { host: host.config().id.to_string(), clickhouse_version, ..Metadata::default() };
    let parts = vec![Part { host: host.clone(), query: query.clone(), options }];
    let ask = Ask { app, parts, format, source: *source, cache: Duration::ZERO, reversed: false, metadata };
    answer(ask, &HeaderMap::new()).await
}

/// An answer whose first rows are here, and which no longer fails with a status.
#[derive(Debug)]
pub struct Begun {
    flow: Flow,
    format: AnswerFormat,
    cache: Duration,
}

impl Begun {
    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flow.known().is_some_and(|(rows, _)| rows == 0)
    }

    /// What the envelope will say; what is filled in after the last row cannot be changed here.
    pub fn metadata(&mut self) -> &mut Metadata {
        self.flow.words_mut()
    }

    /// The response.
    #[must_use]
    pub fn respond(self, head: &HeaderMap) -> Response {
        let Self { flow, format, cache } = self;
        if flow.whole().is_some() {
            return whole(flow, format, cache, head);
        }
        let response = start(&flow, format, cache);
        match format {
            AnswerFormat::Json => response.body(body(envelope(flow))),
            AnswerFormat::Raw(_) if flow.known().is_some() => response.body(body(bare(flow, false))),
            AnswerFormat::Raw(_) => {
                response.header(header::TRAILER, format!("{ROWS}, {TRUNCATED}")).body(body(bare(flow, true)))
            }
        }
    }
}

/// The answer of results that have ended.
pub(super) fn whole(flow: Flow, format: AnswerFormat, cache: Duration, head: &HeaderMap) -> Response {
    let parts = flow.whole().unwrap_or_default();
    let tag = (!cache.is_zero()).then(|| tag(&flow, format));
    let mut response = start(&flow, format, cache);
    if let Some(tag) = &tag {
        response = response.header(header::ETAG, tag);
        if knows(head, tag) {
            return response.status(StatusCode::NOT_MODIFIED).body(());
        }
    }
    if let ([part], AnswerFormat::Raw(_)) = (parts.as_slice(), format)
        && part.header.is_empty()
    {
        return response.body(part.rows.clone());
    }
    let size: usize = parts.iter().map(|part| part.size()).sum();
    let mut out = BytesMut::with_capacity(size + 1024);
    match format {
        AnswerFormat::Json => {
            out.extend_from_slice(json::HEAD);
            let start = out.len();
            for part in &parts {
                let is_first = out.len() == start;
                json::append(&mut out, &part.rows, is_first);
            }
            let (rows, truncated) = flow.known().unwrap_or_default();
            let took = parts.iter().map(|part| part.took).max().unwrap_or_default();
            let metadata = Metadata { rows, truncated, duration: took.as_secs_f64(), ..flow.words().clone() };
            out.extend_from_slice(&json::tail(&metadata));
        }
        AnswerFormat::Raw(_) => {
            out.extend_from_slice(&flow.header());
            parts.iter().for_each(|part| out.extend_from_slice(&part.rows));
        }
    }
    response.body(out.freeze())
}

/// The head of an answer.
fn start(flow: &Flow, format: AnswerFormat, cache: Duration) -> ResponseBuilder {
    let metadata = flow.words();
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, format.content_type())
        .header(header::CACHE_CONTROL, format!("private, max-age={}", cache.as_secs()));
    if !cache.is_zero() {
        // A browser in which somebody else signs in must not show what was kept before.
        response = response.header(header::VARY, "authorization, cookie").header(header::AGE, flow.age().as_secs());
    }
    if format == AnswerFormat::Json {
        return response;
    }
    response = response.header(QUERY_ID, &metadata.query_id);
    if let Some((rows, truncated)) = flow.known() {
        response = response.header(ROWS, rows).header(TRUNCATED, truncated.to_string());
    }
    if !metadata.unreachable.is_empty() {
        let hosts: Vec<&str> = metadata.unreachable.iter().map(|one| one.host.as_str()).collect();
        response = response.header(UNREACHABLE, hosts.join(","));
    }
    response
}

/// The same for the same rows and words in the same form. Weak: compressed or not, it is the same answer.
fn tag(flow: &Flow, format: AnswerFormat) -> String {
    use poem_openapi::types::ToJSON;
    let mut digest = Sha256::new();
    digest.update(format.content_type());
    for part in flow.whole().unwrap_or_default() {
        digest.update(part.digest());
    }
    if format == AnswerFormat::Json {
        let words = Metadata { query_id: String::new(), ..flow.words().clone() };
        digest.update(words.to_json_string());
    }
    let digest: [u8; 32] = digest.finalize().into();
    format!("W/\"{}\"", hex::encode(digest.get(..16).unwrap_or_default()))
}

/// Whether the client has it already (RFC 9110, `If-None-Match`, compared weakly).
fn knows(head: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let sent = head.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    sent.flat_map(|line| line.split(',')).any(|one| one.trim() == "*" || opaque(one) == opaque(tag))
}

type Frames = Result<Frame<Bytes>, io::Error>;

fn body(frames: impl Stream<Item = Frames> + Send + 'static) -> Body {
    Body::from(BoxBody::new(StreamBody::new(Attended::new(frames, stall::LIMIT))))
}

/// Header and rows as ClickHouse wrote them.
fn bare(flow: Flow, trails: bool) -> impl Stream<Item = Frames> + Send {
    let header = flow.header();
    let state = (flow, Some(header).filter(|header| !header.is_empty()), trails);
    futures::stream::unfold(Some(state), |state| async move {
        let (mut flow, mut header, trails) = state?;
        if let Some(header) = header.take() {
            return Some((Ok(Frame::data(header)), Some((flow, None, trails))));
        }
        match flow.next().await {
            Ok(Some(rows)) => Some((Ok(Frame::data(rows)), Some((flow, None, trails)))),
            Ok(None) if trails => {
                let metadata = flow.metadata();
                let truncated = HeaderValue::from_static(if metadata.truncated { "true" } else { "false" });
                let trailers = HeaderMap::from_iter([(ROWS, metadata.rows.into()), (TRUNCATED, truncated)]);
                Some((Ok(Frame::trailers(trailers)), None))
            }
            Ok(None) => None,
            Err(error) => Some((Err(io::Error::other(error)), None)),
        }
    })
}

/// Where an envelope is.
enum Stage {
    Head(Flow),
    Rows(Flow, bool),
}

/// The envelope with rows as they come.
fn envelope(flow: Flow) -> impl Stream<Item = Frames> + Send {
    futures::stream::unfold(Some(Stage::Head(flow)), |stage| async move {
        match stage? {
            Stage::Head(flow) => Some((Ok(Frame::data(Bytes::from_static(json::HEAD))), Some(Stage::Rows(flow, true)))),
            Stage::Rows(mut flow, is_first) => match flow.next().await {
                Ok(Some(lines)) => {
                    let rows = json::members(&lines, is_first);
                    Some((Ok(Frame::data(rows)), Some(Stage::Rows(flow, false))))
                }
                Ok(None) => Some((Ok(Frame::data(json::tail(&flow.metadata()))), None)),
                Err(error) => Some((Err(io::Error::other(error)), None)),
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_has_the_rows_is_known_by_any_of_its_tags() {
        let tag = "W/\"ab\"";
        for (sent, known) in [
            ("W/\"ab\"", true),
            ("\"ab\"", true),
            ("\"x\", W/\"ab\"", true),
            ("*", true),
            ("\"abc\"", false),
            ("ab", false),
            ("", false),
        ] {
            let head = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(sent))]);
            assert_eq!(knows(&head, tag), known, "{sent}");
        }
        assert!(!knows(&HeaderMap::new(), tag));
    }
}
