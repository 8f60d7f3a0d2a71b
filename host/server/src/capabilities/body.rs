//! Reading an answer's body up to a cap.

use bytes::{Bytes, BytesMut};

/// Why a body was not read.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It is longer than the cap.
    TooLarge,
    /// The connection broke.
    Broken(reqwest::Error),
}

/// Reads at most `cap` bytes; a longer body is an error, noticed by its declared length or as soon as it arrives.
pub(super) async fn read_capped(mut response: reqwest::Response, cap: usize) -> Result<Bytes, BodyError> {
    let cap_u64 = u64::try_from(cap).unwrap_or(u64::MAX);
    if response.content_length().is_some_and(|length| length > cap_u64) {
        return Err(BodyError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if chunk.len() > cap - body.len() {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
