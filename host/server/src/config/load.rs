//! Puts the layers together: defaults < file < environment < command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chm_access::PluginId;
use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use super::check::Check;
use super::consistency;
use super::environment::{Environment, nest};
use super::file::{self, ConfigFile};
use super::leaf::{self, Leaf};
use super::model::Config;
use super::origin::{Layer, Origin};
use super::peerdb;
use super::problem::{ConfigError, Problem, Warning};
use super::schema;
use super::servers::Servers;
use super::sign_in;
use super::variables;

const DEFAULTS: &str = include_str!("defaults.toml");
const BUNDLED: &str = include_str!("bundled.toml");

/// What the command line says about configuration.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// `--config`: the file, instead of `CHM_CONFIG_FILE`.
    pub file: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--plugins`.
    pub plugin_dir: Option<PathBuf>,
}

/// A configuration that is right, with what is known about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it was read from.
    pub file: Option<PathBuf>,
    /// What the operator should know; log each once.
    pub warnings: Vec<Warning>,
    pub(super) leaves: Vec<Leaf>,
}

impl Loaded {
    /// Where the value of a key comes from; `path` as in `config check`, for example `clickhouse.hosts[0].url`. Absent for keys
    /// without a value.
    pub fn origin(&self, path: &str) -> Option<&Origin> {
        self.leaves.iter().find(|leaf| leaf.path == path).map(|leaf| &leaf.origin)
    }

    /// Every path with its origin.
    pub fn origins(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.leaves.iter().map(|leaf| (leaf.path.as_str(), &leaf.origin))
    }
}

impl Config {
    /// Loads the configuration from its four places. The environment is an argument so that nothing but `main` reads the real one.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(
        options: &LoadOptions,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Loaded, ConfigError> {
        let mut environment = Environment::read(environment);
        let mut problems = std::mem::take(&mut environment.problems);
        let mut warnings = std::mem::take(&mut environment.warnings);

        let path = options.file.clone().or_else(|| environment.get("CHM_CONFIG_FILE").map(|path| path.trim().into()));
        let file = path.as_deref().map(file::read).transpose().unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        let built_in = built_in().unwrap_or_else(|problem| {
            problems.push(problem);
            Dict::new()
        });
        let plugins = known_plugins(&built_in, file.as_ref());

        let mut figment = Figment::from(Layer { origin: Origin::Default, values: built_in });
        let mut file_origin = Origin::Default;
        if let (Some(path), Some(file)) = (&path, file) {
            file_origin = Origin::File(path.clone());
            let values = checked(&file_origin, &file, &plugins, &mut problems);
            figment = figment.merge(Layer { origin: file_origin.clone(), values });
        }
        let rules = figment.find_value("features").ok().and_then(Value::into_dict).unwrap_or_default();
        for layer in environment.layers(&plugins, &rules) {
            figment = figment.merge(layer);
        }
        problems.append(&mut environment.problems);
        for layer in command_line(options) {
            figment = figment.merge(layer);
        }
        let clerk = sign_in::clerk_variables(&environment, &figment);
        problems.extend(clerk.problems);
        warnings.extend(clerk.warnings);
        for layer in clerk.layers {
            figment = figment.merge(layer);
        }
        let peerdb = peerdb::peerdb_variables(&environment, &figment);
        problems.extend(peerdb.problems);
        warnings.extend(peerdb.warnings);
        for layer in peerdb.layers {
            figment = figment.merge(layer);
        }
        let given = merged(&figment);
        for values in sign_in::implied(&given).into_iter().chain(peerdb::implied(&given)) {
            figment = figment.join(Layer { origin: Origin::Default, values });
        }

        let from_file = figment.find_value("clickhouse.hosts").ok().and_then(Value::into_array).unwrap_or_default();
        let servers = Servers::resolve(&from_file, &file_origin, &environment.server_lists());
        problems.extend(servers.problems);
        warnings.extend(servers.warnings);
        let hosts = nest(&["clickhouse", "hosts"], servers.hosts.into());
        figment = figment.merge(Layer { origin: Origin::Default, values: hosts });

        let values = merged(&figment);
        // A value that does not fit is not missing besides.
        let absent =
            missing(&values).into_iter().filter(|absent| problems.iter().all(|problem| problem.key() != absent.key()));
        let absent: Vec<_> = absent.collect();
        problems.extend(absent);
        figment = figment.join(Layer { origin: Origin::Default, values: implied(&values) });
        // What is missing or does not fit would only come up again, in worse words.
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        let config: Config = figment.extract().map_err(|error| ConfigError { problems: vec![unforeseen(&error)] })?;
        let leaves = leaf::leaves(&figment, &merged(&figment), &servers.origins);
        problems.extend(consistency::problems(&config, &leaves, &environment));
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        warnings.extend(consistency::warnings(&config));
        Ok(Loaded { config, file: path, warnings, leaves })
    }
}

/// The defaults, and the grants of the bundled plugins.
pub(super) fn built_in() -> Result<Dict, Problem> {
    let mut values = Dict::new();
    for (name, text) in [("defaults.toml", DEFAULTS), ("bundled.toml", BUNDLED)] {
        let part = <Toml as Format>::from_str::<Dict>(text);
        values.extend(part.map_err(|error| Problem::File {
            path: Path::new("built-in").join(name),
            line: None,
            reason: error.message().to_owned(),
        })?);
    }
    Ok(values)
}

fn checked(origin: &Origin, file: &ConfigFile, plugins: &[PluginId], problems: &mut Vec<Problem>) -> Dict {
    let mut check = Check { origin, source: &file.source, plugins, problems: Vec::new() };
    let values = check.values(&file.values);
    problems.append(&mut check.problems);
    values
}

/// The plugins that are bundled or have a table in the file: those that a feature or a provider can name.
fn known_plugins(built_in: &Dict, file: Option<&ConfigFile>) -> Vec<PluginId> {
    let tables = [Some(built_in), file.map(|file| &file.values)];
    let mut plugins: Vec<PluginId> = tables
        .into_iter()
        .flatten()
        .filter_map(|values| values.get("plugins")?.as_dict())
        .flat_map(|plugins| plugins.keys().filter_map(|name| name.parse().ok()))
        .collect();
    plugins.sort();
    plugins.dedup();
    plugins
}

fn command_line(options: &LoadOptions) -> Vec<Layer> {
    let listen = options.listen.map(|address| ("--listen", "listen", address.to_string()));
    let plugins =
        options.plugin_dir.as_ref().map(|path| ("--plugins", "plugin_dir", path.to_string_lossy().into_owned()));
    let layer = |(option, key, text): (&'static str, &str, String)| Layer {
        origin: Origin::Option(option),
        values: nest(&[key], text.into()),
    };
    [listen, plugins].into_iter().flatten().map(layer).collect()
}

fn merged(figment: &Figment) -> Dict {
    figment.find_value("").ok().and_then(Value::into_dict).unwrap_or_default()
}

/// Every table that fits a pattern of the schema, with its path.
fn tables<'a>(values: &'a Dict, pattern: &str) -> Vec<(Vec<String>, &'a Dict)> {
    let mut found = vec![(Vec::new(), values)];
    for part in pattern.split('.') {
        let mut next = Vec::new();
        for (path, table) in found {
            let fitting = table.iter().filter(|(name, _)| part.starts_with('<') || part == *name);
            next.extend(fitting.filter_map(|(name, value)| {
                let mut path: Vec<String> = path.clone();
                path.push(name.clone());
                Some((path, value.as_dict()?))
            }));
        }
        found = next;
    }
    found
}

/// Keys that a table needs and has not. Servers have been seen to already: each has an address or a problem of its own.
fn missing(values: &Dict) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (pattern, needed) in schema::REQUIRED {
        let hosts = values.get("clickhouse").and_then(|clickhouse| clickhouse.find_ref("hosts")?.as_array());
        let found: Vec<(String, &Dict)> = if *pattern == "clickhouse.hosts.[]" {
            let hosts = hosts.into_iter().flatten().enumerate();
            hosts.filter_map(|(host, value)| Some((format!("clickhouse.hosts[{host}]"), value.as_dict()?))).collect()
        } else {
            tables(values, pattern).into_iter().map(|(path, table)| (path.join("."), table)).collect()
        };
        let key = format!("{pattern}.{needed}");
        let expected = schema::KEYS.iter().find(|known| known.path == key).map(|known| known.kind.expected());
        for (path, table) in found {
            if !table.contains_key(*needed) {
                let key = format!("{path}.{needed}");
                let mut expected = expected.clone().unwrap_or_default();
                let names = variables::that_set(&key);
                if !names.is_empty() {
                    expected.push_str(&format!(", also as {}", names.join(" or ")));
                }
                problems.push(Problem::MissingKey { key, expected });
            }
        }
    }
    problems
}

/// The defaults of keys in tables that the operator named.
fn implied(values: &Dict) -> Dict {
    let mut layers = Figment::new();
    for key in schema::KEYS {
        let (Some(default), Some((pattern, name))) = (key.default, key.path.rsplit_once('.')) else { continue };
        let Ok(value) = <Toml as Format>::from_str::<Dict>(&format!("value = {default}")) else { continue };
        for (path, _) in tables(values, pattern) {
            let mut parts: Vec<&str> = path.iter().map(String::as_str).collect();
            parts.push(name);
            if let Some(value) = value.get("value") {
                layers = layers.merge(Layer { origin: Origin::Default, values: nest(&parts, value.clone()) });
            }
        }
    }
    merged(&layers)
}

/// The schema lets nothing through that the types do not take; should it, the key is named and the value is not.
fn unforeseen(error: &figment::Error) -> Problem {
    let key = error.path.join(".");
    Problem::Contradiction(format!("`{key}` has a value that the host cannot use"))
}
