//! Role: tools for the agent, for MCP clients, and for the API.

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use crate::bindings::imports::chm::plugin::types::Caller;
use crate::bindings::toolset::exports::chm::plugin::toolset as wire;
pub use wire::Tool;

use crate::{Failure, Feature, Operation, panic_hook};

/// A set of tools. The host has checked the arguments against the tool's input schema before it calls.
pub trait Toolset {
    /// The tools. Called once, when the plugin is loaded.
    fn describe() -> Vec<Tool>;

    /// Runs one tool. `arguments` and the result are JSON objects.
    ///
    /// # Errors
    /// The [`Failure`] decides the HTTP status, and what the caller reads.
    fn call(name: &str, arguments: Value, caller: Caller) -> Result<Value, Failure>;
}

impl<T: Toolset> wire::Guest for T {
    fn describe() -> Vec<Tool> {
        panic_hook::install();
        T::describe()
    }

    fn call(name: String, arguments: String, caller: Caller) -> Result<String, Failure> {
        panic_hook::install();
        T::call(&name, parse::<Value>(&arguments)?, caller).map(|result| result.to_string())
    }
}

fn parse<T: DeserializeOwned>(arguments: &str) -> Result<T, Failure> {
    serde_json::from_str(arguments).map_err(|error| bad_arguments(&error))
}

fn bad_arguments(error: &serde_json::Error) -> Failure {
    Failure::invalid_input(format!("the arguments do not fit the tool's input schema: {error}"))
}

/// Reads a tool's arguments into a type of the plugin's own.
///
/// # Errors
/// [`Failure::InvalidInput`] naming the field that does not fit.
pub fn arguments<T: DeserializeOwned>(arguments: Value) -> Result<T, Failure> {
    serde_json::from_value(arguments).map_err(|error| bad_arguments(&error))
}

impl Tool {
    /// A tool that only looks. `name` has lower case letters, digits and underscores.
    #[must_use]
    pub fn reading(name: &str, feature: Feature) -> Self {
        Self::new(name, feature, Operation::Read)
    }

    /// A tool that changes something, or may cost: it needs the right to write.
    #[must_use]
    pub fn writing(name: &str, feature: Feature) -> Self {
        Self::new(name, feature, Operation::Write)
    }

    fn new(name: &str, feature: Feature, operation: Operation) -> Self {
        const NOTHING: &str = r#"{"type":"object","properties":{},"additionalProperties":false}"#;
        Self {
            name: name.into(),
            title: name.into(),
            summary: String::new(),
            feature: feature.id().into(),
            operation,
            input_schema: NOTHING.into(),
            output_schema: r#"{"type":"object"}"#.into(),
        }
    }

    /// A short name for people.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = title.into();
        self
    }

    /// What it does, for people and for models.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.summary = summary.into();
        self
    }

    /// JSON Schema (an object) of the arguments. Without it the tool takes none.
    #[must_use]
    pub fn input(mut self, schema: &Value) -> Self {
        self.input_schema = schema.to_string();
        self
    }

    /// JSON Schema (an object) of the result.
    #[must_use]
    pub fn output(mut self, schema: &Value) -> Self {
        self.output_schema = schema.to_string();
        self
    }
}

impl Caller {
    /// A caller nobody signed in, for tests.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { request_id: "test".into(), principal: None }
    }
}
