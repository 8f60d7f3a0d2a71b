//! Role: actions, that is what somebody may do to a server.
//!
//! The host shows what [`Actions::preview`] returns, and calls [`Actions::run`] only when the caller comes back with the
//! confirmation that the host made of it.

use serde_json::Value;

use crate::bindings::actions::exports::chm::plugin::actions as wire;
pub use crate::bindings::imports::chm::plugin::types::{Binding, Caller, Parameter};
pub use wire::{Action, Context, DryRun, Effect, Outcome, Statement};

use crate::{Failure, panic_hook};

/// A set of actions. The host has checked the parameters before it calls.
pub trait Actions {
    /// The actions. Called once, when the plugin is loaded.
    fn describe() -> Vec<Action>;

    /// What an action made with [`Action::changing`] would hit. It must change nothing.
    ///
    /// # Errors
    /// The [`Failure`] decides the HTTP status, and what the caller reads; [`Failure::NotFound`] when there is nothing to hit.
    fn preview(action: &str, context: Context) -> Result<DryRun, Failure> {
        let _ = context;
        Err(Failure::internal(format!("action `{action}` changes something, but this plugin has no `preview`")))
    }

    /// Does it.
    ///
    /// # Errors
    /// The [`Failure`] decides the HTTP status, and what the caller reads.
    fn run(action: &str, context: Context) -> Result<Outcome, Failure>;
}

impl<T: Actions> wire::Guest for T {
    fn describe() -> Vec<Action> {
        panic_hook::install();
        T::describe()
    }

    fn preview(action: String, context: Context) -> Result<DryRun, Failure> {
        panic_hook::install();
        T::preview(&action, context)
    }

    fn run(action: String, context: Context) -> Result<Outcome, Failure> {
        panic_hook::install();
        T::run(&action, context)
    }
}

/// Each method sets one thing and hands the action on, so that an action reads as one sentence.
impl Action {
    /// An action that only looks: it runs without a confirmation.
    #[must_use]
    pub fn reading(name: &str) -> Self {
        Self::new(name, Effect::Reads)
    }

    /// An action that changes something: the caller sees its preview first.
    #[must_use]
    pub fn changing(name: &str) -> Self {
        Self::new(name, Effect::Changes)
    }

    fn new(name: &str, effect: Effect) -> Self {
        Self {
            name: name.into(),
            title: name.into(),
            summary: String::new(),
            effect,
            statements: Vec::new(),
            parameters: Vec::new(),
        }
    }

    /// A short name for people.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = title.into();
        self
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.summary = summary.into();
        self
    }

    /// A statement of `control` that it has run. The host refuses, with the line that grants it, before it asks for a preview.
    #[must_use]
    pub fn uses(mut self, statement: Statement) -> Self {
        self.statements.push(statement);
        self
    }

    /// A parameter that a client may send.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }
}

impl Context {
    /// Host 0, an anonymous caller, and these parameters, for tests.
    #[must_use]
    pub fn example(parameters: &[(&str, &str)]) -> Self {
        let binding = |(name, value): &(&str, &str)| Binding { name: (*name).into(), value: (*value).into() };
        Self { host: 0, parameters: parameters.iter().map(binding).collect(), caller: Caller::anonymous() }
    }

    /// The checked value of a parameter; `None` only for a name the action does not declare.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.value.as_str())
    }
}

impl DryRun {
    /// What would be hit: in a sentence, and a text that is another when something else would be hit.
    #[must_use]
    pub fn new(summary: impl Into<String>, fingerprint: impl Into<String>) -> Self {
        Self { summary: summary.into(), targets: b"[]".to_vec(), fingerprint: fingerprint.into() }
    }

    /// Each thing that would be hit: JSON objects.
    #[must_use]
    pub fn targets(mut self, targets: impl IntoIterator<Item = Value>) -> Self {
        self.targets = Value::from_iter(targets).to_string().into_bytes();
        self
    }
}

impl Outcome {
    /// What was done, in a sentence.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), data: None }
    }

    /// More to say, as JSON.
    #[must_use]
    pub fn data(mut self, data: &Value) -> Self {
        self.data = Some(data.to_string().into_bytes());
        self
    }
}
