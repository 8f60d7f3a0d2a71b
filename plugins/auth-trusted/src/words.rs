//! Lists as proxies and operators write them.

use chm_plugin::host::config;

/// The setting with the text between two groups.
const SEPARATOR: &str = "separator";

/// What stands between two groups of a list.
pub(crate) enum Separator {
    /// Any run of commas and white space.
    Blanks,
    /// This text; blanks around a group are not part of it, blanks inside are.
    Text(String),
}

impl Separator {
    /// As the operator set it.
    pub(crate) fn configured() -> Self {
        config::get(SEPARATOR).map_or(Self::Blanks, Self::Text)
    }

    /// The pieces of a list, without empty ones.
    pub(crate) fn split<'a>(&self, text: &'a str) -> Vec<&'a str> {
        match self {
            Self::Blanks => words(text).collect(),
            Self::Text(separator) => {
                text.split(separator.as_str()).map(str::trim).filter(|piece| !piece.is_empty()).collect()
            }
        }
    }
}

/// The pieces between runs of commas and white space.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

/// Whether two groups are one: upper and lower case are the same, here as in the permission matrix.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
