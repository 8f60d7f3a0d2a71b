//! What is sensitive. The patterns are read by two engines: the host's, and RE2 in a server (`redaction_sql`), so they use only
//! what both have, and letters of ASCII.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::Regex as BytesRegex;
use regex::{Captures, Regex};

use super::HIDDEN;

/// White space and comments between two words; the second one is not empty.
const GAP: &str = r"(?:\s|/\*.*?\*/|--[^\n]*\n)*";
const GAP1: &str = r"(?:\s|/\*.*?\*/|--[^\n]*\n)+";

/// Functions, engines and clauses whose brackets hold credentials, or keys.
const CALLS: &str = r"s3\w*|gcs\w*|oss|cosn|azure\w*|url|urlcluster|remote|remotesecure|\w*mysql|\w*postgresql|mongodb|redis|sqlite|jdbc|odbc|hdfs\w*|iceberg\w*|deltalake\w*|hudi\w*|paimon\w*|hive|kafka|rabbitmq|nats|ytsaurus|arrow_?flight\w*|datalakecatalog|externaldistributed|executable\w*|source|disk|headers|\w*encrypt\w*|\w*decrypt\w*|hmac\w*|\w+keyed";

/// Words that are enough by themselves.
const WORDS: &str = r"identified|passw|passphrase|secret|private[ _-]?key|access[ _-]?key|api[ _-]?key|account[ _-]?key|clickhouse-key|connection_string|credential|authorization|shared_?access";

/// Words that are enough when a value follows.
const KEYS: &str = r"token|pwd|signature|sig|sas";

/// Parameters of addresses that are keys, where a value follows.
const IN_ADDRESSES: &str = r"[?&](?:key|auth)=";

/// Shapes of keys: those of Amazon, private keys in PEM, signed tokens.
const SHAPES: &str = r"(?-i:\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[A-Za-z0-9_-]{8,}\.eyJ)";

/// [`SENSITIVE`] without its flags.
pub(super) fn sensitive() -> String {
    let name = r#"["`]?"#;
    [
        WORDS.to_owned(),
        format!(r"\b(?:create|alter|attach)(?:{GAP1}(?:or|replace|if|not|exists))*{GAP1}user\b"),
        format!("named{GAP1}collection"),
        format!(r"\b(?:{CALLS}){name}{GAP}\("),
        // As the dump of a query tree has it.
        format!(r"function_name: (?:{CALLS})\b"),
        format!(r#"(?:{KEYS})["'`]*{GAP}[=:,']"#),
        IN_ADDRESSES.to_owned(),
        r"\bbearer\s".to_owned(),
        SHAPES.to_owned(),
    ]
    .join("|")
}

/// `password=value` and its like, with a value that is no literal: the first group is what stays.
pub(super) const ASSIGNED: &str = r#"((?:passw(?:or)?d|passphrase|secret\w*|private[ _-]?key|access[ _-]?key(?:_?id)?|api[ _-]?key|account[ _-]?key|clickhouse-key|[?&](?:key|auth)|connection_string|credentials?|authorization|token|pwd|signature|sig|sas)\\*["'`]?\s*[=:>]+\s*)(?:\\*"(?:[^"\\]|\\.)*"?|`[^`]*`?|(?:(?:basic|bearer)\s+)?[^\s'"`,;)&\[\]{}<>]+)"#;
/// What follows `IDENTIFIED … BY` and is no literal.
pub(super) const IDENTIFIED: &str =
    r#"(\bidentified\b[^'"`;]{0,80}?\bby\s+)(?:"(?:[^"\\]|\\.)*"?|`[^`]*`?|[^\s'"`;\[]+)"#;
/// What follows `PASSWORD` in the source of a dictionary and is no literal.
pub(super) const SOURCED: &str = r#"(\bsource\s*\([^;]*?\bpassword\s+)[^\s'"`;,()\[]+"#;
/// A key or token that is known by its shape.
pub(super) const TOKENS: &str = r#"((?-i:\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY(?s:.*)|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[^\s'"]*)|\bbearer\s+[^\s'"\[]+)"#;
/// `scheme://user:password@` of an address: the first group is what stays. A password may contain what an address may not.
pub(super) const USER_INFO: &str = r#"([A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s/?#'"@:]*:[^\s'"]*|[^\s/?#'"]+)@"#;

/// Something sensitive is named.
pub(super) static SENSITIVE: LazyLock<BytesRegex> = LazyLock::new(|| bytes(&format!("(?is-u){}", sensitive())));

/// Finds in encoded rows whatever [`SENSITIVE`] and the others may find in decoded values, and more: escapes stand for white space.
pub(super) static SUSPICIOUS: LazyLock<BytesRegex> = LazyLock::new(|| {
    let gap = r#"[\\"`]*(?:\s|\\[nrtbf])*(?:\(|\\?/\*|--)"#;
    let parts = [
        WORDS.to_owned(),
        r"(?:create|alter|attach)(?:\s|\\[nrtbf]|\\?/\*|--)".to_owned(),
        "collection".to_owned(),
        format!("(?:{CALLS}){gap}"),
        "function_name:".to_owned(),
        format!(r#"(?:{KEYS})[\\"'`]*(?:\s|\\[nrtbf]|\\?/\*|--|[=:,'])"#),
        IN_ADDRESSES.to_owned(),
        "bearer".to_owned(),
        r"(?-i:AKIA|ASIA|PRIVATE KEY|eyJ)".to_owned(),
        r":\\?/\\?/".to_owned(),
        SYNTAX_ERROR.to_owned(),
    ];
    bytes(&format!("(?i-u){}", parts.join("|")))
});

/// How an error begins that quotes a statement from where it was not understood on: what makes it sensitive may stand before.
pub(super) const SYNTAX_ERROR: &str = "Syntax error";
/// What such an error quotes: the first group is what stays before it, the second behind it.
pub(super) const QUOTED_STATEMENT: &str =
    r"(Syntax error(?:: failed at position [0-9]+)?)(?:[ :(].*?)?(\. Expected one of|$)";

static BARE: LazyLock<[Regex; 4]> =
    LazyLock::new(|| [ASSIGNED, IDENTIFIED, SOURCED, TOKENS].map(|pattern| text(&format!("(?is){pattern}"))));
static QUOTED: LazyLock<Regex> = LazyLock::new(|| text(&format!("(?s){QUOTED_STATEMENT}")));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| text(USER_INFO));

/// Hides values that are no literals.
pub(super) fn hide_bare(given: &str) -> Cow<'_, str> {
    let mut kept = Cow::Borrowed(given);
    if kept.contains(SYNTAX_ERROR) {
        super::replace(&mut kept, |text| {
            QUOTED.replace_all(text, |found: &Captures<'_>| format!("{} {HIDDEN}{}", &found[1], &found[2]))
        });
    }
    let [assigned, identified, sourced, tokens] = &*BARE;
    for pattern in [assigned, identified, sourced] {
        super::replace(&mut kept, |text| {
            pattern.replace_all(text, |found: &Captures<'_>| format!("{}{HIDDEN}", &found[1]))
        });
    }
    super::replace(&mut kept, |text| tokens.replace_all(text, HIDDEN));
    kept
}

/// Hides who signs in, in addresses.
pub(super) fn hide_user_info(given: &str) -> Cow<'_, str> {
    ADDRESS.replace_all(given, |found: &Captures<'_>| format!("{}{HIDDEN}@", &found[1]))
}

/// A name whose value is a secret, as the keys of maps of settings.
pub(super) fn names_secret(key: &str) -> bool {
    const ENDS: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "secret_access_key",
        "access_key_id",
        "private_key",
        "api_key",
        "account_key",
        "auth_token",
        "sas_token",
        "connection_string",
    ];
    let key = key.to_ascii_lowercase().replace('-', "_");
    ENDS.iter().any(|end| key.ends_with(end))
}

#[allow(clippy::expect_used, reason = "the patterns are constants, and a test compiles them")]
fn bytes(pattern: &str) -> BytesRegex {
    regex::bytes::RegexBuilder::new(pattern).size_limit(64 << 20).build().expect("a pattern")
}

#[allow(clippy::expect_used, reason = "the patterns are constants, and a test compiles them")]
fn text(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}
