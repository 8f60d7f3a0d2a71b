//! Settings whose values nobody should read.

/// What is shown instead.
const HIDDEN: &str = "[HIDDEN]";

/// Parts of the names of settings that hold credentials.
const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "access_key",
    "api_key",
    "private_key",
    "authorization",
    "auth_header",
    "http_headers",
    "sas",
    "session_key",
];

/// Settings that only sound so: they hold no credentials, and matter to whoever looks for the reason of something.
const HARMLESS: &[&str] = &["insert_deduplication_token"];

/// The value with what is secret in it hidden; nothing where there is nothing to hide.
pub(crate) fn hidden(name: &str, value: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let words = || lower.split('_');
    let sounds =
        PARTS.iter().any(|part| if part.len() > 3 { lower.contains(part) } else { words().any(|word| word == *part) });
    if sounds && !value.is_empty() && !HARMLESS.contains(&lower.as_str()) {
        return Some(HIDDEN.to_owned());
    }
    without_user_info(value)
}

/// An address without the user and password in it.
fn without_user_info(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let end = rest.find(['/', '?', '#', ' ']).unwrap_or(rest.len());
    let at = rest.get(..end)?.rfind('@')?;
    Some(format!("{scheme}://{HIDDEN}{}", rest.get(at..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_and_nothing_else() {
        for (name, value, shown) in [
            ("s3_secret_access_key", "abc", Some(HIDDEN)),
            ("SQL_my_Password", "abc", Some(HIDDEN)),
            ("azure_sas", "abc", Some(HIDDEN)),
            ("custom_api_token", "abc", Some(HIDDEN)),
            ("custom_api_token", "", None),
            ("format_avro_schema_registry_url", "http://ann:pw@registry/x?a@b", Some("http://[HIDDEN]@registry/x?a@b")),
            ("format_avro_schema_registry_url", "http://registry/x@y", None),
            ("insert_deduplication_token", "batch-7", None),
            ("max_threads", "8", None),
            ("force_primary_key", "1", None),
            ("log_comment", "mail ann@example.org", None),
            ("mass_assignment", "1", None),
        ] {
            assert_eq!(hidden(name, value).as_deref(), shown, "{name}");
        }
    }
}
