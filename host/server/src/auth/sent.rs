//! What a request carries for one auth provider: the headers and cookies that its manifest names, and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chm_access::bearer;
use chm_manifest::HeaderView;
use chm_sandbox::bindings::{auth_provider, jwt};
use poem::http::{HeaderMap, HeaderName};

use super::cookies::cookie;

/// Longest value of one header or cookie that is considered, in bytes. Longer credentials are no credentials.
const MAX_HEADER_BYTES: usize = 16 << 10;

/// The headers and cookies of one request that one provider may ask about.
#[derive(Default)]
pub struct Sent {
    view: Arc<HeaderView>,
    /// Lower-case names.
    headers: BTreeMap<String, String>,
    cookies: BTreeMap<String, String>,
}

impl fmt::Debug for Sent {
    /// Names only: values are credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent")
            .field("headers", &self.headers.keys())
            .field("cookies", &self.cookies.keys())
            .finish_non_exhaustive()
    }
}

impl Sent {
    /// Takes what `view` names out of a request.
    #[must_use]
    pub fn of(view: &Arc<HeaderView>, headers: &HeaderMap) -> Self {
        Self {
            view: view.clone(),
            headers: view
                .visible
                .iter()
                .chain(&view.sealed)
                .filter_map(|name| Some((name.clone(), joined(headers, name)?)))
                .collect(),
            cookies: view
                .cookies
                .iter()
                .chain(&view.sealed_cookies)
                .filter_map(|name| Some((name.clone(), cookie(headers, name)?)))
                .filter(|(_, value)| value.len() <= MAX_HEADER_BYTES)
                .collect(),
        }
    }

    /// Everything there is, in one piece, to tell one attempt to sign in from another; absent when there is nothing.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for (name, value) in self.headers.iter().chain(&self.cookies) {
            // Lengths first: no two different attempts look the same.
            for part in [name, value] {
                bytes.extend_from_slice(&part.len().to_be_bytes());
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        (!bytes.is_empty()).then_some(bytes)
    }

    /// The headers that the guest sees.
    #[must_use]
    pub fn visible_headers(&self) -> Vec<auth_provider::Header> {
        let seen = self.headers.iter().filter(|(name, _)| self.view.visible.contains(*name));
        seen.map(|(name, value)| auth_provider::Header { name: name.clone(), value: value.clone() }).collect()
    }

    /// The cookies that the guest sees.
    #[must_use]
    pub fn visible_cookies(&self) -> Vec<auth_provider::Cookie> {
        let seen = self.cookies.iter().filter(|(name, _)| self.view.cookies.contains(*name));
        seen.map(|(name, value)| auth_provider::Cookie { name: name.clone(), value: value.clone() }).collect()
    }

    /// Whether the guest may ask about this header.
    #[must_use]
    pub fn names_header(&self, name: &str) -> bool {
        self.view.names_header(name)
    }

    /// A header that the manifest names, seen or sealed; `name` in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The token at a place; an empty one is none.
    ///
    /// # Errors
    /// The manifest does not name that header or cookie; the text says what to add.
    pub fn token(&self, place: &jwt::Place) -> Result<Option<String>, String> {
        let unnamed = |what: &str, name: &str, list: &str| {
            format!("the manifest does not name the {what} `{}`; add it to `{list}` in `[auth]`", name.escape_debug())
        };
        let token = match place {
            jwt::Place::Bearer if !self.names_header("authorization") => {
                return Err(unnamed("header", "authorization", "sealed_headers"));
            }
            jwt::Place::Header(name) if !self.names_header(name) => {
                return Err(unnamed("header", name, "sealed_headers"));
            }
            jwt::Place::Cookie(name) if !self.view.names_cookie(name) => {
                return Err(unnamed("cookie", name, "sealed_cookies"));
            }
            jwt::Place::Bearer => self.header("authorization").and_then(bearer),
            jwt::Place::Header(name) => self.header(name).map(|value| value.trim_ascii().to_owned()),
            jwt::Place::Cookie(name) => self.cookies.get(name).cloned(),
        };
        Ok(token.filter(|token| !token.is_empty()))
    }
}

/// All values of a header, joined by `, `, as HTTP says they may be; absent when there is none or it is too long.
pub(super) fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let name: HeaderName = name.parse().ok()?;
    let mut values = headers.get_all(name).iter().map(|value| decode(value.as_bytes()));
    let mut joined = values.next()?;
    for value in values {
        joined.push_str(", ");
        joined.push_str(&value);
    }
    (joined.len() <= MAX_HEADER_BYTES).then_some(joined)
}

/// UTF-8 where it is UTF-8, ISO-8859-1 otherwise: proxies send both.
pub(super) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Sent {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let view = Arc::new(HeaderView {
            visible: names(&["x-user"]),
            sealed: names(&["authorization", "x-token", "x-empty"]),
            cookies: names(&["seen"]),
            sealed_cookies: names(&["token"]),
        });
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "bearer  abc"),
            ("x-user", "ann"),
            ("x-user", "bob"),
            ("x-token", "h.p.s"),
            ("x-empty", ""),
            ("x-other", "hidden"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        headers.append("cookie", "seen=1; token=a.b.c; other=hidden".parse().unwrap());
        Sent::of(&view, &headers)
    }

    #[test]
    fn the_guest_sees_what_is_not_sealed() {
        let sent = sent();
        let headers: Vec<_> = sent.visible_headers().into_iter().map(|header| (header.name, header.value)).collect();
        assert_eq!(headers, [("x-user".to_owned(), "ann, bob".to_owned())]);
        let cookies: Vec<_> = sent.visible_cookies().into_iter().map(|cookie| cookie.name).collect();
        assert_eq!(cookies, ["seen"]);
        let text = format!("{sent:?}");
        assert!(!text.contains("a.b.c") && !text.contains("ann"), "{text}");
    }

    #[test]
    fn tokens_come_from_named_places_only() {
        let sent = sent();
        let header = |name: &str| jwt::Place::Header(name.to_owned());
        let cookie = |name: &str| jwt::Place::Cookie(name.to_owned());
        for (place, token) in [
            (jwt::Place::Bearer, Some("abc")),
            (header("X-Token"), Some("h.p.s")),
            (header("x-empty"), None),
            (cookie("token"), Some("a.b.c")),
        ] {
            assert_eq!(sent.token(&place).unwrap().as_deref(), token, "{place:?}");
        }
        assert!(sent.token(&header("x-other")).unwrap_err().contains("`x-other`"));
        assert!(sent.token(&cookie("other")).unwrap_err().contains("sealed_cookies"));
        assert_eq!(sent.header("x-other"), None);
        assert!(Sent::default().token(&jwt::Place::Bearer).is_err());
    }
}
