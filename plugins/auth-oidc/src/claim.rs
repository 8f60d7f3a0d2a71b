//! Finds claims by the paths that operators write.

use serde_json::{Map, Value};

/// The claim at `path`. A claim whose whole name is the path comes first, so that names with dots in them, such as addresses,
/// need no quotes; otherwise the part before a dot names a claim with claims inside.
pub(crate) fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    // From the right: of `a.b.c`, the name `a.b` comes before `a`.
    path.rmatch_indices('.').find_map(|(dot, _)| {
        let (name, rest) = (path.get(..dot)?, path.get(dot + 1..)?);
        find(claims.get(name)?.as_object()?, rest)
    })
}

/// A claim that is a text, and not an empty one.
pub(crate) fn text<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    find(claims, path)?.as_str().filter(|text| !text.is_empty())
}

/// The names in a claim: the texts of a list, one text, or the keys of a table, as some issuers write roles.
pub(crate) fn names(value: &Value) -> Vec<&str> {
    let all: Vec<&str> = match value {
        Value::String(one) => vec![one],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Object(table) => table.keys().map(String::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    };
    all.into_iter().map(str::trim).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_tables_and_names_may_have_dots() {
        let claims = json!({
            "groups": 1,
            "realm_access": {"roles": 2, "a.b": {"c": 3}},
            "https://example.org/roles": 4,
            "resource_access": {"chm.host": {"roles": 5}, "chm": {"host": {"roles": 6, "more": 7}}},
            "realm_access.roles.all": 8,
            "": {"": 9},
        });
        for (path, expected) in [
            ("groups", Some(1)),
            ("realm_access.roles", Some(2)),
            ("realm_access.a.b.c", Some(3)),
            ("https://example.org/roles", Some(4)),
            ("resource_access.chm.host.roles", Some(5)),
            ("resource_access.chm.host.more", Some(7)),
            ("realm_access.roles.all", Some(8)),
            (".", Some(9)),
            ("groups.roles", None),
            ("realm_access.", None),
            ("realm_access.none", None),
            ("..", None),
            ("GROUPS", None),
        ] {
            let found = find(claims.as_object().unwrap(), path).and_then(Value::as_i64);
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn names_are_read_from_what_issuers_send() {
        for (claim, expected) in [
            (json!(["sre", " ops ", "", 7, null, ["x"]]), vec!["sre", "ops"]),
            (json!("Platform Team"), vec!["Platform Team"]),
            (json!({"admin": {"org": "x"}, "viewer": {}}), vec!["admin", "viewer"]),
            (json!(7), vec![]),
            (json!(null), vec![]),
        ] {
            assert_eq!(names(&claim), expected, "{claim}");
        }
    }
}
