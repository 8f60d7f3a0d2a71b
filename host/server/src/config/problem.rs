//! What can be wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

use super::origin::Origin;

/// One thing that stops the start. No text contains the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read, or is not what its name says.
    #[error("{}{}: {reason}", .path.display(), at_line(*.line))]
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A `CHM_…` variable that means nothing.
    #[error("environment variable {}: no such variable{}", .name.escape_debug(), meant_or(.near, "correct its name or unset it"))]
    UnknownVariable {
        /// Its name.
        name: String,
        /// Names that look like it.
        near: Vec<String>,
    },
    /// A key that means nothing.
    #[error("{}: no such key `{}`{}", place(.origin, *.line), .key.escape_debug(), meant(.near))]
    UnknownKey {
        /// Where it is.
        origin: Origin,
        /// The line, from 1.
        line: Option<usize>,
        /// Its dotted path.
        key: String,
        /// Keys that look like it.
        near: Vec<String>,
    },
    /// A key that must be there and is not.
    #[error("`{key}` is missing: expected {expected}")]
    MissingKey {
        /// Its dotted path.
        key: String,
        /// What it takes.
        expected: String,
    },
    /// A value that does not fit.
    #[error("{}: {}{}expected {expected}", place(.origin, *.line), of_key(.key), but_found(.found))]
    BadValue {
        /// Where it is.
        origin: Origin,
        /// The line, from 1.
        line: Option<usize>,
        /// The key's dotted path; absent when the origin is a variable that sets more than one.
        key: Option<String>,
        /// The value as far as it may be shown.
        found: Option<String>,
        /// What was expected.
        expected: String,
    },
    /// Values that are fine alone and wrong together.
    #[error("{0}")]
    Contradiction(String),
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

fn place(origin: &Origin, line: Option<usize>) -> String {
    format!("{origin}{}", at_line(line))
}

fn meant(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) }
}

fn meant_or(near: &[String], advice: &str) -> String {
    if near.is_empty() { format!("; {advice}") } else { meant(near) }
}

fn of_key(key: &Option<String>) -> String {
    key.as_ref().map(|key| format!("`{}`: ", key.escape_debug())).unwrap_or_default()
}

fn but_found(found: &Option<String>) -> String {
    found.as_ref().map(|found| format!("found {found}, ")).unwrap_or_default()
}

impl Problem {
    /// The dotted path of the key it is about, if it is about one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::UnknownKey { key, .. } | Self::MissingKey { key, .. } => Some(key),
            Self::BadValue { key, .. } => key.as_deref(),
            Self::File { .. } | Self::UnknownVariable { .. } | Self::Contradiction(_) => None,
        }
    }
}

/// Everything that is wrong with a configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => write!(f, "the configuration is wrong: {one}"),
            many => {
                write!(f, "the configuration is wrong in {} places:", many.len())?;
                many.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Something that does not stop the start, and that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Whether it bears on who may do what.
    pub security: bool,
    /// The text, one line.
    pub text: String,
}

impl Warning {
    pub(super) fn note(text: impl Into<String>) -> Self {
        Self { security: false, text: text.into() }
    }

    pub(super) fn security(text: impl Into<String>) -> Self {
        Self { security: true, text: text.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
