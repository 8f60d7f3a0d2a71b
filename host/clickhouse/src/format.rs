//! The formats a result can be streamed in.

use bytes::Bytes;

use crate::lines::{Grammar, Lines};

/// How ClickHouse writes the result. Never part of the SQL: the guard refuses FORMAT clauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object per line.
    #[default]
    JsonEachRow,
    /// One JSON array per line.
    JsonCompactEachRow,
    /// As [`Format::JsonCompactEachRow`], after one line of names and one of types.
    JsonCompactEachRowWithNamesAndTypes,
    /// Comma-separated, after one line of names.
    Csv,
    /// Tab-separated, after one line of names.
    Tsv,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow, streaming.
    ArrowStream,
    /// ClickHouse's native blocks.
    Native,
}

impl Format {
    /// ClickHouse's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonEachRow => "JSONEachRow",
            Self::JsonCompactEachRow => "JSONCompactEachRow",
            Self::JsonCompactEachRowWithNamesAndTypes => "JSONCompactEachRowWithNamesAndTypes",
            Self::Csv => "CSVWithNames",
            Self::Tsv => "TSVWithNames",
            Self::Parquet => "Parquet",
            Self::ArrowStream => "ArrowStream",
            Self::Native => "Native",
        }
    }

    /// What goes into `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::JsonEachRow | Self::JsonCompactEachRow | Self::JsonCompactEachRowWithNamesAndTypes => {
                "application/x-ndjson"
            }
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::ArrowStream => "application/vnd.apache.arrow.stream",
            Self::Native => "application/octet-stream",
        }
    }

    /// Whether the host can count and cut its rows. The others are one piece.
    #[must_use]
    pub fn has_rows(self) -> bool {
        !matches!(self, Self::Parquet | Self::ArrowStream | Self::Native)
    }

    /// Complete rows of this format, one by one, each with its line feed. Only for formats with rows.
    #[must_use]
    pub fn rows_of(self, rows: &Bytes) -> Vec<Bytes> {
        let mut lines = Lines::new(Grammar::of(self, false));
        lines.push(rows.clone());
        std::iter::from_fn(|| lines.line()).collect()
    }

    /// Lines before the first row.
    pub(crate) fn header_lines(self) -> usize {
        match self {
            Self::Csv | Self::Tsv => 1,
            Self::JsonCompactEachRowWithNamesAndTypes => 2,
            _ => 0,
        }
    }

    /// The bytes a line of it begins and ends with, when they tell a row from an error text.
    pub(crate) fn row_brackets(self) -> Option<(u8, u8)> {
        match self {
            Self::JsonEachRow => Some((b'{', b'}')),
            Self::JsonCompactEachRow | Self::JsonCompactEachRowWithNamesAndTypes => Some((b'[', b']')),
            _ => None,
        }
    }
}
