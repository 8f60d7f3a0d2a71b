//! Parameters of panels: from the query string to values bound in the query.

use chm_sandbox::bindings::types;
use serde_json::{Value, json};

/// A declared parameter, checked when its plugin was loaded.
#[derive(Debug, Clone)]
pub struct Parameter {
    declared: types::Parameter,
}

/// A value a client sent does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parameter `{name}`: {reason}")]
pub struct BadParameter {
    /// The parameter.
    pub name: String,
    /// What was expected.
    pub reason: String,
}

/// Names of the host's own query parameters on panel routes.
pub const RESERVED: [&str; 10] =
    ["hostId", "host", "limit", "offset", "sort", "format", "timezone", "scope", "cluster", "params"];

/// Longest text any parameter may declare, in characters.
const MAX_TEXT: u32 = 10_000;

/// Whether a name may stand in the query string of a panel.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn check_parameter_name(name: &str) -> Result<(), String> {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 64;
    if !fits {
        return Err(format!("parameter name `{name}`: letters, digits and underscores only, a letter first"));
    }
    if RESERVED.contains(&name) {
        return Err(format!("parameter name `{name}` is the host's own"));
    }
    Ok(())
}

impl Parameter {
    /// Checks a declaration.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn new(declared: types::Parameter) -> Result<Self, String> {
        let name = &declared.name;
        check_parameter_name(name)?;
        match &declared.kind {
            types::ParameterKind::Text(limits) if limits.max_length == 0 || limits.max_length > MAX_TEXT => {
                return Err(format!("parameter `{name}`: max-length must be 1 to {MAX_TEXT}"));
            }
            types::ParameterKind::Integer(bounds) | types::ParameterKind::Number(bounds)
                if !bounds.min.is_finite() || !bounds.max.is_finite() || bounds.min > bounds.max =>
            {
                return Err(format!("parameter `{name}`: its bounds are not a range"));
            }
            types::ParameterKind::Choice(choices) if choices.is_empty() => {
                return Err(format!("parameter `{name}`: a choice of nothing"));
            }
            _ => {}
        }
        let parameter = Self { declared };
        if let Some(default) = &parameter.declared.default {
            parameter.bind(default).map_err(|bad| format!("the default of {bad}"))?;
        }
        Ok(parameter)
    }

    /// Its name, in the query string and in the query.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.declared.name
    }

    /// Whether a client must send it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.declared.default.is_none()
    }

    /// What is bound when the client sends `sent`.
    ///
    /// # Errors
    /// When it is missing and required, or does not fit.
    pub fn value(&self, sent: Option<&str>) -> Result<String, BadParameter> {
        match sent.or(self.declared.default.as_deref()) {
            Some(text) => self.bind(text),
            None => Err(self.bad("it is required".to_owned())),
        }
    }

    /// What is bound when the client sends `sent` in a JSON body. `null` is nothing.
    ///
    /// # Errors
    /// When it is missing and required, or does not fit.
    pub fn json(&self, sent: Option<&Value>) -> Result<String, BadParameter> {
        let expects = match &self.declared.kind {
            types::ParameterKind::Text(_) | types::ParameterKind::Choice(_) => "a text",
            types::ParameterKind::Integer(_) | types::ParameterKind::Number(_) => "a number",
            types::ParameterKind::Boolean => "true or false",
        };
        match (sent, expects) {
            (None | Some(Value::Null), _) => self.value(None),
            (Some(Value::String(text)), "a text") => self.value(Some(text)),
            (Some(Value::Number(number)), "a number") => self.value(Some(&number.to_string())),
            (Some(Value::Bool(truth)), "true or false") => self.value(Some(&truth.to_string())),
            _ => Err(self.bad(format!("expected {expects}"))),
        }
    }

    fn bad(&self, reason: String) -> BadParameter {
        BadParameter { name: self.declared.name.clone(), reason }
    }

    fn bind(&self, text: &str) -> Result<String, BadParameter> {
        match &self.declared.kind {
            types::ParameterKind::Text(limits) => {
                if text.chars().count() > limits.max_length as usize {
                    return Err(self.bad(format!("expected at most {} characters", limits.max_length)));
                }
                if text.contains('\0') {
                    return Err(self.bad("expected a text without NUL".to_owned()));
                }
                Ok(text.to_owned())
            }
            types::ParameterKind::Integer(bounds) => {
                let wanted = || format!("expected a whole number from {} to {}", bounds.min, bounds.max);
                let number: i64 = text.parse().map_err(|_| self.bad(wanted()))?;
                #[allow(clippy::cast_precision_loss, reason = "bounds are f64 in the WIT")]
                if !(bounds.min..=bounds.max).contains(&(number as f64)) {
                    return Err(self.bad(wanted()));
                }
                Ok(number.to_string())
            }
            types::ParameterKind::Number(bounds) => {
                let wanted = || format!("expected a number from {} to {}", bounds.min, bounds.max);
                let number: f64 = text.parse().map_err(|_| self.bad(wanted()))?;
                if !number.is_finite() || !(bounds.min..=bounds.max).contains(&number) {
                    return Err(self.bad(wanted()));
                }
                Ok(number.to_string())
            }
            types::ParameterKind::Boolean => match text {
                "true" | "1" => Ok("1".to_owned()),
                "false" | "0" => Ok("0".to_owned()),
                _ => Err(self.bad("expected true or false".to_owned())),
            },
            types::ParameterKind::Choice(choices) => {
                choices.iter().find(|choice| choice.value == text).map(|choice| choice.binds.clone()).ok_or_else(|| {
                    let values: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
                    self.bad(format!("expected one of {}", values.join(", ")))
                })
            }
        }
    }

    /// As an OpenAPI parameter object.
    #[must_use]
    pub fn openapi(&self) -> Value {
        let mut schema = match &self.declared.kind {
            types::ParameterKind::Text(limits) => json!({"type": "string", "maxLength": limits.max_length}),
            types::ParameterKind::Integer(bounds) => {
                json!({"type": "integer", "minimum": whole(bounds.min), "maximum": whole(bounds.max)})
            }
            types::ParameterKind::Number(bounds) => {
                json!({"type": "number", "minimum": bounds.min, "maximum": bounds.max})
            }
            types::ParameterKind::Boolean => json!({"type": "boolean"}),
            types::ParameterKind::Choice(choices) => {
                let values: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
                json!({"type": "string", "enum": values})
            }
        };
        if let Some(default) = &self.declared.default {
            schema["default"] = match &self.declared.kind {
                types::ParameterKind::Text(_) | types::ParameterKind::Choice(_) => json!(default),
                _ => serde_json::from_str(default).unwrap_or_else(|_| json!(default)),
            };
        }
        json!({
            "name": self.declared.name,
            "in": "query",
            "required": self.is_required(),
            "description": self.declared.summary,
            "schema": schema,
        })
    }
}

/// Whole bounds read better without a fraction.
fn whole(bound: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "checked by the comparison")]
    let integer = bound as i64;
    #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "asks whether nothing was lost")]
    if integer as f64 == bound { json!(integer) } else { json!(bound) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Bounds, Choice, ParameterKind, TextLimits};

    fn parameter(kind: ParameterKind, default: Option<&str>) -> Result<Parameter, String> {
        let default = default.map(str::to_owned);
        Parameter::new(types::Parameter { name: "p".into(), summary: String::new(), kind, default })
    }

    #[test]
    fn values_are_bound_only_within_their_limits() {
        let hours = parameter(ParameterKind::Integer(Bounds { min: 1.0, max: 24.0 }), Some("6")).unwrap();
        assert_eq!(hours.value(None).unwrap(), "6");
        assert_eq!(hours.value(Some("24")).unwrap(), "24");
        for bad in ["0", "25", "1.5", "1abc", "", " 1"] {
            assert!(hours.value(Some(bad)).is_err(), "{bad:?}");
        }
        let text = parameter(ParameterKind::Text(TextLimits { max_length: 3 }), None).unwrap();
        assert_eq!(text.value(Some("äöü")).unwrap(), "äöü");
        assert!(text.value(Some("abcd")).is_err());
        assert_eq!(text.value(None).unwrap_err().to_string(), "parameter `p`: it is required");
        let choice = Choice { value: "toStartOfHour".into(), binds: "3600".into() };
        let interval = parameter(ParameterKind::Choice(vec![choice]), Some("toStartOfHour")).unwrap();
        assert_eq!(interval.value(None).unwrap(), "3600");
        assert!(interval.value(Some("3600")).unwrap_err().to_string().contains("toStartOfHour"));
    }

    #[test]
    fn a_declaration_with_an_impossible_default_is_refused() {
        assert!(parameter(ParameterKind::Boolean, Some("maybe")).is_err());
        assert!(parameter(ParameterKind::Integer(Bounds { min: 5.0, max: 1.0 }), None).is_err());
        let reserved = types::Parameter {
            name: "hostId".into(),
            summary: String::new(),
            kind: ParameterKind::Boolean,
            default: None,
        };
        assert!(Parameter::new(reserved).is_err());
    }
}
