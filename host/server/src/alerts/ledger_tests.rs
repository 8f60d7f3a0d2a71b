//! The clock is an argument, so nothing here waits.

use chm_sandbox::bindings::alert_sink::Severity;

use super::super::backoff::Jitter;
use super::*;

pub(crate) fn alert(title: &str) -> Alert {
    Alert {
        dedup_key: "0:disk-usage".into(),
        rule: "disk-usage".into(),
        title: title.into(),
        severity: Severity::Warning,
        host_id: 0,
        host_name: "main".into(),
        value: Some(83.1),
        warning_threshold: Some(80.0),
        critical_threshold: None,
        label: "83.1% used".into(),
        runbook_urls: vec![],
        time: 0.0,
        text: "disk usage".into(),
    }
}

fn ledger() -> Ledger {
    Ledger::new(OutboxOptions {
        capacity: 3,
        history: 2,
        backoff: Backoff { jitter: Jitter::None, ..Backoff::default() },
        max_attempts: 4,
        max_age: Duration::from_secs(3600),
        ..OutboxOptions::default()
    })
}

fn delivered(reference: &str) -> Result<Receipt, DeliveryError> {
    Ok(Receipt { reference: Some(reference.into()) })
}

fn later(seconds: Option<u64>) -> Result<Receipt, DeliveryError> {
    Err(DeliveryError::Later { after: seconds.map(Duration::from_secs), reason: "503".into() })
}

/// The id that is due, or the seconds until one is.
fn next(ledger: &mut Ledger, start: Instant, now: Instant) -> Result<u64, Option<u64>> {
    match ledger.next("s", now) {
        Step::Deliver(id, _) => Ok(id),
        Step::Until(due) => Err(Some(due.duration_since(start).as_secs())),
        Step::Idle => Err(None),
    }
}

#[test]
fn alerts_of_a_sink_are_delivered_in_order_and_a_failure_holds_the_later_ones() {
    let (mut ledger, start) = (ledger(), Instant::now());
    for title in ["alert", "recovery"] {
        ledger.append("s", alert(title), start).unwrap();
    }
    assert_eq!(next(&mut ledger, start, start), Ok(1));
    ledger.record("s", 1, later(None), start);
    assert_eq!(next(&mut ledger, start, start), Err(Some(1)), "the second one waits for the first");
    let now = start + Duration::from_secs(1);
    assert_eq!(next(&mut ledger, start, now), Ok(1));
    ledger.record("s", 1, delivered("m-1"), now);
    assert_eq!(next(&mut ledger, start, now), Ok(2));
    ledger.record("s", 2, delivered("m-2"), now);
    assert_eq!(next(&mut ledger, start, now), Err(None));
    let newest_first: Vec<_> = ledger.entries().iter().map(|entry| (entry.id, entry.attempts)).collect();
    assert_eq!(newest_first, [(2, 1), (1, 2)]);
}

#[test]
fn pauses_double_and_the_sink_can_ask_for_more() {
    let (mut ledger, start) = (ledger(), Instant::now());
    ledger.append("s", alert("a"), start).unwrap();
    let mut now = start;
    for (asked, due) in [(None, 1), (None, 3), (Some(60), 63)] {
        assert_eq!(next(&mut ledger, start, now), Ok(1));
        ledger.record("s", 1, later(asked), now);
        assert_eq!(next(&mut ledger, start, now), Err(Some(due)));
        now = start + Duration::from_secs(due);
    }
}

#[test]
fn an_alert_is_given_up_after_its_attempts_its_age_or_the_sinks_word() {
    let give_up = |act: &dyn Fn(&mut Ledger, Instant)| {
        let (mut ledger, start) = (ledger(), Instant::now());
        let ticket = ledger.append("s", alert("a"), start).unwrap();
        act(&mut ledger, start);
        let Some(Outcome::Failed { reason }) = ticket.outcome.borrow().clone() else {
            panic!("{:?}", ticket.outcome.borrow())
        };
        assert_eq!(ledger.counts(), Counts { pending: 0, delivered: 0, failed: 1 });
        reason
    };
    let attempts = give_up(&|ledger, start| (0..4).for_each(|_| ledger.record("s", 1, later(None), start)));
    assert_eq!(attempts, "given up after 4 attempts; the last one failed: 503");
    let age = give_up(&|ledger, start| {
        ledger.record("s", 1, later(Some(86_400)), start);
        assert_eq!(next(ledger, start, start), Err(Some(3600)), "the worker wakes when it expires");
        assert_eq!(next(ledger, start, start + Duration::from_secs(3600)), Err(None));
    });
    assert_eq!(age, "not delivered within 3600 s; the last attempt failed: 503");
    let word = give_up(&|ledger, start| {
        ledger.record("s", 1, Err(DeliveryError::Permanent { reason: "410".into() }), start);
    });
    assert_eq!(word, "410");
}

#[test]
fn a_full_queue_refuses_and_others_go_on() {
    let (mut ledger, start) = (ledger(), Instant::now());
    for _ in 0..3 {
        assert!(ledger.append("s", alert("a"), start).is_some());
    }
    assert!(ledger.append("s", alert("a"), start).is_none());
    assert!(ledger.append("other", alert("a"), start).is_some());
    assert_eq!(ledger.counts().pending, 4);
}

#[test]
fn only_so_many_settled_alerts_are_remembered() {
    let (mut ledger, start) = (ledger(), Instant::now());
    for id in 1..=5 {
        ledger.append("s", alert("a"), start).unwrap();
        ledger.record("s", id, delivered("m"), start);
    }
    let ids: Vec<_> = ledger.entries().iter().map(|entry| entry.id).collect();
    assert_eq!(ids, [5, 4]);
}

#[test]
fn an_answer_for_an_alert_that_is_no_longer_first_changes_nothing() {
    let (mut ledger, start) = (ledger(), Instant::now());
    ledger.append("s", alert("a"), start).unwrap();
    ledger.record("s", 7, delivered("m"), start);
    ledger.record("other", 1, delivered("m"), start);
    assert_eq!(ledger.counts(), Counts { pending: 1, delivered: 0, failed: 0 });
}
