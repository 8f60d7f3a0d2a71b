//! Secrets within texts: in addresses, in `name=value` and JSON that somebody quoted, after `PASSWORD` in SQL, after `Basic` and
//! `Bearer`, in command lines, and keys in PEM.

mod commands;

use super::{HIDDEN, is_secret};

/// Longest name before `=` or `:` that is looked at, in bytes.
const LONGEST_NAME: usize = 64;

/// The text without its secrets; nothing when it has none.
pub(crate) fn hide(text: &str) -> Option<String> {
    // Most texts are names and states.
    if !text.contains([':', '=']) && !text.contains("-----") && !text.contains(char::is_whitespace) {
        return None;
    }
    let changed = after_schemes(&assignments(&sql_passwords(&sign_in(&user_info(&pem(text))))));
    let changed = commands::hide(&changed);
    (changed != text).then_some(changed)
}

/// `-----BEGIN … -----END …-----`, or to the end of the text.
fn pem(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, block)) = rest.split_once("-----BEGIN ") {
        out.push_str(before);
        out.push_str(HIDDEN);
        rest =
            block.split_once("-----END ").map_or("", |(_, end)| end.split_once("-----").map_or("", |(_, after)| after));
    }
    out.push_str(rest);
    out
}

/// `scheme://user:password@host`: whatever stands before the last `@` that belongs to the address.
fn user_info(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, address)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = address.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(address.len());
        let (address, after) = address.split_at(end);
        // A password with a slash in it looks like a path; so the last `@` counts, wherever it is.
        match address.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str(HIDDEN);
                out.push('@');
                out.push_str(host);
            }
            None => {
                // There may be another address within this one.
                rest = &rest[before.len() + "://".len()..];
                continue;
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `user:password@tcp(host)/database`, as Go's driver for MySQL has it.
fn sign_in(text: &str) -> String {
    let mut out = text.to_owned();
    for network in ["@tcp(", "@unix("] {
        let mut end = out.len();
        while let Some(at) = out[..end].rfind(network) {
            let from = out[..at].rfind(|c: char| c.is_whitespace() || "\"'`".contains(c)).map_or(0, |space| space + 1);
            // What is found is a character of one byte, or a blank that may be longer.
            let from = (from..=at).find(|from| out.is_char_boundary(*from)).unwrap_or(at);
            out.replace_range(from..at, HIDDEN);
            end = from;
        }
    }
    out
}

/// `PASSWORD 'value'` and `IDENTIFIED BY 'value'`, in the statements that a peer's connections run.
fn sql_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\'') {
        let (before, literal) = rest.split_at(at);
        out.push_str(before);
        let word = name_before(before);
        let is_identified = word.eq_ignore_ascii_case("by") && before.to_ascii_lowercase().contains("identified");
        if before.ends_with(char::is_whitespace) && (is_secret(word) || is_identified) {
            out.push_str(HIDDEN);
            rest = &literal[value_length(literal)..];
            // A quote that is written twice is one, and the literal goes on.
            while rest.starts_with('\'') {
                rest = &rest[value_length(rest)..];
            }
        } else {
            out.push('\'');
            rest = &literal[1..];
        }
    }
    out.push_str(rest);
    out
}

/// `name=value`, `name: value`, `"name": "value"`, where the name is a secret's.
fn assignments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = rest.split_at(at);
        let (sign, after) = after.split_at(1);
        out.push_str(before);
        out.push_str(sign);
        rest = after;
        if !is_secret(name_before(before)) {
            continue;
        }
        let value = after.trim_start_matches(|c: char| c.is_whitespace() || "=:>".contains(c));
        out.push_str(&after[..after.len() - value.len()]);
        let length = value_length(value);
        let (value, after) = value.split_at(length);
        out.push_str(if value.is_empty() { "" } else { HIDDEN });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The word at the end, without quotes around it.
fn name_before(text: &str) -> &str {
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || "\"'`\\".contains(c));
    let from = text
        .rfind(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let word = &text[from..];
    let mut from = word.len().saturating_sub(LONGEST_NAME);
    while !word.is_char_boundary(from) {
        from += 1;
    }
    &word[from..]
}

/// How far a value goes: to the quote that closes it, or to a blank or separator. `Basic x` is one value. What has values within goes
/// to the end: where it ends is not known for sure.
fn value_length(value: &str) -> usize {
    if value.starts_with(['{', '[']) {
        return value.len();
    }
    let unquoted = value.trim_start_matches('\\');
    let skipped = value.len() - unquoted.len();
    if let Some(quote) = unquoted.chars().next().filter(|c| "\"'`".contains(*c)) {
        let body = &unquoted[1..];
        let mut escaped = false;
        for (at, c) in body.char_indices() {
            // In quoted JSON within JSON the quote that closes is escaped like the one that opened.
            if c == quote && (!escaped || skipped > 0) {
                return skipped + 1 + at + 1;
            }
            escaped = c == '\\' && !escaped;
        }
        return value.len();
    }
    let scheme = ["basic ", "bearer ", "digest "]
        .iter()
        .find(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        .map_or(0, |scheme| scheme.len());
    let rest = &value[scheme..];
    let ends = |(at, c): (usize, char)| match c {
        // A password may have a comma in it.
        ',' => !rest[at + 1..].starts_with(char::is_alphanumeric),
        _ => c.is_whitespace() || ";&)}]\"'`<>".contains(c),
    };
    scheme + rest.char_indices().find(|found| ends(*found)).map_or(rest.len(), |(at, _)| at)
}

/// The word after `Basic` or `Bearer`, where it looks like a credential or stands for one.
fn after_schemes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut hides = false;
    for part in text.split_inclusive(' ') {
        let word = part.trim_end_matches(' ');
        if hides && !word.is_empty() && word != HIDDEN {
            out.push_str(HIDDEN);
            out.push_str(&part[word.len()..]);
        } else {
            out.push_str(part);
        }
        let bare = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        hides =
            ["basic", "bearer"].iter().any(|scheme| bare.eq_ignore_ascii_case(scheme)) || (hides && word.is_empty());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_texts_are_hidden_and_the_rest_stays() {
        for (text, expected) in [
            ("postgres://u:p@db:5432/x", "postgres://***@db:5432/x"),
            ("a postgres://u:p/w@db/x and mysql://r:t@h", "a postgres://***@db/x and mysql://***@h"),
            ("https://db.example/x", "https://db.example/x"),
            ("host=db password=hunter2 port=1", "host=db password=*** port=1"),
            ("password='a b' x=1", "password=*** x=1"),
            ("PASSWORD: hunter2, user: u", "PASSWORD: ***, user: u"),
            (r#"{"user":"u","apiKey":"k","n":1}"#, r#"{"user":"u","apiKey":***,"n":1}"#),
            ("?a=1&token=t&b=2", "?a=1&token=***&b=2"),
            ("https://h/c?sv=1&sig=x%2By&se=2", "https://h/c?sv=1&sig=***&se=2"),
            ("Authorization: Bearer abc.def tail", "Authorization: *** tail"),
            ("with Basic OnB3 sent", "with Basic *** sent"),
            ("x -----BEGIN KEY-----\nabc\n-----END KEY----- y", "x *** y"),
            ("x -----BEGIN KEY-----\nabc", "x ***"),
            ("password authentication failed for user \"u\"", "password authentication failed for user \"u\""),
            ("at 12:30:45, id=7", "at 12:30:45, id=7"),
            ("password=", "password="),
            ("u:p@tcp(db:3306)/x and v:q/r@unix(/s)", "***@tcp(db:3306)/x and ***@unix(/s)"),
            ("ALTER USER u WITH PASSWORD 'it''s' VALID", "ALTER USER u WITH PASSWORD *** VALID"),
            ("create user u identified with md5 by 'x' host any", "create user u identified with md5 by *** host any"),
            ("for user 'u', password\t= x\npassword:\n y z", "for user 'u', password\t= ***\npassword:\n *** z"),
            ("ran mysql -uroot -phunter2 -P3306 shop", "ran mysql -uroot -p*** -P3306 shop"),
            ("password=a,b c", "password=*** c"),
            (r#"got {"password": {"value": "x"}} from it"#, r#"got {"password": ***"#),
            (r#"got {"secrets":["x","y"]}"#, r#"got {"secrets":***"#),
        ] {
            assert_eq!(hide(text).unwrap_or_else(|| text.to_owned()), expected);
        }
    }
}
