//! Loaded plugins: state, roles, grants, limits, failures.

use std::sync::Arc;

use chm_sandbox::{Import, Plugin};
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::{Value, json};

use super::Tag;
use super::envelope::Envelope;
use super::gate::{Gate, SettingsRead};
use crate::app::App;
use crate::plugins::{Catalogue, Found, State};

/// Loaded plugins.
pub struct PluginsApi;

/// One file of the plugin folder.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct PluginBody {
    /// The manifest's id; for a file without one, its name.
    pub id: String,
    /// The file's name.
    pub file: String,
    /// `active`, `disabled` or `refused`.
    pub state: String,
    /// Why it was refused, and what to do.
    pub reason: Option<String>,
    /// Its own version.
    pub version: Option<String>,
    /// One sentence about it.
    pub summary: Option<String>,
    /// Of the file, in hexadecimal.
    pub sha256: Option<String>,
    /// What it is: `auth-provider`, `panels`, `alert-sink`, `toolset`, `actions`.
    pub roles: Vec<String>,
    /// Host interfaces it asks for.
    pub imports: Vec<String>,
    /// What the operator granted.
    pub grants: Option<Value>,
    /// Limits of its calls, by role.
    pub limits: Option<Value>,
    /// What it can do to a server, through `POST /api/v1/actions`.
    pub actions: Vec<ActionBody>,
    /// Calls since it was loaded.
    pub calls: u64,
    /// Traps and exceeded limits since it was loaded.
    pub failures: u64,
    /// The newest failure.
    pub last_failure: Option<String>,
    /// When that was; ISO 8601, UTC.
    pub last_failure_at: Option<String>,
}

/// One action.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct ActionBody {
    /// How to ask for it.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it does.
    pub summary: String,
    /// `reads`, or `changes`: then it is shown before it is done.
    pub effect: String,
    /// Names of its parameters.
    pub params: Vec<String>,
    /// Why it is refused, with the line of the configuration that would grant it.
    pub refusal: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Plugins")]
impl PluginsApi {
    /// List the plugins
    #[oai(path = "/plugins", method = "get", operation_id = "list_plugins")]
    async fn list(&self, _gate: Gate<SettingsRead>, app: Data<&Arc<App>>) -> Json<Envelope<Vec<PluginBody>>> {
        let plugins: Vec<PluginBody> =
            app.registry.found.iter().map(|found| body(found, &app.registry.catalogue)).collect();
        let mut envelope = Envelope::of(plugins);
        envelope.metadata.rows = envelope.data.len() as u64;
        Json(envelope)
    }
}

fn body(found: &Found, catalogue: &Catalogue) -> PluginBody {
    let bare = |state: &str, reason: Option<String>| PluginBody {
        id: found.id.clone(),
        file: found.file.clone(),
        state: state.to_owned(),
        reason,
        version: None,
        summary: None,
        sha256: None,
        roles: Vec::new(),
        imports: Vec::new(),
        grants: None,
        limits: None,
        actions: Vec::new(),
        calls: 0,
        failures: 0,
        last_failure: None,
        last_failure_at: None,
    };
    match &found.state {
        State::Active(plugin) => active(bare("active", None), plugin, catalogue),
        State::Disabled => bare("disabled", None),
        State::Refused(reason) => bare("refused", Some(reason.clone())),
    }
}

fn active(bare: PluginBody, plugin: &Plugin, catalogue: &Catalogue) -> PluginBody {
    let failures = plugin.failures();
    let (at, last) = failures.last.unzip();
    PluginBody {
        version: Some(plugin.manifest().version.to_string()),
        summary: Some(plugin.manifest().summary.clone()),
        sha256: Some(plugin.sha256().to_owned()),
        roles: plugin.inspection().roles.iter().map(ToString::to_string).collect(),
        imports: plugin.inspection().imports.iter().map(import).collect(),
        grants: serde_json::to_value(plugin.grants()).ok(),
        limits: Some(limits(plugin)),
        actions: actions(plugin, catalogue),
        calls: plugin.calls(),
        failures: failures.count,
        last_failure: last,
        last_failure_at: at.map(super::timestamp),
        ..bare
    }
}

fn actions(plugin: &Plugin, catalogue: &Catalogue) -> Vec<ActionBody> {
    let own = catalogue.actions().map(|(_, action)| action.for_documentation());
    own.filter(|action| action.plugin.id() == plugin.id())
        .map(|action| ActionBody {
            name: action.name.clone(),
            title: action.described.title.clone(),
            summary: action.described.summary.clone(),
            effect: if action.changes() { "changes" } else { "reads" }.to_owned(),
            params: action.parameters.iter().map(|parameter| parameter.name().to_owned()).collect(),
            refusal: action.refusal(),
        })
        .collect()
}

fn import(import: &Import) -> String {
    match import {
        Import::Host(interface) => interface.as_str().to_owned(),
        Import::Wasi(name) => name.clone(),
    }
}

fn limits(plugin: &Plugin) -> Value {
    let of_role = |role: &chm_sandbox::Role| {
        let limits = plugin.limits().of(*role);
        let body = json!({
            "memoryBytes": limits.memory_bytes,
            "cpuMs": limits.cpu.as_millis() as u64,
            "wallMs": limits.wall.as_millis() as u64,
            "concurrency": limits.concurrency,
        });
        (role.to_string(), body)
    };
    Value::Object(plugin.inspection().roles.iter().map(of_role).collect())
}
