//! What an answer means for the alert.

use chm_plugin::alerts::{DeliveryFailure, Receipt};
use chm_plugin::host::http::{HttpError, Response};

pub(crate) fn of_response(response: &Response) -> Result<Receipt, DeliveryFailure> {
    let status = response.status;
    let reason = format!("the receiver answered {status}");
    match status {
        200..=299 => Ok(Receipt::delivered()),
        // Not today, but with a time: RFC 9110 §10.2.3. A date instead of seconds leaves the choice to the host.
        429 | 503 => Err(match response.header("retry-after").and_then(|value| value.trim().parse().ok()) {
            Some(seconds) => DeliveryFailure::retry_after(seconds, reason),
            None => DeliveryFailure::retry(reason),
        }),
        408 | 425 | 500..=599 => Err(DeliveryFailure::retry(reason)),
        300..=399 => Err(DeliveryFailure::permanent(format!(
            "{reason}, a redirect, which is not followed; configure the address it leads to"
        ))),
        _ => Err(DeliveryFailure::permanent(reason)),
    }
}

pub(crate) fn of_error(error: HttpError) -> DeliveryFailure {
    match error {
        HttpError::Timeout => DeliveryFailure::retry("the receiver did not answer in time"),
        HttpError::Unreachable(reason) => DeliveryFailure::retry(format!("the receiver cannot be reached: {reason}")),
        // It came through, and its answer would be too large again.
        HttpError::TooLarge => DeliveryFailure::permanent("the receiver's answer is too large to read"),
        HttpError::Denied(reason) | HttpError::Invalid(reason) => DeliveryFailure::permanent(reason),
    }
}
