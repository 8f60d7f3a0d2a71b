//! What stands in a panel file, before anything is made of it.

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use toml::Spanned;

use crate::columns::Column;
use crate::named::Entries;
use crate::over_time::OverTime;
use crate::parameters::Parameter;

/// A panel file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PanelFile {
    pub title: String,
    pub summary: String,
    pub feature: Spanned<String>,
    #[serde(default)]
    pub reads: Vec<Spanned<Read>>,
    #[serde(default)]
    pub refresh_seconds: u32,
    pub cache_seconds: Option<u32>,
    pub row_cap: Option<u32>,
    pub default_limit: Option<u32>,
    #[serde(default)]
    pub order_by: Vec<Spanned<String>>,
    pub drawing: Option<Spanned<Drawing>>,
    pub x: Option<Spanned<String>>,
    pub when_empty: Option<Spanned<String>>,
    pub source: Option<Source>,
    #[serde(default)]
    pub transforms: bool,
    pub sql: Option<Spanned<String>>,
    #[serde(default)]
    pub variants: Vec<Variant>,
    #[serde(default)]
    pub parameters: Entries<Parameter>,
    #[serde(default)]
    pub columns: Entries<Column>,
    #[serde(default)]
    pub filters: Entries<Filter>,
    pub check: Option<Check>,
    #[serde(default)]
    pub actions: Vec<Action>,
    pub over_time: Option<OverTime>,
}

/// A table that is read: its name, or a table with the columns without which the panel makes no sense.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    /// `database.table`.
    pub table: String,
    /// Whether its predecessors are read too.
    pub family: bool,
    pub columns: Vec<String>,
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            table: String,
            #[serde(default)]
            columns: Vec<String>,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Written;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table as \"system.parts\", or { table = \"system.parts\", columns = [\"rows\"] }")
            }

            fn visit_str<E: de::Error>(self, table: &str) -> Result<Written, E> {
                Ok(Written { table: table.to_owned(), columns: Vec::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                Written::deserialize(MapAccessDeserializer::new(map))
            }
        }

        let Written { table, columns } = deserializer.deserialize_any(Either)?;
        Ok(match table.strip_suffix('*') {
            Some(log) => Self { table: log.to_owned(), family: true, columns },
            None => Self { table, family: false, columns },
        })
    }
}

/// Another statement, for other servers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variant {
    pub since: Option<Spanned<String>>,
    /// `database.table` or `database.table.column`.
    #[serde(default)]
    pub needs: Vec<Spanned<String>>,
    pub sql: Spanned<String>,
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Drawing {
    Line,
    Area,
    Bar,
    Stat,
}

/// Where rows come from, when not from a statement in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// The plugin computes the statement.
    Planned,
    /// The plugin brings the rows.
    Fetched,
}

/// A condition that a client may send.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// The filter's name unless it says otherwise.
    pub column: Option<Spanned<String>>,
    pub operators: Vec<Spanned<Operator>>,
    pub scale: Option<f64>,
    pub default: Option<Spanned<String>>,
    pub summary: String,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    Contains,
    NotContains,
    In,
    NotIn,
    Between,
    WithinHours,
}

impl Operator {
    /// As a client writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Contains => "contains",
            Self::NotContains => "notContains",
            Self::In => "in",
            Self::NotIn => "notIn",
            Self::Between => "between",
            Self::WithinHours => "withinHours",
        }
    }

    /// The SDK's name of it.
    pub(crate) const fn variant(self) -> &'static str {
        match self {
            Self::Eq => "Eq",
            Self::Ne => "Ne",
            Self::Gt => "Gt",
            Self::Gte => "Gte",
            Self::Lt => "Lt",
            Self::Lte => "Lte",
            Self::Contains => "Contains",
            Self::NotContains => "NotContains",
            Self::In => "InList",
            Self::NotIn => "NotInList",
            Self::Between => "Between",
            Self::WithinHours => "WithinHours",
        }
    }
}

/// The thresholds of a chart's number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    pub column: Spanned<String>,
    pub warning: f64,
    pub critical: f64,
}

/// What can be done about a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    pub action: Spanned<String>,
    pub title: String,
    /// Parameter of the action, and the column with its value.
    pub arguments: Entries<String>,
}
