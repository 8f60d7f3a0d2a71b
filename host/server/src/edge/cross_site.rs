//! Writes that another site's page makes the caller's browser send (CSRF).

use poem::http::{HeaderMap, Method, header};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use super::origins::{Origins, Sender};
use crate::api::{Problem, Word};
use crate::audit::Noted;

/// Middleware: a write passes when it cannot come from a strange page. It looks at what browsers say and pages cannot forge
/// (`Sec-Fetch-Site`, `Origin`); besides, a body must be JSON, which a form cannot send. A `GET` that needs the right to write is a
/// write, too; of those a link that somebody follows passes besides.
#[derive(Debug, Clone)]
pub struct RefuseCrossSite(pub Origins);

impl<E: Endpoint> Middleware<E> for RefuseCrossSite {
    type Output = RefuseCrossSiteEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        RefuseCrossSiteEndpoint { inner, origins: self.0.clone() }
    }
}

/// What [`RefuseCrossSite`] makes of an endpoint.
#[derive(Debug)]
pub struct RefuseCrossSiteEndpoint<E> {
    inner: E,
    origins: Origins,
}

impl<E: Endpoint> Endpoint for RefuseCrossSiteEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let is_safe = is_safe(request.method());
        if is_safe && !Noted::is_write(&request) {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        let body = request.take_body();
        let has_body = !body.is_empty();
        request.set_body(body);
        let sender = self.origins.sender(request.uri(), request.headers());
        let headers = request.headers();
        let passes = is_own(headers, &sender) || (is_safe && is_followed_link(headers));
        if !passes {
            let message = "this write comes from a page of another site; its operator can name the page's origin in \
                           `edge.cors_origins` (CHM_CORS_ORIGINS), or the host's own in `edge.public_origin` (CHM_PUBLIC_ORIGIN)";
            return Ok(Problem::new(Word::CrossSite, message).into_response());
        }
        if !is_safe && has_body && !is_json(request.headers()) {
            let message = "the request's body: expected `Content-Type: application/json`";
            return Ok(Problem::new(Word::MediaType, message).into_response());
        }
        self.inner.call(request).await.map(IntoResponse::into_response)
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

fn is_own(headers: &HeaderMap, sender: &Sender) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let site = match (sites.next(), sites.next()) {
        (None, _) => None,
        (Some(site), None) => Some(site.as_bytes()),
        // No browser sends two.
        (Some(_), Some(_)) => Some(&b"cross-site"[..]),
    };
    match (site, sender) {
        (_, Sender::Named(_)) | (Some(b"same-origin" | b"none"), _) => true,
        // No browser that says nothing of either: a program.
        (None, Sender::Own | Sender::Unsaid) => true,
        // A browser that says both knows better than we: a page under our name without TLS is another site. One that keeps the origin to
        // itself sends no header of the page's own, and no key: what is there of credentials, it has added by itself.
        (Some(_), Sender::Own | Sender::Unsaid) | (_, Sender::Foreign) => false,
    }
}

/// Whether somebody asked for a whole page by a deed of their own: a page that only shows, loads or goes somewhere does not get here.
fn is_followed_link(headers: &HeaderMap) -> bool {
    let said = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-user", "?1")];
    said.into_iter().all(|(name, value)| headers.get_all(name).iter().eq([value]))
}

/// One `Content-Type` of `application/json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let essence = one.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and values of headers.
    type Pairs<'a> = &'a [(&'static str, &'a str)];

    fn headers(pairs: Pairs<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_write_passes_when_no_strange_page_can_have_sent_it() {
        use Sender::{Foreign, Own, Unsaid};
        let named = Sender::Named("https://ops.example.org".to_owned());
        let cases: [(Pairs<'_>, &Sender, bool); 16] = [
            (&[], &Unsaid, true),
            (&[("sec-fetch-site", "same-origin")], &Unsaid, true),
            (&[("sec-fetch-site", "none")], &Unsaid, true),
            (&[("sec-fetch-site", "same-origin")], &Foreign, true),
            (&[("sec-fetch-site", "cross-site")], &named, true),
            (&[], &Own, true),
            (&[("sec-fetch-site", "same-origin")], &Own, true),
            (&[("sec-fetch-site", "cross-site")], &Own, false),
            (&[("sec-fetch-site", "cross-site")], &Unsaid, false),
            // Credentials prove nothing: browsers send those of HTTP authentication from every page.
            (&[("sec-fetch-site", "cross-site"), ("authorization", "Basic eDp5")], &Unsaid, false),
            (&[("sec-fetch-site", "cross-site"), ("x-api-key", "chm_x")], &Unsaid, false),
            (&[("sec-fetch-site", "same-site")], &Unsaid, false),
            (&[("sec-fetch-site", "cross-site"), ("authorization", "Bearer x")], &Foreign, false),
            (&[("sec-fetch-site", "same-site")], &Foreign, false),
            (&[], &Foreign, false),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "none")], &Unsaid, false),
        ];
        for (given, sender, passes) in cases {
            assert_eq!(is_own(&headers(given), sender), passes, "{given:?} {sender:?}");
        }
    }

    #[test]
    fn a_link_is_followed_by_somebody_and_a_whole_page_is_asked_for() {
        let link = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-user", "?1")];
        assert!(is_followed_link(&headers(&link)));
        for at in 0..link.len() {
            for other in [None, Some("no-cors"), Some("iframe"), Some("?0")] {
                let mut changed = link.to_vec();
                match (other, changed.get_mut(at)) {
                    (Some(value), Some(pair)) => pair.1 = value,
                    _ => drop(changed.remove(at)),
                }
                assert!(!is_followed_link(&headers(&changed)), "{changed:?}");
            }
            assert!(!is_followed_link(&headers(&[&link[..], &link[at..=at]].concat())), "twice");
        }
    }

    #[test]
    fn only_json_is_json() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/json ;x=y"] {
            assert!(is_json(&headers(&[("content-type", good)])), "{good}");
        }
        for bad in
            ["", "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "application/jsonp"]
        {
            assert!(!is_json(&headers(&[("content-type", bad)])), "{bad}");
        }
        assert!(!is_json(&headers(&[])));
        assert!(!is_json(&headers(&[("content-type", "application/json"), ("content-type", "text/plain")])));
    }
}
