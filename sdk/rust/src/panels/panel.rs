//! Describes one panel, from its name to its query.

use super::{Column, Drawing, Panel, Parameter, Requirement, Shape, Source, VariantQuery};
use crate::{Feature, Operation};

/// Most rows in one answer unless a panel says otherwise.
const ROW_CAP: u32 = 1000;
/// How long an answer may be given to others unless a panel says otherwise.
const CACHE_SECONDS: u32 = 5;

/// Each method sets one thing and hands the panel on, so that a panel reads as one sentence.
impl Panel {
    /// A table, at `/api/v1/tables/<id>`.
    #[must_use]
    pub fn table(id: &str, feature: Feature) -> Self {
        Self::new(id, feature, Shape::Table, Drawing::Table)
    }

    /// A chart, at `/api/v1/charts/<id>`; a line until [`Panel::drawing`] says otherwise.
    #[must_use]
    pub fn chart(id: &str, feature: Feature) -> Self {
        Self::new(id, feature, Shape::Chart, Drawing::Line)
    }

    fn new(id: &str, feature: Feature, shape: Shape, drawing: Drawing) -> Self {
        Self {
            id: id.into(),
            shape,
            title: id.into(),
            summary: String::new(),
            feature: feature.id().into(),
            operation: Operation::Read,
            parameters: Vec::new(),
            source: Source::Described,
            queries: Vec::new(),
            requires: Vec::new(),
            columns: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            keeps_last: false,
            drawing,
            x: None,
            refresh_seconds: 0,
            cache_seconds: CACHE_SECONDS,
            row_cap: ROW_CAP,
            transforms: false,
            when_empty: None,
            check: None,
            row_actions: Vec::new(),
        }
    }

    /// A short name for people.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = title.into();
        self
    }

    /// What it shows, in a sentence.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.summary = summary.into();
        self
    }

    /// Something a client may send, and a query uses as `{name:Type}`.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The statement for every server version, or for those older than the first [`Panel::query_since`].
    #[must_use]
    pub fn query(self, sql: impl Into<String>) -> Self {
        self.variant(None, sql.into())
    }

    /// The statement for servers of this version (`24.1`) and newer.
    #[must_use]
    pub fn query_since(self, version: &str, sql: impl Into<String>) -> Self {
        self.variant(Some(version.into()), sql.into())
    }

    fn variant(mut self, since: Option<String>, sql: String) -> Self {
        self.queries.push(VariantQuery { since, needs: Vec::new(), sql });
        self
    }

    /// The plugin computes the query for each request, in `plan`.
    #[must_use]
    pub fn planned(mut self) -> Self {
        self.source = Source::Planned;
        self
    }

    /// The plugin brings the rows itself, in `fetch`.
    #[must_use]
    pub fn fetched(mut self) -> Self {
        self.source = Source::Fetched;
        self
    }

    /// Rows pass through the plugin's `transform`.
    #[must_use]
    pub fn transformed(mut self) -> Self {
        self.transforms = true;
        self
    }

    /// A table the queries read.
    #[must_use]
    pub fn requires(self, table: &str) -> Self {
        self.requires_columns(table, &[])
    }

    /// A table the queries read, with those of its columns that not every server has.
    #[must_use]
    pub fn requires_columns(mut self, table: &str, columns: &[&str]) -> Self {
        self.requires.push(Requirement {
            table: table.into(),
            columns: columns.iter().map(|&column| column.into()).collect(),
            family: false,
        });
        self
    }

    /// One column of the result.
    #[must_use]
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// Several columns of the result.
    #[must_use]
    pub fn columns(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.columns.extend(columns);
        self
    }

    /// How to draw it.
    #[must_use]
    pub fn drawing(mut self, drawing: Drawing) -> Self {
        self.drawing = drawing;
        self
    }

    /// The column on the x axis of a chart.
    #[must_use]
    pub fn x(mut self, column: &str) -> Self {
        self.x = Some(column.into());
        self
    }

    /// How often a page should ask again.
    #[must_use]
    pub fn refresh_seconds(mut self, seconds: u32) -> Self {
        self.refresh_seconds = seconds;
        self
    }

    /// Most rows in one answer.
    #[must_use]
    pub fn row_cap(mut self, rows: u32) -> Self {
        self.row_cap = rows;
        self
    }
}
