//! A path has one spelling. Over a plain socket: clients tidy paths up before they send them.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{Host, run};
use crate::keys::valid;

const SECRET: &str = "a-secret-for-path-claims";

/// Guarded operations that answer a `GET` without parameters.
const GUARDED: [&str; 5] =
    ["/api/v1/hosts", "/api/v1/config", "/api/v1/tables/running-queries", "/api/v1/charts/query-count", "/metrics"];

/// Sends one request line as it is, and reads the whole answer: the status (0 when there is none) and everything.
fn send(host: &Host, target: &[u8], key: Option<&str>) -> (u16, String) {
    let address = host.url().strip_prefix("http://").expect("http");
    let mut socket = TcpStream::connect(address).expect("a connection");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let key = key.map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    let mut request = b"GET ".to_vec();
    request.extend_from_slice(target);
    request.extend_from_slice(format!(" HTTP/1.1\r\nHost: {address}\r\n{key}Connection: close\r\n\r\n").as_bytes());
    socket.write_all(&request).expect("a request");
    let mut answer = Vec::new();
    // A connection that is cut off is an answer too.
    let _ = socket.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text)
}

/// Other spellings of a path: each could be the same to somebody who reads paths more kindly than the guard does.
fn variants(path: &str, address: &str) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let mut add = |text: String| {
        found.insert(text.into_bytes());
    };
    for (at, character) in path.char_indices() {
        let (before, after) = (&path[..at], &path[at + character.len_utf8()..]);
        let other =
            if character.is_lowercase() { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() };
        add(format!("{before}{other}{after}"));
        for encoded in [
            format!("%{:02x}", character as u32),
            format!("%{:02X}", character as u32),
            format!("%25{:02x}", character as u32),
        ] {
            add(format!("{before}{encoded}{after}"));
        }
        if character == '/' {
            for slash in [
                "//",
                "/./",
                "/%2e/",
                "/x/../",
                "/x/%2e%2e/",
                "\\",
                "/;/",
                "/;a=b/",
                "%5c",
                "%c0%af",
                "%e0%80%af",
                "/%00/",
                "/\u{ff0f}/",
            ] {
                add(format!("{before}{slash}{after}"));
            }
        }
    }
    for ending in
        ["/", "//", "/.", "/..", ".", "..", "%2f", "%00", "%20", "%09", ";", ";x=1", "%23", "%3f", ".json", "/x/.."]
    {
        add(format!("{path}{ending}"));
    }
    for beginning in [
        "/.",
        "/x/..",
        "/%2e%2e",
        "//",
        "/\\",
        &format!("http://{address}"),
        &format!("https://{address}"),
        "//localhost",
    ] {
        add(format!("{beginning}{path}"));
    }
    add(path.to_uppercase());
    add(path.trim_start_matches('/').to_owned());
    for bytes in [&b"\xff"[..], b"\xc3\xa9", b"\x7f"] {
        found.insert([path.as_bytes(), bytes].concat());
    }
    found.remove(path.as_bytes());
    found
}

#[test]
fn no_other_spelling_of_a_guarded_path_reaches_a_handler() {
    run(async {
        let closed = Host::with_bundled().unhurried().env("CHM_API_KEY_SECRET", SECRET).start().await;
        let open = Host::with_bundled().unhurried().start().await;
        let key = valid(SECRET);
        let mut tried = 0;
        for path in GUARDED {
            assert_eq!(send(&closed, path.as_bytes(), Some(&key)).0, 200, "{path} itself");
            assert_eq!(send(&closed, path.as_bytes(), None).0, 401, "{path} itself");
            assert_eq!(send(&open, path.as_bytes(), None).0, 200, "{path} itself");
        }
        let handled = figures(&closed, &key);
        for path in GUARDED {
            for variant in variants(path, closed.url().trim_start_matches("http://")) {
                let shown = String::from_utf8_lossy(&variant).into_owned();
                let (status, answer) = send(&closed, &variant, None);
                assert!(matches!(status, 400 | 401 | 404), "{shown}: {answer}");
                assert!(
                    !answer.contains("\"success\":true") && !answer.contains("chm_build_info"),
                    "{shown}: {answer}"
                );
                for (host, key) in [(&closed, Some(key.as_str())), (&open, None)] {
                    let (status, answer) = send(host, &variant, key);
                    assert!(matches!(status, 400 | 404), "{shown}, for whoever may: {answer}");
                }
                tried += 1;
            }
        }
        assert!(tried >= 200, "{tried} spellings");
        assert_eq!(figures(&closed, &key), handled, "a statement was sent to ClickHouse");
    });
}

/// How many statements the host sent to ClickHouse.
fn figures(host: &Host, key: &str) -> Vec<String> {
    let (status, answer) = send(host, b"/metrics", Some(key));
    assert_eq!(status, 200, "{answer}");
    answer.lines().filter(|line| line.starts_with("chm_query_duration_seconds_count")).map(str::to_owned).collect()
}

#[test]
fn what_is_no_path_at_all_is_refused() {
    run(async {
        let host = Host::with_bundled().unhurried().start().await;
        for target in ["*", "api/v1/hosts", "", "?", "\u{0}", "/%", "/%zz", "/a b"] {
            let (status, answer) = send(&host, target.as_bytes(), None);
            assert!(matches!(status, 0 | 400 | 404), "{target:?}: {answer}");
        }
    });
}

#[test]
fn a_fragment_is_no_part_of_a_path_and_goes_around_nothing() {
    run(async {
        let host = Host::with_bundled().unhurried().env("CHM_API_KEY_SECRET", SECRET).start().await;
        for path in GUARDED {
            for fragment in ["#", "#x", "#/../../healthz", "#?x"] {
                let (status, answer) = send(&host, format!("{path}{fragment}").as_bytes(), None);
                assert!(matches!(status, 400 | 401 | 404), "{path}{fragment}: {answer}");
            }
        }
    });
}
