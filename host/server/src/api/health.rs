//! Checks: panels whose number has thresholds (contract, http-api §4.15).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chm_access::Caller;
use chm_sandbox::bindings::panels::Check;
use futures::StreamExt;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use serde_json::Value;

use super::Tag;
use super::envelope::{ErrorBody, Unavailable};
use super::error::Problem;
use super::gate::ItemGate;
use super::host_id::HostId;
use super::parameters;
use crate::app::App;
use crate::panels::{self, AT_A_TIME, Asking, Outcome, Request};
use crate::plugins::Panel;

/// Most checks in one request.
const MOST_CHECKS: usize = 40;

/// Health.
pub struct HealthApi;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum Verdict {
    /// Below the thresholds.
    Ok,
    /// At or above the first threshold.
    Warning,
    /// At or above the second.
    Critical,
    /// The server lacks what is checked, or gave no number: unknown is not well.
    Unavailable,
}

/// One check.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CheckResult {
    /// What it found; absent when it could not run.
    pub status: Option<Verdict>,
    /// The number.
    pub value: Option<f64>,
    /// At or above it: worth a look.
    pub warning: Option<f64>,
    /// At or above it: somebody should act.
    pub critical: Option<f64>,
    /// The rows.
    pub data: Vec<Value>,
    /// Why it cannot be shown on this server.
    pub unavailable: Option<Unavailable>,
    /// Why it could not run.
    pub error: Option<ErrorBody>,
}

/// Several checks of one server.
#[derive(Debug, Object)]
pub struct Checks {
    /// Always true: each check says for itself how it went.
    pub success: bool,
    /// The ClickHouse host's id.
    pub host: String,
    /// By name.
    pub checks: BTreeMap<String, CheckResult>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Hosts")]
impl HealthApi {
    /// Several checks of one server at once
    ///
    /// Checks are charts or tables with thresholds. A check that the caller may not read, or that fails, carries an error; the others
    /// go on.
    #[oai(path = "/health/checks", method = "get", operation_id = "get_checks")]
    async fn checks(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        /// Names with commas between them, at most 40; without it, all checks that the caller may read.
        #[oai(validator(max_length = 4096))]
        charts: Query<Option<String>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<Option<HostId>>,
        /// IANA name.
        timezone: Query<Option<String>>,
    ) -> Result<Json<Checks>, Problem> {
        let (id, _) = parameters::host(&app, &gate.caller, host_id.0.as_deref())?;
        let timezone = timezone.0.map(|name| parameters::timezone(&name)).transpose()?;
        let names = wanted(&app, &gate, charts.0.as_deref())?;
        let asking = gate.asking(&app);
        let each = names.into_iter().map(|name| {
            let timezone = timezone.clone();
            async move {
                let result = check(asking, &name, id, timezone).await;
                (name, result)
            }
        });
        let checks = futures::stream::iter(each).buffered(AT_A_TIME).collect().await;
        Ok(Json(Checks { success: true, host: id.to_string(), checks }))
    }
}

fn wanted(app: &App, gate: &ItemGate, charts: Option<&str>) -> Result<BTreeSet<String>, Problem> {
    let Some(text) = charts else { return Ok(open_checks(app, &gate.caller).map(str::to_owned).collect()) };
    let names: BTreeSet<String> =
        text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    if names.is_empty() || names.len() > MOST_CHECKS {
        let message = format!("parameter `charts`: expected 1 to {MOST_CHECKS} names with commas between them");
        return Err(Problem::invalid("charts", message));
    }
    Ok(names)
}

/// Names of the checks that the caller may read.
fn open_checks<'a>(app: &'a App, caller: &'a Caller) -> impl Iterator<Item = &'a str> {
    let catalogue = &app.registry.catalogue;
    let all = catalogue.charts().chain(catalogue.tables());
    let open = all.filter(|(_, it)| it.open(&app.matrix, caller, app.posture).is_ok());
    open.filter(|(_, it)| it.for_documentation().described.check.is_some()).map(|(name, _)| name)
}

async fn check(asking: Asking<'_>, name: &str, host: u32, timezone: Option<String>) -> CheckResult {
    let Asking { app, caller, .. } = asking;
    let catalogue = &app.registry.catalogue;
    let gated = match catalogue.chart(name).or_else(|unknown| catalogue.table(name).map_err(|_| unknown)) {
        Ok(gated) => gated,
        Err(unknown) => {
            let names = open_checks(app, caller).collect();
            return failed(Problem::unknown("check", "availableChecks", &unknown, names));
        }
    };
    let (panel, _allowed) = match gated.open(&app.matrix, caller, app.posture) {
        Ok(open) => open,
        Err(denial) => return failed(Problem::new(super::Word::Permission, denial.to_string())),
    };
    let mut sent = BTreeMap::from([("hostId".to_owned(), host.to_string())]);
    sent.extend(timezone.map(|name| ("timezone".to_owned(), name)));
    match run(asking, &panel, sent).await {
        Ok(result) => result,
        Err(problem) => failed(problem),
    }
}

async fn run(asking: Asking<'_>, panel: &Panel, sent: BTreeMap<String, String>) -> Result<CheckResult, Problem> {
    let request = Request::from_pairs(asking.app, asking.caller, panel, sent)?;
    let check = panel.described.check.as_ref();
    Ok(match panels::rows(asking, panel, &request).await? {
        Outcome::Unavailable(unavailable) => {
            let status = check.map(|_| Verdict::Unavailable);
            CheckResult { status, unavailable: Some(unavailable), ..CheckResult::of(check) }
        }
        Outcome::Rows(rows) => {
            let data = rows.values()?;
            let value = check.and_then(|check| data.first()?.get(&check.column)?.as_f64());
            let status = check.map(|check| verdict(check, value));
            CheckResult { status, value, data, ..CheckResult::of(check) }
        }
    })
}

/// Both thresholds are inclusive.
fn verdict(check: &Check, value: Option<f64>) -> Verdict {
    match value {
        None => Verdict::Unavailable,
        Some(value) if value >= check.critical => Verdict::Critical,
        Some(value) if value >= check.warning => Verdict::Warning,
        Some(_) => Verdict::Ok,
    }
}

fn failed(problem: Problem) -> CheckResult {
    CheckResult { error: Some(problem.into_body()), ..CheckResult::of(None) }
}

impl CheckResult {
    fn of(check: Option<&Check>) -> Self {
        Self {
            status: None,
            value: None,
            warning: check.map(|check| check.warning),
            critical: check.map(|check| check.critical),
            data: Vec::new(),
            unavailable: None,
            error: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_reached_is_exceeded_and_no_number_is_not_well() {
        let check = Check { column: "value".into(), warning: 1.0, critical: 3.0 };
        for (value, expected) in [
            (Some(0.9), Verdict::Ok),
            (Some(1.0), Verdict::Warning),
            (Some(2.9), Verdict::Warning),
            (Some(3.0), Verdict::Critical),
            (None, Verdict::Unavailable),
        ] {
            assert_eq!(verdict(&check, value), expected, "{value:?}");
        }
    }
}
