//! The bearer token of a request.

use chm_plugin::auth::RequestHead;

/// The rest of an `Authorization` header whose first word is `Bearer`, in any spelling (RFC 9110 §11.1).
pub(crate) fn token(head: &RequestHead) -> Option<&str> {
    let (scheme, rest) = head.header("authorization")?.trim().split_once(char::is_whitespace)?;
    let token = rest.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
