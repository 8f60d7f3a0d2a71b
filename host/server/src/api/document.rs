//! The served OpenAPI document: the typed operations, plus a concrete operation for every panel, chart and tool that a loaded
//! plugin brings, so that a generated client has a typed function for each.

use poem_openapi::registry::Registry;
use poem_openapi::types::Type;
use serde_json::{Map, Value, json};

use super::error::{GateError, GuardError};
use super::gate::{Mark, OwnCredential};
use super::parameters;
use super::peerdb;
use super::routes::service;
use super::schema;
use crate::plugins::{Catalogue, Gated, Panel, Tool};

/// The document, generated once at start.
#[derive(Debug)]
pub struct Document {
    value: Value,
    yaml: String,
}

/// Instead of a feature, at operations that only operators may use.
const OPERATORS: &str = "none: for operators";
/// Instead of a feature, at operations that open a panel, chart or tool by its own right.
const OF_THE_ITEM: &str = "of the item";
/// Instead of a feature, at operations with a credential of their own.
const OWN: &str = "none: it has a credential of its own";

/// An operation that does not say what it needs.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path} does not say which right it needs: its handler must take a Gate, Admitted or Exempt first")]
pub struct Ungated {
    method: String,
    path: String,
}

impl Document {
    /// Generates it.
    ///
    /// # Errors
    /// When an operation is ungated, or poem's own document cannot be read.
    pub fn of(catalogue: &Catalogue) -> anyhow::Result<Self> {
        let mut value: Value = serde_json::from_str(&service().spec())?;
        value["servers"] = json!([{"url": "/"}]);
        value["components"]["securitySchemes"] = json!({
            "bearer": {"type": "http", "scheme": "bearer",
                "description": "An API key (`chm_…`), or a token of the configured auth provider."},
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key (`chm_…`)."},
        });
        leave_out_confirmations(&mut value);
        mark_operations(&mut value)?;
        add_refusals(&mut value)?;
        add_failures(&mut value);
        value["components"]["parameters"] = Value::Object(parameters::shared_openapi());
        // The values of a map cannot say it of themselves.
        value["components"]["schemas"]["Counts"]["properties"]["counts"]["additionalProperties"]["nullable"] =
            json!(true);
        add_items(&mut value, catalogue);
        peerdb::document(&mut value, catalogue);
        share_responses(&mut value);
        sort_paths(&mut value);
        let yaml = serde_yaml_ng::to_string(&value)?;
        Ok(Self { value, yaml })
    }

    /// As JSON.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Paths that need nothing, not even to know who asks.
    pub fn exempt_paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.value["paths"].as_object().into_iter().flatten();
        let is_exempt = |methods: &Value| {
            methods
                .as_object()
                .is_some_and(|methods| methods.values().all(|operation| operation["security"] == json!([])))
        };
        paths.filter(move |(_, methods)| is_exempt(methods)).map(|(path, _)| path.as_str())
    }

    /// Paths below the guard's that ask for a credential of their own, so that the guard lets everybody come as far.
    pub fn own_credential_paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.value["paths"].as_object().into_iter().flatten();
        let is_own = |methods: &Value| {
            methods
                .as_object()
                .is_some_and(|methods| methods.values().all(|operation| operation["x-chm-feature"] == OWN))
        };
        paths.filter(move |(_, methods)| is_own(methods)).map(|(path, _)| path.as_str())
    }

    /// As YAML.
    #[must_use]
    pub fn yaml(&self) -> &str {
        &self.yaml
    }

    /// As it is checked in: indented, with a newline at the end.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.value).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// [`Problem`](super::error::Problem) has the answers that ask for a confirmation; only one operation gives them.
fn leave_out_confirmations(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten().filter(|(path, _)| *path != "/api/v1/actions");
    for operation in paths.filter_map(|(_, methods)| methods.as_object_mut()).flat_map(|methods| methods.values_mut()) {
        if let Some(responses) = operation["responses"].as_object_mut() {
            responses.remove("428");
            responses.remove("409");
        }
    }
}

/// Replaces each operation's mark by what it means to clients.
fn mark_operations(document: &mut Value) -> Result<(), Ungated> {
    let Some(paths) = document["paths"].as_object_mut() else { return Ok(()) };
    for (path, methods) in paths {
        let Some(methods) = methods.as_object_mut() else { continue };
        for (method, operation) in methods {
            let mark = mark_of(operation).ok_or_else(|| Ungated { method: method.clone(), path: path.clone() })?;
            apply(operation, &mark);
        }
    }
    Ok(())
}

fn mark_of(operation: &Value) -> Option<Mark> {
    let schemes = operation.get("security")?.as_array()?;
    let [scheme] = schemes.as_slice() else { return None };
    Mark::parse(scheme.as_object()?.keys().next()?)
}

/// What a client may send; nothing at all is possible too, and what it may do then is the posture's.
fn credentials() -> Value {
    json!([{"bearer": []}, {"apiKey": []}, {}])
}

fn apply(operation: &mut Value, mark: &Mark) {
    match mark {
        Mark::Exempt(_) => {
            operation["security"] = json!([]);
            return;
        }
        Mark::Right(permission) => {
            operation["x-chm-feature"] = json!(permission.feature.to_string());
            operation["x-chm-operation"] = json!(permission.operation.to_string());
            refuse(operation);
        }
        Mark::Items => {
            operation["x-chm-feature"] = json!(OF_THE_ITEM);
            refuse(operation);
        }
        Mark::Operator(right) => {
            operation["x-chm-feature"] = json!(OPERATORS);
            operation["x-chm-operation"] = json!(right.to_string());
            operation["responses"]["403"] = not_an_operator();
        }
        Mark::Own(own) => {
            operation["x-chm-feature"] = json!(OWN);
            operation["x-chm-operation"] = json!("write");
            operation["security"] = json!([{"bearer": []}]);
            operation["responses"]["401"] = guard_error("Not signed in, or the wrong secret.");
            operation["responses"]["503"] = guard_error("It is not configured, or the store cannot be reached.");
            if *own == OwnCredential::KeyIssue {
                operation["responses"]["403"] = not_an_operator();
            }
            return;
        }
        Mark::Caller => operation["x-chm-feature"] = json!("none: it describes the caller"),
    }
    operation["security"] = credentials();
    operation["responses"]["401"] = json!({
        "description": "Not signed in.",
        "content": {"application/json; charset=utf-8": {"schema": {"oneOf": [
            {"$ref": "#/components/schemas/GuardError"}, {"$ref": "#/components/schemas/GateError"}]}}},
    });
}

fn not_an_operator() -> Value {
    json!({
        "description": "The caller is no operator (`OPERATOR_REQUIRED`).",
        "content": {"application/json; charset=utf-8": {"schema": {"oneOf": [
            {"$ref": "#/components/schemas/GateError"}, {"$ref": "#/components/schemas/ErrorEnvelope"}]}}},
    })
}

fn guard_error(description: &str) -> Value {
    json!({
        "description": description,
        "content": {"application/json; charset=utf-8": {"schema": {"oneOf": [
            {"$ref": "#/components/schemas/GuardError"}, {"$ref": "#/components/schemas/ErrorEnvelope"}]}}},
    })
}

/// What the matrix answers beside 401.
fn refuse(operation: &mut Value) {
    for (status, description) in [
        (
            "403",
            "The caller lacks the role (`ROLE_REQUIRED`) or the scope (`SCOPE_REQUIRED`), or ClickHouse or the operator's grants do not permit it.",
        ),
        ("404", "The feature is disabled (`FEATURE_DISABLED`), or there is no such thing."),
    ] {
        operation["responses"][status] = json!({
            "description": description,
            "content": {"application/json; charset=utf-8": {"schema": {"oneOf": [
                {"$ref": "#/components/schemas/GateError"}, {"$ref": "#/components/schemas/ErrorEnvelope"}]}}},
        });
    }
}

/// poem-openapi leaves out types that only the marks refer to.
fn add_refusals(document: &mut Value) -> serde_json::Result<()> {
    let mut registry = Registry::new();
    GuardError::register(&mut registry);
    GateError::register(&mut registry);
    for (name, schema) in &registry.schemas {
        document["components"]["schemas"][name] = serde_json::to_value(schema)?;
    }
    Ok(())
}

/// What can go wrong before or inside any handler, where the handler's own type does not say it. Written as for the console, which says
/// all of it.
fn add_failures(document: &mut Value) {
    /// What happens to every request that somebody must be known for.
    const ALL: [&str; 4] = ["400", "421", "429", "504"];
    /// What happens to those with a body besides.
    const WITH_BODY: [&str; 4] = ["403", "408", "413", "415"];
    let said = document["paths"]["/api/v1/explorer/query"]["post"]["responses"].clone();
    let Some(said) = said.as_object() else { return };
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (method, operation) in paths.filter_map(|(_, methods)| methods.as_object_mut()).flatten() {
        if operation["security"] == json!([]) {
            continue;
        }
        // The HTTP layer says so by itself, without a body.
        operation["responses"]["414"] = json!({"description": "The address is longer than this host reads."});
        operation["responses"]["431"] =
            json!({"description": "The headers, the address among them, are longer than this host reads."});
        // Whatever a panel or tool does can go wrong in all the ways there are.
        let is_item = operation["x-chm-feature"] == OF_THE_ITEM;
        for (status, response) in said.iter().filter(|(status, _)| !status.starts_with('2')) {
            let status = status.as_str();
            let applies = is_item || ALL.contains(&status) || method != "get" && WITH_BODY.contains(&status);
            if applies && operation["responses"].get(status).is_none() {
                operation["responses"][status] = response.clone();
            }
        }
    }
}

fn add_items(document: &mut Value, catalogue: &Catalogue) {
    let generic = |path: &str, method: &str| document["paths"][path][method]["responses"].clone();
    let table_errors = generic("/api/v1/tables/{name}", "get");
    let chart_errors = generic("/api/v1/charts/{name}", "get");
    let tool_errors = generic("/api/v1/tools/{name}", "post");
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for (name, panel) in catalogue.tables() {
        let path = format!("/api/v1/tables/{name}");
        paths
            .insert(path, json!({"get": panel_operation("Tables", "table", name, panel, &table_errors, &mut schemas)}));
    }
    for (name, panel) in catalogue.charts() {
        let path = format!("/api/v1/charts/{name}");
        paths
            .insert(path, json!({"get": panel_operation("Charts", "chart", name, panel, &chart_errors, &mut schemas)}));
    }
    for (key, counters) in [
        ("menu-counts", catalogue.counters().collect::<Vec<_>>()),
        ("cluster-counts", catalogue.cluster_counters().collect()),
    ] {
        // As the operation for any of them, without the name in the path.
        let generic = &document["paths"][format!("/api/v1/{key}/{{key}}")]["get"];
        for (name, counter) in counters {
            paths.insert(
                format!("/api/v1/{key}/{name}"),
                json!({"get": counter_operation(key, name, counter, generic)}),
            );
        }
    }
    for (name, tool) in catalogue.tools() {
        paths.insert(format!("/api/v1/tools/{name}"), json!({"post": tool_operation(name, tool, &tool_errors)}));
    }
    if let Some(existing) = document["paths"].as_object_mut() {
        existing.extend(paths);
    }
    if let Some(existing) = document["components"]["schemas"].as_object_mut() {
        existing.extend(schemas);
        existing.sort_keys();
    }
}

fn panel_operation(
    tag: &str,
    what: &str,
    name: &str,
    panel: &Gated<Panel>,
    errors: &Value,
    schemas: &mut Map<String, Value>,
) -> Value {
    let permission = panel.permission();
    let panel = panel.for_documentation();
    let row = format!("{}{}Row", schema::camel(what), schema::camel(name));
    schemas.insert(row.clone(), schema::row(&panel.described.columns));
    let mut responses = errors.clone();
    responses["200"] = json!({
        "description": "The rows; with `format` other than `json`, bare: `X-CHM-Rows` and `X-CHM-Truncated` then say what the envelope would.",
        "content": {
            "application/json": {"schema": schema::envelope(&json!({
                "type": "array", "items": {"$ref": format!("#/components/schemas/{row}")}}))},
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv; charset=utf-8": {"schema": {"type": "string"}},
            "text/tab-separated-values; charset=utf-8": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
            "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
        },
    });
    responses["304"] =
        json!({"description": "The client has these rows already: their `ETag` was in `If-None-Match`."});
    json!({
        "tags": [tag],
        "summary": panel.described.title,
        "description": panel.described.summary,
        "operationId": format!("{what}_{}", schema::snake(name)),
        "parameters": parameters::openapi(panel),
        "responses": responses,
        "security": credentials(),
        "x-chm-feature": permission.feature.to_string(),
        "x-chm-operation": permission.operation.to_string(),
        "x-chm-plugin": panel.plugin.id(),
        "x-chm-refresh-seconds": panel.described.refresh_seconds,
    })
}

fn counter_operation(key: &str, name: &str, counter: &Gated<Panel>, generic: &Value) -> Value {
    let permission = counter.permission();
    let panel = counter.for_documentation();
    let mut operation = generic.clone();
    operation["summary"] = json!(panel.described.title);
    operation["description"] = json!(panel.described.summary);
    operation["operationId"] = json!(format!("{}_{}", schema::snake(key), schema::snake(name)));
    operation["x-chm-feature"] = json!(permission.feature.to_string());
    operation["x-chm-operation"] = json!(permission.operation.to_string());
    operation["x-chm-plugin"] = json!(panel.plugin.id());
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.retain(|parameter| parameter["in"] != "path");
    }
    operation
}

fn tool_operation(name: &str, tool: &Gated<Tool>, errors: &Value) -> Value {
    let permission = tool.permission();
    let tool = tool.for_documentation();
    let mut responses = errors.clone();
    responses["200"] = json!({
        "description": "The tool's result.",
        "content": {"application/json; charset=utf-8": {"schema": schema::envelope(&schema::openapi(&tool.output_schema))}},
    });
    json!({
        "tags": ["Tools"],
        "summary": tool.described.title,
        "description": tool.described.summary,
        "operationId": format!("tool_{}", schema::snake(name)),
        "requestBody": {"required": true, "content": {"application/json; charset=utf-8": {
            "schema": schema::openapi(&tool.input_schema)}}},
        "responses": responses,
        "security": credentials(),
        "x-chm-feature": permission.feature.to_string(),
        "x-chm-operation": permission.operation.to_string(),
        "x-chm-plugin": tool.plugin.id(),
    })
}

/// Failed answers are the same for most operations: each is written once and referred to.
fn share_responses(document: &mut Value) {
    let mut shared: Vec<(String, Value)> = Vec::new();
    let paths = document["paths"].as_object_mut();
    let operations = paths.into_iter().flatten().filter_map(|(_, methods)| methods.as_object_mut()).flatten();
    let responses = operations.filter_map(|(_, operation)| operation["responses"].as_object_mut()).flatten();
    for (status, response) in responses.filter(|(status, _)| !status.starts_with('2')) {
        let name = match shared.iter().find(|(_, known)| known == response) {
            Some((name, _)) => name.clone(),
            None => {
                let variants = shared.iter().filter(|(name, _)| name.starts_with(&format!("Error{status}"))).count();
                let name =
                    if variants == 0 { format!("Error{status}") } else { format!("Error{status}_{}", variants + 1) };
                shared.push((name.clone(), response.clone()));
                name
            }
        };
        *response = json!({"$ref": format!("#/components/responses/{name}")});
    }
    shared.sort_by(|(left, _), (right, _)| left.cmp(right));
    document["components"]["responses"] = Value::Object(shared.into_iter().collect());
}

/// The same set of plugins gives the same bytes.
fn sort_paths(document: &mut Value) {
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.sort_keys();
        for methods in paths.values_mut().filter_map(Value::as_object_mut) {
            for operation in methods.values_mut() {
                if let Some(responses) = operation["responses"].as_object_mut() {
                    responses.sort_keys();
                }
            }
        }
    }
}
