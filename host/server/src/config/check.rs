//! Checks the values of one layer against the schema.

use chm_access::{FeatureId, PluginId, near_names};
use figment::value::{Dict, Value};

use super::file::Source;
use super::origin::Origin;
use super::problem::Problem;
use super::schema::{self, Place};

/// Walks through one layer.
pub(super) struct Check<'a> {
    pub origin: &'a Origin,
    pub source: &'a Source,
    /// The plugins that a feature may belong to.
    pub plugins: &'a [PluginId],
    pub problems: Vec<Problem>,
}

/// Where the walk stands: as in the schema (`[]`), and as in the file (`[0]`).
#[derive(Clone, Default)]
struct At {
    pattern: Vec<String>,
    actual: Vec<String>,
}

impl At {
    fn child(&self, pattern: impl Into<String>, actual: impl Into<String>) -> Self {
        let mut child = self.clone();
        child.pattern.push(pattern.into());
        child.actual.push(actual.into());
        child
    }

    fn pattern(&self) -> Vec<&str> {
        self.pattern.iter().map(String::as_str).collect()
    }
}

/// A path as people write it: `clickhouse.hosts[0].url`.
pub(super) fn dotted(path: &[String]) -> String {
    path.join(".").replace(".[", "[")
}

impl Check<'_> {
    /// Returns the values that fit, in their one form. The others have become problems.
    pub fn values(&mut self, values: &Dict) -> Dict {
        self.table(&At::default(), values)
    }

    fn table(&mut self, at: &At, table: &Dict) -> Dict {
        let children = schema::children(&at.pattern());
        let chosen = children.iter().find(|name| name.starts_with('<'));
        let mut fitting = Dict::new();
        for (name, value) in table {
            let name_here = match chosen {
                Some(placeholder) => self.chosen_name(at, placeholder, name),
                None if children.contains(&name.as_str()) => Some(name.clone()),
                None => {
                    self.unknown(at, name, &children);
                    None
                }
            };
            let Some(name_here) = name_here else { continue };
            let child = at.child(name_here.clone(), name.clone());
            // YAML's way to leave a key empty.
            if matches!(value, Value::Empty(..)) {
                continue;
            }
            let Some(fit) = self.value(&child, value) else { continue };
            if fitting.insert(name_here, fit).is_some() {
                let text = format!("{}: `{}` is there twice, in two spellings", self.origin, dotted(&child.actual));
                self.problems.push(Problem::Contradiction(text));
            }
        }
        fitting
    }

    fn value(&mut self, at: &At, value: &Value) -> Option<Value> {
        match schema::place(&at.pattern()) {
            Place::Leaf(key) => match key.kind.check(value) {
                Ok(value) => Some(value),
                Err(misfit) => {
                    self.bad(at, misfit.found, misfit.expected);
                    None
                }
            },
            Place::Table if schema::children(&at.pattern()) == ["[]"] => self.list(at, value),
            Place::Table => match value {
                Value::Dict(_, table) => Some(self.table(at, table).into()),
                _ => {
                    self.bad(at, None, "a table".to_owned());
                    None
                }
            },
            Place::Nothing => None,
        }
    }

    fn list(&mut self, at: &At, value: &Value) -> Option<Value> {
        let Value::Array(_, items) = value else {
            self.bad(at, None, "a list of tables".to_owned());
            return None;
        };
        let mut fitting = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let child = at.child("[]", format!("[{position}]"));
            match item {
                Value::Dict(_, table) => fitting.push(Value::from(self.table(&child, table))),
                _ => self.bad(&child, None, "a table".to_owned()),
            }
        }
        Some(fitting.into())
    }

    /// Checks a name that the operator chose, and brings it into its one form.
    fn chosen_name(&mut self, at: &At, placeholder: &str, name: &str) -> Option<String> {
        let here = at.child(placeholder, name);
        match placeholder {
            "<feature>" => match FeatureId::resolve(name, self.plugins) {
                Ok(feature) => Some(feature.to_string()),
                Err(unknown) => {
                    let hint = if unknown.near.is_empty() {
                        "a feature id, or the id of a plugin that is bundled or has a [plugins.<id>] table".to_owned()
                    } else {
                        format!("a feature id; did you mean {}?", unknown.near.join(" or "))
                    };
                    self.bad(&here, Some(format!("`{}`", name.escape_debug())), hint);
                    None
                }
            },
            "<plugin>" => match name.parse::<PluginId>() {
                Ok(plugin) => Some(plugin.to_string()),
                Err(error) => {
                    self.bad(&here, None, error.to_string());
                    None
                }
            },
            "<header>" if chm_manifest::is_header_name(name) => Some(name.to_ascii_lowercase()),
            "<header>" => {
                self.bad(&here, None, "the name of a header".to_owned());
                None
            }
            _ if is_plain_name(name) => Some(name.to_owned()),
            _ => {
                self.bad(
                    &here,
                    None,
                    "a name of 1 to 64 lower-case letters, digits, `_` and `-`, beginning with a letter".to_owned(),
                );
                None
            }
        }
    }

    fn bad(&mut self, at: &At, found: Option<String>, expected: String) {
        let (origin, line) = (self.origin.clone(), self.source.line_of(&at.actual));
        self.problems.push(Problem::BadValue { origin, line, key: Some(dotted(&at.actual)), found, expected });
    }

    fn unknown(&mut self, at: &At, name: &str, siblings: &[&str]) {
        let here = at.child(name, name);
        // A key in the wrong table is most often the right key.
        let elsewhere =
            schema::KEYS.iter().filter(|key| key.parts().last() == Some(name)).map(|key| key.path.replace(".[", "["));
        let mut near: Vec<String> = near_names(name, siblings.iter().copied())
            .into_iter()
            .map(|sibling| dotted(&at.child(sibling, sibling).actual))
            .collect();
        near.extend(elsewhere);
        near.truncate(3);
        let (origin, line) = (self.origin.clone(), self.source.line_of(&here.actual));
        self.problems.push(Problem::UnknownKey { origin, line, key: dotted(&here.actual), near });
    }
}

fn is_plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
}
