//! What plugins reach beyond their sandbox: the host's side of the capabilities, made for one call.

use std::sync::Arc;

use async_trait::async_trait;
use chm_access::{Caller, Feature, Permission};
use chm_clickhouse::GuardedQuery;
use chm_sandbox::bindings::{clickhouse, control, http, jwt, secrets};
use chm_sandbox::{CallScope, Services};
use chm_store::Outcome;
use serde_json::json;

use crate::app::App;
use crate::audit::Circumstances;
use crate::auth::{Sent, for_guest};
use crate::capabilities::SecretStore;
use crate::edge::ClientAddress;
use crate::hosts::HostRefusal;
use crate::query::{self, Source};
use crate::telemetry::QuerySource;

/// Capabilities of one call, with the caller's rights.
pub struct CallServices {
    app: Arc<App>,
    plugin: String,
    request_id: String,
    secrets: Arc<SecretStore>,
    /// What the request being authenticated carries.
    sent: Arc<Sent>,
    caller: Option<Caller>,
    address: Option<ClientAddress>,
}

impl CallServices {
    /// For a call on behalf of `caller`; `None` for work the host started itself.
    #[must_use]
    pub fn new(app: Arc<App>, plugin: &str, request_id: &str, caller: Option<Caller>) -> Self {
        let secrets = app.registry.secrets.get(plugin).cloned().unwrap_or_default();
        Self {
            app,
            plugin: plugin.to_owned(),
            request_id: request_id.to_owned(),
            secrets,
            sent: Arc::default(),
            caller,
            address: None,
        }
    }

    /// Adds from where the caller asks, for what is recorded, and for what callers without a name share.
    #[must_use]
    pub fn from_address(mut self, address: ClientAddress) -> Self {
        self.address = Some(address);
        self
    }

    /// Adds what the request being authenticated carries, for a call to `authenticate`.
    #[must_use]
    pub fn with_sent(mut self, sent: Sent) -> Self {
        self.sent = Arc::new(sent);
        self
    }

    /// The call's scope: the guest learns who asks, and reaches what is here.
    #[must_use]
    pub fn into_scope(self) -> CallScope {
        CallScope {
            request_id: self.request_id.clone(),
            principal: self.caller.as_ref().and_then(for_guest),
            services: Arc::new(self),
        }
    }

    fn source<'a>(&'a self, item: &'a str) -> Source<'a> {
        Source {
            kind: QuerySource::Plugin,
            request_id: &self.request_id,
            caller: self.caller.as_ref(),
            address: self.address,
            plugin: &self.plugin,
            item,
        }
    }

    fn comment(&self, item: &str) -> String {
        self.source(item).log_comment()
    }

    /// Control statements need `actions` + write from the caller besides the plugin's grant.
    fn may_act(&self) -> Result<(), control::ControlError> {
        let Some(caller) = &self.caller else {
            return Err(control::ControlError::Denied("nobody asked for this action".to_owned()));
        };
        self.app
            .matrix
            .decide(caller, &Permission::write(Feature::Actions), self.app.posture)
            .map(|_| ())
            .map_err(|denial| control::ControlError::Denied(denial.to_string()))
    }

    /// An entry for a statement that was sent, whatever the operation that led to it calls itself.
    async fn record_control(&self, action: &str, target: &str, host: u32, error: Option<&impl std::fmt::Display>) {
        let outcome = if error.is_some() { Outcome::Failed } else { Outcome::Done };
        let mut details = json!({"plugin": self.plugin, "host": host});
        if let Some(error) = error {
            details["error"] = json!(error.to_string());
        }
        let circumstances = Circumstances::of(
            self.caller.as_ref(),
            self.address.map(|address| address.0.to_string()),
            &self.request_id,
        );
        self.app.audit.record(&circumstances.entry(action, outcome, Some(target), details)).await;
    }

    /// A server that the caller may see.
    fn host(&self, id: u32) -> Result<&Arc<chm_clickhouse::Host>, HostRefusal> {
        self.app.hosts.get(id, self.caller.as_ref())
    }
}

#[async_trait]
impl Services for CallServices {
    async fn clickhouse_hosts(&self) -> Vec<clickhouse::HostInfo> {
        let mut hosts = Vec::new();
        for (id, host) in self.app.hosts.seen_by(self.caller.as_ref()) {
            let version = tokio::time::timeout(self.app.ask_timeout, host.version()).await;
            let version = version.ok().and_then(Result::ok);
            hosts.push(clickhouse::HostInfo { id, name: host.config().name.clone(), version });
        }
        hosts
    }

    async fn clickhouse_read(
        &self,
        host: u32,
        wanted: clickhouse::Query,
        max_bytes: u64,
    ) -> Result<clickhouse::Rows, clickhouse::QueryError> {
        let target = self.host(host).map_err(|refusal| clickhouse::QueryError::Denied(refusal.to_string()))?;
        let guarded =
            GuardedQuery::check(&wanted.sql).map_err(|refusal| clickhouse::QueryError::Refused(refusal.to_string()))?;
        let bindings = wanted.bindings.into_iter().map(|bound| (bound.name, bound.value)).collect();
        let source = self.source("read");
        let mut options = query::options(&self.app, &source, bindings, wanted.max_rows);
        options.max_bytes = options.max_bytes.min(max_bytes);
        query::collect(&self.app, target, &guarded, options, &source)
            .await
            .map(|rows| clickhouse::Rows {
                json: rows.json,
                count: u32::try_from(rows.count).unwrap_or(u32::MAX),
                truncated: rows.truncated,
            })
            .map_err(query_error)
    }

    async fn kill_query(&self, host: u32, query_id: String) -> Result<u32, control::ControlError> {
        self.may_act()?;
        let target = self.host(host).map_err(no_control)?;
        let id = chm_clickhouse::QueryId::new(&query_id)
            .map_err(|error| control::ControlError::Invalid(error.to_string()))?;
        tracing::info!(plugin = %self.plugin, request_id = %self.request_id, %query_id, host, "kill query");
        let outcome = target.kill_query(&id, Some(&self.comment("kill-query"))).await;
        self.record_control("control.kill-query", &query_id, host, outcome.as_ref().err()).await;
        match outcome {
            Ok(told) => Ok(told),
            Err(error) => Err(control_error(target, &error, &target.grant_of_kill_query()).await),
        }
    }

    async fn optimize_table(&self, host: u32, database: String, table: String) -> Result<(), control::ControlError> {
        self.may_act()?;
        let target = self.host(host).map_err(no_control)?;
        let name = chm_clickhouse::TableName::new(&database, &table)
            .map_err(|error| control::ControlError::Invalid(error.to_string()))?;
        tracing::info!(plugin = %self.plugin, request_id = %self.request_id, %database, %table, host, "optimize table");
        let outcome = target.optimize_table(&name, Some(&self.comment("optimize-table"))).await;
        self.record_control("control.optimize-table", &name.to_string(), host, outcome.as_ref().err()).await;
        // That the server goes on is no failure: the merge was to be started.
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => Err(control_error(target, &error, &target.grant_of_optimize_table(&name)).await),
        }
    }

    async fn http_send(&self, endpoint: String, request: http::Request) -> Result<http::Response, http::HttpError> {
        self.app.endpoints.send(&endpoint, request).await
    }

    fn jwt_configured(&self, issuer: &str) -> bool {
        self.app.issuers.contains(issuer)
    }

    async fn jwt_verify(&self, issuer: String, token: String) -> Result<String, jwt::JwtError> {
        self.app.issuers.verify(&issuer, &token).await
    }

    async fn jwt_verify_sent(&self, issuer: String, place: jwt::Place) -> Result<Option<String>, jwt::JwtError> {
        match self.sent.token(&place).map_err(jwt::JwtError::Denied)? {
            Some(token) => self.app.issuers.verify(&issuer, &token).await.map(Some),
            // An issuer that is not configured is that, whether a token was sent or not.
            None if self.app.issuers.contains(&issuer) => Ok(None),
            None => Err(jwt::JwtError::Unset),
        }
    }

    fn secret_is_set(&self, name: &str) -> bool {
        self.secrets.is_set(name)
    }

    fn secret_equals(&self, name: &str, candidate: &str) -> Result<bool, secrets::SecretError> {
        self.secrets.equals(name, candidate)
    }

    fn secret_header_equals(&self, name: &str, header: &str) -> Result<bool, secrets::SecretError> {
        // Compared even when the header is absent, so that the time does not tell.
        let sent = self.sent.header(header);
        let equal = self.secrets.equals(name, sent.unwrap_or(""))?;
        Ok(equal && sent.is_some())
    }

    fn header_present(&self, header: &str) -> bool {
        self.sent.header(header).is_some_and(|value| !value.is_empty())
    }

    async fn secret_basic(&self, name: String) -> Result<secrets::BasicOutcome, secrets::SecretError> {
        if !self.sent.names_header("authorization") {
            return Err(secrets::SecretError::Denied(
                "the manifest does not name the header `authorization`; add it to `sealed_headers` in `[auth]`"
                    .to_owned(),
            ));
        }
        self.secrets.basic(&name, self.sent.header("authorization")).await
    }

    fn secret_hmac_sha256(&self, name: &str, message: &[u8]) -> Result<Vec<u8>, secrets::SecretError> {
        self.secrets.hmac_sha256(name, message)
    }
}

fn no_control(refusal: HostRefusal) -> control::ControlError {
    match refusal {
        HostRefusal::Unknown(_) => control::ControlError::Invalid(refusal.to_string()),
        HostRefusal::Closed(_) => control::ControlError::Denied(refusal.to_string()),
    }
}

/// Why ClickHouse did not do it; where its user may not, with what lets it.
async fn control_error(
    host: &chm_clickhouse::Host,
    error: &chm_clickhouse::ReadError,
    grant: &str,
) -> control::ControlError {
    use chm_clickhouse::ErrorKind;
    /// Not in a read-only profile, not without a right.
    const FORBIDDEN: [u32; 2] = [164, 497];
    match (error.kind(), error.code()) {
        (_, Some(code)) if FORBIDDEN.contains(&code) => {
            let first = if host.is_read_only().await { "a settings profile without `readonly`, and " } else { "" };
            control::ControlError::Denied(format!("{error}; to permit it: {first}{grant}"))
        }
        (ErrorKind::TableNotFound, _) => control::ControlError::Invalid(error.to_string()),
        _ => control::ControlError::Failed(error.to_string()),
    }
}

fn query_error(error: chm_clickhouse::ReadError) -> clickhouse::QueryError {
    use chm_clickhouse::ErrorKind;
    match (error.kind(), error.code()) {
        (_, Some(code)) => clickhouse::QueryError::Server(clickhouse::ServerError { code, message: error.to_string() }),
        (ErrorKind::Validation, None) => clickhouse::QueryError::Refused(error.to_string()),
        _ => clickhouse::QueryError::Unavailable(error.to_string()),
    }
}

/// Nothing: for `describe`, which must not need anything.
pub struct Denied;

#[async_trait]
impl Services for Denied {
    async fn clickhouse_hosts(&self) -> Vec<clickhouse::HostInfo> {
        Vec::new()
    }

    async fn clickhouse_read(
        &self,
        _host: u32,
        _query: clickhouse::Query,
        _max_bytes: u64,
    ) -> Result<clickhouse::Rows, clickhouse::QueryError> {
        Err(clickhouse::QueryError::Denied(DENIED.to_owned()))
    }

    async fn kill_query(&self, _host: u32, _query_id: String) -> Result<u32, control::ControlError> {
        Err(control::ControlError::Denied(DENIED.to_owned()))
    }

    async fn optimize_table(&self, _host: u32, _database: String, _table: String) -> Result<(), control::ControlError> {
        Err(control::ControlError::Denied(DENIED.to_owned()))
    }

    async fn http_send(&self, _endpoint: String, _request: http::Request) -> Result<http::Response, http::HttpError> {
        Err(http::HttpError::Denied(DENIED.to_owned()))
    }

    fn jwt_configured(&self, _issuer: &str) -> bool {
        false
    }

    async fn jwt_verify(&self, _issuer: String, _token: String) -> Result<String, jwt::JwtError> {
        Err(jwt::JwtError::Denied(DENIED.to_owned()))
    }

    async fn jwt_verify_sent(&self, _issuer: String, _place: jwt::Place) -> Result<Option<String>, jwt::JwtError> {
        Err(jwt::JwtError::Denied(DENIED.to_owned()))
    }

    fn secret_is_set(&self, _name: &str) -> bool {
        false
    }

    fn secret_equals(&self, _name: &str, _candidate: &str) -> Result<bool, secrets::SecretError> {
        Err(secrets::SecretError::Denied(DENIED.to_owned()))
    }

    fn secret_header_equals(&self, _name: &str, _header: &str) -> Result<bool, secrets::SecretError> {
        Err(secrets::SecretError::Denied(DENIED.to_owned()))
    }

    fn header_present(&self, _header: &str) -> bool {
        false
    }

    async fn secret_basic(&self, _name: String) -> Result<secrets::BasicOutcome, secrets::SecretError> {
        Err(secrets::SecretError::Denied(DENIED.to_owned()))
    }

    fn secret_hmac_sha256(&self, _name: &str, _message: &[u8]) -> Result<Vec<u8>, secrets::SecretError> {
        Err(secrets::SecretError::Denied(DENIED.to_owned()))
    }
}

const DENIED: &str = "nothing is reachable while a plugin describes itself";
