//! What a receiver's answer means for an alert.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use chm_plugin::alerts::{DeliveryFailure, Receipt};
use chm_plugin::host::http::{HttpError, Response};

/// As a sink does it.
fn receipt(answer: Result<Response, HttpError>) -> Result<Receipt, DeliveryFailure> {
    Receipt::of_response(&answer?)
}

#[test]
fn success_is_any_2xx() {
    for status in [200, 201, 202, 204] {
        assert_eq!(receipt(Ok(Response::status(status))), Ok(Receipt::delivered()), "{status}");
    }
}

#[test]
fn answers_that_may_change_are_tried_again() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        match receipt(Ok(Response::status(status))) {
            Err(DeliveryFailure::RetryAfter(later)) => assert_eq!(later.after_seconds, None, "{status}"),
            other => panic!("{status}: {other:?}"),
        }
    }
    for error in [HttpError::Timeout, HttpError::Unreachable("no route".into())] {
        assert!(matches!(receipt(Err(error)), Err(DeliveryFailure::RetryAfter(_))));
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
        match receipt(Ok(Response::status(status).with_header("Retry-After", value))) {
            Err(DeliveryFailure::RetryAfter(later)) => assert_eq!(later.after_seconds, seconds, "{status} {value}"),
            other => panic!("{status} {value}: {other:?}"),
        }
    }
}

#[test]
fn answers_that_will_not_change_are_final() {
    for status in [301, 400, 401, 403, 404, 410, 413, 422] {
        assert!(matches!(receipt(Ok(Response::status(status))), Err(DeliveryFailure::Permanent(_))), "{status}");
    }
    for error in [HttpError::Denied("no".into()), HttpError::Invalid("no".into()), HttpError::TooLarge] {
        assert!(matches!(receipt(Err(error)), Err(DeliveryFailure::Permanent(_))));
    }
}
