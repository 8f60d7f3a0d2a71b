//! What somebody may do to a server (contract §4.11, and what it lacks: a look at what would be hit before it is).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use poem::web::Data;
use poem::{IntoResponse, Request, RequestBody, Response};
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, Object, OpenApi};
use serde_json::{Value, json};

use super::Tag;
use super::checked_json::CheckedJson;
use super::envelope::Metadata;
use super::error::{Problem, Word, plugin_problem};
use super::gate::{ActionsWrite, Gate, Right, denied};
use super::host_id::HostId;
use super::parameters;
use crate::actions::{Done, Refusal, Shown, Unconfirmed, Way, Wish, perform};
use crate::app::App;
use crate::audit::Noted;
use crate::edge::ClientAddress;

/// Actions.
pub struct ActionsApi;

/// What is to be done.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionRequest {
    /// Name of the action: `killQuery`, `optimizeTable`, `querySettings`, or `<plugin>.<name>` for those of other plugins.
    pub action: String,
    /// Its parameters, by name.
    #[oai(nullable, default)]
    pub params: HashMap<String, Value>,
    /// Only to be shown what would be hit.
    #[oai(nullable, default)]
    pub dry_run: bool,
    /// What the answer to a dry run, or to a request without it, had in `confirmation`. It is good for the same caller, action,
    /// parameters and host, once, for as long as `expiresIn` said.
    #[oai(nullable, validator(max_length = 512))]
    pub confirmation: Option<String>,
}

/// What was done, or would be.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ActionAnswer {
    /// Always true.
    pub success: bool,
    /// In a sentence.
    pub message: String,
    /// What there is to say besides; of a dry run `summary`, `targets`, `confirmation` and `expiresIn` (seconds).
    pub data: Option<Value>,
    /// How it came about.
    pub metadata: Metadata,
}

/// Why it was not done.
#[derive(Debug)]
pub enum ActionProblem {
    /// In an envelope.
    Problem(Problem),
    /// The gate's words, or with `Retry-After`.
    Answer(Box<Response>),
}

impl From<Problem> for ActionProblem {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<ActionProblem> for poem::Error {
    fn from(problem: ActionProblem) -> Self {
        Self::from_response(problem.into_response())
    }
}

impl IntoResponse for ActionProblem {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Answer(response) => *response,
        }
    }
}

impl ApiResponse for ActionProblem {
    fn meta() -> MetaResponses {
        Problem::meta()
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}

/// The caller may change something.
pub struct ActionGate {
    gate: Gate<ActionsWrite>,
    address: ClientAddress,
    noted: Option<Noted>,
}

impl<'a> ApiExtractor<'a> for ActionGate {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![ActionsWrite::MARK]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self {
            gate: Gate::from_request(request, body, options).await?,
            address: ClientAddress::of(request),
            noted: request.extensions().get::<Noted>().cloned(),
        })
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Actions")]
impl ActionsApi {
    /// Do something to a server
    ///
    /// What changes something takes two requests. The first is answered with what would be hit and a `confirmation` (428, or 200 to a
    /// dry run), and nothing has happened; the second is the same with the `confirmation`. When something else would be hit by then, the
    /// answer is 409 with that, and nothing has happened. What only looks, as `querySettings` does, is done at once.
    #[oai(path = "/actions", method = "post", operation_id = "perform_action")]
    async fn perform(
        &self,
        gate: ActionGate,
        app: Data<&Arc<App>>,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<Option<HostId>>,
        body: CheckedJson<ActionRequest>,
    ) -> Result<Json<ActionAnswer>, ActionProblem> {
        let began = Instant::now();
        let wish = wish(&app, gate, host_id.0.as_deref(), &body)?;
        let way = way(&wish, body.0.dry_run, body.0.confirmation)?;
        let (plugin, host) = (wish.action.plugin.id().to_owned(), wish.host);
        let done = perform(wish, way).await.map_err(|refusal| problem(&plugin, refusal))?;
        let (message, data) = match done {
            Done::Shown(shown) => (shown.summary.clone(), Some(shown_json(&shown))),
            Done::Ran { message, data } => (message, data),
        };
        let metadata =
            Metadata { host: host.to_string(), duration: began.elapsed().as_secs_f64(), ..Metadata::default() };
        Ok(Json(ActionAnswer { success: true, message, data, metadata }))
    }
}

/// Checks everything that was sent.
fn wish(app: &Arc<App>, gate: ActionGate, host: Option<&str>, body: &ActionRequest) -> Result<Wish, ActionProblem> {
    let ActionGate { gate: Gate { caller, request_id, .. }, address, noted } = gate;
    let (host, _) = parameters::host(app, &caller, host)?;
    let catalogue = &app.registry.catalogue;
    let gated = catalogue.action(&body.action).map_err(|unknown| {
        let names: Vec<&str> = catalogue.actions().map(|(name, _)| name).collect();
        let none = names.is_empty();
        let problem = Problem::unknown("action", "availableActions", &unknown, names);
        // What is missing is the plugin, not a better name.
        if none { Problem::new(Word::NotFound, NO_ACTIONS) } else { problem }
    })?;
    let (action, _) = gated
        .open(&app.matrix, &caller, app.posture)
        .map_err(|denial| ActionProblem::Answer(Box::new(denied(&denial).into_response())))?;
    let params = body.params.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let parameters = action.bind(&params).map_err(Problem::from)?;
    Ok(Wish { app: app.clone(), caller, address, request_id, noted, action, host, parameters })
}

const NO_ACTIONS: &str = "there are no actions: no plugin that brings any is loaded; the bundled one is panel-actions, and \
                          /api/v1/plugins says why it is not";

fn way(wish: &Wish, dry_run: bool, confirmation: Option<String>) -> Result<Way, ActionProblem> {
    let only_looks = |field: &str| {
        let name = &wish.action.name;
        Problem::invalid(field, format!("`{field}`: the action `{name}` only looks; leave it out")).into()
    };
    match (dry_run, confirmation) {
        (true, Some(_)) => {
            let text = "`confirmation`: a dry run does nothing that could be confirmed; send one of `dryRun` and `confirmation`";
            Err(Problem::invalid("confirmation", text).into())
        }
        (true, None) if !wish.action.changes() => Err(only_looks("dryRun")),
        (false, Some(_)) if !wish.action.changes() => Err(only_looks("confirmation")),
        (true, None) => Ok(Way::DryRun),
        (false, Some(token)) => Ok(Way::Confirmed(token)),
        (false, None) => Ok(Way::Bare),
    }
}

fn shown_json(shown: &Shown) -> Value {
    json!({
        "summary": shown.summary,
        "targets": shown.targets,
        "confirmation": shown.confirmation,
        "expiresIn": shown.expires_in,
    })
}

fn problem(plugin: &str, refusal: Refusal) -> ActionProblem {
    let problem = match refusal {
        Refusal::NotGranted(words) => Problem::new(Word::Permission, words),
        Refusal::Unconfirmed(shown) => {
            let message = format!(
                "{} Nothing has happened: send the same again with `confirmation` within {} s to do it",
                shown.summary, shown.expires_in
            );
            Problem::with(Word::Unconfirmed, message, Some(shown_json(&shown)))
        }
        Refusal::Changed(shown) => {
            let message = format!(
                "something else would be hit than what was confirmed, and nothing has happened. Now: {} To do that, send the new \
                 `confirmation` within {} s",
                shown.summary, shown.expires_in
            );
            Problem::with(Word::Changed, message, Some(shown_json(&shown)))
        }
        Refusal::Confirmation(error @ Unconfirmed::Full) => Problem::new(Word::Busy, error.to_string()),
        Refusal::Confirmation(error) => Problem::invalid("confirmation", format!("`confirmation`: {error}")),
        Refusal::TooOften(allowance) => {
            let wait = allowance.retry_after();
            let text =
                format!("too many changes (`limits.actions_per_minute`): nothing has happened; try again in {wait} s");
            return ActionProblem::Answer(Box::new(Problem::rate_limited(&text, wait)));
        }
        Refusal::Plugin(error) => plugin_problem(plugin, &error),
        Refusal::Nonsense(what) => Problem::new(Word::Plugin, format!("plugin {plugin} returned {what}")),
        Refusal::NoEntropy => Problem::new(Word::Busy, "no confirmation can be made just now; try again"),
    };
    problem.into()
}
