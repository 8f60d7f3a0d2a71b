//! The id that ties an answer, its lines in the log and its query in ClickHouse together.

use std::fmt;

use poem::http::{HeaderMap, HeaderName, HeaderValue};
use ulid::Ulid;

/// Taken from the request if well formed, and always on the answer.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// 1 to 64 of `A-Z a-z 0-9 _ . -`, so that it is safe in a log, a header and a `log_comment`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// A new one: a ULID, so that ids sort by time.
    #[must_use]
    pub fn generate() -> Self {
        Self(Ulid::new().to_string())
    }

    /// `text`, if it is well formed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The client's, if it sent exactly one and it is well formed; otherwise a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut sent = headers.get_all(REQUEST_ID_HEADER).iter();
        match (sent.next().and_then(|value| value.to_str().ok()).and_then(Self::parse), sent.next()) {
            (Some(id), None) => id,
            _ => Self::generate(),
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the value of a header.
    #[must_use]
    pub fn header_value(&self) -> HeaderValue {
        // Its alphabet is a subset of a header's, so the fallback is never taken.
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("invalid"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_short_plain_ids_are_taken_over() {
        for good in ["a", "01J0000000000000000000000", "client-7_x.y", &"z".repeat(64)] {
            assert_eq!(RequestId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\nb", "a\"b", "ä", "a/b", "a,b", &"z".repeat(65)] {
            assert_eq!(RequestId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn two_ids_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(REQUEST_ID_HEADER, HeaderValue::from_static("first"));
        assert_eq!(RequestId::of(&headers).as_str(), "first");
        headers.append(REQUEST_ID_HEADER, HeaderValue::from_static("second"));
        let id = RequestId::of(&headers);
        assert!(id.as_str() != "first" && id.as_str() != "second");
        assert_eq!(id.as_str().len(), 26);
    }

    proptest! {
        #[test]
        fn whatever_is_sent_the_answer_carries_a_safe_id(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.insert(REQUEST_ID_HEADER, value);
            }
            let id = RequestId::of(&headers);
            prop_assert!(RequestId::parse(id.as_str()).is_some());
            let value = id.header_value();
            prop_assert_eq!(value.to_str().unwrap(), id.as_str());
        }
    }
}
