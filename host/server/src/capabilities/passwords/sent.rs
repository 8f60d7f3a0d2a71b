//! What a request sends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chm_access::Secret;

/// bcrypt looks at no more bytes. A longer password is wrong: its first 72 bytes are another password.
pub(super) const MAX_PASSWORD_BYTES: usize = 72;

/// What an `Authorization` header holds.
pub(super) enum Sent {
    /// No `Basic` credentials.
    Absent,
    /// `Basic`, and then nothing that could be right.
    Malformed,
    Pair {
        user: String,
        password: Secret,
    },
}

impl Sent {
    pub(super) fn of(authorization: Option<&str>) -> Self {
        let value = authorization.unwrap_or_default().trim();
        let (scheme, rest) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("basic") {
            return Self::Absent;
        }
        let text = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        // RFC 7617 §2: the first colon divides, and control characters are in neither.
        let pair = text.as_deref().filter(|text| !text.chars().any(char::is_control));
        match pair.and_then(|pair| pair.split_once(':')) {
            Some((user, password)) if !user.is_empty() && password.len() <= MAX_PASSWORD_BYTES => {
                Self::Pair { user: user.to_owned(), password: Secret::new(password) }
            }
            _ => Self::Malformed,
        }
    }
}
