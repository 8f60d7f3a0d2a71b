//! JSON Schemas of arguments and results.

use serde_json::{Value, json};

/// An object of these arguments, of which some are required, and the `hostId` that every tool takes.
pub(crate) fn arguments(mut properties: Value, required: &[&str]) -> Value {
    properties["hostId"] = json!({
        "type": "integer",
        "minimum": 0,
        "default": 0,
        "description": "Which ClickHouse: its position in the configuration.",
    });
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// A text argument.
pub(crate) fn text(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

/// An object with `name`: rows that have these properties; and whether there were more.
pub(crate) fn rows(name: &str, properties: Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            name: { "type": "array", "items": { "type": "object", "properties": properties } },
            "truncated": { "type": "boolean", "description": "Whether there were more rows." },
        },
        "required": [name, "truncated"],
    })
}
