//! An operation that the served document describes, and how to ask for it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::host::Host;

/// What the gate answers with, by its code.
const GATE: [(&str, u16); 5] = [
    ("FEATURE_DISABLED", 404),
    ("AUTHENTICATION_REQUIRED", 401),
    ("ROLE_REQUIRED", 403),
    ("SCOPE_REQUIRED", 403),
    ("OPERATOR_REQUIRED", 403),
];

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    pub path: String,
    /// The feature it belongs to; other words, or nothing, where it has none.
    pub feature: String,
    /// `read` or `write`; empty where nothing is asked, or each item asks for itself.
    pub kind: String,
    parameters: Vec<Value>,
    /// The schema of its body; null when there is none.
    body: Value,
}

/// Headers to send.
pub type Credentials = Vec<(&'static str, String)>;

impl Operation {
    /// All of a document.
    pub fn all(document: &Value) -> Vec<Self> {
        let paths = document["paths"].as_object().expect("paths");
        let methods = paths.iter().flat_map(|(path, methods)| {
            methods.as_object().expect("methods").iter().map(move |(method, operation)| (path, method, operation))
        });
        let text = |operation: &Value, key: &str| operation[key].as_str().unwrap_or_default().to_owned();
        methods
            .map(|(path, method, operation)| Self {
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                feature: text(operation, "x-chm-feature"),
                kind: text(operation, "x-chm-operation"),
                parameters: parameters(document, operation),
                body: body(document, operation),
            })
            .collect()
    }

    /// Those of a host.
    pub async fn of(host: &Host) -> Vec<Self> {
        Self::all(&host.get("/openapi.json").await.expect(200).json())
    }

    /// Whether it needs a right of the matrix, and not an operator or a credential of its own.
    pub fn is_gated(&self) -> bool {
        // An id has no blanks; the words of the others do.
        !self.kind.is_empty() && !self.feature.contains(' ')
    }

    /// Asks for something that no operation does: what is closed says so before it looks at the request.
    pub async fn probe(&self, host: &Host, credentials: &Credentials) -> Answer {
        let path = format!("{}?hostId=99", self.path);
        self.send(host, &path, (self.method != Method::GET).then(|| json!({"hostId": 99})), credentials).await
    }

    /// Whether one of its arguments is the watched server, be it in the query or in the body.
    pub fn takes_a_host(&self) -> bool {
        // Behind a name in the path are items, each an operation of its own.
        !self.path.contains('{')
            && (self.parameters.iter().any(|parameter| parameter["name"] == "hostId")
                || self.body["properties"]["hostId"].is_object())
    }

    /// Asks one watched server for the least that the document says must be asked.
    pub async fn ask_of(&self, host: &Host, server: u32, credentials: &Credentials) -> Answer {
        let needed =
            self.parameters.iter().filter(|parameter| parameter["required"] == true && parameter["in"] == "query");
        let mut query: BTreeMap<&str, String> =
            needed.filter_map(|parameter| parameter["name"].as_str()).map(|name| (name, word(name))).collect();
        let mut sent = None;
        if self.body.is_object() {
            let required = self.body["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut object: serde_json::Map<String, Value> =
                required.map(|name| (name.to_owned(), word(name).into())).collect();
            if self.body["properties"]["hostId"].is_object() {
                object.insert("hostId".to_owned(), server.into());
            }
            sent = Some(object.into());
        }
        if !self.body["properties"]["hostId"].is_object() {
            query.insert("hostId", server.to_string());
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let path = if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) };
        self.send(host, &path, sent, credentials).await
    }

    async fn send(&self, host: &Host, path: &str, body: Option<Value>, credentials: &Credentials) -> Answer {
        let mut request = host.request(self.method.clone(), path);
        for (name, value) in credentials {
            request = request.header(*name, value);
        }
        Answer::of(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }
}

/// The parameters of an operation; those that many operations share are written once in the document.
fn parameters(document: &Value, operation: &Value) -> Vec<Value> {
    let resolved = |parameter: &Value| match parameter["$ref"].as_str() {
        Some(path) => document.pointer(path.trim_start_matches('#')).expect("a shared parameter").clone(),
        None => parameter.clone(),
    };
    operation["parameters"].as_array().into_iter().flatten().map(resolved).collect()
}

/// The schema of an operation's body.
fn body(document: &Value, operation: &Value) -> Value {
    let content = operation["requestBody"]["content"].as_object().and_then(|content| content.values().next());
    let Some(content) = content else { return Value::Null };
    let named = content["schema"]["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#')));
    named.unwrap_or(&content["schema"]).clone()
}

/// Something that exists under this name in the shared engine.
fn word(name: &str) -> String {
    match name {
        "sql" => "SELECT 1",
        "database" => "e2e",
        "table" => "kept",
        _ => "x",
    }
    .to_owned()
}

/// The gate's code, when it was the gate that answered; claims that its status is the code's.
#[track_caller]
pub fn gate_code(answer: &Answer) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let (code, status) = GATE.into_iter().find(|(code, _)| body["error"]["code"] == *code)?;
    assert_eq!(answer.status, status, "{answer}");
    assert_eq!(answer.header("www-authenticate"), if status == 401 { "Bearer" } else { "" }, "{answer}");
    Some(code)
}
