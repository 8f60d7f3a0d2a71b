//! `Basic` credentials (RFC 7617), so that plugins can be tested without a dependency.

/// What an `Authorization` header holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Another scheme, or nothing.
    Other,
    /// `Basic`, and then no pair.
    Malformed,
    /// User and password.
    Pair(String, String),
}

pub(super) fn credentials(header: &str) -> Sent {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Sent::Other;
    }
    let text = decode(rest.trim()).and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().and_then(|text| text.split_once(':')) {
        Some((user, password)) => Sent::Pair(user.into(), password.into()),
        None => Sent::Malformed,
    }
}

/// Base64 (RFC 4648 §4) with padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 {
        return None;
    }
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in bare.bytes() {
        let value = LETTERS.iter().position(|&known| known == letter)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_the_examples_of_rfc_7617() {
        let pair = |user: &str, password: &str| Sent::Pair(user.into(), password.into());
        for (header, expected) in [
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", pair("Aladdin", "open sesame")),
            ("basic dGVzdDoxMjPCow==", pair("test", "123\u{a3}")),
            ("Basic YTo=", pair("a", "")),
            ("Basic YQ==", Sent::Malformed),
            ("Basic ???", Sent::Malformed),
            ("Basic", Sent::Malformed),
            ("Bearer YTo=", Sent::Other),
        ] {
            assert_eq!(credentials(header), expected, "{header}");
        }
    }
}
