//! Schemas of rows and tools in the document.

use chm_sandbox::bindings::panels::{Column, ColumnKind, Unit};
use serde_json::{Map, Value, json};

/// One row of a panel.
pub fn row(columns: &[Column]) -> Value {
    let properties: Map<String, Value> = columns.iter().map(|column| (column.name.clone(), property(column))).collect();
    let required: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn property(column: &Column) -> Value {
    let mut schema = match column.kind {
        ColumnKind::Text | ColumnKind::Statement => json!({"type": "string"}),
        ColumnKind::Integer => json!({"type": "integer", "format": "int64"}),
        ColumnKind::Number => json!({"type": "number", "format": "double"}),
        // ClickHouse has Bool, and many columns that are older than it.
        ColumnKind::Boolean => json!({"oneOf": [{"type": "boolean"}, {"type": "integer", "enum": [0, 1]}]}),
        ColumnKind::Timestamp => json!({"type": "string", "example": "2026-01-31 23:59:59"}),
        ColumnKind::Json => json!({}),
    };
    let unit = unit(column.unit);
    schema["description"] = match unit {
        Some(unit) => json!(format!("{} [{unit}]", column.summary)),
        None => json!(column.summary),
    };
    if let Some(unit) = unit {
        schema["x-chm-unit"] = json!(unit);
    }
    if column.nullable {
        schema["nullable"] = json!(true);
    }
    schema
}

fn unit(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::None => None,
        Unit::Bytes => Some("bytes"),
        Unit::Rows => Some("rows"),
        Unit::Seconds => Some("s"),
        Unit::Milliseconds => Some("ms"),
        Unit::Microseconds => Some("us"),
        Unit::Percent => Some("%"),
        Unit::Count => Some("count"),
    }
}

/// The success envelope around `data`.
pub fn envelope(data: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["success", "data", "metadata"],
        "properties": {
            "success": {"type": "boolean"},
            "data": data,
            "metadata": {"$ref": "#/components/schemas/Metadata"},
        },
    })
}

/// A JSON Schema in the dialect of OpenAPI 3.0: no `$schema`, and `nullable` instead of a type `null`.
pub fn openapi(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut out = Map::new();
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("$schema", _) => {}
                    ("type", Value::Array(types)) => {
                        let named: Vec<&Value> = types.iter().filter(|kind| *kind != "null").collect();
                        if let [only] = named.as_slice() {
                            out.insert("type".to_owned(), (*only).clone());
                        }
                        if named.len() < types.len() {
                            out.insert("nullable".to_owned(), json!(true));
                        }
                    }
                    ("enum" | "default" | "example" | "required" | "const", value) => {
                        out.insert(key.clone(), value.clone());
                    }
                    (_, value) => {
                        out.insert(key.clone(), openapi(value));
                    }
                }
            }
            Value::Object(out)
        }
        Value::Array(items) => Value::Array(items.iter().map(openapi).collect()),
        other => other.clone(),
    }
}

/// `running-queries` → `RunningQueries`.
pub fn camel(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect()
}

/// `running-queries` → `running_queries`.
pub fn snake(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_schema_becomes_openapi_3_0() {
        let schema = json!({"$schema": "x", "type": "object", "properties": {"a": {"type": ["string", "null"]}}});
        let expected = json!({"type": "object", "properties": {"a": {"type": "string", "nullable": true}}});
        assert_eq!(openapi(&schema), expected);
    }

    #[test]
    fn names_of_panels_become_names_of_types_and_functions() {
        assert_eq!(camel("running-queries"), "RunningQueries");
        assert_eq!(camel("acme.big_tables"), "AcmeBigTables");
        assert_eq!(snake("acme.big-tables"), "acme_big_tables");
    }
}
