//! The effective values, one by one, with where they come from.

use std::collections::BTreeMap;

use chm_access::HIDDEN;
use figment::Figment;
use figment::value::{Dict, Value};

use super::address::{self, SafeUrl};
use super::check::dotted;
use super::kind::Kind;
use super::origin::Origin;
use super::schema::{self, Place};
use super::store::StorePlace;

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Dotted path, for example `clickhouse.hosts[0].url`.
    pub path: String,
    /// The value as it may be shown.
    pub shown: String,
    pub origin: Origin,
}

/// All effective values, in the order of their tables. `known` has origins that figment cannot know.
pub(super) fn leaves(figment: &Figment, values: &Dict, known: &BTreeMap<String, Origin>) -> Vec<Leaf> {
    let mut walk = Walk { figment, known, secrets: secret_settings(values), leaves: Vec::new() };
    walk.table(&mut Vec::new(), &mut Vec::new(), values);
    walk.leaves
}

struct Walk<'a> {
    figment: &'a Figment,
    known: &'a BTreeMap<String, Origin>,
    /// Paths of settings that are granted as secrets.
    secrets: Vec<String>,
    leaves: Vec<Leaf>,
}

impl Walk<'_> {
    fn table(&mut self, pattern: &mut Vec<String>, actual: &mut Vec<String>, table: &Dict) {
        for (name, value) in table {
            self.value(pattern, actual, (name, name), value);
        }
    }

    fn value(
        &mut self,
        pattern: &mut Vec<String>,
        actual: &mut Vec<String>,
        (as_pattern, name): (&str, &str),
        value: &Value,
    ) {
        pattern.push(as_pattern.to_owned());
        actual.push(name.to_owned());
        let parts: Vec<&str> = pattern.iter().map(String::as_str).collect();
        match (schema::place(&parts), value) {
            (Place::Leaf(key), value) => self.leaf(&dotted(actual), key.kind, value),
            (_, Value::Dict(_, inner)) => self.table(pattern, actual, inner),
            (_, Value::Array(_, items)) => {
                for (position, item) in items.iter().enumerate() {
                    self.value(pattern, actual, ("[]", &format!("[{position}]")), item);
                }
            }
            _ => {}
        }
        pattern.pop();
        actual.pop();
    }

    fn leaf(&mut self, path: &str, kind: Kind, value: &Value) {
        let origin = self.known.get(path).cloned().unwrap_or_else(|| Origin::of(self.figment, value.tag()));
        let shown = match (kind, value.as_str()) {
            (Kind::Password, Some("")) => "\"\"".to_owned(),
            (Kind::Setting, _) if !self.secrets.iter().any(|secret| secret == path) && !sounds_secret(path) => {
                plain(value)
            }
            (Kind::Setting | Kind::Secret | Kind::Password, _) => HIDDEN.to_owned(),
            (Kind::Url, Some(text)) => {
                address::parse(text).map_or_else(|| HIDDEN.to_owned(), |url| SafeUrl::new(url).to_string())
            }
            (Kind::Store, Some(text)) => {
                text.parse::<StorePlace>().map_or_else(|_| HIDDEN.to_owned(), |place| format!("\"{place}\""))
            }
            (Kind::SecretUrl, Some(text)) => address::secret_form(text),
            _ => plain(value),
        };
        self.leaves.push(Leaf { path: path.to_owned(), shown, origin });
    }
}

/// A value as TOML would write it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("\"{}\"", text.escape_debug()),
        Value::Char(_, one) => format!("\"{}\"", one.escape_debug()),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, number) => {
            let whole = number.to_i128().map(|whole| whole.to_string());
            whole
                .or_else(|| number.to_u128().map(|whole| whole.to_string()))
                .or_else(|| number.to_f64().map(|real| real.to_string()))
                .unwrap_or_default()
        }
        Value::Empty(..) => String::new(),
        Value::Array(_, items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Dict(_, table) => {
            let pairs: Vec<_> = table.iter().map(|(name, value)| format!("{name} = {}", plain(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

/// Which settings are secrets only the plugin's manifest knows, and it is not at hand. What is granted as a secret surely is one,
/// and what is called like one is treated as one.
fn sounds_secret(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path).to_lowercase();
    let is_header_name = name.ends_with("_header") || name.ends_with("_headers");
    !is_header_name
        && ["secret", "password", "passwd", "token", "key", "credential"].iter().any(|word| name.contains(word))
}

fn secret_settings(values: &Dict) -> Vec<String> {
    let Some(Value::Dict(_, plugins)) = values.get("plugins") else { return Vec::new() };
    let granted =
        plugins.iter().filter_map(|(plugin, about)| Some((plugin, about.find_ref("grants.secrets")?.as_array()?)));
    granted
        .flat_map(|(plugin, names)| {
            names.iter().filter_map(Value::as_str).map(move |name| format!("plugins.{plugin}.settings.{name}"))
        })
        .collect()
}
