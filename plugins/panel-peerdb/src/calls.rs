//! What may be asked of PeerDB: this list, and nothing else.

use serde_json::{Value, json};

/// How a call is sent. There are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

impl Method {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "GET" => Some(Self::Get),
            "POST" => Some(Self::Post),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// One call that PeerDB answers without changing anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Below `/v1`. A segment in braces is the name of one mirror or peer; every other segment is itself.
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    /// Texts without which the body means nothing.
    pub(crate) needs: &'static [&'static str],
    /// What else PeerDB understands in the body. More passes too: its versions differ.
    pub(crate) takes: &'static [&'static str],
}

const fn get(path: &'static str, summary: &'static str) -> Call {
    Call { method: Method::Get, path, summary, needs: &[], takes: &[] }
}

const fn post(
    path: &'static str,
    summary: &'static str,
    needs: &'static [&'static str],
    takes: &'static [&'static str],
) -> Call {
    Call { method: Method::Post, path, summary, needs, takes }
}

/// All of them. A `POST` here reads as well: its question does not fit into an address.
pub(crate) const CALLS: [Call; 17] = [
    get("version", "PeerDB's version"),
    get("dynamic_settings", "Settings that can be changed while PeerDB runs"),
    get("mirrors/list", "Mirrors, with their source and destination"),
    get("mirrors/names", "Names of the mirrors"),
    get("mirrors/cdc/table_total_counts/{flow}", "Rows that a mirror inserted, updated and deleted, by table"),
    get("mirrors/cdc/initial_load/{flow}", "How far a mirror's first copy has come, by table"),
    get("mirrors/total_rows_synced/{flow}", "Rows that a mirror has brought over"),
    get("peers/list", "Peers, that is databases that PeerDB knows"),
    get("peers/slots/{peer}", "Replication slots of a peer, with their lag"),
    get("peers/stats/{peer}", "What a peer's connections are doing"),
    get("peers/info/{peer}", "How a peer is configured, without its secrets"),
    get("peers/type/{peer}", "Which kind of database a peer is"),
    post("mirrors/status", "State of a mirror", &["flowJobName"], &["includeFlowInfo", "excludeBatches"]),
    post("mirrors/cdc/graph", "Rows of a mirror over time", &["flowJobName"], &["aggregateType", "mode"]),
    post(
        "mirrors/cdc/batches",
        "Recent batches of a mirror",
        &["flowJobName"],
        &["page", "numPerPage", "limit", "ascending", "beforeId", "afterId"],
    ),
    post("mirrors/logs", "Log of a mirror", &["flowJobName"], &["level", "page", "numPerPage", "beforeId", "afterId"]),
    post("peers/slots/lag_history", "Lag of a replication slot over time", &["peerName", "slotName"], &["timeSince"]),
];

/// Longest name in a body, in characters.
const LONGEST_NAME: usize = 512;

/// The call with this method and path.
pub(crate) fn find(method: Method, path: &str) -> Option<&'static Call> {
    CALLS.iter().find(|call| call.method == method && call.fits(path))
}

impl Call {
    /// Whether a path is this one, segment by segment.
    fn fits(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let all = self.path.split('/').all(|segment| {
            given.next().is_some_and(|given| if segment.starts_with('{') { is_name(given) } else { given == segment })
        });
        all && given.next().is_none()
    }

    /// Whether the body says what the call is about; in words, if it does not.
    pub(crate) fn check(&self, body: Option<&Value>) -> Result<(), String> {
        if self.method == Method::Get {
            return match body {
                None => Ok(()),
                Some(_) => Err(format!("`body`: GET {} takes none; leave it out", self.path)),
            };
        }
        for field in self.needs {
            let text = body.and_then(|body| body.get(field)).and_then(Value::as_str);
            if !text.is_some_and(|text| !text.is_empty() && text.chars().count() <= LONGEST_NAME) {
                return Err(format!(
                    "`{field}` in the body of POST {}: expected a name of 1 to {LONGEST_NAME} characters",
                    self.path
                ));
            }
        }
        Ok(())
    }

    /// As the host's document describes it.
    pub(crate) fn described(&self) -> Value {
        let mut described = json!({"method": self.method.as_str(), "path": self.path, "summary": self.summary});
        if self.method == Method::Post {
            let name = json!({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME});
            let needs = self.needs.iter().map(|field| ((*field).to_owned(), name.clone()));
            let takes = self.takes.iter().map(|field| ((*field).to_owned(), json!({})));
            let properties: serde_json::Map<String, Value> = needs.chain(takes).collect();
            described["body"] = json!({"type": "object", "required": self.needs, "properties": properties});
        }
        described
    }
}

/// Whether a segment is a name in its one spelling: nothing in it, encoded or not, could be taken for another segment, for the
/// way up, for parameters, or be decoded twice.
fn is_name(segment: &str) -> bool {
    if matches!(segment, "" | "." | "..") {
        return false;
    }
    let mut name = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match byte {
            b'%' => {
                let (Some(high), Some(low)) = (bytes.next().and_then(digit), bytes.next().and_then(digit)) else {
                    return false;
                };
                let decoded = high << 4 | low;
                if plain(decoded) || b"/\\%;?#".contains(&decoded) || decoded.is_ascii_control() {
                    return false;
                }
                name.push(decoded);
            }
            byte if plain(byte) || b"!$&'()*+,=:@".contains(&byte) => name.push(byte),
            _ => return false,
        }
    }
    String::from_utf8(name).is_ok()
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A name as a segment of a path; nothing where it cannot be one.
pub(crate) fn segment(name: &str) -> Option<String> {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    is_name(&segment).then_some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_twelve_questions_without_a_body_and_five_with_one() {
        let gets = CALLS.iter().filter(|call| call.method == Method::Get).count();
        assert_eq!((gets, CALLS.len() - gets), (12, 5));
        for call in CALLS {
            assert_eq!(call.needs.is_empty(), call.method == Method::Get, "{}", call.path);
        }
    }

    #[test]
    fn each_call_is_found_under_its_own_method_and_spelling_only() {
        for call in CALLS {
            let path = call.path.replace("{flow}", "orders_mirror").replace("{peer}", "pg_source");
            assert_eq!(find(call.method, &path).map(|found| found.path), Some(call.path));
            let other = if call.method == Method::Get { Method::Post } else { Method::Get };
            // A peer may well be called `lag_history`.
            if path != "peers/slots/lag_history" {
                assert!(find(other, &path).is_none(), "{path}");
            }
            for wrong in [
                format!("/{path}"),
                format!("{path}/"),
                format!("{path}/x"),
                format!("v1/{path}"),
                format!("./{path}"),
                format!("../v1/{path}"),
                format!("{path}?x=1"),
                format!("{path}#x"),
                format!("{path}%00"),
                path.to_uppercase(),
                path.replacen('/', "//", 1) + if path.contains('/') { "" } else { "//" },
                path.replacen('/', "%2F", 1) + if path.contains('/') { "" } else { "%2F" },
                path.replacen('e', "%65", 1) + if path.contains('e') { "" } else { "%65" },
            ] {
                assert!(find(call.method, &wrong).is_none(), "{wrong}");
            }
        }
    }

    #[test]
    fn a_name_is_one_segment_in_one_spelling() {
        for good in ["a", "orders-2_x.y~z", "...", "a%20b", "%C3%A4", "a:b@c", "lag_history"] {
            assert!(find(Method::Get, &format!("peers/info/{good}")).is_some(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "%2E",
            "%2e%2e",
            "..%2f",
            "a%2Fb",
            "a%5Cb",
            "a%252Fb",
            "a;b",
            "a%3Bb",
            "a%00",
            "a%0A",
            "%61",
            "%c3%a4",
            "%C0%AF",
            "%ED%A0%80",
            "%",
            "%2",
            "%zz",
            "a b",
            "ä",
            "a?b",
            "a#b",
            "a\\b",
            "a\"b",
            "{x}",
        ] {
            assert!(find(Method::Get, &format!("peers/info/{bad}")).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_name_becomes_a_segment_or_nothing() {
        assert_eq!(segment("pg_source").as_deref(), Some("pg_source"));
        assert_eq!(segment("my peer ä").as_deref(), Some("my%20peer%20%C3%A4"));
        for bad in ["", ".", "..", "a/b", "a\\b", "100%", "a;b", "a\n", "a?b"] {
            assert_eq!(segment(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_body_names_what_it_is_about() {
        let status = find(Method::Post, "mirrors/status").unwrap();
        assert_eq!(status.check(Some(&json!({"flowJobName": "m", "anything": [1]}))), Ok(()));
        for bad in [None, Some(json!({})), Some(json!({"flowJobName": ""})), Some(json!({"flowJobName": 7}))] {
            assert!(status.check(bad.as_ref()).unwrap_err().contains("flowJobName"), "{bad:?}");
        }
        let version = find(Method::Get, "version").unwrap();
        assert_eq!(version.check(None), Ok(()));
        assert!(version.check(Some(&json!({}))).unwrap_err().contains("takes none"));
    }
}
