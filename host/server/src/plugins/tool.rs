//! A tool of the catalogue.

use std::sync::Arc;

use chm_access::Permission;
use chm_sandbox::Plugin;
use chm_sandbox::bindings::toolset;
use serde_json::Value;

use super::panel::{Unfit, permission, unfit};

/// A tool, ready to call.
#[derive(Debug, Clone)]
pub struct Tool {
    /// How clients address it.
    pub name: String,
    /// Who described it.
    pub plugin: Arc<Plugin>,
    /// What it needs.
    pub permission: Permission,
    /// The description.
    pub described: toolset::Tool,
    /// JSON Schema of the arguments.
    pub input_schema: Value,
    /// JSON Schema of the result.
    pub output_schema: Value,
    validator: Arc<jsonschema::Validator>,
}

impl Tool {
    /// Checks a description.
    ///
    /// # Errors
    /// Names the tool and what is wrong with it.
    pub fn new(plugin: Arc<Plugin>, name: String, described: toolset::Tool) -> Result<Self, Unfit> {
        let unfit = |reason: String| unfit("tool", &described.name, reason);
        let fits = !described.name.is_empty()
            && described.name.len() <= 64
            && described.name.starts_with(|c: char| c.is_ascii_lowercase())
            && described.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !fits {
            return Err(unfit("a name is 1 to 64 lower-case letters, digits and `_`, a letter first".to_owned()));
        }
        let permission = permission(&plugin, &described.feature, described.operation).map_err(&unfit)?;
        let input_schema =
            object_schema(&described.input_schema).map_err(|why| unfit(format!("input-schema: {why}")))?;
        let output_schema =
            object_schema(&described.output_schema).map_err(|why| unfit(format!("output-schema: {why}")))?;
        let validator =
            jsonschema::validator_for(&input_schema).map_err(|error| unfit(format!("input-schema: {error}")))?;
        Ok(Self { name, plugin, permission, described, input_schema, output_schema, validator: Arc::new(validator) })
    }

    /// Checks arguments against the schema.
    ///
    /// # Errors
    /// Names the field and what was expected.
    pub fn check(&self, arguments: &Value) -> Result<(), String> {
        match self.validator.validate(arguments) {
            Ok(()) => Ok(()),
            Err(error) => {
                let at = error.instance_path().to_string();
                Err(if at.is_empty() { format!("arguments: {error}") } else { format!("argument `{at}`: {error}") })
            }
        }
    }
}

fn object_schema(text: &str) -> Result<Value, String> {
    let schema: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        Ok(schema)
    } else {
        Err("expected a JSON Schema of type object".to_owned())
    }
}
