//! Describes one column of a result.

use super::{Column, ColumnKind, Unit};

impl Column {
    fn new(name: &str, kind: ColumnKind, unit: Unit) -> Self {
        Self {
            name: name.into(),
            kind,
            unit,
            summary: String::new(),
            nullable: false,
            sql: None,
            needs: Vec::new(),
            otherwise: None,
        }
    }

    /// A text.
    #[must_use]
    pub fn text(name: &str) -> Self {
        Self::new(name, ColumnKind::Text, Unit::None)
    }

    /// SQL that people wrote. The host hides the credentials in it.
    #[must_use]
    pub fn statement(name: &str) -> Self {
        Self::new(name, ColumnKind::Statement, Unit::None)
    }

    /// A whole number that counts nothing, such as an identifier or a level.
    #[must_use]
    pub fn integer(name: &str) -> Self {
        Self::new(name, ColumnKind::Integer, Unit::None)
    }

    /// A number without a unit.
    #[must_use]
    pub fn number(name: &str) -> Self {
        Self::new(name, ColumnKind::Number, Unit::None)
    }

    /// Yes or no, as `1` and `0` or `true` and `false`.
    #[must_use]
    pub fn boolean(name: &str) -> Self {
        Self::new(name, ColumnKind::Boolean, Unit::None)
    }

    /// A point in time: `YYYY-MM-DD hh:mm:ss`.
    #[must_use]
    pub fn timestamp(name: &str) -> Self {
        Self::new(name, ColumnKind::Timestamp, Unit::None)
    }

    /// An array or a map.
    #[must_use]
    pub fn json(name: &str) -> Self {
        Self::new(name, ColumnKind::Json, Unit::None)
    }

    /// A whole number of things.
    #[must_use]
    pub fn count(name: &str) -> Self {
        Self::new(name, ColumnKind::Integer, Unit::Count)
    }

    /// A whole number of bytes.
    #[must_use]
    pub fn bytes(name: &str) -> Self {
        Self::new(name, ColumnKind::Integer, Unit::Bytes)
    }

    /// A whole number of rows.
    #[must_use]
    pub fn rows(name: &str) -> Self {
        Self::new(name, ColumnKind::Integer, Unit::Rows)
    }

    /// A duration in seconds, with a fraction.
    #[must_use]
    pub fn seconds(name: &str) -> Self {
        Self::new(name, ColumnKind::Number, Unit::Seconds)
    }

    /// A duration in whole milliseconds.
    #[must_use]
    pub fn milliseconds(name: &str) -> Self {
        Self::new(name, ColumnKind::Integer, Unit::Milliseconds)
    }

    /// A duration in whole microseconds.
    #[must_use]
    pub fn microseconds(name: &str) -> Self {
        Self::new(name, ColumnKind::Integer, Unit::Microseconds)
    }

    /// A share, 0 to 100.
    #[must_use]
    pub fn percent(name: &str) -> Self {
        Self::new(name, ColumnKind::Number, Unit::Percent)
    }

    /// The same unit, with a fraction: a mean of bytes, say.
    #[must_use]
    pub fn fractional(mut self) -> Self {
        self.kind = ColumnKind::Number;
        self
    }

    /// What the column says, where its name does not.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.summary = summary.into();
        self
    }

    /// The value may be null.
    #[must_use]
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The expression that stands for this column in the place of `$columns`; without it, the column of its name does.
    #[must_use]
    pub fn sql(mut self, expression: impl Into<String>) -> Self {
        self.sql = Some(expression.into());
        self
    }

    /// Columns that the expression needs and not every server has: `column` of the first required table, or
    /// `database.table.column`.
    #[must_use]
    pub fn needs(mut self, columns: &[&str]) -> Self {
        self.needs.extend(columns.iter().map(|&column| column.into()));
        self
    }

    /// The expression for servers that lack what is needed, instead of null.
    #[must_use]
    pub fn otherwise(mut self, expression: impl Into<String>) -> Self {
        self.otherwise = Some(expression.into());
        self
    }
}
