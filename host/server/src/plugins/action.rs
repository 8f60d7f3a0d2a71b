//! An action of the catalogue.

use std::sync::Arc;

use chm_access::{Feature, Permission, did_you_mean};
use chm_sandbox::bindings::{actions, types};
use chm_sandbox::{ControlStatement, Plugin};
use serde_json::{Map, Value};

use super::panel::{Unfit, unfit};
use super::parameter::{BadParameter, Parameter};

/// An action, ready to be previewed and run.
#[derive(Debug, Clone)]
pub struct Action {
    /// How clients address it.
    pub name: String,
    /// Who described it.
    pub plugin: Arc<Plugin>,
    /// The description.
    pub described: actions::Action,
    /// Checked parameters.
    pub parameters: Vec<Parameter>,
}

impl Action {
    /// Checks a description.
    ///
    /// # Errors
    /// Names the action and what is wrong with it.
    pub fn new(plugin: Arc<Plugin>, name: String, described: actions::Action) -> Result<Self, Unfit> {
        let unfit = |reason: String| unfit("action", &described.name, reason);
        let fits = described.name.len() <= 64
            && described.name.starts_with(|c: char| c.is_ascii_alphabetic())
            && described.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !fits {
            return Err(unfit("a name is 1 to 64 letters, digits and `_`, a letter first".to_owned()));
        }
        if described.effect == actions::Effect::Reads && !described.statements.is_empty() {
            return Err(unfit("its effect is `reads`, but it names statements that change something".to_owned()));
        }
        let mut parameters: Vec<Parameter> = Vec::new();
        for declared in &described.parameters {
            let parameter = Parameter::new(declared.clone()).map_err(&unfit)?;
            if parameters.iter().any(|known| known.name() == parameter.name()) {
                return Err(unfit(format!("two parameters are called `{}`", parameter.name())));
            }
            parameters.push(parameter);
        }
        Ok(Self { name, plugin, described, parameters })
    }

    /// What every action needs, whatever it does.
    #[must_use]
    pub fn permission() -> Permission {
        Permission::write(Feature::Actions)
    }

    /// Whether it changes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.described.effect == actions::Effect::Changes
    }

    /// The words for a statement that it needs and the operator did not grant.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let grants = self.plugin.grants();
        let statements = self.described.statements.iter().map(|statement| match statement {
            actions::Statement::KillQuery => ControlStatement::KillQuery,
            actions::Statement::OptimizeTable => ControlStatement::OptimizeTable,
        });
        let missing = statements.into_iter().find(|statement| !grants.allows_statement(*statement))?;
        Some(grants.statement_refusal(self.plugin.id(), missing))
    }

    /// Checks what a client sent, and fills in defaults.
    ///
    /// # Errors
    /// Names the parameter and what was expected.
    pub fn bind(&self, sent: &Map<String, Value>) -> Result<Vec<types::Binding>, BadParameter> {
        if let Some(unknown) = sent.keys().find(|name| !self.parameters.iter().any(|known| known.name() == *name)) {
            let known: Vec<&str> = self.parameters.iter().map(Parameter::name).collect();
            let near = did_you_mean(unknown, known.iter().copied());
            let known =
                if known.is_empty() { "there are none".to_owned() } else { format!("known are {}", known.join(", ")) };
            let name: String = unknown.chars().take(64).collect();
            return Err(BadParameter { name, reason: format!("`{}` has no such parameter{near}; {known}", self.name) });
        }
        let bind = |parameter: &Parameter| {
            let value = parameter.json(sent.get(parameter.name()))?;
            Ok(types::Binding { name: parameter.name().to_owned(), value })
        };
        self.parameters.iter().map(bind).collect()
    }
}
