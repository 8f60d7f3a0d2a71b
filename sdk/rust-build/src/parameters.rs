//! Parameters of a panel file.

use serde::Deserialize;
use toml::{Spanned, Value};

use crate::named::Entries;

/// One parameter: exactly one kind, and perhaps a default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameter {
    integer: Option<[i64; 2]>,
    number: Option<[f64; 2]>,
    /// The longest value, in characters.
    text: Option<u32>,
    boolean: Option<bool>,
    choice: Option<Entries<String>>,
    default: Option<Spanned<Value>>,
    summary: String,
}

/// What values are taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Integer([i64; 2]),
    Number([f64; 2]),
    Text(u32),
    Boolean,
    /// What a client sends, and what the statement gets.
    Choice(Vec<(String, String)>),
}

impl Parameter {
    /// One of several words.
    pub(crate) fn choice(choices: &[(&str, &str)], default: &str, summary: &str) -> Self {
        let named = choices.iter().map(|(value, binds)| crate::named::Named::made(value, (*binds).to_owned()));
        Self {
            choice: Some(Entries(named.collect())),
            default: Some(Spanned::new(0..0, Value::String(default.to_owned()))),
            summary: summary.to_owned(),
            ..Self::default()
        }
    }

    /// A whole number.
    pub(crate) fn integer(bounds: [i64; 2], default: i64, summary: &str) -> Self {
        Self {
            integer: Some(bounds),
            default: Some(Spanned::new(0..0, Value::Integer(default))),
            summary: summary.to_owned(),
            ..Self::default()
        }
    }

    /// What it means.
    pub(crate) fn summary(&self) -> &str {
        &self.summary
    }

    /// Where the default stands.
    pub(crate) fn default_at(&self) -> Option<usize> {
        self.default.as_ref().map(|value| value.span().start)
    }

    /// The one kind it is of.
    ///
    /// # Errors
    /// Says what is wrong where it is of none, or of several, or can have no value.
    pub(crate) fn kind(&self) -> Result<Kind, String> {
        let choices = |choice: &Entries<String>| {
            choice.iter().map(|entry| (entry.name.clone(), entry.value.clone())).collect::<Vec<_>>()
        };
        let kinds: Vec<Kind> = [
            self.integer.map(Kind::Integer),
            self.number.map(Kind::Number),
            self.text.map(Kind::Text),
            self.boolean.map(|_| Kind::Boolean),
            self.choice.as_ref().map(|choice| Kind::Choice(choices(choice))),
        ]
        .into_iter()
        .flatten()
        .collect();
        let Ok([kind]) = <[Kind; 1]>::try_from(kinds) else {
            return Err("expected one of `integer = [least, most]`, `number = [least, most]`, `text = longest`, \
                        `boolean = true` and `choice = { word = \"value\" }`"
                .to_owned());
        };
        match &kind {
            Kind::Integer([min, max]) if min > max => Err(format!("the least is {min}, the most {max}")),
            Kind::Number([min, max]) if min.partial_cmp(max).is_none_or(std::cmp::Ordering::is_gt) => {
                Err(format!("the least is {min}, the most {max}"))
            }
            Kind::Text(0) => Err("a text of at most 0 characters says nothing".to_owned()),
            Kind::Boolean if self.boolean == Some(false) => Err("write `boolean = true`".to_owned()),
            Kind::Choice(choices) if choices.is_empty() => Err("a choice needs a word to choose".to_owned()),
            _ => Ok(kind),
        }
    }

    /// The default as a client would send it.
    ///
    /// # Errors
    /// Says what was expected when it is not one of the values.
    pub(crate) fn default_text(&self, kind: &Kind) -> Result<Option<String>, String> {
        let Some(value) = self.default.as_ref().map(Spanned::get_ref) else { return Ok(None) };
        let number = match value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        };
        let (fits, expected) = match (kind, value) {
            (Kind::Integer([min, max]), value) => (
                value.as_integer().is_some_and(|number| (*min..=*max).contains(&number)),
                format!("a whole number from {min} to {max}"),
            ),
            (Kind::Number([min, max]), _) => {
                (number.is_some_and(|number| (*min..=*max).contains(&number)), format!("a number from {min} to {max}"))
            }
            (Kind::Text(longest), value) => (
                value.as_str().is_some_and(|text| text.chars().count() <= *longest as usize),
                format!("a text of at most {longest} characters"),
            ),
            (Kind::Boolean, value) => (value.is_bool(), "true or false".to_owned()),
            (Kind::Choice(choices), value) => (
                value.as_str().is_some_and(|word| choices.iter().any(|(choice, _)| choice == word)),
                format!("one of {}", choices.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ")),
            ),
        };
        if !fits {
            return Err(format!("the default is {value}; expected {expected}"));
        }
        Ok(Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    }
}

impl Kind {
    /// Whether a placeholder of this type can take its values.
    pub(crate) fn fits(&self, placeholder: &str) -> bool {
        let numeric = ["Int", "UInt", "Float", "Decimal"].iter().any(|prefix| placeholder.starts_with(prefix));
        match self {
            Self::Integer(_) => numeric,
            Self::Number(_) => placeholder.starts_with("Float") || placeholder.starts_with("Decimal"),
            Self::Text(_) => !numeric,
            Self::Boolean => numeric || placeholder == "Bool",
            Self::Choice(choices) => !numeric || choices.iter().all(|(_, binds)| binds.parse::<f64>().is_ok()),
        }
    }
}
