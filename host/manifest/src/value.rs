//! A setting's value, as an operator or a manifest writes it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A value as it stands in a TOML or YAML file, or (always [`Text`](Self::Text)) in an environment variable.
///
/// Its `Debug` shows the type only: the value may be a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// A table of texts, for header maps: `{ team = "X-Team" }`.
    Map(BTreeMap<String, String>),
}

impl SettingValue {
    /// Whether it is a text of white space only, an empty list or an empty table. An operator who writes that means "unset".
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Boolean(_) | Self::Integer(_) => false,
            Self::Text(text) => text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(pairs) => pairs.is_empty(),
        }
    }

    /// What it is, with its article, for messages.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
        }
    }
}

impl fmt::Debug for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingValue({})", self.noun())
    }
}

impl From<&str> for SettingValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SettingValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
