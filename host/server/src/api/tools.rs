//! Tools for agents and scripts.

use std::sync::Arc;
use std::time::Instant;

use chm_sandbox::Role;
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;

use super::Tag;
use super::envelope::Envelope;
use super::error::{Problem, Word, plugin_problem};
use super::gate::{Gate, ItemGate, McpRead, denied};
use crate::app::App;
use crate::plugins::Tool;
use crate::services::CallServices;

/// Tools.
pub struct ToolsApi;

/// One tool.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ToolEntry {
    /// How to call it: `POST /api/v1/tools/{name}`.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it does.
    pub summary: String,
    /// Who brings it.
    pub plugin: String,
    /// The feature it belongs to.
    pub feature: String,
    /// `read` or `write`.
    pub operation: String,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// JSON Schema of its result.
    pub output_schema: Value,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Tools")]
impl ToolsApi {
    /// List the tools this caller may call
    #[oai(path = "/tools", method = "get", operation_id = "list_tools")]
    async fn list(&self, gate: Gate<McpRead>, app: Data<&Arc<App>>) -> Json<Envelope<Vec<ToolEntry>>> {
        let tools: Vec<ToolEntry> = app
            .registry
            .catalogue
            .tools()
            .filter_map(|(name, gated)| {
                let (tool, _) = gated.open(&app.matrix, &gate.caller, app.posture).ok()?;
                Some(ToolEntry {
                    name: name.to_owned(),
                    title: tool.described.title.clone(),
                    summary: tool.described.summary.clone(),
                    plugin: tool.plugin.id().to_owned(),
                    feature: tool.permission.feature.to_string(),
                    operation: tool.permission.operation.to_string(),
                    input_schema: tool.input_schema.clone(),
                    output_schema: tool.output_schema.clone(),
                })
            })
            .collect();
        let mut envelope = Envelope::of(tools);
        envelope.metadata.rows = envelope.data.len() as u64;
        Json(envelope)
    }

    /// Call a tool
    ///
    /// The body is the tool's arguments. Each tool also has an operation of its own in this document.
    #[oai(path = "/tools/:name", method = "post", operation_id = "call_tool")]
    async fn call(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        /// The tool.
        name: Path<String>,
        body: Json<Value>,
    ) -> poem::Result<Json<Envelope<Value>>> {
        let gated = app.registry.catalogue.tool(&name.0).map_err(|unknown| {
            let visible = app
                .registry
                .catalogue
                .tools()
                .filter(|(_, tool)| tool.open(&app.matrix, &gate.caller, app.posture).is_ok())
                .map(|(name, _)| name)
                .collect();
            Problem::unknown("tool", "availableTools", &unknown, visible)
        })?;
        let (tool, _allowed) = gated.open(&app.matrix, &gate.caller, app.posture).map_err(|denial| denied(&denial))?;
        let services = CallServices::new(app.0.clone(), tool.plugin.id(), &gate.request_id, Some(gate.caller.clone()))
            .from_address(gate.address);
        Ok(Json(run(&app, &tool, services, &body.0).await?))
    }
}

/// Calls a tool that the caller has been let to.
///
/// # Errors
/// The arguments do not fit its schema, or it failed.
pub(super) async fn run(
    app: &App,
    tool: &Tool,
    services: CallServices,
    arguments: &Value,
) -> Result<Envelope<Value>, Problem> {
    tool.check(arguments).map_err(|reason| Problem::invalid("arguments", reason))?;
    let plugin = tool.plugin.id();
    let arguments = arguments.to_string();
    let began = Instant::now();
    let call = tool.plugin.call_tool(services.into_scope(), &tool.described.name, &arguments);
    let text = app.observed(&tool.plugin, Role::Toolset, call).await.map_err(|error| plugin_problem(plugin, &error))?;
    let data: Value = serde_json::from_str(&text)
        .map_err(|_| Problem::new(Word::Plugin, format!("plugin {plugin} returned a result that is no JSON")))?;
    let mut envelope = Envelope::of(data);
    envelope.metadata.duration = began.elapsed().as_secs_f64();
    Ok(envelope)
}
