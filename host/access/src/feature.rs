//! The features that access is decided on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::near::near_names;

/// Makes the enum, its list and its names from one table, so that none can forget a feature.
macro_rules! features {
    ($($variant:ident $name:literal $doc:literal)*) => {
        /// A feature of the host itself. The ids are those of the chmonitor contract, §4.1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature {
            $(#[doc = $doc] $variant,)*
        }

        impl Feature {
            /// All of them, in the order of the contract.
            pub const ALL: &[Feature] = &[$(Feature::$variant,)*];

            /// The id, as in configuration and answers.
            pub const fn name(self) -> &'static str {
                match self { $(Feature::$variant => $name,)* }
            }

            /// What it contains, in one line.
            pub const fn summary(self) -> &'static str {
                match self { $(Feature::$variant => $doc,)* }
            }
        }
    };
}

features! {
    Overview "overview" "The overview of a host."
    Agent "agent" "The AI agent."
    Insights "insights" "Generated insights and findings."
    Health "health" "Health checks and alerts."
    Queries "queries" "Running, past, failed and expensive queries."
    Tables "tables" "Tables, parts, replicas, the explorer and the SQL console."
    Metrics "metrics" "Metrics over time."
    Dashboard "dashboard" "Custom dashboards."
    Security "security" "Sessions, sign-ins, users and roles."
    Logs "logs" "Server logs and crashes."
    Settings "settings" "Server settings and their differences."
    Billing "billing" "Plans and organisations; the host serves no page under it."
    Cluster "cluster" "Clusters, topology and replica status."
    Operations "operations" "Merges, mutations, moves, backups and errors."
    Actions "actions" "Everything that changes ClickHouse: kill a query, optimise a table."
    Mcp "mcp" "The MCP endpoint."
    Peerdb "peerdb" "PeerDB mirrors and peers."
    Docs "docs" "The documentation pages."
    About "about" "Versions and build information."
}

/// Trim, lower-case, `-` to `_`: how every spelling of an id is compared (contract §4.1).
fn normalise(text: &str) -> String {
    text.trim().to_lowercase().replace('-', "_")
}

/// No feature has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown feature `{}`{}", .given.escape_debug(), suggestion(.near))]
pub struct UnknownFeature {
    /// The name as it was given.
    pub given: String,
    /// Names that look like it.
    pub near: Vec<String>,
}

fn suggestion(near: &[String]) -> String {
    if near.is_empty() {
        let all: Vec<_> = Feature::ALL.iter().map(|feature| feature.name()).collect();
        format!("; known are {}", all.join(", "))
    } else {
        format!("; did you mean {}?", near.join(" or "))
    }
}

impl UnknownFeature {
    fn new<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let given = given.trim();
        let near = near_names(&normalise(given), candidates).into_iter().map(str::to_owned).collect();
        Self { given: given.to_owned(), near }
    }
}

impl FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = normalise(text);
        Self::ALL
            .iter()
            .copied()
            .find(|feature| feature.name() == wanted)
            .ok_or_else(|| UnknownFeature::new(text, Self::ALL.iter().map(|feature| feature.name())))
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is no plugin id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no plugin id: expected 2 to 40 lower-case letters, digits and `-`, beginning with a letter, not ending with `-`, and not \
     the name of a feature",
    .0.escape_debug()
)]
pub struct InvalidPluginId(pub String);

/// The id of a plugin, as a feature of its own: the same rule as in its manifest, and never one of the host's own feature ids
/// (a plugin called `agent` would otherwise stand behind the rules of the agent).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(String);

impl PluginId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PluginId {
    type Err = InvalidPluginId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let formed = (2..=40).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-');
        if formed && text.parse::<Feature>().is_err() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPluginId(text.to_owned()))
        }
    }
}

/// For look-ups by text; the two compare, order and hash alike.
impl std::borrow::Borrow<str> for PluginId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for PluginId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PluginId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Any feature: the host's own, or one that a plugin brings (its id).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureId {
    /// One of the host's own.
    Builtin(Feature),
    /// A plugin's own.
    Plugin(PluginId),
}

impl FeatureId {
    /// Finds the feature that `text` names, among the host's own and those of `plugins`.
    ///
    /// Spelling is as forgiving as the contract's lists are: space around, case, and `-` or `_` do not count. A name that is
    /// neither is an error that lists near names.
    pub fn resolve<'a>(text: &str, plugins: impl IntoIterator<Item = &'a PluginId>) -> Result<Self, UnknownFeature> {
        if let Ok(feature) = text.parse() {
            return Ok(Self::Builtin(feature));
        }
        let wanted = normalise(text);
        let plugins: Vec<&PluginId> = plugins.into_iter().collect();
        if let Some(found) = plugins.iter().find(|plugin| normalise(&plugin.0) == wanted) {
            return Ok(Self::Plugin((*found).clone()));
        }
        let own = Feature::ALL.iter().map(|feature| feature.name());
        Err(UnknownFeature::new(text, own.chain(plugins.iter().map(|plugin| plugin.as_str()))))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Builtin(feature) => feature.name(),
            Self::Plugin(plugin) => plugin.as_str(),
        }
    }
}

impl From<Feature> for FeatureId {
    fn from(feature: Feature) -> Self {
        Self::Builtin(feature)
    }
}

impl From<PluginId> for FeatureId {
    fn from(plugin: PluginId) -> Self {
        Self::Plugin(plugin)
    }
}

/// Reads back what `Display` wrote: a host feature, else a well-formed plugin id. It cannot know which plugins exist; text that
/// people wrote goes through [`FeatureId::resolve`].
impl FromStr for FeatureId {
    type Err = UnknownFeature;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text.parse::<Feature>(), text.parse::<PluginId>()) {
            (Ok(feature), _) => Ok(Self::Builtin(feature)),
            (_, Ok(plugin)) => Ok(Self::Plugin(plugin)),
            (Err(unknown), Err(_)) => Err(unknown),
        }
    }
}

impl fmt::Display for FeatureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for FeatureId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FeatureId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nineteen_ids_are_those_of_the_contract() {
        let names: Vec<_> = Feature::ALL.iter().map(|feature| feature.name()).collect();
        assert_eq!(
            names.join(", "),
            "overview, agent, insights, health, queries, tables, metrics, dashboard, security, logs, settings, billing, \
             cluster, operations, actions, mcp, peerdb, docs, about"
        );
    }

    #[test]
    fn every_id_survives_the_way_out_and_back() {
        for feature in Feature::ALL {
            assert_eq!(feature.to_string().parse(), Ok(*feature));
            let json = serde_json::to_string(&FeatureId::from(*feature)).unwrap();
            assert_eq!(serde_json::from_str::<FeatureId>(&json).unwrap(), FeatureId::from(*feature));
        }
    }

    #[test]
    fn spellings_are_forgiven_as_the_contract_says() {
        for spelling in ["agent", " Agent ", "AGENT", "\tagent\n"] {
            assert_eq!(spelling.parse(), Ok(Feature::Agent), "{spelling:?}");
        }
    }

    #[test]
    fn an_unknown_feature_lists_near_names() {
        let error = "agnet".parse::<Feature>().unwrap_err();
        assert_eq!(error.to_string(), "unknown feature `agnet`; did you mean agent?");
        assert!("".parse::<Feature>().unwrap_err().to_string().contains("known are overview, agent"));
    }

    #[test]
    fn a_plugin_cannot_take_the_name_of_a_feature() {
        for text in ["agent", "Agent", "", "a", "-ab", "ab-", "a_b", "1a", "a b", "ää", "AB"] {
            assert!(text.parse::<PluginId>().is_err(), "{text:?}");
        }
        for text in ["ab", "auth-trusted", "panels-2", "agent-tools"] {
            assert_eq!(text.parse::<PluginId>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn plugin_features_resolve_in_any_spelling() {
        let plugins = ["panels-queries".parse().unwrap()];
        for spelling in ["panels-queries", "PANELS_QUERIES", " panels_queries "] {
            assert_eq!(FeatureId::resolve(spelling, &plugins), Ok(FeatureId::Plugin(plugins[0].clone())));
        }
        let error = FeatureId::resolve("panel-queries", &plugins).unwrap_err();
        assert_eq!(error.near, ["panels-queries"]);
    }
}
