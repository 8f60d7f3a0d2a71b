//! A panel of the catalogue: its plugin's description, checked, with every way its statements can be written through the guard.

use std::collections::BTreeSet;
use std::sync::Arc;

use chm_access::{FeatureId, Operation, Permission, PluginId};
use chm_sandbox::Plugin;
use chm_sandbox::bindings::{panels, types};

use super::parameter::{Parameter, check_parameter_name};
use crate::panels::{Filter, Selection, Written};

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
    /// Checked filters.
    pub filters: Vec<Filter>,
    /// What it selects, of which a statement is made for each server.
    pub selection: Selection,
    /// The statements that were made of it last.
    pub written: Arc<Written>,
}

impl Panel {
    /// Rows of an answer to a client that names no limit.
    #[must_use]
    pub fn default_limit(&self) -> u32 {
        match self.described.default_limit {
            0 => self.described.row_cap,
            rows => rows,
        }
    }

    /// Checks a description.
    ///
    /// # Errors
    /// Names the panel and what is wrong with it.
    pub fn new(plugin: Arc<Plugin>, name: String, described: panels::Panel) -> Result<Self, Unfit> {
        let id = described.id.clone();
        Self::checked(plugin, name, described).map_err(|reason| Unfit { what: "panel", id, reason })
    }

    fn checked(plugin: Arc<Plugin>, name: String, described: panels::Panel) -> Result<Self, String> {
        check_id(&described.id)?;
        let permission = permission(&plugin, &described.feature, described.operation)?;
        let parameters: Vec<Parameter> =
            described.parameters.iter().map(|declared| Parameter::new(declared.clone())).collect::<Result<_, _>>()?;
        let filters: Vec<Filter> = described
            .filters
            .iter()
            .map(|declared| Filter::new(declared.clone(), &described.columns))
            .collect::<Result<_, _>>()?;
        unique(
            "parameters or filters",
            parameters.iter().map(Parameter::name).chain(filters.iter().map(Filter::name)),
        )?;
        unique("columns", described.columns.iter().map(|column| column.name.as_str()))?;
        for filter in &filters {
            check_parameter_name(filter.name())?;
        }
        if described.row_cap == 0 || described.row_cap > MAX_ROWS {
            return Err(format!("row-cap must be 1 to {MAX_ROWS}"));
        }
        if described.default_limit > described.row_cap {
            return Err(format!("default-limit must be 0 to {}, its row-cap", described.row_cap));
        }
        let is_described = matches!(described.source, panels::Source::Described);
        if is_described == described.queries.is_empty() {
            return Err("it must have queries if, and only if, its source is `described`".to_owned());
        }
        for (what, column) in described
            .x
            .iter()
            .map(|x| ("its x column", x))
            .chain(described.order.iter().map(|key| ("its order", &key.column)))
            .chain(described.check.iter().map(|check| ("its check", &check.column)))
            .chain(
                described
                    .row_actions
                    .iter()
                    .flat_map(|action| &action.arguments)
                    .map(|it| ("a row action", &it.column)),
            )
        {
            if !described.columns.iter().any(|known| known.name == *column) {
                return Err(format!("{what}: `{column}` is not among its columns"));
            }
        }
        let selection = Selection::new(&described)?;
        Ok(Self { name, plugin, permission, parameters, filters, selection, written: Arc::default(), described })
    }
}

fn unique<'n>(what: &str, names: impl Iterator<Item = &'n str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("two {what} have the name `{name}`"));
        }
    }
    Ok(())
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
