//! Names of HTTP headers inside settings.

/// A piece of a header map that is not `field:Header-Name`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{piece}` is not `field:Header-Name`")]
pub struct HeaderMapError {
    /// The piece as the operator wrote it.
    pub piece: String,
}

/// Whether `text` is a header name, that is a `token` of RFC 9110 §5.6.2.
#[must_use]
pub fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// The pairs `(field, header)` of a header map: pieces divided by commas or white space, each `field:Header-Name`, split at
/// the first colon. A repeated field keeps its place and takes the later header.
///
/// # Errors
/// [`HeaderMapError`] names the first piece without a field, or without a valid header name.
pub fn header_map(text: &str) -> Result<Vec<(String, String)>, HeaderMapError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|piece| !piece.is_empty()) {
        let (field, header) = piece
            .split_once(':')
            .filter(|(field, header)| !field.is_empty() && is_header_name(header))
            .ok_or_else(|| HeaderMapError { piece: piece.to_owned() })?;
        match pairs.iter_mut().find(|(known, _)| known == field) {
            Some(pair) => header.clone_into(&mut pair.1),
            None => pairs.push((field.to_owned(), header.to_owned())),
        }
    }
    Ok(pairs)
}

/// Header names, in lower case, that the checked value of a setting of kind `header` or `header-map` names.
/// Pieces that name none are left out.
#[must_use]
pub fn header_names(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .map(|piece| piece.split_once(':').map_or(piece, |(_, header)| header))
        .filter(|name| is_header_name(name))
        .map(str::to_ascii_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_map_is_pairs_divided_by_commas_or_white_space() {
        let pairs = header_map(" team:X-Team,\tsite:X-Site\n team:X-Crew ,").unwrap();
        assert_eq!(pairs, [("team".into(), "X-Crew".into()), ("site".into(), "X-Site".into())]);
        assert_eq!(header_map(" , ").unwrap(), []);
        for bad in ["team", ":X-Team", "team:", "team:X Team:", "team:X:Team", "a:b,c", "team:X-Täm"] {
            assert!(header_map(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn header_names_are_found_in_both_kinds_of_value() {
        assert_eq!(header_names("X-Forwarded-User"), ["x-forwarded-user"]);
        assert_eq!(header_names("team:X-Team,site:X-Site"), ["x-team", "x-site"]);
        assert!(header_names(" ").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_a_header_map_or_a_worded_error(text in "\\PC{0,60}") {
            if let Ok(pairs) = header_map(&text) {
                prop_assert!(pairs.iter().all(|(field, header)| !field.is_empty() && is_header_name(header)));
                prop_assert_eq!(header_names(&text).len() >= pairs.len(), true);
            }
        }
    }
}
