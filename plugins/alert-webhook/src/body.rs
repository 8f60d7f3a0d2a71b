//! What a receiver reads.

use chm_plugin::alerts::Alert;
use chm_plugin::time::rfc3339;
use serde_json::{Value, json};

/// The alert as JSON. `text` is for Slack and `content` for Discord: each shows its own and ignores the rest.
pub(crate) fn of(alert: &Alert) -> Value {
    json!({
        "severity": alert.severity.id(),
        "title": alert.title,
        "metric": alert.rule,
        "value": alert.value,
        "thresholds": { "warning": alert.warning_threshold, "critical": alert.critical_threshold },
        "host": { "id": alert.host_id, "label": alert.host_name },
        "label": alert.label,
        "runbookUrls": alert.runbook_urls,
        "timestamp": rfc3339(alert.time),
        "text": alert.text,
        "content": alert.text,
    })
}
