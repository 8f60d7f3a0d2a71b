//! A stand-in for PeerDB over real HTTP: it knows the calls that the contract names, wants a password, keeps secrets as PeerDB does
//! (badly), and can fall ill.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poem::http::StatusCode;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{Request, Response, Server};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::host::HostBuilder;
use super::receiver::Seen;

/// What PeerDB holds and nobody may see here.
pub const PEER_SECRET: &str = "c4n4ry-of-a-peer";
/// What the host must send, and nobody may see either.
pub const PEERDB_PASSWORD: &str = "c4n4ry-of-the-operator";

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mood {
    /// As it should.
    Well,
    /// With this status, and words that hold secrets.
    Fails(u16),
    /// Not at all, until it is better.
    Hangs,
    /// With a page, as its web server does below another path.
    Page,
    /// With JSON that is no object.
    List,
    /// With more than anybody wants to read.
    Huge,
}

struct State {
    mood: Mutex<Mood>,
    better: Notify,
    seen: Mutex<Vec<Seen>>,
}

/// The stand-in; it ends with this value.
pub struct Peerdb {
    authority: String,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

impl Peerdb {
    /// Listens on a port that the system chose.
    pub async fn start() -> Self {
        let state = Arc::new(State { mood: Mutex::new(Mood::Well), better: Notify::new(), seen: Mutex::default() });
        let shared = state.clone();
        let endpoint = poem::endpoint::make(move |request: Request| {
            let state = shared.clone();
            async move { Ok::<_, poem::Error>(serve(request, &state).await) }
        });
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a port");
        let address = acceptor.local_addr().iter().find_map(|address| address.as_socket_addr().copied()).expect("TCP");
        let task = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(endpoint).await;
        });
        Self { authority: address.to_string(), state, task }
    }

    /// Its name and port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Its address, as operators write it.
    pub fn url(&self) -> String {
        format!("http://{}/api", self.authority)
    }

    /// A host that knows it.
    pub fn known_to(&self, host: HostBuilder) -> HostBuilder {
        host.env("PEERDB_API_URL", &self.url()).env("PEERDB_PASSWORD", PEERDB_PASSWORD)
    }

    /// From now on it is like this.
    pub fn is(&self, mood: Mood) {
        *lock(&self.state.mood) = mood;
        self.state.better.notify_waiters();
    }

    /// Everything that it was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state.seen).clone()
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        lock(&self.state.seen).len()
    }
}

impl Drop for Peerdb {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut request: Request, state: &State) -> Response {
    let path = request.original_uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let (method, headers) = (request.method().to_string(), request.headers().clone());
    let body = request.take_body().into_vec().await.unwrap_or_default();
    let seen = Seen { method, path, headers, body };
    lock(&state.seen).push(seen.clone());
    loop {
        let better = state.better.notified();
        if *lock(&state.mood) != Mood::Hangs {
            break;
        }
        better.await;
    }
    let mood = *lock(&state.mood);
    let authorization = format!("Basic {}", STANDARD.encode(format!(":{PEERDB_PASSWORD}")));
    match mood {
        Mood::Fails(status) => {
            // An upstream that repeats what it was sent, as some do.
            let message = format!(
                "postgres://u:{PEER_SECRET}@db failed; password={PEER_SECRET}; Authorization: {}",
                seen.header("authorization")
            );
            answer(status, &json!({"code": 2, "message": message, "details": []}))
        }
        Mood::Page => Response::builder().content_type("text/html").body(format!("<html>{PEER_SECRET}</html>")),
        Mood::List => answer(200, &json!([PEER_SECRET])),
        Mood::Huge => answer(200, &json!({"version": "x".repeat(4 << 20)})),
        Mood::Well | Mood::Hangs if seen.header("authorization") != authorization => {
            answer(401, &json!({"code": 16, "message": "Unauthorized"}))
        }
        Mood::Well | Mood::Hangs => match said(&seen) {
            Some(said) => answer(200, &said),
            None => answer(404, &json!({"code": 5, "message": "Not Found", "details": []})),
        },
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}

/// Its answer to a call: the contract's, with long numbers as texts, as protobuf's JSON has them.
fn said(seen: &Seen) -> Option<Value> {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let path: Vec<&str> = path.strip_prefix("/api/v1/")?.split('/').collect();
    let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    Some(match (seen.method.as_str(), path.as_slice()) {
        ("GET", ["version"]) => json!({"version": "v0.30.1", "echo": query}),
        ("GET", ["dynamic_settings"]) => json!({"settings": [
            {"name": "PEERDB_S3_SECRET_KEY", "value": PEER_SECRET, "defaultValue": ""},
            {"name": "PEERDB_QUEUE_FLUSH_SECONDS", "value": "10", "defaultValue": "10"}]}),
        ("GET", ["mirrors", "list"]) => json!({"mirrors": mirrors()}),
        ("GET", ["mirrors", "names"]) => json!({"names": ["orders", "users", "events", "invoices"]}),
        ("GET", ["mirrors", "cdc", "table_total_counts", flow]) => json!({"flow": flow,
            "totalData": {"totalCount": "60", "insertsCount": "40", "updatesCount": "15", "deletesCount": "5"},
            "tablesData": [{"tableName": "public.orders", "counts": {"totalCount": "60", "insertsCount": "40"}}]}),
        ("GET", ["mirrors", "cdc", "initial_load", flow]) => json!({"tableSummaries": [
            {"tableName": "orders", "flowJobName": flow, "numPartitionsCompleted": 3, "numPartitionsTotal": 4}]}),
        ("GET", ["mirrors", "total_rows_synced", _]) => {
            json!({"totalCountCDC": "60", "totalCountInitialLoad": "1000", "totalCount": "1060"})
        }
        ("GET", ["peers", "list"]) => {
            json!({"items": peers(), "sourceItems": &peers()[..2], "destinationItems": &peers()[2..]})
        }
        ("GET", ["peers", "slots", peer]) => json!({"slotData": slots(peer)}),
        ("GET", ["peers", "stats", _]) => {
            json!({"statData": [{"pid": "7", "state": "active", "query": "SELECT 1", "duration": 1.5,
            "waitEvent": format!("connected by host=db password={PEER_SECRET}")}]})
        }
        ("GET", ["peers", "info", peer]) => json!({"peer": {"name": peer, "type": "POSTGRES", "postgresConfig": {
                "host": "db.internal", "port": 5432, "user": "replicator", "password": PEER_SECRET, "database": "shop",
                "rootCa": PEER_SECRET, "sshConfig": {"host": "bastion", "user": "u", "password": PEER_SECRET, "private_key": PEER_SECRET,
                    "hostKey": PEER_SECRET}},
            "s3Config": {"url": format!("https://key:{PEER_SECRET}@bucket"), "accessKeyId": PEER_SECRET, "SecretAccessKey": PEER_SECRET},
            "credentials": [{"any": PEER_SECRET}]}, "version": "16.3"}),
        ("GET", ["peers", "type", _]) => json!({"peerType": "POSTGRES"}),
        ("POST", ["mirrors", "status"]) => {
            json!({"flowJobName": body["flowJobName"], "currentFlowState": state(&text("flowJobName")),
            "cdcStatus": {"config": {"flowJobName": body["flowJobName"], "env": {"PEERDB_API_TOKEN": PEER_SECRET, "PEERDB_X": "1"}},
                "rowsByPeer": {format!("postgres://u:{PEER_SECRET}@db/shop"): 12}}})
        }
        ("POST", ["mirrors", "cdc", "graph"]) => {
            json!({"data": [{"time": 1_704_067_200_000.0, "rows": 12}], "body": body})
        }
        ("POST", ["mirrors", "cdc", "batches"]) => json!({"cdcBatches": [{"batchId": "9", "numRows": "12",
            "startTime": "2024-01-01T00:00:00Z", "endTime": "2024-01-01T00:00:05Z"}], "total": 1, "page": 1, "body": body}),
        ("POST", ["mirrors", "logs"]) => {
            json!({"errors": [{"flowName": body["flowJobName"], "errorType": "error", "id": 3,
            "errorMessage": format!("failed to connect to postgres://u:{PEER_SECRET}@db.internal:5432/shop"),
            "errorTimestamp": 1_704_067_200_000.0}, {"flowName": body["flowJobName"], "errorType": "error", "id": 4,
            "errorMessage": format!("`mysqldump -h db -u root -p{PEER_SECRET} shop` ended with 2"),
            "errorTimestamp": 1_704_067_201_000.0}], "total": 2, "page": 1})
        }
        ("POST", ["peers", "slots", "lag_history"]) => json!({"data": [
            {"time": 1_704_067_260_000.0, "size": 512.5, "restartLSN": "0/2A", "confirmedLSN": "0/2B"},
            {"time": 1_704_067_200_000.0, "size": 128, "restartLSN": "0/1A", "confirmedLSN": "0/1B"}], "body": body}),
        _ => return None,
    })
}

fn mirrors() -> Vec<Value> {
    let mirror = |id: u8, name: &str, source: &str, is_cdc: bool| {
        json!({"id": id.to_string(), "workflowId": format!("{name}-1"), "name": name, "sourceName": source, "sourceType": "POSTGRES",
            "destinationName": "warehouse", "destinationType": "CLICKHOUSE", "createdAt": 1_704_067_200_000.0, "isCdc": is_cdc})
    };
    vec![
        mirror(1, "orders", "pg_shop", true),
        mirror(2, "users", "pg_users", true),
        mirror(3, "events", "pg_shop", true),
        mirror(4, "invoices", "pg_shop", false),
    ]
}

/// Some versions of PeerDB send the state's number.
fn state(mirror: &str) -> Value {
    match mirror {
        "orders" => json!("STATUS_RUNNING"),
        "users" => json!("STATUS_SNAPSHOT"),
        "events" => json!("STATUS_PAUSED"),
        "invoices" => json!(10),
        _ => json!("STATUS_UNKNOWN"),
    }
}

fn peers() -> Vec<Value> {
    vec![
        json!({"name": "pg_shop", "type": "POSTGRES", "config": {"password": PEER_SECRET}}),
        json!({"name": "pg_users", "type": 3}),
        json!({"name": "warehouse", "type": "CLICKHOUSE"}),
    ]
}

fn slots(peer: &str) -> Vec<Value> {
    let slot = |name: &str, active: bool, lag: f64| {
        json!({"slotName": name, "active": active, "lagInMb": lag, "walStatus": if active { "reserved" } else { "extended" },
            "redoLSN": "0/1", "restartLSN": "0/16B3748", "confirmedFlushLSN": "0/16B3780", "currentLSN": "0/16B3790", "waitEvent": ""})
    };
    match peer {
        "pg_shop" => vec![slot("peerflow_slot_orders", true, 12.5), slot("forgotten", false, 20_480.0)],
        "pg_users" => vec![slot("peerflow_slot_users", true, 2000.0)],
        _ => Vec::new(),
    }
}
