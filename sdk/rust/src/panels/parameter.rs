//! Describes one parameter, with its limits.

use std::ops::RangeInclusive;

use super::{Bounds, Choice, Parameter, ParameterKind, TextLimits};

/// Longest text unless a parameter says otherwise.
const MAX_LENGTH: u32 = 512;

impl Parameter {
    fn new(name: &str, kind: ParameterKind) -> Self {
        Self { name: name.into(), summary: String::new(), kind, default: None }
    }

    /// A text of at most 512 characters.
    #[must_use]
    pub fn text(name: &str) -> Self {
        Self::new(name, ParameterKind::Text(TextLimits { max_length: MAX_LENGTH }))
    }

    /// The longest text, in characters; of a parameter for texts.
    #[must_use]
    pub fn max_length(mut self, characters: u32) -> Self {
        if let ParameterKind::Text(limits) = &mut self.kind {
            limits.max_length = characters;
        }
        self
    }

    /// A whole number. Bounds beyond 2^53 are rounded.
    #[must_use]
    pub fn integer(name: &str, bounds: RangeInclusive<i64>) -> Self {
        let bounds = Bounds { min: *bounds.start() as f64, max: *bounds.end() as f64 };
        Self::new(name, ParameterKind::Integer(bounds))
    }

    /// A number.
    #[must_use]
    pub fn number(name: &str, bounds: RangeInclusive<f64>) -> Self {
        Self::new(name, ParameterKind::Number(Bounds { min: *bounds.start(), max: *bounds.end() }))
    }

    /// Yes or no, bound as `1` or `0`.
    #[must_use]
    pub fn boolean(name: &str) -> Self {
        Self::new(name, ParameterKind::Boolean)
    }

    /// One of several words; each pair is what the client sends and what the query gets.
    #[must_use]
    pub fn choice(name: &str, choices: &[(&str, &str)]) -> Self {
        let choice = |&(value, binds): &(&str, &str)| Choice { value: value.into(), binds: binds.into() };
        Self::new(name, ParameterKind::Choice(choices.iter().map(choice).collect()))
    }

    /// What it means, in a sentence.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.summary = summary.into();
        self
    }

    /// The value when the client sends none, as a client would send it. Without it the parameter is required.
    #[must_use]
    pub fn default(mut self, value: impl ToString) -> Self {
        self.default = Some(value.to_string());
        self
    }
}
