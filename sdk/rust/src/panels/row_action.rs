//! Something that can be done about a row.

use super::{RowAction, RowArgument};

impl RowAction {
    /// An action by its name, and what people read.
    #[must_use]
    pub fn new(action: &str, title: &str) -> Self {
        Self { action: action.into(), title: title.into(), arguments: Vec::new() }
    }

    /// Gives a parameter of the action the value of a column.
    #[must_use]
    pub fn argument(mut self, parameter: &str, column: &str) -> Self {
        self.arguments.push(RowArgument { parameter: parameter.into(), column: column.into() });
        self
    }
}
