//! One setting a plugin takes, and the check of values for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::header::{header_map, is_header_name};
use crate::value::SettingValue;

/// What a setting's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    /// Any text.
    Text,
    /// Yes or no.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// Texts divided by commas.
    List,
    /// A text the guest uses by name and never sees.
    Secret,
    /// The name of an HTTP header. The host shows that header to an auth provider.
    Header,
    /// Pairs `field:Header-Name`. The host shows those headers to an auth provider.
    HeaderMap,
}

impl SettingKind {
    /// Whether its values name request headers.
    #[must_use]
    pub fn names_headers(self) -> bool {
        matches!(self, Self::Header | Self::HeaderMap)
    }

    /// What a value must look like, in words that complete "expected …".
    #[must_use]
    pub fn expectation(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Boolean => "`1`, `true`, `yes` or `on`, or `0`, `false`, `no` or `off`",
            Self::Integer => "a whole number of 64 bits",
            Self::List => "texts divided by commas, or a list of texts without commas",
            Self::Secret => "a text that is not empty",
            Self::Header => "the name of one HTTP header other than `Cookie`",
            Self::HeaderMap => {
                "pairs `field:Header-Name` divided by commas or spaces, or a table of header names, none of them `Cookie`"
            }
        }
    }
}

impl fmt::Display for SettingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::List => "list",
            Self::Secret => "secret",
            Self::Header => "header",
            Self::HeaderMap => "header-map",
        })
    }
}

/// One setting, from `[settings.<name>]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// What its value is.
    #[serde(rename = "type")]
    pub kind: SettingKind,
    /// One sentence for operators; may be empty.
    pub summary: String,
    /// The value when the operator gives none. Always valid; a secret has none.
    pub default: Option<SettingValue>,
    /// Whether the header it names is only compared by the host (`secrets.header-equals`) and never shown to the guest.
    pub sealed: bool,
}

/// A value does not fit its setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found}; expected {expected}", expected = .kind.expectation())]
pub struct SettingError {
    /// What the setting takes.
    pub kind: SettingKind,
    /// What is wrong, for example "`maybe` is not a boolean". Never contains the value of a secret.
    pub found: String,
}

impl Setting {
    /// Checks a value that an operator gave and returns the text that `config.get` gives to the guest: booleans as `true` or `false`,
    /// integers in plain digits, lists joined by `,`, header maps as `field:Header` joined by `,`.
    ///
    /// An operator's blank value usually means "unset": ask [`SettingValue::is_blank`] first.
    ///
    /// # Errors
    /// [`SettingError`] says what is wrong and what was expected.
    pub fn check(&self, value: &SettingValue) -> Result<String, SettingError> {
        let kind = self.kind;
        let fault = |found: String| SettingError { kind, found };
        let wrong_type = || fault(format!("{} is not a value of type `{kind}`", value.noun()));
        match (kind, value) {
            (SettingKind::Boolean, SettingValue::Boolean(flag)) => Ok(flag.to_string()),
            (SettingKind::Integer, SettingValue::Integer(number)) => Ok(number.to_string()),
            (SettingKind::List, SettingValue::List(items)) => {
                list_of(items.iter().map(String::as_str), items.is_empty()).map_err(fault)
            }
            (SettingKind::HeaderMap, SettingValue::Map(pairs)) => {
                // A field with a comma, a colon or a space in it would come apart again: let the text's rules find it.
                let text =
                    pairs.iter().map(|(field, header)| format!("{field}:{header}")).collect::<Vec<_>>().join(",");
                let canonical = header_map_of(&text).map_err(fault)?;
                if canonical == text {
                    Ok(canonical)
                } else {
                    Err(fault("a field or header contains a divider".to_owned()))
                }
            }
            // A number or a truth value written without quotes where a text is wanted: its meaning is plain.
            (SettingKind::Text | SettingKind::List, SettingValue::Integer(number)) => Ok(number.to_string()),
            (SettingKind::Boolean, SettingValue::Integer(number @ (0 | 1))) => Ok((*number == 1).to_string()),
            (_, SettingValue::Text(text)) => self.check_text(text).map_err(fault),
            _ => Err(wrong_type()),
        }
    }

    /// The default as `config.get` returns it.
    #[must_use]
    pub fn default_text(&self) -> Option<String> {
        self.default.as_ref().and_then(|value| self.check(value).ok())
    }

    fn check_text(&self, text: &str) -> Result<String, String> {
        let trimmed = text.trim();
        match self.kind {
            SettingKind::Text => Ok(text.to_owned()),
            SettingKind::Secret if text.is_empty() => Err("the secret is empty".to_owned()),
            SettingKind::Secret => Ok(text.to_owned()),
            SettingKind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => Ok("true".to_owned()),
                "0" | "false" | "no" | "off" => Ok("false".to_owned()),
                _ => Err(format!("`{trimmed}` is not a boolean")),
            },
            SettingKind::Integer => match trimmed.parse::<i64>() {
                Ok(number) => Ok(number.to_string()),
                Err(_) => Err(format!("`{trimmed}` is not an integer")),
            },
            SettingKind::List => list_of(text.split(','), trimmed.is_empty()),
            SettingKind::Header if !is_header_name(trimmed) => Err(format!("`{trimmed}` is not a header name")),
            SettingKind::Header => shown(trimmed).map(str::to_owned),
            SettingKind::HeaderMap => header_map_of(text),
        }
    }
}

/// Joins a list's items. Only a blank value is an empty list: `,` might be meant as anything, and an empty list of those
/// who may enter lets everyone in.
fn list_of<'a>(items: impl Iterator<Item = &'a str>, blank: bool) -> Result<String, String> {
    let items: Vec<_> = items.map(str::trim).filter(|item| !item.is_empty()).collect();
    if items.is_empty() && !blank {
        return Err("there is no item in it".to_owned());
    }
    match items.iter().find(|item| item.contains(',')) {
        Some(item) => Err(format!("the item `{item}` contains a comma")),
        None => Ok(items.join(",")),
    }
}

fn header_map_of(text: &str) -> Result<String, String> {
    let pairs = header_map(text).map_err(|error| error.to_string())?;
    if pairs.is_empty() && !text.trim().is_empty() {
        return Err("there is no pair in it".to_owned());
    }
    let pieces: Result<Vec<_>, String> =
        pairs.iter().map(|(field, header)| Ok(format!("{field}:{}", shown(header)?))).collect();
    Ok(pieces?.join(","))
}

/// Refuses the one header that holds other sites' and other plugins' sessions: cookies are asked for one by one.
fn shown(header: &str) -> Result<&str, String> {
    if header.eq_ignore_ascii_case("cookie") {
        Err(format!(
            "the header `{header}` holds every cookie; a manifest names the cookies it needs in `auth.cookies`"
        ))
    } else {
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn setting(kind: SettingKind) -> Setting {
        Setting { kind, summary: String::new(), default: None, sealed: false }
    }

    #[test]
    fn values_become_their_canonical_text() {
        use SettingKind::*;
        let cases = [
            (Text, " a b ", " a b "),
            (Text, "", ""),
            (Boolean, " YES ", "true"),
            (Boolean, "on", "true"),
            (Boolean, "1", "true"),
            (Boolean, "Off", "false"),
            (Boolean, "no", "false"),
            (Integer, " -12 ", "-12"),
            (Integer, "+7", "7"),
            (List, " a, b ,,c d ", "a,b,c d"),
            (Secret, " s3cret ", " s3cret "),
            (Header, " X-User ", "X-User"),
            (HeaderMap, "team:X-Team  site:X-Site", "team:X-Team,site:X-Site"),
        ];
        for (kind, given, canonical) in cases {
            assert_eq!(setting(kind).check(&given.into()).unwrap(), canonical, "{kind} {given:?}");
        }
        let items = SettingValue::List(vec![" a ".into(), "b".into()]);
        assert_eq!(setting(List).check(&items).unwrap(), "a,b");
        let pairs = SettingValue::Map(BTreeMap::from([("team".into(), "X-Team".into())]));
        assert_eq!(setting(HeaderMap).check(&pairs).unwrap(), "team:X-Team");
        assert_eq!(setting(Boolean).check(&SettingValue::Boolean(true)).unwrap(), "true");
        assert_eq!(setting(Integer).check(&SettingValue::Integer(5)).unwrap(), "5");
    }

    #[test]
    fn values_that_do_not_fit_are_refused_with_what_was_expected() {
        use SettingKind::*;
        for (kind, given) in [
            (Boolean, "maybe"),
            (Boolean, ""),
            (Integer, "1.5"),
            (Integer, "9223372036854775808"),
            (Secret, ""),
            (List, ","),
            (List, " , ,"),
            (HeaderMap, ","),
            (Header, "X User"),
            (Header, "X-User:"),
            (Header, ""),
            (Header, "cookie"),
            (HeaderMap, "team"),
            (HeaderMap, "all:Cookie"),
        ] {
            let error = setting(kind).check(&given.into()).unwrap_err().to_string();
            assert!(error.contains("; expected "), "{kind} {given:?}: {error}");
        }
        for (kind, value) in [
            (Boolean, SettingValue::Integer(2)),
            (Integer, SettingValue::Boolean(true)),
            (Secret, SettingValue::Integer(1)),
            (Header, SettingValue::List(vec!["X-User".into()])),
            (List, SettingValue::List(vec!["a,b".into()])),
            (List, SettingValue::List(vec![" ".into()])),
            (HeaderMap, SettingValue::Map(BTreeMap::from([("a:b c".into(), "X".into())]))),
        ] {
            assert!(setting(kind).check(&value).is_err(), "{kind} {value:?}");
        }
    }

    #[test]
    fn a_secret_shows_in_no_error_and_no_debug_text() {
        let value = SettingValue::List(vec!["hunter2".into()]);
        let error = setting(SettingKind::Secret).check(&value).unwrap_err();
        assert!(!format!("{error} {error:?} {value:?}").contains("hunter2"));
        assert!(!format!("{:?}", SettingValue::from("hunter2")).contains("hunter2"));
    }
}
