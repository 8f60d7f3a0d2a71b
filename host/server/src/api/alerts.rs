//! Alerts to the outside.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chm_access::Caller;
use chm_sandbox::bindings::alert_sink::{Alert, Severity};
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};

use super::Tag;
use super::checked_json::CheckedJson;
use super::envelope::Envelope;
use super::error::{Problem, Word};
use super::gate::{Gate, HealthWrite};
use super::parameters;
use crate::alerts::Outcome;
use crate::app::App;

/// Alerts.
pub struct AlertsApi;

/// How long the answer waits for the first attempt. What takes longer goes on in the outbox.
const FIRST_ATTEMPT: Duration = Duration::from_secs(12);

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub enum TestSeverity {
    /// Look at it.
    Warning,
    /// Act now.
    Critical,
    /// It is over.
    Recovery,
}

/// A test alert.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestAlert {
    /// How urgent it claims to be.
    #[oai(nullable, default = "warning")]
    pub severity: TestSeverity,
    /// Its title.
    #[oai(nullable, default = "title", validator(min_length = 1, max_length = 200))]
    pub title: String,
    /// What is said about the value.
    #[oai(nullable, default = "label", validator(max_length = 500))]
    pub label: String,
    /// The ClickHouse host it is about.
    #[oai(nullable, default)]
    pub host_id: u32,
    /// Only this sink; absent: all.
    #[oai(nullable)]
    pub sink: Option<String>,
}

fn warning() -> TestSeverity {
    TestSeverity::Warning
}

fn title() -> String {
    "Test alert".to_owned()
}

fn label() -> String {
    "sent by hand to test delivery".to_owned()
}

/// What became of an alert at one sink.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Delivery {
    /// The plugin.
    pub sink: String,
    /// `delivered`, `waiting` (it is tried again), `failed` (it is not), or `queued` (no attempt yet).
    pub state: String,
    /// What the receiver called it.
    pub reference: Option<String>,
    /// Why it was not delivered.
    pub reason: Option<String>,
    /// Milliseconds until the next attempt.
    pub retry_in_ms: Option<u64>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Alerts")]
impl AlertsApi {
    /// Send a test alert
    ///
    /// Goes through the outbox like any alert, to every sink or to one. Waits for the first attempt of each.
    #[oai(path = "/alerts/test", method = "post", operation_id = "test_alert")]
    async fn test(
        &self,
        gate: Gate<HealthWrite>,
        app: Data<&Arc<App>>,
        body: CheckedJson<TestAlert>,
    ) -> Result<Json<Envelope<Vec<Delivery>>>, Problem> {
        let sinks = wanted(&app.outbox.sinks(), body.sink.as_deref())?;
        let alert = alert(&app, &gate.caller, &body)?;
        let waits = sinks.into_iter().map(|sink| {
            let ticket = app.outbox.enqueue(&sink, alert.clone());
            async move {
                match ticket {
                    Ok(ticket) => delivery(sink, ticket.outcome(FIRST_ATTEMPT).await),
                    Err(error) => delivery(sink, Some(Outcome::Failed { reason: error.to_string() })),
                }
            }
        });
        let mut envelope = Envelope::of(futures::future::join_all(waits).await);
        envelope.metadata.rows = envelope.data.len() as u64;
        envelope.metadata.host = body.host_id.to_string();
        Ok(Json(envelope))
    }
}

fn wanted(sinks: &[String], only: Option<&str>) -> Result<Vec<String>, Problem> {
    if sinks.is_empty() {
        return Err(Problem::new(Word::NotFound, "no alert sink is loaded; load a plugin with the role alert-sink"));
    }
    match only {
        None => Ok(sinks.to_vec()),
        Some(name) if sinks.iter().any(|sink| sink == name) => Ok(vec![name.to_owned()]),
        Some(name) => {
            let known = sinks.join(", ");
            Err(Problem::invalid("sink", format!("there is no alert sink `{name}`; loaded are {known}")))
        }
    }
}

fn alert(app: &App, caller: &Caller, body: &TestAlert) -> Result<Alert, Problem> {
    let (_, host) = parameters::host(app, caller, Some(&body.host_id.to_string()))?;
    let (severity, word) = match body.severity {
        TestSeverity::Warning => (Severity::Warning, "WARNING"),
        TestSeverity::Critical => (Severity::Critical, "CRITICAL"),
        TestSeverity::Recovery => (Severity::Recovery, "RECOVERY"),
    };
    let host_name = host.config().name.clone();
    let text = match body.severity {
        TestSeverity::Recovery => format!("[{word}] {} — resolved (host {host_name})", body.title),
        _ => format!("[{word}] {} — {} (host {host_name})", body.title, body.label),
    };
    Ok(Alert {
        dedup_key: format!("{}:test", body.host_id),
        rule: "test".to_owned(),
        title: body.title.clone(),
        severity,
        host_id: body.host_id,
        host_name,
        value: None,
        warning_threshold: None,
        critical_threshold: None,
        label: body.label.clone(),
        runbook_urls: Vec::new(),
        time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| (since.as_secs_f64() * 1e3).floor()),
        text,
    })
}

fn delivery(sink: String, outcome: Option<Outcome>) -> Delivery {
    let (state, reference, reason, retry_in_ms) = match outcome {
        Some(Outcome::Delivered { reference }) => ("delivered", reference, None, None),
        Some(Outcome::Waiting { reason, retry_in_ms }) => ("waiting", None, Some(reason), Some(retry_in_ms)),
        Some(Outcome::Failed { reason }) => ("failed", None, Some(reason), None),
        None => ("queued", None, None, None),
    };
    Delivery { sink, state: state.to_owned(), reference, reason, retry_in_ms }
}
