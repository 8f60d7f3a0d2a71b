//! The paths that are served, each in its one spelling.

use std::collections::{BTreeSet, HashMap};

use poem::http::Method;
use serde_json::Value;

/// Every documented path. What is not in it reaches neither the guard nor a handler, however the router would read it.
#[derive(Debug, Default)]
pub struct PathTable {
    fixed: HashMap<String, KnownPath>,
    templates: Vec<(Vec<Segment>, KnownPath)>,
}

/// What is known of a path before anybody looks at the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownPath {
    /// Whether nothing is needed here: liveness.
    pub exempt: bool,
    /// The methods that ask the agent, which costs money.
    agent: BTreeSet<String>,
}

impl KnownPath {
    /// Whether this is a request to the agent that makes it work.
    #[must_use]
    pub fn asks_the_agent(&self, method: &Method) -> bool {
        self.agent.contains(method.as_str())
    }
}

/// How a path is spelt.
#[derive(Debug, PartialEq, Eq)]
pub enum Spelling<'t> {
    /// As documented.
    Documented(&'t KnownPath),
    /// Well formed, and nothing is there. Other spellings of a path are this.
    Unknown,
    /// No path at all.
    Malformed,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    Parameter,
}

impl PathTable {
    /// The paths of a generated OpenAPI document.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut table = Self::default();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            let mut known = KnownPath { exempt: true, agent: BTreeSet::new() };
            for (method, operation) in methods.as_object().into_iter().flatten() {
                known.exempt &= operation["security"].as_array().is_some_and(Vec::is_empty);
                if operation["x-chm-feature"] == "agent" && operation["x-chm-operation"] == "write" {
                    known.agent.insert(method.to_ascii_uppercase());
                }
            }
            table.insert(path, known);
        }
        table
    }

    fn insert(&mut self, path: &str, known: KnownPath) {
        if !path.contains('{') {
            self.fixed.insert(path.to_owned(), known);
            return;
        }
        let segments = path.split('/').map(|segment| {
            if segment.starts_with('{') { Segment::Parameter } else { Segment::Fixed(segment.to_owned()) }
        });
        self.templates.push((segments.collect(), known));
    }

    /// Looks a path up, as it stands in the request.
    #[must_use]
    pub fn find(&self, path: &str) -> Spelling<'_> {
        if let Some(known) = self.fixed.get(path) {
            return Spelling::Documented(known);
        }
        let template = self.templates.iter().find(|(segments, _)| {
            let mut given = path.split('/');
            let fits = segments.iter().all(|segment| match (segment, given.next()) {
                (Segment::Fixed(name), Some(given)) => name == given,
                (Segment::Parameter, Some(given)) => is_parameter(given),
                (_, None) => false,
            });
            fits && given.next().is_none()
        });
        match template {
            Some((_, known)) => Spelling::Documented(known),
            None if is_well_formed(path) => Spelling::Unknown,
            None => Spelling::Malformed,
        }
    }

    /// Whether nothing is needed at a path.
    #[must_use]
    pub fn is_exempt(&self, path: &str) -> bool {
        self.fixed.get(path).is_some_and(|known| known.exempt)
    }
}

/// `A-Z a-z 0-9 - . _ ~` (RFC 3986): percent-encoded, they would be another spelling of the same value.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// A value of a path parameter in its one spelling: nothing is encoded that need not be, what is encoded is UTF-8 in upper-case
/// digits, and nothing in it could be taken for structure (a slash, a dot segment, `;`, another percent sign).
fn is_parameter(text: &str) -> bool {
    if matches!(text, "" | "." | "..") {
        return false;
    }
    let mut value = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match (bytes.next().and_then(digit), bytes.next().and_then(digit)) {
                (Some(high), Some(low)) => {
                    let byte = high << 4 | low;
                    let means_itself = is_unreserved(byte) || matches!(byte, b'/' | b'\\' | b'%' | b';');
                    if means_itself || byte.is_ascii_control() {
                        return false;
                    }
                    byte
                }
                _ => return false,
            },
            byte if is_unreserved(byte) || b"!$&'()*+,=:@".contains(&byte) => byte,
            _ => return false,
        };
        value.push(byte);
    }
    // The standard library refuses overlong forms and surrogates.
    std::str::from_utf8(&value).is_ok()
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Whether it could be the path of some server (RFC 3986 `path-absolute`).
fn is_well_formed(path: &str) -> bool {
    let mut bytes = path.bytes();
    if bytes.next() != Some(b'/') {
        return false;
    }
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => {
                let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
                is_digit(bytes.next()) && is_digit(bytes.next())
            }
            byte => is_unreserved(byte) || b"!$&'()*+,;=:@/".contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn table() -> PathTable {
        PathTable::of(&json!({"paths": {
            "/healthz": {"get": {"security": []}},
            "/api/v1/hosts": {"get": {"security": [{}]}},
            "/api/v1/agent": {"get": {"security": [{}], "x-chm-feature": "agent", "x-chm-operation": "read"},
                "post": {"security": [{}], "x-chm-feature": "agent", "x-chm-operation": "write"}},
            "/api/v1/tables/{name}": {"get": {"security": [{}]}},
            "/api/v1/tables/{name}/rows/{row}": {"get": {"security": [{}]}},
        }}))
    }

    #[test]
    fn only_the_documented_spelling_is_known() {
        let table = table();
        for path in [
            "/healthz",
            "/api/v1/hosts",
            "/api/v1/tables/running-queries",
            "/api/v1/tables/my.panel_1",
            "/api/v1/tables/a%20b",
            "/api/v1/tables/%C3%A4",
            "/api/v1/tables/x/rows/1:2",
        ] {
            assert!(matches!(table.find(path), Spelling::Documented(_)), "{path}");
        }
        for path in [
            "/",
            "//healthz",
            "/healthz/",
            "/Healthz",
            "/health%7A",
            "/healthz;x",
            "/./healthz",
            "/api/../healthz",
            "/api/v1/tables/",
            "/api/v1/tables/.",
            "/api/v1/tables/..",
            "/api/v1/tables/%2E",
            "/api/v1/tables/%61",
            "/api/v1/tables/%c3%a4",
            "/api/v1/tables/a%2Fb",
            "/api/v1/tables/a%5Cb",
            "/api/v1/tables/%252E",
            "/api/v1/tables/a;b",
            "/api/v1/tables/%3B",
            "/api/v1/tables/%00",
            "/api/v1/tables/%0A",
            "/api/v1/tables/%C0%AF",
            "/api/v1/tables/%E0%80%AF",
            "/api/v1/tables/%ED%A0%80",
            "/api/v1/tables/a/b",
            "/api/v1/tables/a/rows/",
        ] {
            assert_eq!(table.find(path), Spelling::Unknown, "{path}");
        }
        for path in ["", "healthz", "*", "/a\\b", "/%", "/%2", "/%zz", "/a b", "/ä", "/\"", "/{", "/^", "/a|b", "/`"] {
            assert_eq!(table.find(path), Spelling::Malformed, "{path}");
        }
    }

    #[test]
    fn the_document_says_what_is_exempt_and_what_asks_the_agent() {
        let table = table();
        assert!(table.is_exempt("/healthz") && !table.is_exempt("/api/v1/hosts") && !table.is_exempt("/healthz/"));
        let Spelling::Documented(agent) = table.find("/api/v1/agent") else { panic!("it is documented") };
        assert!(agent.asks_the_agent(&Method::POST) && !agent.asks_the_agent(&Method::GET));
    }

    proptest! {
        #[test]
        fn whatever_decodes_to_a_known_path_but_is_not_it_is_unknown(encode in proptest::collection::vec(any::<bool>(), 13)) {
            let path: String = "/api/v1/hosts"
                .bytes()
                .zip(&encode)
                .map(|(byte, encode)| if *encode { format!("%{byte:02X}") } else { char::from(byte).to_string() })
                .collect();
            let table = table();
            let exact = path == "/api/v1/hosts";
            prop_assert_eq!(matches!(table.find(&path), Spelling::Documented(_)), exact, "{}", path);
        }

        #[test]
        fn no_text_makes_it_panic_or_read_structure_out_of_a_value(value in "[a-zA-Z0-9%./\\\\;:ä-]{0,12}") {
            let path = format!("/api/v1/tables/{value}");
            if matches!(table().find(&path), Spelling::Documented(_)) && !value.contains("/rows/") {
                prop_assert!(!value.contains(['/', '\\', ';']) && value != "." && value != "..");
            }
        }
    }
}
