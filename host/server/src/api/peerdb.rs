//! PeerDB (contract §4.16). Which calls may be made, what they answer and what of that is secret is the plugin's to say; the host has
//! the address and the password.

use std::collections::BTreeMap;
use std::sync::Arc;

use chm_sandbox::Role;
use chm_sandbox::bindings::panels::Context;
use poem::Request;
use poem::http::Method;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::{Map, Value, json};

use super::Tag;
use super::envelope::Envelope;
use super::error::{Problem, Word};
use super::gate::{Gate, PeerdbRead};
use super::{schema, tools};
use crate::app::App;
use crate::edge::ClientAddress;
use crate::panels::{self, Asking};
use crate::plugins::Catalogue;
use crate::services::CallServices;

/// PeerDB.
pub struct PeerdbApi;

/// The endpoint's name.
const ENDPOINT: &str = "peerdb";
/// The tool that makes a call.
const TOOL: &str = "peerdb";
/// The panel with one row about PeerDB itself.
const STATUS: &str = "peerdb-status";
/// Below this are the calls.
const PATH: &str = "/api/v1/peerdb/";
/// What the router has for all of them. The document has each in its place.
const WILDCARD: &str = "/api/v1/peerdb/*path";
/// The keyword of the tool's input schema under which the calls are.
const CALLS: &str = "x-chm-calls";

/// Whether PeerDB is there.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PeerdbStatus {
    /// Whether the operator named a PeerDB.
    pub configured: bool,
    /// Its name and port; null when there is none, and for callers who did not sign in where others do.
    #[oai(skip_serializing_if_is_none = false)]
    pub host: Option<String>,
    /// `connected`, `auth` (it wants another password), `unreachable` or `not-configured`.
    pub state: String,
    /// PeerDB's version.
    pub version: Option<String>,
    /// What is wrong, and what to do.
    pub error: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Peerdb")]
impl PeerdbApi {
    /// Whether PeerDB answers
    #[oai(path = "/peerdb-status", method = "get", operation_id = "get_peerdb_status")]
    async fn status(&self, gate: Gate<PeerdbRead>, app: Data<&Arc<App>>) -> Json<Envelope<PeerdbStatus>> {
        let shows_address = gate.caller.is_authenticated(app.posture);
        let host = app.endpoints.authority(ENDPOINT).filter(|_| shows_address);
        let told = told(gate.asking(&app)).await;
        let text = |field: &str| told.get(field).and_then(Value::as_str).map(str::to_owned);
        let mut envelope = Envelope::of(PeerdbStatus {
            configured: told.get("configured").and_then(Value::as_bool).unwrap_or_default(),
            host,
            state: text("state").unwrap_or_else(|| "unreachable".to_owned()),
            version: text("version"),
            error: text("error"),
        });
        envelope.metadata.rows = 1;
        Json(envelope)
    }

    /// Ask PeerDB
    ///
    /// Only the calls that have an operation of their own here are passed on, with the query string; all others are refused.
    #[oai(path = "/peerdb/*path", method = "get", operation_id = "ask_peerdb")]
    async fn get(
        &self,
        gate: Gate<PeerdbRead>,
        app: Data<&Arc<App>>,
        request: &Request,
    ) -> Result<Json<Envelope<Value>>, Problem> {
        // The router brings HEAD here too.
        ask(&app, &gate, request, Method::GET, None).await
    }

    /// Ask PeerDB with a body
    ///
    /// Changes nothing. Only the calls that have an operation of their own here are passed on, with the body; all others are refused.
    #[oai(path = "/peerdb/*path", method = "post", operation_id = "ask_peerdb_with_body")]
    async fn post(
        &self,
        gate: Gate<PeerdbRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        body: Json<Value>,
    ) -> Result<Json<Envelope<Value>>, Problem> {
        ask(&app, &gate, request, Method::POST, Some(body.0)).await
    }
}

/// Whether there is something to ask. Menus leave PeerDB out where there is not.
pub(super) fn is_configured(app: &App) -> bool {
    app.endpoints.authority(ENDPOINT).is_some() && app.registry.catalogue.tool(TOOL).is_ok()
}

async fn ask(
    app: &Arc<App>,
    gate: &Gate<PeerdbRead>,
    request: &Request,
    method: Method,
    body: Option<Value>,
) -> Result<Json<Envelope<Value>>, Problem> {
    let tool = app.registry.catalogue.tool(TOOL).map_err(|_| Problem::new(Word::Network, ABSENT))?;
    // The gate has asked for the same right.
    let (tool, _allowed) = tool
        .open(&app.matrix, &gate.caller, app.posture)
        .map_err(|denial| Problem::new(Word::Permission, denial.to_string()))?;
    // As it stands in the request: the edge has let only the one spelling through that the document has.
    let path = request.original_uri().path().strip_prefix(PATH).unwrap_or_default();
    let mut arguments = json!({"method": method.as_str(), "path": path});
    let query = query(request.original_uri().query().unwrap_or_default())?;
    if !query.is_empty() {
        arguments["query"] = json!(query);
    }
    if let Some(body) = body {
        arguments["body"] = body;
    }
    let services = CallServices::new(app.clone(), tool.plugin.id(), &gate.request_id, Some(gate.caller.clone()))
        .from_address(ClientAddress::of(request));
    tools::run(app, &tool, services, &arguments).await.map(Json)
}

const ABSENT: &str = "the plugin `panel-peerdb` is not loaded here; /api/v1/plugins says why";

/// The pairs of a query string. `hostId` is this host's own word, and PeerDB is none of the servers that it counts.
fn query(text: &str) -> Result<BTreeMap<String, String>, Problem> {
    let pairs = panels::pairs(text)?;
    if pairs.contains_key("hostId") {
        let message = "parameter `hostId`: PeerDB is none of the ClickHouse hosts; leave it out";
        return Err(Problem::invalid("hostId", message));
    }
    Ok(pairs)
}

/// The one row of the plugin's panel; without it, what is wrong.
async fn told(asking: Asking<'_>) -> Value {
    let Asking { app, caller, address, request_id } = asking;
    let Ok((panel, _allowed)) = app
        .registry
        .catalogue
        .table(STATUS)
        .map_err(|_| ())
        .and_then(|panel| panel.open(&app.matrix, caller, app.posture).map_err(|_| ()))
    else {
        return json!({"configured": false, "state": "not-configured", "error": ABSENT});
    };
    let plugin = &panel.plugin;
    let scope = CallServices::new(app.clone(), plugin.id(), request_id, Some(caller.clone()))
        .from_address(address)
        .into_scope();
    let context = Context { host: 0, server_version: None, parameters: Vec::new() };
    let outcome = app.observed(plugin, Role::Panels, plugin.fetch(scope, &panel.described.id, &context)).await;
    let row =
        outcome.as_ref().ok().and_then(|rows| serde_json::from_slice::<Vec<Value>>(rows).ok()?.into_iter().next());
    row.unwrap_or_else(|| {
        if let Err(error) = outcome {
            tracing::warn!(plugin = plugin.id(), %error, "plugin call failed");
        }
        let error = "the plugin `panel-peerdb` failed; the host's log has the cause under this request's id";
        json!({"configured": is_configured(app), "state": "unreachable", "error": error})
    })
}

/// Most segments of a call's path.
const DEPTH: usize = 4;

/// Puts an operation for each call, as the plugin lists them, in the place of the router's wildcard. Paths like theirs stay known, so
/// that what is not listed is refused as such.
pub(super) fn document(document: &mut Value, catalogue: &Catalogue) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let Some(wildcard) = paths.remove(WILDCARD) else { return };
    for depth in 1..=DEPTH {
        let segments: Vec<String> = (1..=depth).map(|number| format!("segment{number}")).collect();
        let path: Vec<String> = segments.iter().map(|segment| format!("{{{segment}}}")).collect();
        let mut operations = wildcard.clone();
        for operation in operations.as_object_mut().into_iter().flat_map(Map::values_mut) {
            let id = format!("{}_{depth}", operation["operationId"].as_str().unwrap_or_default());
            operation["operationId"] = id.into();
            operation["parameters"] =
                segments.iter().map(|segment| parameter(segment, "A segment of the path.")).collect();
        }
        paths.insert(format!("{PATH}{}", path.join("/")), operations);
    }
    let Ok(tool) = catalogue.tool(TOOL) else { return };
    let tool = tool.for_documentation();
    for call in tool.input_schema[CALLS].as_array().into_iter().flatten() {
        let (Some(path), Some(method)) = (call["path"].as_str(), call["method"].as_str()) else { continue };
        let method = method.to_ascii_lowercase();
        let mut operation = wildcard[&method].clone();
        let fixed: Vec<&str> = path.split('/').filter(|segment| !segment.starts_with('{')).collect();
        operation["operationId"] = format!("peerdb_{}", schema::snake(&fixed.join("_"))).into();
        operation["summary"] = call["summary"].clone();
        operation["description"] =
            format!("PeerDB's `{} /v1/{path}`, without secrets.", method.to_ascii_uppercase()).into();
        operation["x-chm-plugin"] = tool.plugin.id().into();
        let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        operation["parameters"] = names.map(|name| parameter(name, "The name of a mirror or peer.")).collect();
        if call["body"].is_object() {
            let body = schema::openapi(&call["body"]);
            for content in operation["requestBody"]["content"].as_object_mut().into_iter().flat_map(Map::values_mut) {
                content["schema"] = body.clone();
            }
        }
        operation["responses"]["200"] = json!({
            "description": "PeerDB's answer.",
            "content": {"application/json; charset=utf-8": {
                "schema": schema::envelope(&schema::openapi(&tool.output_schema))}},
        });
        paths.entry(format!("{PATH}{path}")).or_insert_with(|| json!({}))[&method] = operation;
    }
}

fn parameter(name: &str, description: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": description,
        "schema": {"type": "string", "minLength": 1}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_string_passes_unless_it_names_a_host_or_says_something_twice() {
        assert_eq!(query("a=b&c=%26").unwrap(), BTreeMap::from([("a".into(), "b".into()), ("c".into(), "&".into())]));
        for bad in ["hostId=0", "a=1&hostId=", "a=1&a=1"] {
            assert!(matches!(query(bad), Err(Problem::BadRequest(_))), "{bad}");
        }
    }
}
