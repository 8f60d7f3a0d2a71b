//! Where a token stands in a request.

/// The token of an `Authorization: Bearer …` value (contract §1.4): words are split at white space, the first is compared
/// without case, the rest is joined by one space. Nothing left is no token. White space is HTTP's: a blank of Unicode's is a
/// character like any other, as it is to whatever stands in front.
pub fn bearer(authorization: &str) -> Option<String> {
    let mut words = authorization.split_ascii_whitespace();
    if !words.next()?.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let token = words.collect::<Vec<_>>().join(" ");
    (!token.is_empty()).then_some(token)
}

/// The texts of a request that may be API keys, in the order to try them: `x-api-key`, then the bearer token. What does not
/// begin with `chm_` is somebody else's token and left out.
pub fn key_candidates(x_api_key: Option<&str>, authorization: Option<&str>) -> Vec<String> {
    let own = x_api_key.map(|value| value.trim_ascii().to_owned());
    let borne = authorization.and_then(bearer);
    own.into_iter().chain(borne).filter(|text| text.starts_with(crate::TOKEN_PREFIX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_values_are_read_as_the_contract_says() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("  BEARER \t abc  ", Some("abc")),
            ("Bearer a  b", Some("a b")),
            ("Bearer", None),
            ("Bearer   ", None),
            ("Bearerabc", None),
            ("Bearer\u{a0}abc", None),
            ("\u{2003}Bearer abc", None),
            ("Bearer abc\u{a0}", Some("abc\u{a0}")),
            ("Basic abc", None),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(bearer(value).as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn the_key_header_comes_first_and_foreign_tokens_are_left_out() {
        assert_eq!(key_candidates(Some("chm_a"), Some("Bearer chm_b")), ["chm_a", "chm_b"]);
        assert_eq!(key_candidates(Some("other"), Some("Bearer chm_b")), ["chm_b"]);
        assert_eq!(key_candidates(None, Some("Bearer eyJhbGciOi")), Vec::<String>::new());
        assert_eq!(key_candidates(None, None), Vec::<String>::new());
        assert_eq!(key_candidates(Some(" chm_a\t"), None), ["chm_a"]);
        assert_eq!(key_candidates(Some("\u{a0}chm_a"), Some("Bearer\u{a0}chm_b")), Vec::<String>::new());
    }
}
