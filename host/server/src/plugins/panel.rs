//! A panel of the catalogue: its plugin's description, checked, with its queries already through the guard.

use std::sync::Arc;

use chm_access::{FeatureId, Operation, Permission, PluginId};
use chm_clickhouse::GuardedQuery;
use chm_sandbox::Plugin;
use chm_sandbox::bindings::{panels, types};

use super::parameter::Parameter;
use super::version::{ServerVersion, newest_for};

/// Table or chart.
pub use chm_sandbox::bindings::panels::Shape as PanelKind;

/// Most rows a panel may ask for.
const MAX_ROWS: u32 = 100_000;

/// A description that this host does not take.
#[derive(Debug, thiserror::Error)]
#[error("{what} `{id}`: {reason}")]
pub struct Unfit {
    what: &'static str,
    id: String,
    reason: String,
}

/// A panel, ready to run.
#[derive(Debug, Clone)]
pub struct Panel {
    /// How clients address it: the plain id for bundled plugins, `<plugin>.<id>` for others.
    pub name: String,
    /// Who described it.
    pub plugin: Arc<Plugin>,
    /// What it needs.
    pub permission: Permission,
    /// The description.
    pub described: panels::Panel,
    /// Checked parameters.
    pub parameters: Vec<Parameter>,
    queries: Vec<(Option<ServerVersion>, GuardedQuery)>,
}

impl Panel {
    /// Checks a description.
    ///
    /// # Errors
    /// Names the panel and what is wrong with it.
    pub fn new(plugin: Arc<Plugin>, name: String, described: panels::Panel) -> Result<Self, Unfit> {
        let unfit = |reason: String| Unfit { what: "panel", id: described.id.clone(), reason };
        check_id(&described.id).map_err(&unfit)?;
        let permission = permission(&plugin, &described.feature, described.operation).map_err(&unfit)?;
        let parameters: Vec<Parameter> = described
            .parameters
            .iter()
            .map(|declared| Parameter::new(declared.clone()))
            .collect::<Result<_, _>>()
            .map_err(&unfit)?;
        let mut names: Vec<&str> = parameters.iter().map(Parameter::name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(unfit("two parameters have the same name".to_owned()));
        }
        if described.row_cap == 0 || described.row_cap > MAX_ROWS {
            return Err(unfit(format!("row-cap must be 1 to {MAX_ROWS}")));
        }
        let described_queries = matches!(described.source, panels::Source::Described);
        if described_queries == described.queries.is_empty() {
            return Err(unfit("it must have queries if, and only if, its source is `described`".to_owned()));
        }
        let queries = described.queries.iter().map(query).collect::<Result<_, _>>().map_err(&unfit)?;
        if let Some(x) = &described.x
            && !described.columns.iter().any(|column| column.name == *x)
        {
            return Err(unfit(format!("its x column `{x}` is not among its columns")));
        }
        Ok(Self { name, plugin, permission, described, parameters, queries })
    }

    /// The query for a server; absent when the server is older than every variant.
    #[must_use]
    pub fn query_for(&self, server: Option<ServerVersion>) -> Option<&GuardedQuery> {
        newest_for(&self.queries, server)
    }

    /// The oldest version any variant works on.
    #[must_use]
    pub fn oldest_version(&self) -> Option<ServerVersion> {
        self.queries.iter().map(|(since, _)| since.unwrap_or_default()).min()
    }
}

fn query(variant: &panels::VariantQuery) -> Result<(Option<ServerVersion>, GuardedQuery), String> {
    let since = variant.since.as_deref().map(str::parse).transpose().map_err(|error| format!("{error}"))?;
    let guarded =
        GuardedQuery::check(&variant.sql).map_err(|refusal| format!("the guard refuses its query: {refusal}"))?;
    Ok((since, guarded))
}

/// Ids of panels: lower-case letters, digits, `-`, `_`.
fn check_id(id: &str) -> Result<(), String> {
    let fits = !id.is_empty()
        && id.len() <= 64
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if fits {
        Ok(())
    } else {
        Err("an id is 1 to 64 lower-case letters, digits, `-` and `_`, a letter first".to_owned())
    }
}

/// A feature named by a plugin: one of the 19, or the plugin's own id.
pub(super) fn permission(plugin: &Plugin, feature: &str, operation: types::Operation) -> Result<Permission, String> {
    let own: PluginId = plugin.id().parse().map_err(|error| format!("{error}"))?;
    let feature = FeatureId::resolve(feature, [&own]).map_err(|error| error.to_string())?;
    let operation = match operation {
        types::Operation::Read => Operation::Read,
        types::Operation::Write => Operation::Write,
    };
    Ok(Permission { feature, operation })
}

/// For [`super::tool`].
pub(super) fn unfit(what: &'static str, id: &str, reason: String) -> Unfit {
    Unfit { what, id: id.to_owned(), reason }
}
