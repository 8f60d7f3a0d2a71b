//! The whole of what the doctor says.

use std::fmt;

use serde::Serialize;

use super::finding::{Finding, Level};

/// What no program can look at from here.
pub const CHECK_YOURSELF: &[&str] = &[
    "TLS in front of this host, and that nothing but the proxy reaches its port",
    "that the proxy sets or removes every identity header, whatever the client sent",
    "a timeout of the proxy above CLICKHOUSE_MAX_EXECUTION_TIME",
    "spending and rate limits at your LLM provider",
    "that whatever calls the cron routes reaches them",
    "backups of the store with keys and audit log, and of conversations",
    "where each secret is kept, who can replace it, and that secrets that were seen have been replaced",
    "a version to go back to",
    "the log after each deployment",
];

/// The report.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What callers without credentials can do, in words.
    pub posture: String,
    /// One per item.
    pub findings: Vec<Finding>,
    /// What to look at by hand.
    pub check_yourself: &'static [&'static str],
}

impl Report {
    /// Puts it together.
    #[must_use]
    pub fn new(posture: String, findings: Vec<Finding>) -> Self {
        Self { posture, findings, check_yourself: CHECK_YOURSELF }
    }

    /// How many findings are of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.posture)?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        writeln!(f, "\nCheck yourself: {}.\n", self.check_yourself.join("; "))?;
        let [ok, warn, fail] = [Level::Ok, Level::Warn, Level::Fail].map(|level| self.count(level));
        write!(f, "{ok} ok, {warn} warnings, {fail} failed")
    }
}
