//! The tool `peerdb`: one of the listed calls.

use std::collections::BTreeMap;

use chm_plugin::tools::{Caller, Tool, arguments};
use chm_plugin::{Failure, Feature, Toolset};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::calls::{CALLS, Method};
use crate::trouble::Trouble;
use crate::upstream::Question;

/// The toolset.
pub struct Tools;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    method: String,
    path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    body: Option<serde_json::Map<String, Value>>,
}

impl Toolset for Tools {
    fn describe() -> Vec<Tool> {
        vec![
            Tool::reading("peerdb", Feature::Peerdb)
                .title("Ask PeerDB")
                .summary(&summary())
                .input(&json!({
                    "type": "object",
                    "required": ["method", "path"],
                    "additionalProperties": false,
                    "properties": {
                        "method": {"type": "string", "enum": [Method::Get.as_str(), Method::Post.as_str()]},
                        "path": {"type": "string", "minLength": 1, "maxLength": 1024,
                            "description": "One of the listed paths; names in it are percent-encoded where they must be."},
                        "query": {"type": "object", "maxProperties": 20, "additionalProperties": {"type": "string"}},
                        "body": {"type": "object", "description": "For POST: what the call is about."},
                    },
                    // What the host makes its document of.
                    "x-chm-calls": CALLS.map(|call| call.described()),
                }))
                .output(&json!({"type": "object", "description": "PeerDB's answer, without secrets."})),
        ]
    }

    fn call(name: &str, given: Value, _caller: Caller) -> Result<Value, Failure> {
        if name != "peerdb" {
            return Err(Failure::not_found(format!("there is no tool `{name}`")));
        }
        let Arguments { method, path, query, body } = arguments(given)?;
        let method =
            Method::parse(&method).ok_or_else(|| Trouble::Invalid("`method`: expected GET or POST".to_owned()))?;
        let query = query.into_iter().collect();
        Ok(Question { method, path, query, body: body.map(Value::Object) }.ask()?)
    }
}

/// For people and models, who have nothing else to know the calls from.
fn summary() -> String {
    let calls = CALLS.map(|call| {
        let needs = if call.needs.is_empty() { String::new() } else { format!(" {{{}}}", call.needs.join(", ")) };
        format!("{} {}{needs}", call.method.as_str(), call.path)
    });
    format!(
        "Asks PeerDB, which replicates databases into ClickHouse; changes nothing. The calls: {}.",
        calls.join("; ")
    )
}
