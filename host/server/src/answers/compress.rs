//! Answers made smaller on their way, where the client reads that.

use std::io;

use async_compression::Level;
use async_compression::tokio::write::{GzipEncoder, ZstdEncoder};
use bytes::Bytes;
use futures::Stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as _, Frame};
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Endpoint, IntoResponse, Middleware, Request, Response, Result};
use sync_wrapper::SyncStream;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// What is smaller gains nothing.
const LEAST_BYTES: u64 = 1024;

/// Middleware: compresses texts with zstd or gzip. Not poem's, which compresses what is compressed already, holds the first rows of a
/// stream back until its buffer is full, and unpacks requests without a limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Compress;

impl<E: Endpoint> Middleware<E> for Compress {
    type Output = CompressEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        CompressEndpoint { inner }
    }
}

/// What [`Compress`] makes of an endpoint.
#[derive(Debug)]
pub struct CompressEndpoint<E> {
    inner: E,
}

impl<E: Endpoint> Endpoint for CompressEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let coding = Coding::wanted(request.headers()).filter(|_| *request.method() != Method::HEAD);
        let mut response = self.inner.call(request).await?.into_response();
        if !is_text(response.headers()) || response.headers().contains_key(header::CONTENT_ENCODING) {
            return Ok(response);
        }
        // Also on answers that stay as they are: others get them compressed.
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
        let body: BoxBody<Bytes, io::Error> = response.take_body().into();
        let worth = body.size_hint().exact().is_none_or(|bytes| bytes >= LEAST_BYTES);
        let has_body = !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        match coding {
            Some(coding) if worth && has_body => {
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.word()));
                headers.remove(header::CONTENT_LENGTH);
                let frames = SyncStream::new(compressed(body, coding));
                response.set_body(Body::from(BoxBody::new(StreamBody::new(frames))));
            }
            _ => response.set_body(Body::from(body)),
        }
        Ok(response)
    }
}

/// Texts of this API and its pages. Parquet and Arrow are packed already, and events must not wait.
fn is_text(headers: &HeaderMap) -> bool {
    const TEXTS: [&str; 9] = [
        "application/json",
        "application/x-ndjson",
        "application/openapi+json",
        "application/yaml",
        "application/javascript",
        "text/html",
        "text/css",
        "text/csv",
        "text/",
    ];
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    TEXTS.iter().any(|text| kind.starts_with(text)) && !kind.starts_with("text/event-stream")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Zstd,
}

impl Coding {
    fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What the client likes best (RFC 9110, `Accept-Encoding`); zstd of equals, as it is the quicker. Nothing when it says nothing.
    fn wanted(head: &HeaderMap) -> Option<Self> {
        let (mut gzip, mut zstd, mut others) = (None, None, None);
        let sent = head.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        for one in sent.flat_map(|line| line.split(',')) {
            let (word, rest) = one.split_once(';').unwrap_or((one, ""));
            let quality =
                rest.trim().strip_prefix("q=").map_or(Some(1.0), |quality| quality.trim().parse::<f32>().ok());
            let Some(quality) = quality else { continue };
            match word.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = Some(quality),
                "zstd" => zstd = Some(quality),
                "*" => others = Some(quality),
                _ => {}
            }
        }
        let (gzip, zstd) = (gzip.or(others).unwrap_or(0.0), zstd.or(others).unwrap_or(0.0));
        match (gzip > 0.0, zstd > 0.0) {
            (_, true) if zstd >= gzip => Some(Self::Zstd),
            (true, _) => Some(Self::Gzip),
            _ => None,
        }
    }
}

/// A compressor whose output is taken out after each piece.
enum Encoder {
    Gzip(GzipEncoder<Vec<u8>>),
    Zstd(ZstdEncoder<Vec<u8>>),
}

impl Encoder {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(GzipEncoder::with_quality(Vec::new(), Level::Fastest)),
            Coding::Zstd => Self::Zstd(ZstdEncoder::with_quality(Vec::new(), Level::Fastest)),
        }
    }

    fn writer(&mut self) -> &mut (dyn AsyncWrite + Send + Unpin) {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }

    fn taken(&mut self) -> Bytes {
        let out = match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        };
        std::mem::take(out).into()
    }

    /// Everything of a piece, now: who waits for the first rows must not wait for a full block.
    async fn pass(&mut self, piece: &[u8]) -> io::Result<Bytes> {
        self.writer().write_all(piece).await?;
        self.writer().flush().await?;
        Ok(self.taken())
    }

    async fn end(&mut self) -> io::Result<Bytes> {
        self.writer().shutdown().await?;
        Ok(self.taken())
    }
}

/// Where a compressed body is.
enum Stage {
    Data(BoxBody<Bytes, io::Error>, Encoder),
    Trailers(HeaderMap),
}

/// The frames of a body, compressed. One that breaks off breaks off here too.
fn compressed(body: BoxBody<Bytes, io::Error>, coding: Coding) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send {
    futures::stream::unfold(Some(Stage::Data(body, Encoder::new(coding))), |stage| async move {
        let (mut body, mut encoder) = match stage? {
            Stage::Data(body, encoder) => (body, encoder),
            Stage::Trailers(trailers) => return Some((Ok(Frame::trailers(trailers)), None)),
        };
        let step = match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(piece) => (encoder.pass(&piece).await, Some(Stage::Data(body, encoder))),
                Err(frame) => (encoder.end().await, frame.into_trailers().ok().map(Stage::Trailers)),
            },
            Some(Err(error)) => (Err(error), None),
            None => (encoder.end().await, None),
        };
        match step {
            (Ok(piece), next) => Some((Ok(Frame::data(piece)), next)),
            (Err(error), _) => Some((Err(error), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use async_compression::tokio::write::{GzipDecoder, ZstdDecoder};
    use futures::StreamExt;
    use poem::{EndpointExt, handler};

    use super::*;

    fn wanted(sent: &'static str) -> Option<Coding> {
        Coding::wanted(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(sent))]))
    }

    #[test]
    fn a_client_gets_what_it_likes_best_and_nothing_it_did_not_name() {
        for (sent, coding) in [
            ("gzip", Some(Coding::Gzip)),
            ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
            ("zstd;q=0.5, gzip;q=0.9", Some(Coding::Gzip)),
            ("GZIP; q=0.2", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("*, zstd;q=0", Some(Coding::Gzip)),
            ("gzip;q=0", None),
            ("br, deflate", None),
            ("identity", None),
            ("", None),
        ] {
            assert_eq!(wanted(sent), coding, "{sent}");
        }
        assert_eq!(Coding::wanted(&HeaderMap::new()), None);
    }

    async fn unpacked(coding: &str, packed: &[u8]) -> Vec<u8> {
        if coding == "gzip" {
            let mut decoder = GzipDecoder::new(Vec::new());
            decoder.write_all(packed).await.unwrap();
            decoder.flush().await.unwrap();
            decoder.into_inner()
        } else {
            let mut decoder = ZstdDecoder::new(Vec::new());
            decoder.write_all(packed).await.unwrap();
            decoder.flush().await.unwrap();
            decoder.into_inner()
        }
    }

    #[handler]
    fn large() -> Response {
        Response::builder().content_type("application/json").body("[1,2,3]".repeat(1000))
    }

    #[handler]
    fn small() -> Response {
        Response::builder().content_type("application/json").body("[1,2,3]")
    }

    #[handler]
    fn parquet() -> Response {
        Response::builder().content_type("application/vnd.apache.parquet").body("[1,2,3]".repeat(1000))
    }

    async fn call(endpoint: impl Endpoint<Output = Response>, accepts: &str) -> Response {
        let request = Request::builder().header("accept-encoding", accepts).finish();
        endpoint.call(request).await.unwrap()
    }

    #[tokio::test]
    async fn texts_of_some_size_are_compressed_and_nothing_else_is() {
        for coding in ["gzip", "zstd"] {
            let response = call(large.with(Compress), coding).await;
            assert_eq!(response.headers()["content-encoding"], coding);
            assert_eq!(response.headers()["vary"], "accept-encoding");
            let bytes = response.into_body().into_vec().await.unwrap();
            assert!(bytes.len() < 1000, "{}", bytes.len());
            assert_eq!(unpacked(coding, &bytes).await, "[1,2,3]".repeat(1000).as_bytes());
        }
        for response in [
            call(large.with(Compress), "identity").await,
            call(small.with(Compress), "gzip").await,
            call(parquet.with(Compress), "gzip").await,
        ] {
            assert!(!response.headers().contains_key("content-encoding"));
            assert!(response.into_body().into_string().await.unwrap().starts_with("[1,2,3]"));
        }
    }

    /// A body that sends one piece, and then nothing for ever.
    #[handler]
    fn slow() -> Response {
        let first = futures::stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"{\"a\":1}\n"))]);
        let body = Body::from_bytes_stream(first.chain(futures::stream::pending()));
        Response::builder().content_type("application/x-ndjson").body(body)
    }

    #[tokio::test]
    async fn the_first_rows_do_not_wait_for_a_full_block() {
        for coding in ["gzip", "zstd"] {
            let mut stream = Box::pin(call(slow.with(Compress), coding).await.into_body().into_bytes_stream());
            let first = stream.next().await.unwrap().unwrap();
            assert_eq!(unpacked(coding, &first).await, b"{\"a\":1}\n");
        }
    }
}
