//! Which headers pass between a guest and an endpoint.

use chm_sandbox::bindings::http::Header;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Most headers, and most bytes of names and values, a guest may send.
const MAX_HEADERS: usize = 64;
const MAX_BYTES: usize = 16 * 1024;

/// The host's own: who is asked, as whom, and how the connection works.
const REFUSED: [&str; 20] = [
    "host",
    "authorization",
    "cookie",
    "cookie2",
    "set-cookie",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "content-length",
    "expect",
    "forwarded",
    "via",
    "x-real-ip",
    "user-agent",
    "x-original-url",
    "x-rewrite-url",
];
const REFUSED_PREFIXES: [&str; 2] = ["proxy-", "x-forwarded-"];

/// Not for a guest: what belongs to the connection, what carries credentials, and what would tell the endpoint's address.
const WITHHELD: [&str; 13] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "set-cookie",
    "set-cookie2",
    "location",
    "content-location",
    "refresh",
    "alt-svc",
];

/// A guest's headers, checked. The text of the error is for the guest's author; it never repeats a value.
pub(super) fn outgoing(headers: &[Header]) -> Result<HeaderMap, String> {
    if headers.len() > MAX_HEADERS {
        return Err(format!("more than {MAX_HEADERS} headers"));
    }
    let bytes: usize = headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    if bytes > MAX_BYTES {
        return Err(format!("more than {MAX_BYTES} bytes of headers"));
    }
    let mut map = HeaderMap::with_capacity(headers.len());
    for header in headers {
        let name = HeaderName::from_bytes(header.name.as_bytes())
            .map_err(|_| format!("`{}` is no name of a header", header.name.escape_debug()))?;
        let word = name.as_str();
        if REFUSED.contains(&word) || REFUSED_PREFIXES.iter().any(|prefix| word.starts_with(prefix)) {
            return Err(format!("the header `{word}` is the host's own; the operator configures it with the endpoint"));
        }
        let value = HeaderValue::from_str(&header.value)
            .map_err(|_| format!("the value of the header `{word}` has characters no header may have"))?;
        map.append(name, value);
    }
    Ok(map)
}

/// An answer's headers as a guest sees them; values that are not UTF-8 are read as ISO-8859-1.
pub(super) fn incoming(headers: &HeaderMap) -> Vec<Header> {
    headers
        .iter()
        .filter(|(name, _)| !WITHHELD.contains(&name.as_str()))
        .map(|(name, value)| Header {
            name: name.as_str().to_owned(),
            value: match std::str::from_utf8(value.as_bytes()) {
                Ok(text) => text.to_owned(),
                Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> Header {
        Header { name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn plain_headers_pass() {
        let headers = [header("Content-Type", "application/json"), header("x-custom", "a"), header("X-Custom", "b")];
        let map = outgoing(&headers).unwrap();
        assert_eq!(map["content-type"], "application/json");
        assert_eq!(map.get_all("x-custom").iter().count(), 2);
    }

    #[test]
    fn headers_of_the_host_and_of_the_connection_are_refused_in_any_spelling() {
        for name in [
            "Host",
            "hOST",
            "Authorization",
            "COOKIE",
            "Proxy-Authorization",
            "proxy-anything",
            "Connection",
            "Keep-Alive",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "Content-Length",
            "Expect",
            "User-Agent",
            "X-Forwarded-Host",
            "Forwarded",
        ] {
            assert!(outgoing(&[header(name, "x")]).unwrap_err().contains("host's own"), "{name}");
        }
    }

    #[test]
    fn malformed_and_too_many_headers_are_refused_without_repeating_a_value() {
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a:b", "x"),
            ("a\r\nhost", "x"),
            ("x", "a\r\nhost: evil"),
            ("x", "\0"),
            ("é", "x"),
        ] {
            let text = outgoing(&[header(name, value)]).unwrap_err();
            assert!(!text.contains("evil") && !text.contains('\n'), "{text}");
        }
        assert!(outgoing(&vec![header("x", "y"); MAX_HEADERS + 1]).is_err());
        assert!(outgoing(&[header("x", &"y".repeat(MAX_BYTES))]).is_err());
    }

    #[test]
    fn cookies_and_addresses_do_not_reach_a_guest() {
        let mut map = HeaderMap::new();
        for name in ["set-cookie", "location", "content-location", "alt-svc", "connection"] {
            map.insert(name, HeaderValue::from_static("secret"));
        }
        map.insert("content-type", HeaderValue::from_static("text/plain"));
        map.insert("x-latin", HeaderValue::from_bytes(&[0xe9]).unwrap());
        let seen: Vec<_> = incoming(&map).into_iter().map(|header| (header.name, header.value)).collect();
        assert_eq!(
            seen,
            [("content-type".to_owned(), "text/plain".to_owned()), ("x-latin".to_owned(), "é".to_owned())]
        );
    }
}
