//! One or two identifiers, as people write them.

use chm_plugin::Failure;

/// Longest name that is read, in characters.
const LONGEST: usize = 256;

/// A table, and the database where the caller named one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) database: Option<String>,
    pub(crate) table: String,
}

impl TableName {
    /// Reads `table` or `database.table`; each part is plain, or in back quotes.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let refuse = || {
            Failure::invalid_input(format!(
                "parameter `table`: expected `table` or `database.table` of at most {LONGEST} characters; a name with other characters than \
                 letters, digits and underscores stands in back quotes"
            ))
        };
        if text.chars().count() > LONGEST {
            return Err(refuse());
        }
        let (first, rest) = identifier(text).ok_or_else(refuse)?;
        if rest.is_empty() {
            return Ok(Self { database: None, table: first });
        }
        let second = rest.strip_prefix('.').and_then(identifier);
        let (table, rest) = second.ok_or_else(refuse)?;
        if rest.is_empty() { Ok(Self { database: Some(first), table }) } else { Err(refuse()) }
    }
}

/// The identifier that a text begins with, and the rest.
fn identifier(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('`') {
        return back_quoted(quoted);
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins_well.then(|| (name.to_owned(), rest))
}

/// After the opening quote: a back quote in the name is doubled or follows a backslash, a backslash follows another.
fn back_quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '`' => match rest.as_str().strip_prefix('`') {
                Some(after) => {
                    name.push('`');
                    rest = after.chars();
                }
                None => return (!name.is_empty()).then_some((name, rest.as_str())),
            },
            '\\' => name.push(rest.next().filter(|escaped| matches!(escaped, '\\' | '`'))?),
            c if c.is_control() => return None,
            c => name.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_clickhouse_reads_them() {
        for (text, database, table) in [
            ("hits", None, "hits"),
            ("_t1", None, "_t1"),
            ("shop.orders", Some("shop"), "orders"),
            ("`shop`.orders", Some("shop"), "orders"),
            ("`my shop`.`a.b`", Some("my shop"), "a.b"),
            ("`a``b`", None, "a`b"),
            (r"`a\`b\\c`", None, r"a`b\c"),
            ("`ключ`", None, "ключ"),
        ] {
            let expected = TableName { database: database.map(str::to_owned), table: table.to_owned() };
            assert_eq!(TableName::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn whatever_is_no_name_is_refused() {
        let long = "x".repeat(257);
        for text in [
            "",
            " ",
            ".",
            "a.",
            ".b",
            "a.b.c",
            "a b",
            "a;b",
            "1a",
            "a-b",
            "`a",
            "a`",
            "``",
            "`a`b",
            r"`a\nb`",
            "`a\u{0}`",
            "a FINAL",
            "a.b FINAL",
            "`a`.`b` PARTITION 1",
            "(SELECT 1)",
            "a.`b`.c",
            &long,
        ] {
            assert!(
                matches!(TableName::parse(text), Err(Failure::InvalidInput(said)) if said.contains("`table`")),
                "{text}"
            );
        }
    }
}
