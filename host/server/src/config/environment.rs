//! Reads the environment into layers.

use std::collections::BTreeMap;
use std::ffi::OsString;

use chm_access::{FeatureId, PluginId, near_names};
use figment::value::{Dict, Value};

use super::kind::{Kind, boolean};
use super::origin::{Layer, Origin};
use super::problem::{Problem, Warning};
use super::schema::{self, Place};
use super::variables::{self, Meaning, ServerList, VARIABLES, Variable};

/// What the environment says, before the schema has seen it. Blank variables are unset and do not appear.
#[derive(Default)]
pub(super) struct Environment {
    given: Vec<(String, &'static Variable, String)>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Warning>,
}

impl Environment {
    /// Sorts out the variables that mean something; unknown `CHM_…` ones are problems, all others are not ours.
    pub fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut this = Self::default();
        for (name, value) in variables {
            let Some(name) = name.to_str().map(str::to_owned) else {
                // Not a name of ours, unless it is one of ours with something broken behind it.
                let name = name.to_string_lossy().into_owned();
                if name.starts_with("CHM_") {
                    this.problems.push(Problem::UnknownVariable { name, near: Vec::new() });
                }
                continue;
            };
            let variable = variables::find(&name);
            if variable.is_none() && !name.starts_with("CHM_") {
                continue;
            }
            let Some(value) = value.to_str() else {
                let origin = Origin::Variable(name);
                let expected = "text in UTF-8".to_owned();
                this.problems.push(Problem::BadValue { origin, line: None, key: None, found: None, expected });
                continue;
            };
            match variable {
                _ if value.trim().is_empty() && variable.is_some() => {}
                Some(variable) => this.given.push((name, variable, value.to_owned())),
                None if variables::is_service_link(&name, value) => {}
                None => {
                    let known =
                        VARIABLES.iter().map(|variable| variable.name).filter(|known| known.starts_with("CHM_"));
                    let near = near_names(&name, known).into_iter().map(str::to_owned).collect();
                    this.problems.push(Problem::UnknownVariable { name, near });
                }
            }
        }
        this.given.sort_by(|left, right| left.0.cmp(&right.0));
        this.warn();
        this
    }

    fn warn(&mut self) {
        for (name, variable, value) in &self.given {
            match variable.meaning {
                Meaning::NothingToSwitchOn(_) if boolean(value) == Some(false) => {}
                Meaning::Nothing(reason) => {
                    self.warnings.push(Warning::note(format!("{name} means nothing here: {reason}")));
                }
                Meaning::NothingAndMatters(reason) | Meaning::NothingToSwitchOn(reason) => {
                    self.warnings.push(Warning::security(format!("{name} means nothing here: {reason}")));
                }
                _ => {}
            }
        }
    }

    /// The text of a variable, unless it is blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, ..)| given == name).map(|(.., value)| value.as_str())
    }

    /// The lists of servers.
    pub fn server_lists(&self) -> BTreeMap<ServerList, (&str, &str)> {
        self.given
            .iter()
            .filter_map(|(name, variable, value)| match variable.meaning {
                Meaning::Servers(list) => Some((list, (name.as_str(), value.as_str()))),
                _ => None,
            })
            .collect()
    }

    /// The layers, weakest first: the lists of features, then everything else (contract §4.3: a feature's own variable wins).
    /// `features` are the rules of the file.
    pub fn layers(&mut self, plugins: &[PluginId], features: &Dict) -> Vec<Layer> {
        let mut lists = Vec::new();
        let mut single = Vec::new();
        let mut values = Vec::new();
        let mut problems = Vec::new();
        for (name, variable, text) in &self.given {
            match variable.meaning {
                Meaning::Sets(path) => match read(path, name, text) {
                    Ok(value) => values.push((name.as_str(), path, value)),
                    Err(problem) => problems.push(problem),
                },
                Meaning::SetsAs(form, path) => match form.read(text) {
                    Some(value) => values.push((name.as_str(), path, value.into())),
                    None => problems.push(bad(name, None, form.expected().to_owned())),
                },
                Meaning::DisabledFeatures => {
                    lists.push(list_layer(name, text, plugins, &mut problems, |_| {
                        Dict::from([("enabled".to_owned(), Value::from(false))])
                    }));
                }
                Meaning::GuardedFeatures => {
                    lists.push(list_layer(name, text, plugins, &mut problems, |feature| guarded(features, feature)));
                }
                Meaning::Feature => match feature_layer(name, text, plugins) {
                    Ok(layer) => single.push(layer),
                    Err(problem) => problems.push(problem),
                },
                Meaning::Servers(_)
                | Meaning::PublishableKey
                | Meaning::ClerkPublicRead
                | Meaning::Peerdb(_)
                | Meaning::ConfigFile
                | Meaning::Nothing(_)
                | Meaning::NothingAndMatters(_)
                | Meaning::NothingToSwitchOn(_)
                | Meaning::Common => {}
            }
        }
        let mut setters: BTreeMap<&str, (&str, &Value)> = BTreeMap::new();
        for (name, path, value) in &values {
            if let Some((other, _)) = setters.insert(path, (name, value)).filter(|(_, before)| *before != value) {
                problems.push(Problem::Contradiction(format!(
                    "{other} and {name} set `{path}` to different values: unset one of them"
                )));
            }
            let parts: Vec<&str> = path.split('.').collect();
            single.push(layer(name, nest(&parts, value.clone())));
        }
        self.problems.append(&mut problems);
        lists.into_iter().chain(single).collect()
    }
}

fn layer(name: &str, values: Dict) -> Layer {
    Layer { origin: Origin::Variable(name.to_owned()), values }
}

/// One value in the tables that its path names.
pub(super) fn nest(path: &[&str], value: Value) -> Dict {
    match path {
        [] => Dict::new(),
        [last] => Dict::from([((*last).to_owned(), value)]),
        [first, rest @ ..] => Dict::from([((*first).to_owned(), nest(rest, value).into())]),
    }
}

fn bad(name: &str, found: Option<String>, expected: String) -> Problem {
    Problem::BadValue { origin: Origin::Variable(name.to_owned()), line: None, key: None, found, expected }
}

/// Reads a variable as the key at `path` takes it.
fn read(path: &str, name: &str, text: &str) -> Result<Value, Problem> {
    let parts: Vec<&str> = path.split('.').collect();
    let kind = match schema::place(&parts) {
        Place::Leaf(key) => key.kind,
        Place::Table | Place::Nothing => Kind::Text,
    };
    kind.check(&kind.read_text(text)).map_err(|misfit| bad(name, misfit.found, misfit.expected))
}

fn list_layer(
    name: &str,
    text: &str,
    plugins: &[PluginId],
    problems: &mut Vec<Problem>,
    rule: impl Fn(&str) -> Dict,
) -> Layer {
    let mut features = Dict::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        match FeatureId::resolve(item, plugins) {
            Ok(feature) => {
                features.insert(feature.to_string(), rule(feature.as_str()).into());
            }
            Err(error) => problems.push(bad(name, None, format!("a comma list of feature ids; {error}"))),
        }
    }
    layer(name, nest(&["features"], features.into()))
}

/// Authentication at the least: a rule of the file that asks for a role stays.
fn guarded(features: &Dict, feature: &str) -> Dict {
    let said = features.get(feature).and_then(Value::as_dict);
    let asks_for_role = |field: &str| {
        let value = said.and_then(|said| said.get(field).or_else(|| said.get("access")));
        value.and_then(Value::as_str).is_some_and(|access| access.starts_with("role:"))
    };
    let fields = ["access", "read", "write"].into_iter().filter(|field| !asks_for_role(field));
    fields.map(|field| (field.to_owned(), Value::from("authenticated"))).collect()
}

fn feature_layer(name: &str, text: &str, plugins: &[PluginId]) -> Result<Layer, Problem> {
    let unknown = |near: Vec<String>| Problem::UnknownVariable { name: name.to_owned(), near };
    let parsed = variables::feature_variable(name).ok_or_else(|| unknown(Vec::new()))?;
    let feature = FeatureId::resolve(&parsed.feature, plugins).map_err(|error| {
        let as_variable = |id: &String| {
            format!("CHM_FEATURE_{}_{}", id.to_uppercase().replace('-', "_"), parsed.field.to_uppercase())
        };
        unknown(error.near.iter().map(as_variable).collect())
    })?;
    let kind = if parsed.field == "enabled" { Kind::Boolean } else { Kind::Access };
    let value = kind.check(&kind.read_text(text)).map_err(|misfit| bad(name, misfit.found, misfit.expected))?;
    // The stronger layer decides alone: what the file says about reading or writing must not survive it.
    let fields: &[&str] = if parsed.field == "access" { &["access", "read", "write"] } else { &[parsed.field] };
    let rule: Dict = fields.iter().map(|field| ((*field).to_owned(), value.clone())).collect();
    Ok(layer(name, nest(&["features", &feature.to_string()], rule.into())))
}

/// The variables by which the contract's server would have chosen a provider when CHM_AUTH_PROVIDER is unset. Here they choose
/// nothing, and whoever relies on them would stand before an open door.
pub(super) fn expected_provider(environment: &Environment) -> Option<&'static str> {
    let names_one = |name: &str| environment.get(name).is_some_and(|value| !value.trim().eq_ignore_ascii_case("none"));
    let is_cloud = |name: &str| {
        environment
            .get(name)
            .is_some_and(|value| matches!(value.trim().to_ascii_lowercase().as_str(), "cloud" | "saas"))
    };
    let cloud_mode = environment.get("CHM_CLOUD_MODE").and_then(boolean) == Some(true) || is_cloud("CHM_CLOUD_MODE");
    ["VITE_AUTH_PROVIDER", "NEXT_PUBLIC_AUTH_PROVIDER"]
        .into_iter()
        .find(|name| names_one(name))
        .or_else(|| ["CHM_DEPLOYMENT_MODE", "VITE_DEPLOYMENT_MODE"].into_iter().find(|name| is_cloud(name)))
        .or(cloud_mode.then_some("CHM_CLOUD_MODE"))
}
