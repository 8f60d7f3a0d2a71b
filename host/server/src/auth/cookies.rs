//! The cookies of a request, as they were sent.

use poem::http::{HeaderMap, header};

use super::sent::decode;

/// The value of the first cookie of this name: clients put those of the nearest path first (RFC 6265 §5.4).
///
/// Nothing is decoded. A name with an encoded character is another name, or `%5F_Host-token`, which a neighbour's page may set, would
/// be `__Host-token`, which it may not. And whatever other cookies hold, which may be anybody's under the same domain, says nothing
/// of this one.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pieces = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii));
    pieces.find_map(|piece| Some(decode(piece.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?)))
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_by_its_very_name_whatever_the_others_are() {
        for (lines, value) in [
            (&[&b"__session=a.b.c"[..]][..], Some("a.b.c")),
            (&[b"theme=dark; __session=a; last=1"], Some("a")),
            (&[b"theme=dark", b"__session=a"], Some("a")),
            (&[b"theme=dark;__session=a;"], Some("a")),
            (&[b"__session=first; __session=second"], Some("first")),
            (&[b"__session=first", b"__session=second"], Some("first")),
            (&[b"__session="], Some("")),
            (&[b"__session=a=b=="], Some("a=b==")),
            (&[b"__session=\"a\""], Some("\"a\"")),
            (&[b"__session=%41"], Some("%41")),
            (&["name=Jos\u{e9}; __session=a".as_bytes()], Some("a")),
            (&[b"name=Jos\xe9; __session=a"], Some("a")),
            (&["__session=\u{e9}".as_bytes()], Some("\u{e9}")),
            (&[b"__session=\xe9"], Some("\u{e9}")),
            (&[b"; =x; y; =; __session=a"], Some("a")),
            (&[], None),
            (&[b""], None),
            (&[b"__session"], None),
            (&[b"%5F_session=a"], None),
            (&[b"__Session=a"], None),
            (&[b"__session =a"], None),
            (&[b"x__session=a"], None),
            (&[b"__session2=a"], None),
            (&[b"theme=__session=a"], None),
            (&[b"theme=dark, __session=a"], None),
        ] {
            assert_eq!(cookie(&headers(lines), "__session").as_deref(), value, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn what_other_cookies_hold_changes_nothing(before in "[ -:<-~]{0,40}", after in "[ -~]{0,40}") {
            prop_assume!(!before.trim().starts_with("token="));
            let line = format!("{before}; token=ours; {after}");
            let found = cookie(&headers(&[line.as_bytes()]), "token");
            prop_assert_eq!(found.as_deref(), Some("ours"));
        }
    }
}
