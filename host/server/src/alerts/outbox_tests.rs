//! Pauses are a millisecond long, and nothing is asserted about how long anything took.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::backoff::{Backoff, Jitter};
use super::super::ledger::EntryState;
use super::super::ledger::tests::alert;
use super::super::ticket::Outcome;
use super::*;

const LONG: Duration = Duration::from_secs(60);

fn options() -> OutboxOptions {
    let millisecond = Duration::from_millis(1);
    OutboxOptions {
        backoff: Backoff { first: millisecond, most: millisecond, jitter: Jitter::None },
        ..OutboxOptions::default()
    }
}

fn receipt() -> Result<Receipt, DeliveryError> {
    Ok(Receipt { reference: Some("m-1".into()) })
}

type Answer = Result<Receipt, DeliveryError>;
type Titles = Arc<Mutex<Vec<String>>>;

/// Answers as written, then delivers; notes the titles it saw.
fn scripted(answers: impl IntoIterator<Item = Answer>) -> (Titles, impl Fn(Arc<Alert>) -> std::future::Ready<Answer>) {
    let script: Mutex<VecDeque<Answer>> = Mutex::new(answers.into_iter().collect());
    let seen = Titles::default();
    let noted = seen.clone();
    (seen, move |alert: Arc<Alert>| {
        noted.lock().unwrap().push(alert.title.clone());
        std::future::ready(script.lock().unwrap().pop_front().unwrap_or_else(receipt))
    })
}

#[tokio::test]
async fn an_alert_is_delivered_and_its_ticket_says_so() {
    let outbox = Outbox::new(options());
    outbox.add_sink("hook", scripted([]).1);
    let ticket = outbox.enqueue("hook", alert("a")).unwrap();
    assert_eq!(ticket.outcome(LONG).await, Some(Outcome::Delivered { reference: Some("m-1".into()) }));
    assert!(matches!(outbox.state()[0].state, EntryState::Delivered { .. }));
}

#[tokio::test]
async fn a_failed_attempt_is_told_at_once_and_repeated_until_it_works() {
    let outbox = Outbox::new(options());
    let (seen, deliver) = scripted([Err(DeliveryError::later("503")), Err(DeliveryError::later("503"))]);
    outbox.add_sink("hook", deliver);
    let first = outbox.enqueue("hook", alert("alert")).unwrap();
    let second = outbox.enqueue("hook", alert("recovery")).unwrap();
    assert!(matches!(second.settled(LONG).await, Some(Outcome::Delivered { .. })));
    assert!(matches!(first.settled(LONG).await, Some(Outcome::Delivered { .. })));
    assert_eq!(*seen.lock().unwrap(), ["alert", "alert", "alert", "recovery"]);
}

#[tokio::test]
async fn the_first_outcome_of_a_sink_that_is_down_is_that_it_waits() {
    let patient = Backoff { first: LONG, most: LONG, jitter: Jitter::None };
    let outbox = Outbox::new(OutboxOptions { backoff: patient, ..options() });
    outbox.add_sink("hook", |_| std::future::ready(Err(DeliveryError::later("trapped"))));
    let outcome = outbox.enqueue("hook", alert("a")).unwrap().outcome(LONG).await;
    assert_eq!(outcome, Some(Outcome::Waiting { reason: "trapped".into(), retry_in_ms: 60_000 }));
    let behind = outbox.enqueue("hook", alert("b")).unwrap();
    assert_eq!(behind.outcome(Duration::from_millis(1)).await, None);
    assert_eq!(outbox.shutdown(LONG).await, 2);
}

#[tokio::test]
async fn a_sink_that_hangs_or_panics_holds_up_nobody_else() {
    let outbox = Outbox::new(OutboxOptions { attempt_timeout: Duration::from_millis(5), ..options() });
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = attempts.clone();
    outbox.add_sink("bad", move |_| {
        let attempt = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            match attempt {
                0 => std::future::pending().await,
                1 => panic!("a fault of the host, on purpose"),
                _ => receipt(),
            }
        }
    });
    outbox.add_sink("good", scripted([]).1);
    let bad = outbox.enqueue("bad", alert("a")).unwrap();
    let good = outbox.enqueue("good", alert("a")).unwrap();
    assert!(matches!(good.outcome(LONG).await, Some(Outcome::Delivered { .. })));
    assert!(matches!(bad.settled(LONG).await, Some(Outcome::Delivered { .. })));
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_replaced_sink_takes_over_what_waits() {
    let patient = Backoff { first: Duration::ZERO, most: Duration::ZERO, jitter: Jitter::None };
    let outbox = Outbox::new(OutboxOptions { backoff: patient, max_attempts: u32::MAX, ..options() });
    outbox.add_sink("hook", |_| async {
        tokio::task::yield_now().await;
        Err(DeliveryError::later("the old one is broken"))
    });
    let ticket = outbox.enqueue("hook", alert("a")).unwrap();
    assert!(matches!(ticket.clone().outcome(LONG).await, Some(Outcome::Waiting { .. })));
    outbox.add_sink("hook", scripted([]).1);
    assert!(matches!(ticket.settled(LONG).await, Some(Outcome::Delivered { .. })));
    outbox.remove_sink("hook");
    assert_eq!(outbox.enqueue("hook", alert("b")).unwrap_err(), OutboxError::NoSuchSink("hook".into()));
}

#[tokio::test]
async fn a_full_outbox_refuses() {
    let outbox = Outbox::new(OutboxOptions { capacity: 1, ..options() });
    outbox.add_sink("hook", |_| std::future::pending());
    outbox.enqueue("hook", alert("a")).unwrap();
    let error = outbox.enqueue("hook", alert("b")).unwrap_err();
    assert_eq!(error, OutboxError::Full { sink: "hook".into(), capacity: 1 });
}
