//! PeerDB's variables (contract §4.16): an address, and what counts only with it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chm_access::PluginId;
use chm_manifest::SettingValue;
use figment::Figment;
use figment::value::{Dict, Value};

use super::environment::{Environment, nest};
use super::kind::Kind;
use super::model::Config;
use super::origin::{Layer, Origin};
use super::problem::{Problem, Warning};

const ADDRESS: &str = "endpoints.peerdb.url";
const PASSWORD: &str = "PEERDB_PASSWORD";
const TIMEOUT: &str = "PEERDB_FETCH_TIMEOUT_MS";
const HEADERS: &str = "endpoints.peerdb.headers";
const PLUGIN: &str = "panel-peerdb";
/// Milliseconds that PeerDB may take (contract §4.16).
const DEFAULT_TIMEOUT: i64 = 10_000;
/// Milliseconds that the plugin has beside one exchange: a panel asks PeerDB several things, and stops beginning to after five
/// seconds.
const BESIDE: i64 = 20_000;
/// A day, the longest that anything may wait or be kept.
const DAY_MS: i64 = 86_400_000;

/// What the variables that need the address come to.
pub(super) struct PeerdbVariables {
    pub layers: Vec<Layer>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Warning>,
}

/// Reads them, on top of everything else that was said. Where there is no address they are left over from somewhere, and stop
/// nothing.
pub(super) fn peerdb_variables(environment: &Environment, figment: &Figment) -> PeerdbVariables {
    let mut found = PeerdbVariables { layers: Vec::new(), problems: Vec::new(), warnings: Vec::new() };
    let is_there = figment.find_value(ADDRESS).is_ok();
    // A password may begin or end with blanks; the line's end that files have is none of it.
    if let Some(password) = environment.get(PASSWORD).map(|text| text.trim_end_matches(['\r', '\n'])) {
        let value = format!("Basic {}", STANDARD.encode(format!(":{password}")));
        found.take(PASSWORD, is_there, &["endpoints", "peerdb", "headers", "authorization"], value.into());
        let headers = figment.find_value(HEADERS).ok().and_then(Value::into_dict).unwrap_or_default();
        if let Some(other) = headers.keys().find(|name| name.eq_ignore_ascii_case("authorization")) {
            found.problems.push(Problem::Contradiction(format!(
                "{PASSWORD} and `{HEADERS}.{other}` both say how to sign in to PeerDB: remove one of them"
            )));
        }
    }
    if let Some(text) = environment.get(TIMEOUT) {
        let kind = Kind::Integer(1, DAY_MS);
        match kind.check(&kind.read_text(text)) {
            Ok(value) => found.take(TIMEOUT, is_there, &["endpoints", "peerdb", "timeout_ms"], value),
            Err(misfit) => found.problems.push(Problem::BadValue {
                origin: Origin::Variable(TIMEOUT.to_owned()),
                line: None,
                key: None,
                found: misfit.found,
                expected: misfit.expected,
            }),
        }
    }
    found
}

impl PeerdbVariables {
    fn take(&mut self, name: &str, is_there: bool, path: &[&str], value: Value) {
        if is_there {
            self.layers.push(Layer { origin: Origin::Variable(name.to_owned()), values: nest(path, value) });
        } else {
            self.warnings.push(Warning::note(format!("{name} has no effect without PEERDB_API_URL (`{ADDRESS}`)")));
        }
    }
}

/// What follows from an address for keys that nobody set: the plugin outlives its question.
pub(super) fn implied(values: &Dict) -> Vec<Dict> {
    let peerdb = |key: &str| values.get("endpoints")?.find_ref("peerdb")?.find_ref(key);
    if peerdb("url").is_none() {
        return Vec::new();
    }
    let timeout = peerdb("timeout_ms").and_then(Value::to_i128).and_then(|number| i64::try_from(number).ok());
    let wall = timeout.unwrap_or(DEFAULT_TIMEOUT).saturating_add(BESIDE).min(DAY_MS);
    vec![
        nest(&["endpoints", "peerdb", "timeout_ms"], DEFAULT_TIMEOUT.into()),
        nest(&["plugins", PLUGIN, "limits", "wall_ms"], wall.into()),
    ]
}

/// Returns what keeps the plugin from keeping answers: it would be refused, and its author's words are further away.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let Some(plugin) = PLUGIN.parse::<PluginId>().ok().and_then(|plugin| config.plugins.get(&plugin)) else {
        return Vec::new();
    };
    [("cache_ttl_ms", "PEERDB_CACHE_TTL_MS", DAY_MS), ("cache_max_entries", "PEERDB_CACHE_MAX_ENTRIES", 100_000)]
        .into_iter()
        .filter(|(name, _, most)| {
            let number = match plugin.settings.get(*name).filter(|value| !value.is_blank()) {
                None => return false,
                Some(SettingValue::Integer(number)) => Some(*number),
                Some(SettingValue::Text(text)) => text.trim().parse::<i64>().ok(),
                Some(_) => None,
            };
            !number.is_some_and(|number| (0..=*most).contains(&number))
        })
        .map(|(name, variable, most)| {
            Problem::Contradiction(format!(
                "`plugins.{PLUGIN}.settings.{name}` ({variable}): expected a whole number from 0 to {most}"
            ))
        })
        .collect()
}
