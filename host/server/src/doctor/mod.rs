//! `chm-host doctor`: the production checklist, item by item, and the posture in words.
//!
//! [`dangers`] looks at the configuration and the loaded plugins; `serve` prints what it finds, too. [`servers`] asks each
//! ClickHouse besides. Refusing to start is the business of [`crate::config`] alone.

mod alerts;
mod clickhouse;
mod edge;
mod features;
mod finding;
mod needs;
mod place;
mod plugins;
mod report;
mod secrets;
mod servers;
mod sign_in;
mod store;
mod subject;
#[cfg(test)]
mod tests;

pub use finding::{Finding, Level};
pub use report::{CHECK_YOURSELF, Report};
pub use servers::servers;
pub use subject::Subject;

/// Everything that can be said without asking a server, in the order of the checklist.
#[must_use]
pub fn dangers(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = clickhouse::findings(subject);
    findings.extend(sign_in::findings(subject));
    findings.extend(secrets::findings(subject));
    findings.extend(features::findings(subject));
    findings.extend(edge::findings(subject));
    findings.extend(alerts::findings(subject));
    findings.extend(store::findings(subject));
    findings.extend(plugins::findings(subject));
    findings.extend(subject.left_over_warnings(&findings));
    findings
}

/// The failures among the [`dangers`] that the configuration has not warned of itself, one line each: for a server that starts anyway.
#[must_use]
pub fn fresh_failures(subject: &Subject<'_>) -> Vec<String> {
    let fresh = |finding: &Finding| finding.level == Level::Fail && !finding.is_known;
    dangers(subject).iter().filter(|finding| fresh(finding)).map(Finding::sentence).collect()
}
