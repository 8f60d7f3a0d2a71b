//! What was loaded, and what was not.

use super::finding::Finding;
use super::subject::Subject;
use crate::plugins::{BUNDLED, State};

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    const ITEM: &str = "plugins";
    let registry = subject.registry;
    let mut findings = Vec::new();
    for found in &registry.found {
        if let State::Refused(reason) = &found.state {
            findings
                .push(Finding::fail(ITEM, format!("`{}` ({}) was refused: {reason}", found.id, found.file)).known());
        }
    }
    for id in subject.config().plugins.keys().map(|id| id.as_str()) {
        if !BUNDLED.contains(&id) && !registry.found.iter().any(|found| found.id == id) {
            findings.push(
                Finding::warn(ITEM, format!("the configuration has [plugins.{id}], but no file brings it"))
                    .advise("correct its id, or put its file into the plugin folder"),
            );
        }
    }
    let active = registry.active().count();
    if active == 0 {
        findings.push(
            Finding::fail(ITEM, "none is loaded: there are no panels")
                .advise("build the bundled ones: `chm-host plugin build plugins`"),
        );
    } else if findings.is_empty() {
        findings.push(Finding::ok(ITEM, format!("{active} loaded, none refused")));
    }
    findings
}
