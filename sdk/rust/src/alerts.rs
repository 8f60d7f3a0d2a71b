//! Role: takes alerts to where people see them.

use crate::bindings::alert_sink::exports::chm::plugin::alert_sink as wire;
pub use wire::{Alert, DeliveryFailure, Description, Later, Receipt, Severity};

use crate::host::http::Response;
use crate::panic_hook;

/// Delivers one alert at a time. The host keeps the outbox and tries again as the answer says.
pub trait AlertSink {
    /// One sentence for operators: where the alerts go. Called once, when the plugin is loaded.
    fn describe() -> Description;

    /// Delivers one alert.
    ///
    /// # Errors
    /// [`DeliveryFailure::RetryAfter`] where trying again may help, [`DeliveryFailure::Permanent`] where it cannot.
    fn deliver(alert: Alert) -> Result<Receipt, DeliveryFailure>;
}

impl<T: AlertSink> wire::Guest for T {
    fn describe() -> Description {
        panic_hook::install();
        T::describe()
    }

    fn deliver(alert: Alert) -> Result<Receipt, DeliveryFailure> {
        panic_hook::install();
        T::deliver(alert)
    }
}

impl Description {
    /// `summary` is one sentence for operators.
    #[must_use]
    pub fn new(summary: &str) -> Self {
        Self { summary: summary.into() }
    }
}

impl Severity {
    /// `warning`, `critical` or `recovery`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Recovery => "recovery",
        }
    }
}

impl Alert {
    /// A warning about `rule` on host 0, for tests; set the fields that the test is about.
    #[must_use]
    pub fn example(rule: &str) -> Self {
        Self {
            dedup_key: format!("0:{rule}"),
            rule: rule.into(),
            title: rule.into(),
            severity: Severity::Warning,
            host_id: 0,
            host_name: "example".into(),
            value: None,
            warning_threshold: None,
            critical_threshold: None,
            label: String::new(),
            runbook_urls: Vec::new(),
            time: 0.0,
            text: format!("[WARNING] {rule} (host example)"),
        }
    }
}

impl Receipt {
    /// Delivered; the receiver gave it no name.
    #[must_use]
    pub fn delivered() -> Self {
        Self { reference: None }
    }

    /// Delivered, and known to the receiver under this name.
    #[must_use]
    pub fn referenced(reference: impl Into<String>) -> Self {
        Self { reference: Some(reference.into()) }
    }

    /// What an HTTP answer means for the alert, of a receiver that means what it says.
    ///
    /// # Errors
    /// [`DeliveryFailure::RetryAfter`] for 408, 425, 429 and 5xx, with the seconds of `Retry-After` where 429 and 503 name them
    /// (RFC 9110 §10.2.3; a date leaves the choice to the host); [`DeliveryFailure::Permanent`] for whatever else is not 2xx.
    pub fn of_response(response: &Response) -> Result<Self, DeliveryFailure> {
        let status = response.status;
        let reason = format!("the receiver answered {status}");
        Err(match status {
            200..=299 => return Ok(Self::delivered()),
            429 | 503 => match response.header("retry-after").and_then(|value| value.trim().parse().ok()) {
                Some(seconds) => DeliveryFailure::retry_after(seconds, reason),
                None => DeliveryFailure::retry(reason),
            },
            408 | 425 | 500..=599 => DeliveryFailure::retry(reason),
            300..=399 => DeliveryFailure::permanent(format!(
                "{reason}, a redirect, which is not followed; configure the address it leads to"
            )),
            _ => DeliveryFailure::permanent(reason),
        })
    }
}

impl DeliveryFailure {
    /// Try again when the host thinks it right.
    #[must_use]
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::RetryAfter(Later { after_seconds: None, reason: reason.into() })
    }

    /// Try again, but not before so many seconds.
    #[must_use]
    pub fn retry_after(seconds: u32, reason: impl Into<String>) -> Self {
        Self::RetryAfter(Later { after_seconds: Some(seconds), reason: reason.into() })
    }

    /// Trying again cannot help.
    #[must_use]
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent(reason.into())
    }
}
