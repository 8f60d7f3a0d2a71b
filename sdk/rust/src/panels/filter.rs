//! Describes one condition that a client may send.

use super::{Filter, Operator};

impl Filter {
    /// A condition on the column of the same name; the first operator is the one that a client need not write.
    #[must_use]
    pub fn new(name: &str, operators: &[Operator]) -> Self {
        Self {
            name: name.into(),
            column: name.into(),
            operators: operators.to_vec(),
            scale: 1.0,
            default: None,
            summary: String::new(),
        }
    }

    /// The column it is about.
    #[must_use]
    pub fn column(mut self, column: &str) -> Self {
        self.column = column.into();
        self
    }

    /// What a client's number is multiplied by: 1000 for seconds, where the column has milliseconds.
    #[must_use]
    pub fn scale(mut self, factor: f64) -> Self {
        self.scale = factor;
        self
    }

    /// The condition when the client sends none, as a client would send it: `gte:5`.
    #[must_use]
    pub fn default(mut self, condition: &str) -> Self {
        self.default = Some(condition.into());
        self
    }

    /// What it means, in a sentence.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.summary = summary.into();
        self
    }
}
