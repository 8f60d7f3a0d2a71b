//! A panel of the catalogue: its plugin's description, checked, with every way its statements can be written through the guard.

use std::collections::BTreeSet;
use std::sync::Arc;

use chm_access::{FeatureId, Operation, Permission, PluginId};
use chm_clickhouse::{REPLICA, ServerVersion, TableName};
use chm_sandbox::Plugin;
use chm_sandbox::bindings::{panels, types};

use super::parameter::{Parameter, check_parameter_name};
use crate::panels::{Filter, Imagined, NoStatement, Wishes, described};

/// Table or chart.
pub use chm_sandbox::bindings::panels::Shape as PanelKind;

/// Most rows a panel may ask for.
const MAX_ROWS: u32 = 100_000;

/// Columns that the host adds where several servers answer.
const LABELS: [&str; 3] = ["hostId", "hostName", REPLICA];

/// A description that this host does not take.
#[derive(Debug, thiserror::Error)]
#[error("{what} `{id}`: {reason}")]
pub struct Unfit {
    what: &'static str,
    id: String,
    reason: String,
}

/// A release of ClickHouse: year, and number in that year.
pub type Release = (u32, u32);

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
    /// Columns, as they are selected.
    pub columns: Vec<PanelColumn>,
    /// Tables it cannot do without.
    pub requires: Vec<Requirement>,
    /// Its statements; none where a guest computes the query or brings the rows.
    pub variants: Vec<Variant>,
    /// Every table that a statement of it may read.
    pub reads: BTreeSet<TableName>,
}

/// A column, as it is selected.
#[derive(Debug, Clone)]
pub struct PanelColumn {
    /// Its name in the result.
    pub name: String,
    /// The expression; absent: the column of that name.
    pub sql: Option<String>,
    /// Columns the expression reads, which not every server has.
    pub needs: Vec<(TableName, String)>,
    /// What is selected where one of them is missing; absent: null.
    pub otherwise: Option<String>,
    /// It holds SQL that people wrote.
    pub is_statement: bool,
}

/// A table that a statement reads.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The table.
    pub table: TableName,
    /// Those of its columns without which the statement makes no sense.
    pub columns: Vec<String>,
    /// Read together with its predecessors.
    pub family: bool,
}

/// One statement for a range of servers.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Oldest release it works on.
    pub since: Option<Release>,
    /// What it needs beside what the panel requires.
    pub needs: Vec<Requirement>,
    /// With `$columns` and `$<table>`.
    pub sql: String,
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
        let requires = requirements(&described.requires)?;
        let mut panel = Self {
            reads: requires.iter().map(|needed| needed.table.clone()).collect(),
            columns: described.columns.iter().map(|column| read_column(column, &requires)).collect::<Result<_, _>>()?,
            variants: described.queries.iter().map(variant).collect::<Result<_, _>>()?,
            name,
            plugin,
            permission,
            parameters,
            filters,
            requires,
            described,
        };
        let read = panel.check_statements()?;
        panel.reads.extend(read);
        Ok(panel)
    }

    /// Every way its statements can be written passes the guard, or the panel is not taken. Returns the tables they read.
    fn check_statements(&self) -> Result<BTreeSet<TableName>, String> {
        let mut read = BTreeSet::new();
        for variant in &self.variants {
            let alone = Self {
                variants: vec![Variant { since: None, needs: Vec::new(), sql: variant.sql.clone() }],
                requires: self.requires.iter().map(|it| Requirement { columns: Vec::new(), ..it.clone() }).collect(),
                ..self.clone()
            };
            for (columns, predecessors) in [(true, false), (true, true), (false, false)] {
                match described(&alone, &Imagined { columns, predecessors }, &Wishes::default()) {
                    Err(NoStatement::Refused(refusal)) => {
                        return Err(format!("the guard refuses its query: {refusal}"));
                    }
                    Ok(statement) => read.extend(statement.query.tables()),
                    Err(NoStatement::Lack(_) | NoStatement::Filter { .. }) => {}
                }
            }
        }
        Ok(read)
    }

    /// The oldest release any statement works on.
    #[must_use]
    pub fn oldest_release(&self) -> Release {
        self.variants.iter().map(|variant| variant.since.unwrap_or_default()).min().unwrap_or_default()
    }

    /// All tables it names, with the columns it names of them.
    pub fn named_columns(&self) -> impl Iterator<Item = (&TableName, Option<&str>)> {
        let needed = self.requires.iter().chain(self.variants.iter().flat_map(|variant| &variant.needs));
        let of_columns = self.columns.iter().flat_map(|column| &column.needs);
        needed
            .flat_map(|it| {
                std::iter::once((&it.table, None))
                    .chain(it.columns.iter().map(|column| (&it.table, Some(column.as_str()))))
            })
            .chain(of_columns.map(|(table, column)| (table, Some(column.as_str()))))
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

fn requirements(declared: &[panels::Requirement]) -> Result<Vec<Requirement>, String> {
    let read = |needed: &panels::Requirement| {
        let table = TableName::parse(&needed.table).map_err(|error| error.to_string())?;
        if needed.family && !is_word(table.table()) {
            return Err(format!(
                "`{}`: only a table with a plain name can be read with its predecessors",
                needed.table
            ));
        }
        Ok(Requirement { table, columns: needed.columns.clone(), family: needed.family })
    };
    declared.iter().map(read).collect()
}

fn variant(declared: &panels::VariantQuery) -> Result<Variant, String> {
    let release = |text: &String| {
        let version = ServerVersion::parse(text);
        version
            .map(|it| it.release())
            .ok_or_else(|| format!("`{text}` is no ClickHouse release; expected one such as 24.1"))
    };
    let since = declared.since.as_ref().map(release).transpose()?;
    Ok(Variant { since, needs: requirements(&declared.needs)?, sql: declared.sql.clone() })
}

fn read_column(declared: &panels::Column, requires: &[Requirement]) -> Result<PanelColumn, String> {
    let name = declared.name.clone();
    if !is_word(&name) {
        return Err(format!("column `{name}`: letters, digits and underscores only, a letter first"));
    }
    if LABELS.contains(&name.as_str()) {
        return Err(format!("column name `{name}` is the host's own"));
    }
    let itself = (declared.sql.is_none() && declared.needs.is_empty() && !requires.is_empty()).then(|| name.clone());
    let needs = declared
        .needs
        .iter()
        .chain(&itself)
        .map(|needed| {
            let full =
                requires.iter().find_map(|it| Some((&it.table, needed.strip_prefix(&format!("{}.", it.table))?)));
            match (full, requires.first()) {
                (Some((table, column)), _) => Ok((table.clone(), column.to_owned())),
                (None, _) if needed.matches('.').count() >= 2 => {
                    let mut parts = needed.splitn(3, '.');
                    let mut part = || parts.next().unwrap_or_default();
                    let table = TableName::new(part(), part()).map_err(|error| error.to_string())?;
                    Ok((table, part().to_owned()))
                }
                (None, Some(first)) => Ok((first.table.clone(), needed.clone())),
                (None, None) => Err(format!("column `{name}` needs `{needed}`, but the panel requires no table")),
            }
        })
        .collect::<Result<_, String>>()?;
    Ok(PanelColumn {
        name,
        sql: declared.sql.clone(),
        needs,
        otherwise: declared.otherwise.clone(),
        is_statement: declared.kind == panels::ColumnKind::Statement,
    })
}

fn is_word(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
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
