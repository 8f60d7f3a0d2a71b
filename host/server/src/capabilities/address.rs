//! The address of a request: the operator's endpoint, and beneath it what a guest adds.
//!
//! A guest may only go down from the endpoint's path. Everything that some server, proxy or library reads as "somewhere else" is
//! refused rather than repaired: dot segments, empty segments, backslashes, and their percent-encoded spellings. `%25` is refused
//! too, for a receiver that decodes twice would see the rest.

use reqwest::Url;

/// Longest path and longest query string a guest may add, in bytes.
const MAX_PATH: usize = 2048;
const MAX_QUERY: usize = 8192;

/// `base` with `path` appended and `query` added. Pairs of the operator's own query string stay and cannot be repeated.
///
/// The text of the error is for the guest's author and names no address.
pub(super) fn beneath<'a>(
    base: &Url,
    path: &str,
    query: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Url, String> {
    check_path(path)?;
    let mut url = base.clone();
    if !path.is_empty() {
        let joined = format!("{}/{}", base.path().trim_end_matches('/'), path.strip_prefix('/').unwrap_or(path));
        url.set_path(&joined);
    }
    let taken: Vec<String> = base.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let mut length = 0;
    for (name, value) in query {
        if taken.iter().any(|operator| operator == name) {
            return Err(format!("the query parameter `{name}` is the operator's own"));
        }
        length += name.len() + value.len() + 2;
        if length > MAX_QUERY {
            return Err(format!("the query string is longer than {MAX_QUERY} bytes"));
        }
        url.query_pairs_mut().append_pair(name, value);
    }
    // The rules above suffice; this is the promise itself, whatever the URL library makes of them.
    let beneath = url.path().starts_with(base.path().trim_end_matches('/'));
    if url.origin() != base.origin()
        || url.username() != base.username()
        || url.password() != base.password()
        || url.fragment().is_some()
        || !beneath
    {
        return Err("the path leads away from the endpoint".to_owned());
    }
    Ok(url)
}

fn check_path(path: &str) -> Result<(), String> {
    if path.len() > MAX_PATH {
        return Err(format!("the path is longer than {MAX_PATH} bytes"));
    }
    check_characters(path.as_bytes())?;
    let relative = path.strip_prefix('/').unwrap_or(path);
    let mut segments = relative.split('/').peekable();
    while let Some(segment) = segments.next() {
        // Some servers cut `;parameters` off before they look at the dots.
        let name = segment.split(';').next().unwrap_or(segment);
        if matches!(name, "." | "..") {
            return Err("the path contains `.` or `..` as a segment".to_owned());
        }
        if segment.is_empty() && segments.peek().is_some() {
            return Err("the path contains an empty segment (`//`)".to_owned());
        }
    }
    Ok(())
}

/// The characters of RFC 3986's `path`, and percent-encoded bytes that mean nothing in a path.
fn check_characters(path: &[u8]) -> Result<(), String> {
    let mut rest = path;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => {
                let decoded = tail
                    .first_chunk::<2>()
                    .and_then(|digits| hex::decode(digits).ok())
                    .and_then(|bytes| bytes.first().copied())
                    .ok_or("the path contains `%` without two hexadecimal digits")?;
                if decoded < b' ' || decoded == 0x7f || b"./\\%?#;".contains(&decoded) {
                    return Err(format!(
                        "the path contains `%{decoded:02X}`; a dot, slash, backslash, percent sign, `?`, `#`, `;` or control \
                         character may not be percent-encoded"
                    ));
                }
                rest = tail.get(2..).unwrap_or_default();
            }
            b'?' | b'#' => return Err("the path contains `?` or `#`; give query pairs separately".to_owned()),
            _ if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) => {}
            _ => return Err("the path contains a character that must be percent-encoded".to_owned()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://user:pass@hooks.example:8443/services/T0?token=s").unwrap()
    }

    #[test]
    fn a_path_is_appended_and_pairs_are_encoded() {
        for (path, query, expected) in [
            ("", vec![], "/services/T0?token=s"),
            ("a/b", vec![], "/services/T0/a/b?token=s"),
            ("/a/b/", vec![], "/services/T0/a/b/?token=s"),
            ("a%20b/c:d@e", vec![], "/services/T0/a%20b/c:d@e?token=s"),
            ("...", vec![], "/services/T0/...?token=s"),
            ("v1.2/x..y", vec![], "/services/T0/v1.2/x..y?token=s"),
            ("a", vec![("q", "x&y=z #?/..")], "/services/T0/a?token=s&q=x%26y%3Dz+%23%3F%2F.."),
        ] {
            let url = beneath(&base(), path, query).unwrap();
            let found = url.as_str().strip_prefix("https://user:pass@hooks.example:8443").unwrap();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn every_way_out_is_refused() {
        for path in [
            "..",
            "../x",
            "a/../../x",
            "/..",
            "/../x",
            ".",
            "./x",
            "a/.",
            "a/..",
            "..;/x",
            "a/..;v=1/x",
            ".;",
            "%2e%2e/x",
            "%2E%2e",
            ".%2e/x",
            "a/%2e./x",
            "%2f%2fevil.example",
            "a%2fb",
            "a%2F..",
            "%5c",
            "a%5Cb",
            "%252e%252e",
            "%252f",
            "%25",
            "%2",
            "%",
            "%zz",
            "%00",
            "%0d%0aHost:x",
            "%3f",
            "%23",
            "%3b",
            "%7f",
            "//evil.example",
            "///x",
            "a//b",
            "https://evil.example",
            "http://evil.example/x",
            "\\\\evil.example",
            "\\evil",
            "a\\..\\b",
            "@evil.example/..",
            "a?b=c",
            "?x",
            "a#b",
            "#",
            "a b",
            " ",
            "a\tb",
            "a\r\nb",
            "\0",
            "é",
            "．．/x",
            "a\u{2215}b",
            "a\"b",
            "a<b",
            "a|b",
            "a^b",
        ] {
            assert!(beneath(&base(), path, []).is_err(), "{path:?} passed");
        }
        assert!(beneath(&base(), &"a".repeat(MAX_PATH + 1), []).is_err());
    }

    #[test]
    fn pairs_of_the_operator_cannot_be_repeated_nor_the_query_grow_without_end() {
        assert!(beneath(&base(), "", [("token", "mine")]).unwrap_err().contains("`token`"));
        let long = "x".repeat(MAX_QUERY);
        assert!(beneath(&base(), "", [("q", long.as_str())]).is_err());
    }

    #[test]
    fn an_error_names_no_address() {
        for path in ["../x", "//evil.example", "a?b", "é"] {
            let text = beneath(&base(), path, []).unwrap_err();
            assert!(!text.contains("hooks") && !text.contains("pass") && !text.contains("services"), "{text}");
        }
    }

    /// Pieces that matter to URL parsers, so that the search meets them often.
    fn hostile_path() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("/".to_owned()),
            Just("..".to_owned()),
            Just(".".to_owned()),
            Just("%2e".to_owned()),
            Just("%2f".to_owned()),
            Just("%25".to_owned()),
            Just("\\".to_owned()),
            Just("@".to_owned()),
            Just(":".to_owned()),
            Just(";".to_owned()),
            Just("//".to_owned()),
            Just("http://evil.example".to_owned()),
            Just("\t".to_owned()),
            Just("\n".to_owned()),
            "[a-z0-9]{1,4}",
            any::<char>().prop_map(String::from),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_path_and_no_query_change_where_a_request_goes(path in hostile_path(), name in ".*", value in ".*") {
            let base = base();
            if let Ok(url) = beneath(&base, &path, [(name.as_str(), value.as_str())]) {
                prop_assert_eq!(url.origin(), base.origin());
                prop_assert_eq!(url.username(), "user");
                prop_assert_eq!(url.password(), Some("pass"));
                prop_assert!(url.path() == "/services/T0" || url.path().starts_with("/services/T0/"), "{}", url.path());
                prop_assert!(url.path_segments().unwrap().all(|segment| segment != ".." && segment != "."));
                prop_assert_eq!(url.fragment(), None);
                // What goes over the wire is read back the same.
                prop_assert_eq!(Url::parse(url.as_str()).unwrap(), url);
            }
        }
    }
}
