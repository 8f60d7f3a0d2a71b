//! Every request that writes, whatever becomes of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use chm_access::{Caller, CallerKind};
use chm_store::{NewEntry, Outcome};
use poem::http::{Method, StatusCode};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use serde_json::{Value, json};

use super::Circumstances;
use super::recorder::Audit;
use crate::edge::ClientAddress;
use crate::telemetry::RequestId;

/// Which operations write, read off the generated document: what an operation needs cannot differ from what is recorded of it.
#[derive(Debug, Default)]
pub struct WriteTable {
    fixed: HashMap<(Method, String), String>,
    templates: Vec<(Method, Vec<String>, String)>,
}

impl WriteTable {
    /// The operations of a generated OpenAPI document.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut table = Self::default();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
                if operation["x-chm-operation"] != "write" {
                    continue;
                }
                let feature = operation["x-chm-feature"].as_str().unwrap_or_default();
                // In place of a feature, why there is none.
                let right = feature.strip_prefix("none: ").map_or_else(|| format!("{feature}:write"), str::to_owned);
                if path.contains('{') {
                    table.templates.push((method, path.split('/').map(str::to_owned).collect(), right));
                } else {
                    table.fixed.insert((method, path.clone()), right);
                }
            }
        }
        table
    }

    /// The right that a request needs, if it writes.
    fn find(&self, method: &Method, path: &str) -> Option<&str> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        if let Some(right) = self.fixed.get(&(method.clone(), path.to_owned())) {
            return Some(right);
        }
        let fits = |segments: &[String]| {
            let mut given = path.split('/');
            segments
                .iter()
                .all(|segment| given.next().is_some_and(|given| segment.starts_with('{') || segment == given))
                && given.next().is_none()
        };
        self.templates
            .iter()
            .find(|(of, segments, _)| of == method && fits(segments))
            .map(|(_, _, right)| right.as_str())
    }
}

/// What is learnt of a write on its way: in the extensions of its request.
#[derive(Debug, Clone, Default)]
pub struct Noted(Arc<Learnt>);

#[derive(Debug, Default)]
struct Learnt {
    caller: OnceLock<Caller>,
    kept: AtomicBool,
    kept_whatever_comes: AtomicBool,
}

impl Noted {
    /// The guard found out who it is.
    pub fn caller(request: &Request, caller: &Caller) {
        if let Some(Self(learnt)) = request.extensions().get() {
            let _ = learnt.caller.set(caller.clone());
        }
    }

    /// Whether a request needs the right to write, whatever its method.
    #[must_use]
    pub fn is_write(request: &Request) -> bool {
        request.extensions().get::<Self>().is_some()
    }

    /// The handler has kept an entry of its own, with the change itself.
    pub fn kept(&self) {
        self.0.kept.store(true, Ordering::Relaxed);
    }

    /// The handler has kept an entry of its own, which also says why nothing was done.
    pub fn kept_whatever_comes(&self) {
        self.0.kept_whatever_comes.store(true, Ordering::Relaxed);
    }
}

/// Middleware: an entry for each write. Outside of the guard, so that it sees whom the guard turns away.
#[derive(Debug, Clone)]
pub struct RecordWrites {
    table: Arc<WriteTable>,
    audit: Arc<Audit>,
}

impl RecordWrites {
    /// For these operations.
    #[must_use]
    pub fn new(table: WriteTable, audit: Arc<Audit>) -> Self {
        Self { table: Arc::new(table), audit }
    }
}

impl<E: Endpoint> Middleware<E> for RecordWrites {
    type Output = RecordWritesEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        RecordWritesEndpoint { inner, table: self.table.clone(), audit: self.audit.clone() }
    }
}

/// What [`RecordWrites`] makes of an endpoint.
#[derive(Debug)]
pub struct RecordWritesEndpoint<E> {
    inner: E,
    table: Arc<WriteTable>,
    audit: Arc<Audit>,
}

impl<E: Endpoint> Endpoint for RecordWritesEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let Some(right) = self.table.find(request.method(), request.uri().path()) else {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        };
        let noted = Noted::default();
        let write = Write {
            audit: self.audit.clone(),
            noted: noted.clone(),
            right: right.to_owned(),
            target: format!("{} {}", request.method(), request.uri().path()),
            address: ClientAddress::of(&request).0.to_string(),
            request_id: request.data::<RequestId>().map(ToString::to_string).unwrap_or_default(),
            ended: false,
        };
        request.extensions_mut().insert(noted);
        let outcome = self.inner.call(request).await.map(IntoResponse::into_response);
        let status = outcome.as_ref().map_or_else(poem::Error::status, Response::status);
        write.end(status).await;
        outcome
    }
}

/// A write under way. Dropped before it has ended (the client left, the handler broke), it is recorded too.
struct Write {
    audit: Arc<Audit>,
    noted: Noted,
    right: String,
    target: String,
    address: String,
    request_id: String,
    ended: bool,
}

impl Write {
    async fn end(mut self, status: StatusCode) {
        self.ended = true;
        if self.noted.0.kept_whatever_comes.load(Ordering::Relaxed) {
            return;
        }
        // What was not done has no entry of its own.
        if self.noted.0.kept.load(Ordering::Relaxed) && !is_failure(status) {
            return;
        }
        let entry = self.entry(outcome(status), json!({"needs": self.right, "status": status.as_u16()}));
        let caller = self.noted.0.caller.get();
        if anybody_can_repeat(caller.map(Caller::kind), entry.outcome, status) {
            self.audit.record_stranger(entry).await;
        } else {
            self.audit.record(&entry).await;
        }
    }

    fn entry(&self, outcome: Outcome, details: Value) -> NewEntry {
        let caller = self.noted.0.caller.get();
        let circumstances = Circumstances::of(caller, Some(self.address.clone()), &self.request_id);
        circumstances.entry("request.write", outcome, Some(&self.target), details)
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let entry = self.entry(Outcome::Failed, json!({"needs": self.right, "status": "broken off"}));
        let audit = self.audit.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { audit.record(&entry).await });
        }
    }
}

/// Whether no limit stands between a caller and any number of such entries: what the limits themselves refuse, and what comes to
/// nothing for callers who are nobody.
fn anybody_can_repeat(caller: Option<CallerKind>, outcome: Outcome, status: StatusCode) -> bool {
    let is_nobody = matches!(caller, None | Some(CallerKind::Anonymous | CallerKind::Open));
    status == StatusCode::TOO_MANY_REQUESTS || (is_nobody && outcome != Outcome::Done)
}

fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn outcome(status: StatusCode) -> Outcome {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => Outcome::Denied,
        status if is_failure(status) => Outcome::Failed,
        _ => Outcome::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_fills_the_log_with_what_comes_to_nothing() {
        for (caller, status, repeatable) in [
            (None, 401, true),
            (Some(CallerKind::Anonymous), 401, true),
            (Some(CallerKind::Anonymous), 415, true),
            (Some(CallerKind::Open), 400, true),
            (Some(CallerKind::Open), 429, true),
            (Some(CallerKind::Open), 200, false),
            (Some(CallerKind::ApiKey), 403, false),
            (Some(CallerKind::ApiKey), 429, true),
            (Some(CallerKind::Admin), 200, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(anybody_can_repeat(caller, outcome(status), status), repeatable, "{caller:?} {status}");
        }
    }

    #[test]
    fn the_operations_that_write_are_found_as_they_are_documented() {
        let write = json!({"x-chm-feature": "tables", "x-chm-operation": "write"});
        let read = json!({"x-chm-feature": "tables", "x-chm-operation": "read"});
        let table = WriteTable::of(&json!({"paths": {
            "/console": {"get": write, "post": write},
            "/tools/kill": {"post": write},
            "/tools/list": {"post": read},
            "/tools/{name}": {"post": {"x-chm-feature": "of the item"}},
            "/keys/{id}/rotate": {"post": write},
            "/keys": {"get": read},
        }}));
        for (method, path, found) in [
            (Method::GET, "/console", true),
            (Method::HEAD, "/console", true),
            (Method::PUT, "/console", false),
            (Method::POST, "/tools/kill", true),
            (Method::POST, "/tools/list", false),
            (Method::POST, "/tools/other", false),
            (Method::POST, "/keys/k1/rotate", true),
            (Method::POST, "/keys/k1/rotate/x", false),
            (Method::POST, "/keys/k1", false),
            (Method::GET, "/keys", false),
        ] {
            assert_eq!(table.find(&method, path).is_some(), found, "{method} {path}");
        }
    }
}
