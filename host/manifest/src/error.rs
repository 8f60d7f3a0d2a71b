//! What can be wrong with a manifest.

use std::fmt;

/// Why a `plugin.toml` is refused: where, what, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The text is longer than [`MAX_MANIFEST_BYTES`](crate::MAX_MANIFEST_BYTES).
    #[error("plugin.toml has {bytes} bytes; expected at most {}", crate::MAX_MANIFEST_BYTES)]
    TooLong {
        /// Its size in bytes.
        bytes: usize,
    },
    /// The text is no TOML.
    #[error("plugin.toml{at}: not valid TOML: {message}", at = At(*.line, ""))]
    Syntax {
        /// Line, from 1, where known.
        line: Option<usize>,
        /// What the TOML parser says.
        message: String,
    },
    /// A key is unknown, missing or has a value of another type.
    #[error("plugin.toml{at}: {message}", at = At(*.line, .key))]
    Shape {
        /// Line, from 1, where known.
        line: Option<usize>,
        /// The key, dotted; empty for the document itself.
        key: String,
        /// What was found and what was expected.
        message: String,
    },
    /// A value has the right type and is not allowed.
    #[error("plugin.toml{at}: {message}", at = At(*.line, .key))]
    Value {
        /// Line, from 1, where known.
        line: Option<usize>,
        /// The key, dotted.
        key: String,
        /// What was found and what was expected.
        message: String,
    },
}

impl ManifestError {
    /// Line in `plugin.toml`, from 1, where known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::TooLong { .. } => None,
            Self::Syntax { line, .. } | Self::Shape { line, .. } | Self::Value { line, .. } => *line,
        }
    }
}

/// ` line 3, key `id``, or as much of it as is known.
struct At<'a>(Option<usize>, &'a str);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.0 {
            write!(f, " line {line}")?;
        }
        match (self.0, self.1) {
            (_, "") => Ok(()),
            (Some(_), key) => write!(f, ", key `{key}`"),
            (None, key) => write!(f, " key `{key}`"),
        }
    }
}
