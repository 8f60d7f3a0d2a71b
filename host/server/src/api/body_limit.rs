//! Request bodies are read whole, up to a limit and within a time, before anything looks at them.

use std::time::Duration;

use bytes::BytesMut;
use futures::{Stream, StreamExt};
use poem::error::ReadBodyError;
use poem::http::{HeaderValue, header};
use poem::{Body, Endpoint, Error, IntoResponse, Middleware, Request, Result};

use super::error::{Problem, Word};

/// What is read of a body that is too long, and thrown away: a client that still sends would not see the answer.
const DISCARDED_BYTES: usize = 16 << 20;
/// How long that may take.
const DISCARD_LIMIT: Duration = Duration::from_secs(2);

/// Middleware: a longer body is answered with 413, whether its length was announced or not, and a slower one with 408.
pub struct BodyLimit {
    bytes: usize,
    time: Duration,
}

impl BodyLimit {
    /// Most bytes of a body, and how long they may take.
    pub fn new(bytes: usize, time: Duration) -> Self {
        Self { bytes, time }
    }
}

impl<E: Endpoint> Middleware<E> for BodyLimit {
    type Output = Limited<E>;

    fn transform(&self, inner: E) -> Limited<E> {
        Limited { bytes: self.bytes, time: self.time, inner }
    }
}

/// An endpoint behind the limit.
pub struct Limited<E> {
    bytes: usize,
    time: Duration,
    inner: E,
}

impl<E: Endpoint> Endpoint for Limited<E> {
    type Output = E::Output;

    async fn call(&self, mut request: Request) -> Result<E::Output> {
        let body = match tokio::time::timeout(self.time, read(request.take_body(), self.bytes)).await {
            Ok(body) => body?,
            Err(_) => {
                let message = "the request's body took longer than `limits.body_timeout_ms`";
                let mut response = Problem::new(Word::TooSlow, message).into_response();
                // What is left of the body is not waited for either.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                return Err(Error::from_response(response));
            }
        };
        request.set_body(body);
        self.inner.call(request).await
    }
}

async fn read(body: Body, most: usize) -> Result<Body, ReadBodyError> {
    let mut pieces = std::pin::pin!(body.into_bytes_stream());
    let mut whole = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(ReadBodyError::Io)?;
        if whole.len() + piece.len() > most {
            // Whatever comes of it, the answer is the same.
            let _ = tokio::time::timeout(DISCARD_LIMIT, discard(pieces)).await;
            return Err(ReadBodyError::PayloadTooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze().into())
}

async fn discard<E>(mut pieces: impl Stream<Item = std::result::Result<bytes::Bytes, E>> + Unpin) {
    let mut discarded = 0;
    while let Some(Ok(piece)) = pieces.next().await {
        discarded += piece.len();
        if discarded > DISCARDED_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_whole_or_too_large() {
        let body = |pieces: &[&'static str]| {
            let pieces: Vec<std::io::Result<&'static str>> = pieces.iter().map(|piece| Ok(*piece)).collect();
            Body::from_bytes_stream(futures::stream::iter(pieces))
        };
        let whole = read(body(&["ab", "", "c"]), 3).await.unwrap();
        assert_eq!(whole.into_vec().await.unwrap(), b"abc");
        assert!(matches!(read(body(&["ab", "cd"]), 3).await, Err(ReadBodyError::PayloadTooLarge)));
        assert_eq!(read(body(&[]), 0).await.unwrap().into_vec().await.unwrap(), b"");
    }
}
