//! What callers without credentials may do.

use chm_access::{Feature, FeatureId, Permission};

use super::finding::Finding;
use super::place::Place;
use super::subject::Subject;

/// The features that the checklist names, whether writing there does damage, and the variable that closes them.
const SENSITIVE: &[(Feature, bool, &str)] = &[
    (Feature::Agent, true, "CHM_FEATURE_AGENT_ACCESS"),
    (Feature::Actions, true, "CHM_FEATURE_ACTIONS_ACCESS"),
    (Feature::Mcp, true, "CHM_FEATURE_MCP_ACCESS"),
    (Feature::Settings, false, "CHM_FEATURE_SETTINGS_ACCESS"),
];

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        SENSITIVE.iter().map(|(feature, harms, variable)| sensitive(subject, *feature, *harms, variable)).collect();
    findings.push(in_view(subject));
    findings.push(control(subject));
    findings
}

fn sensitive(subject: &Subject<'_>, feature: Feature, harms: bool, variable: &str) -> Finding {
    let item = format!("feature {feature}");
    let reads = subject.anybody_may(&Permission::read(feature));
    let writes = subject.anybody_may(&Permission::write(feature));
    let is_far = subject.listens() != Place::Loopback;
    let found = match (reads, writes) {
        (false, false) => return Finding::ok(item, "closed to callers without credentials"),
        (_, true) => "callers without credentials may use all of it",
        (true, false) => "callers without credentials may read it",
    };
    let is_harmless = !(harms && writes);
    if !is_far && is_harmless {
        return Finding::ok(item, format!("{found}, on loopback only"));
    }
    let fails = is_far && harms && writes;
    Finding::graded(fails, item, found).advise(if subject.config().auth.providers.is_none() {
        format!(
            "nobody signs in here, so switch it off ({}=false) or choose a provider",
            variable.replace("_ACCESS", "_ENABLED")
        )
    } else {
        format!("set {variable}=authenticated")
    })
}

fn in_view(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "features in view";
    let own = Feature::ALL.iter().copied().map(FeatureId::from);
    let all = own.chain(subject.plugin_features().into_iter().map(FeatureId::from));
    let seen: Vec<String> = all
        .filter(|feature| subject.anybody_may(&Permission::read(feature.clone())))
        .map(|id| id.to_string())
        .collect();
    if seen.is_empty() {
        return Finding::ok(ITEM, "none without credentials");
    }
    if subject.listens() == Place::Loopback {
        return Finding::ok(ITEM, format!("{} without credentials, on loopback only", seen.len()));
    }
    Finding::warn(ITEM, format!("without credentials: {}", seen.join(", ")))
        .advise("switch off what your team does not use (CHM_DISABLED_FEATURES), and close what not everybody should see (CHM_AUTH_REQUIRED_FEATURES)")
}

/// Statements that change something, and who can have them run.
fn control(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "control statements";
    let granted: Vec<String> = subject
        .registry
        .active()
        .filter(|plugin| plugin.grants().control.as_ref().is_some_and(|granted| !granted.is_empty()))
        .map(|plugin| {
            let words: Vec<&str> =
                plugin.grants().control.iter().flatten().map(|statement| statement.as_str()).collect();
            format!("{} ({})", plugin.id(), words.join(", "))
        })
        .collect();
    if granted.is_empty() {
        return Finding::ok(ITEM, "granted to no plugin");
    }
    let found = format!("granted to {}", granted.join(", "));
    if subject.anybody_may(&Permission::write(Feature::Actions)) {
        let fails = subject.listens() != Place::Loopback;
        return Finding::graded(fails, ITEM, format!("{found}, and callers without credentials may use `actions`"))
            .advise("take the grant away, or close `actions`");
    }
    Finding::ok(ITEM, format!("{found}, for callers with the right to `actions`"))
}
