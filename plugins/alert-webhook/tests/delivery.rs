//! What is sent, and what each answer means.

#![allow(clippy::unwrap_used)]

use alert_webhook::Webhook;
use chm_plugin::AlertSink;
use chm_plugin::alerts::{Alert, DeliveryFailure, Receipt, Severity};
use chm_plugin::host::http::{HttpError, Response};
use chm_plugin::testing::FakeHost;
use serde_json::json;

#[test]
fn the_body_has_the_whole_alert_and_a_line_for_slack_and_discord() {
    let fake = FakeHost::new().endpoint("alerts", |_| Ok(Response::status(204)));
    let text = "[CRITICAL] Disk Usage — 96.0% used (host prod)";
    let alert = Alert {
        title: "Disk Usage".into(),
        severity: Severity::Critical,
        host_id: 2,
        host_name: "prod".into(),
        value: Some(96.0),
        warning_threshold: Some(80.0),
        critical_threshold: Some(95.0),
        label: "96.0% used".into(),
        runbook_urls: vec!["https://example.org/disk".into()],
        time: 1_709_164_800_250.0,
        text: text.into(),
        ..Alert::example("disk-usage")
    };
    assert_eq!(Webhook::deliver(alert), Ok(Receipt::delivered()));
    let [sent] = fake.requests().try_into().unwrap();
    assert_eq!(
        (sent.endpoint.as_str(), sent.request.method.as_str(), sent.request.path.as_str()),
        ("alerts", "POST", "")
    );
    assert_eq!(sent.request.headers[0].value, "application/json");
    assert_eq!(
        sent.json(),
        json!({
            "severity": "critical",
            "title": "Disk Usage",
            "metric": "disk-usage",
            "value": 96.0,
            "thresholds": {"warning": 80.0, "critical": 95.0},
            "host": {"id": 2, "label": "prod"},
            "label": "96.0% used",
            "runbookUrls": ["https://example.org/disk"],
            "timestamp": "2024-02-29T00:00:00.250Z",
            "text": text,
            "content": text,
        })
    );
}

#[test]
fn what_the_receiver_answers_is_what_becomes_of_the_alert() {
    for (answer, outcome) in [
        (Ok(Response::status(204)), Ok(Receipt::delivered())),
        (
            Ok(Response::status(429).with_header("Retry-After", "30")),
            Err(DeliveryFailure::retry_after(30, "the receiver answered 429")),
        ),
        (Ok(Response::status(404)), Err(DeliveryFailure::permanent("the receiver answered 404"))),
        (Err(HttpError::Timeout), Err(DeliveryFailure::retry("the receiver did not answer in time"))),
    ] {
        let _ = FakeHost::new().endpoint("alerts", move |_| answer.clone());
        assert_eq!(Webhook::deliver(Alert::example("disk-usage")), outcome);
    }
}
