//! What is sent, and what each answer means.

#![allow(clippy::panic, clippy::unwrap_used)]

use alert_webhook::Webhook;
use chm_plugin::AlertSink;
use chm_plugin::alerts::{Alert, DeliveryFailure, Receipt, Severity};
use chm_plugin::host::http::{HttpError, Response};
use chm_plugin::testing::FakeHost;
use serde_json::json;

fn deliver(answer: Result<Response, HttpError>) -> Result<Receipt, DeliveryFailure> {
    let _ = FakeHost::new().endpoint("alerts", move |_| answer.clone());
    Webhook::deliver(Alert::example("disk-usage"))
}

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
fn success_is_any_2xx() {
    for status in [200, 201, 202, 204] {
        assert_eq!(deliver(Ok(Response::status(status))), Ok(Receipt::delivered()), "{status}");
    }
}

#[test]
fn answers_that_may_change_are_tried_again() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        match deliver(Ok(Response::status(status))) {
            Err(DeliveryFailure::RetryAfter(later)) => assert_eq!(later.after_seconds, None, "{status}"),
            other => panic!("{status}: {other:?}"),
        }
    }
    for error in [HttpError::Timeout, HttpError::Unreachable("no route".into())] {
        assert!(matches!(deliver(Err(error)), Err(DeliveryFailure::RetryAfter(_))));
    }
}

#[test]
fn a_receiver_names_the_seconds_to_wait() {
    let cases = [
        (429, "30", Some(30)),
        (503, " 5 ", Some(5)),
        (429, "Fri, 20 Nov 2026 23:59:59 GMT", None),
        (429, "-1", None),
        (500, "30", None),
    ];
    for (status, value, seconds) in cases {
        match deliver(Ok(Response::status(status).with_header("Retry-After", value))) {
            Err(DeliveryFailure::RetryAfter(later)) => assert_eq!(later.after_seconds, seconds, "{status} {value}"),
            other => panic!("{status} {value}: {other:?}"),
        }
    }
}

#[test]
fn answers_that_will_not_change_are_final() {
    for status in [301, 400, 401, 403, 404, 410, 413, 422] {
        assert!(matches!(deliver(Ok(Response::status(status))), Err(DeliveryFailure::Permanent(_))), "{status}");
    }
    for error in [HttpError::Denied("no".into()), HttpError::Invalid("no".into()), HttpError::TooLarge] {
        assert!(matches!(deliver(Err(error)), Err(DeliveryFailure::Permanent(_))));
    }
}
