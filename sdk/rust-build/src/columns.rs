//! Columns of a panel file.

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use toml::Spanned;

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub kind: Kind,
    /// The expression; absent: the column of that name.
    pub sql: Option<Spanned<String>>,
    pub needs: Vec<Spanned<String>>,
    pub otherwise: Option<Spanned<String>>,
    pub fractional: bool,
    pub nullable: bool,
    pub summary: Option<String>,
}

/// What the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Text,
    Statement,
    Integer,
    Number,
    Boolean,
    Timestamp,
    Json,
    Count,
    Bytes,
    Rows,
    Seconds,
    Milliseconds,
    Microseconds,
    Percent,
}

impl Kind {
    /// The word in the file, which is the SDK's function, too.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Statement => "statement",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::Rows => "rows",
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Percent => "percent",
        }
    }

    /// Whether it can be compared with a threshold.
    pub(crate) const fn is_number(self) -> bool {
        !matches!(self, Self::Text | Self::Statement | Self::Boolean | Self::Timestamp | Self::Json)
    }
}

impl Column {
    /// A column of which only this is known.
    pub(crate) const fn of(kind: Kind) -> Self {
        Self { kind, sql: None, needs: Vec::new(), otherwise: None, fractional: false, nullable: false, summary: None }
    }

    /// Whether the host has something to write for it that the statement itself cannot say.
    pub(crate) fn is_written_by_the_host(&self) -> bool {
        self.sql.is_some() || !self.needs.is_empty() || self.otherwise.is_some()
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            kind: Kind,
            sql: Option<Spanned<String>>,
            #[serde(default)]
            needs: Vec<Spanned<String>>,
            otherwise: Option<Spanned<String>>,
            #[serde(default)]
            fractional: bool,
            #[serde(default)]
            nullable: bool,
            summary: Option<String>,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Column;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a kind as \"text\", or { kind = \"text\", sql = \"…\" }")
            }

            fn visit_str<E: de::Error>(self, kind: &str) -> Result<Column, E> {
                Kind::deserialize(de::value::StrDeserializer::new(kind)).map(Column::of)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Column, A::Error> {
                let Written { kind, sql, needs, otherwise, fractional, nullable, summary } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Column { kind, sql, needs, otherwise, fractional, nullable, summary })
            }
        }

        deserializer.deserialize_any(Either)
    }
}
