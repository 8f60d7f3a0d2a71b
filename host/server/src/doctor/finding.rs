//! One line of the doctor's report.

use std::fmt;

use serde::Serialize;

/// How it stands with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works; an operator should know or decide.
    Warn,
    /// Dangerous, or it cannot work.
    Fail,
}

/// One item of the checklist: what was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it stands.
    pub level: Level,
    /// The item.
    pub item: String,
    /// What was found. Never a secret.
    pub found: String,
    /// What to do; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Statements for an administrator of ClickHouse, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<String>,
    /// The text is a warning of the configuration, which `serve` has logged already.
    #[serde(skip)]
    pub is_known: bool,
}

impl Finding {
    fn new(level: Level, item: impl Into<String>, found: impl Into<String>) -> Self {
        let (item, found) = (item.into(), found.into());
        Self { level, item, found, advice: None, statements: Vec::new(), is_known: false }
    }

    pub(super) fn ok(item: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Level::Ok, item, found)
    }

    pub(super) fn warn(item: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Level::Warn, item, found)
    }

    pub(super) fn fail(item: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Level::Fail, item, found)
    }

    /// `warn`, or `FAIL` where it matters more.
    pub(super) fn graded(fails: bool, item: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(if fails { Level::Fail } else { Level::Warn }, item, found)
    }

    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    pub(super) fn run(self, statements: Vec<String>) -> Self {
        Self { statements, ..self }
    }

    /// Without the level and the statements.
    pub(super) fn sentence(&self) -> String {
        let advice = self.advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default();
        format!("{}: {}{advice}", self.item, self.found)
    }

    pub(super) fn known(self) -> Self {
        Self { is_known: true, ..self }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        })
    }
}

/// One line, and one for each statement.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<4}  {}", self.level, self.sentence())?;
        self.statements.iter().try_for_each(|statement| write!(f, "\n        {statement};"))
    }
}
