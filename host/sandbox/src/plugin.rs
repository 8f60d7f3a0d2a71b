//! A loaded plugin: from bytes to calls.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chm_manifest::{Manifest, Role};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use wasmtime::component::{InstancePre, Linker};

use crate::bindings::actions_world::ActionsPluginPre;
use crate::bindings::auth_world::AuthProviderPluginPre;
use crate::bindings::panels_world::PanelsPluginPre;
use crate::bindings::sink_world::AlertSinkPluginPre;
use crate::bindings::toolset_world::ToolsetPluginPre;
use crate::bindings::{actions, alert_sink, auth_provider, panels, toolset, types};
use crate::call::Frame;
use crate::engine::Sandbox;
use crate::error::{CallError, LoadError};
use crate::grants::Grants;
use crate::guest::{Guest, Shared};
use crate::imports;
use crate::inspect::{Import, Inspection};
use crate::kv::KvStore;
use crate::limits::Limits;
use crate::services::{CallScope, Services};

/// What a plugin is loaded from.
pub struct PluginSource<'a> {
    /// The file's bytes.
    pub bytes: &'a [u8],
    /// The manifest found in them.
    pub manifest: Manifest,
    /// The operator's grants.
    pub grants: Grants,
    /// Checked values of all settings that are no secrets.
    pub settings: BTreeMap<String, String>,
    /// Limits of its calls.
    pub limits: Limits,
    /// SHA-256 in hexadecimal that the operator pinned.
    pub pinned_sha256: Option<String>,
    /// Used while `describe` runs; nothing in it should be reachable then.
    pub probe_services: Arc<dyn Services>,
}

/// What `describe` returned, per role.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// Of the role `auth-provider`.
    pub auth_provider: Option<auth_provider::Description>,
    /// Of the role `panels`.
    pub panels: Vec<panels::Panel>,
    /// Of the role `alert-sink`.
    pub alert_sink: Option<alert_sink::Description>,
    /// Of the role `toolset`.
    pub tools: Vec<toolset::Tool>,
    /// Of the role `actions`.
    pub actions: Vec<actions::Action>,
}

/// Faults of a plugin since it was loaded.
#[derive(Debug, Clone, Default)]
pub struct Failures {
    /// Traps and exceeded limits.
    pub count: u64,
    /// The newest one: when, and what.
    pub last: Option<(SystemTime, String)>,
}

/// A plugin that passed inspection, linking and probing.
pub struct Plugin {
    manifest: Manifest,
    sha256: String,
    inspection: Inspection,
    limits: Limits,
    described: Described,
    shared: Arc<Shared>,
    engine: wasmtime::Engine,
    auth: Option<AuthProviderPluginPre<Guest>>,
    panels: Option<PanelsPluginPre<Guest>>,
    sink: Option<AlertSinkPluginPre<Guest>>,
    toolset: Option<ToolsetPluginPre<Guest>>,
    actions: Option<ActionsPluginPre<Guest>>,
    places: BTreeMap<Role, Semaphore>,
    calls: AtomicU64,
    faults: AtomicU64,
    last_fault: Mutex<Option<(SystemTime, String)>>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("id", &self.id()).field("roles", &self.inspection.roles).finish_non_exhaustive()
    }
}

/// Calls one exported function in a fresh instance.
macro_rules! call {
    ($plugin:expr, $role:expr, $pre:ident, $interface:ident, $scope:expr, |$instance:ident, $store:ident| $invoke:expr) => {{
        let plugin: &Plugin = $plugin;
        match &plugin.$pre {
            None => Err(CallError::NoSuchRole($role)),
            Some(pre) => {
                let outcome = plugin
                    .frame($role)
                    .run($scope, async |$store| {
                        let world = pre.instantiate_async(&mut *$store).await?;
                        let $instance = world.$interface();
                        $invoke.await
                    })
                    .await;
                plugin.count(outcome)
            }
        }
    }};
}

impl Plugin {
    /// Takes a component through inspection, compilation, linking and probing.
    ///
    /// # Errors
    /// Says why the plugin is refused, and where a grant is missing, the line that would grant it.
    pub async fn load(sandbox: &Sandbox, source: PluginSource<'_>) -> Result<Self, LoadError> {
        let sha256 = hex::encode(Sha256::digest(source.bytes));
        if let Some(pinned) = &source.pinned_sha256
            && !pinned.eq_ignore_ascii_case(&sha256)
        {
            return Err(LoadError::Digest { found: sha256, pinned: pinned.clone() });
        }
        let component = sandbox.compile(source.bytes)?;
        let inspection = Inspection::of(sandbox.engine(), &component)?;
        check_grants(&source.manifest, &inspection, &source.grants)?;
        let pre = linker(sandbox, &inspection)?.instantiate_pre(&component).map_err(link_error)?;
        let mut plugin = Self {
            sha256,
            limits: source.limits,
            described: Described::default(),
            shared: Arc::new(Shared {
                id: source.manifest.id.to_string(),
                grants: source.grants,
                settings: source.settings,
                kv: KvStore::default(),
            }),
            manifest: source.manifest,
            engine: sandbox.engine().clone(),
            auth: role(&inspection, Role::AuthProvider, &pre, AuthProviderPluginPre::new)?,
            panels: role(&inspection, Role::Panels, &pre, PanelsPluginPre::new)?,
            sink: role(&inspection, Role::AlertSink, &pre, AlertSinkPluginPre::new)?,
            toolset: role(&inspection, Role::Toolset, &pre, ToolsetPluginPre::new)?,
            actions: role(&inspection, Role::Actions, &pre, ActionsPluginPre::new)?,
            places: Role::ALL.iter().map(|&role| (role, Semaphore::new(source.limits.of(role).concurrency))).collect(),
            inspection,
            calls: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            last_fault: Mutex::new(None),
        };
        plugin.described = plugin.probe(source.probe_services).await?;
        Ok(plugin)
    }

    async fn probe(&self, services: Arc<dyn Services>) -> Result<Described, LoadError> {
        let scope = CallScope { request_id: format!("load-{}", self.id()), principal: None, services };
        let mut described = Described::default();
        for &role in &self.inspection.roles {
            let scope = scope.clone();
            let outcome = match role {
                Role::AuthProvider => call!(self, role, auth, chm_plugin_auth_provider, scope, |guest, store| guest
                    .call_describe(store))
                .map(|description| described.auth_provider = Some(description)),
                Role::Panels => call!(self, role, panels, chm_plugin_panels, scope, |guest, store| guest
                    .call_describe(store))
                .map(|panels| described.panels = panels),
                Role::AlertSink => call!(self, role, sink, chm_plugin_alert_sink, scope, |guest, store| guest
                    .call_describe(store))
                .map(|description| described.alert_sink = Some(description)),
                Role::Toolset => call!(self, role, toolset, chm_plugin_toolset, scope, |guest, store| guest
                    .call_describe(store))
                .map(|tools| described.tools = tools),
                Role::Actions => call!(self, role, actions, chm_plugin_actions, scope, |guest, store| guest
                    .call_describe(store))
                .map(|actions| described.actions = actions),
            };
            outcome.map_err(|error| LoadError::Probe { role, error })?;
        }
        Ok(described)
    }

    /// The manifest's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Of the file, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Roles and imports.
    #[must_use]
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// The operator's grants.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.shared.grants
    }

    /// Limits of its calls.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Checked settings without secrets.
    #[must_use]
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.shared.settings
    }

    /// What `describe` returned.
    #[must_use]
    pub fn described(&self) -> &Described {
        &self.described
    }

    /// Calls since it was loaded, the probe's included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Faults since it was loaded.
    #[must_use]
    pub fn failures(&self) -> Failures {
        Failures {
            count: self.faults.load(Ordering::Relaxed),
            last: self.last_fault.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn frame(&self, role: Role) -> Frame<'_> {
        Frame {
            engine: &self.engine,
            role,
            shared: &self.shared,
            limits: self.limits.of(role),
            places: &self.places[&role],
            uses_wasi: self.inspection.uses_wasi(),
        }
    }

    fn count<T>(&self, outcome: Result<T, CallError>) -> Result<T, CallError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = &outcome
            && error.is_fault()
        {
            self.faults.fetch_add(1, Ordering::Relaxed);
            *self.last_fault.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((SystemTime::now(), error.to_string()));
        }
        outcome
    }

    /// Role `auth-provider`: who sent this request?
    ///
    /// # Errors
    /// Any error means: not authenticated.
    pub async fn authenticate(
        &self,
        scope: CallScope,
        head: &auth_provider::RequestHead,
    ) -> Result<auth_provider::Verdict, CallError> {
        answered(call!(self, Role::AuthProvider, auth, chm_plugin_auth_provider, scope, |guest, store| guest
            .call_authenticate(store, head)))
    }

    /// Role `panels`: computes a panel's query.
    ///
    /// # Errors
    /// The guest's failure, or why it was stopped.
    pub async fn plan(
        &self,
        scope: CallScope,
        panel: &str,
        context: &panels::Context,
    ) -> Result<panels::PlannedQuery, CallError> {
        answered(call!(self, Role::Panels, panels, chm_plugin_panels, scope, |guest, store| guest
            .call_plan(store, panel, context)))
    }

    /// Role `panels`: brings a panel's rows, a JSON array.
    ///
    /// # Errors
    /// The guest's failure, or why it was stopped.
    pub async fn fetch(&self, scope: CallScope, panel: &str, context: &panels::Context) -> Result<Vec<u8>, CallError> {
        answered(call!(self, Role::Panels, panels, chm_plugin_panels, scope, |guest, store| guest
            .call_fetch(store, panel, context)))
    }

    /// Role `panels`: changes a panel's rows, a JSON array in and out.
    ///
    /// # Errors
    /// The guest's failure, or why it was stopped.
    pub async fn transform(
        &self,
        scope: CallScope,
        panel: &str,
        context: &panels::Context,
        rows: Vec<u8>,
    ) -> Result<Vec<u8>, CallError> {
        answered(call!(self, Role::Panels, panels, chm_plugin_panels, scope, |guest, store| guest
            .call_transform(store, panel, context, &rows)))
    }

    /// Role `alert-sink`: delivers an alert.
    ///
    /// # Errors
    /// Why the guest was stopped; the inner result is its own answer.
    pub async fn deliver(
        &self,
        scope: CallScope,
        alert: &alert_sink::Alert,
    ) -> Result<Result<alert_sink::Receipt, alert_sink::DeliveryFailure>, CallError> {
        call!(self, Role::AlertSink, sink, chm_plugin_alert_sink, scope, |guest, store| guest
            .call_deliver(store, alert))
    }

    /// Role `toolset`: calls a tool with a JSON object; returns one.
    ///
    /// # Errors
    /// The guest's failure, or why it was stopped.
    pub async fn call_tool(&self, scope: CallScope, name: &str, arguments: &str) -> Result<String, CallError> {
        let caller = scope.caller();
        answered(call!(self, Role::Toolset, toolset, chm_plugin_toolset, scope, |guest, store| guest
            .call_call(store, name, arguments, &caller)))
    }

    /// Role `actions`: what an action would hit. Changes nothing.
    ///
    /// # Errors
    /// The guest's failure, or why it was stopped.
    pub async fn preview_action(
        &self,
        scope: CallScope,
        action: &str,
        host: u32,
        parameters: Vec<types::Binding>,
    ) -> Result<actions::DryRun, CallError> {
        let context = actions::Context { host, parameters, caller: scope.caller() };
        answered(call!(self, Role::Actions, actions, chm_plugin_actions, scope, |guest, store| guest
            .call_preview(store, action, &context)))
    }

    /// Role `actions`: does it.
    ///
    /// # Errors
    /// The guest's failure, or why it was stopped.
    pub async fn run_action(
        &self,
        scope: CallScope,
        action: &str,
        host: u32,
        parameters: Vec<types::Binding>,
    ) -> Result<actions::Outcome, CallError> {
        let context = actions::Context { host, parameters, caller: scope.caller() };
        answered(call!(self, Role::Actions, actions, chm_plugin_actions, scope, |guest, store| guest
            .call_run(store, action, &context)))
    }
}

fn answered<T>(outcome: Result<Result<T, types::Failure>, CallError>) -> Result<T, CallError> {
    outcome?.map_err(CallError::Failure)
}

/// Imports ⊆ grants, or all lines that are missing.
fn check_grants(manifest: &Manifest, inspection: &Inspection, grants: &Grants) -> Result<(), LoadError> {
    let (mut interfaces, mut lines) = (Vec::new(), Vec::new());
    for import in &inspection.imports {
        let Import::Host(interface) = import else { continue };
        if grants.allows(*interface) {
            continue;
        }
        let names: Vec<&str> = match interface {
            crate::Interface::Http => manifest.endpoints.keys().map(String::as_str).collect(),
            crate::Interface::Jwt => manifest.issuers.keys().map(String::as_str).collect(),
            crate::Interface::Secrets => manifest
                .settings
                .iter()
                .filter(|(_, setting)| setting.kind == chm_manifest::SettingKind::Secret)
                .map(|(name, _)| name.as_str())
                .collect(),
            _ => Vec::new(),
        };
        interfaces.push(format!("`{}`", interface.as_str()));
        lines.extend(interface.grant(if names.is_empty() { &["<name>"] } else { &names }));
    }
    if interfaces.is_empty() {
        return Ok(());
    }
    Err(LoadError::NotGranted { plugin: manifest.id.to_string(), interfaces, lines })
}

fn linker(sandbox: &Sandbox, inspection: &Inspection) -> Result<Linker<Guest>, LoadError> {
    let mut linker = Linker::<Guest>::new(sandbox.engine());
    for import in &inspection.imports {
        if let Import::Host(interface) = import {
            imports::link(&mut linker, *interface).map_err(link_error)?;
        }
    }
    if inspection.uses_wasi() {
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(link_error)?;
    }
    Ok(linker)
}

fn link_error(error: wasmtime::Error) -> LoadError {
    LoadError::Link(format!("{error:#}"))
}

fn role<P>(
    inspection: &Inspection,
    role: Role,
    pre: &InstancePre<Guest>,
    make: impl FnOnce(InstancePre<Guest>) -> wasmtime::Result<P>,
) -> Result<Option<P>, LoadError> {
    if !inspection.roles.contains(&role) {
        return Ok(None);
    }
    make(pre.clone()).map(Some).map_err(link_error)
}
