//! Describes one panel, from its name to its query.

use super::{
    Check, Column, Drawing, Filter, Panel, Parameter, Requirement, RowAction, Shape, SortKey, Source, VariantQuery,
};
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

    /// A number, at `/api/v1/menu-counts/<id>`: one row with one column, `count`.
    #[must_use]
    pub fn counter(id: &str, feature: Feature) -> Self {
        Self::new(id, feature, Shape::Counter, Drawing::Stat).row_cap(1)
    }

    /// A number, at `/api/v1/cluster-counts/<id>`: each replica of a cluster is asked, and the answers are added up.
    #[must_use]
    pub fn cluster_counter(id: &str, feature: Feature) -> Self {
        Self::new(id, feature, Shape::ClusterCounter, Drawing::Stat).row_cap(1)
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
            default_limit: 0,
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
        self.variant(VariantQuery::new(sql))
    }

    /// The statement for servers of this version (`24.1`) and newer.
    #[must_use]
    pub fn query_since(self, version: &str, sql: impl Into<String>) -> Self {
        self.variant(VariantQuery::new(sql).since(version))
    }

    /// A statement for servers that have something.
    #[must_use]
    pub fn variant(mut self, query: VariantQuery) -> Self {
        self.queries.push(query);
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

    /// A table the queries read. A server that lacks it answers `unavailable`, with the reason in words. Columns without an
    /// expression are those of the first one.
    #[must_use]
    pub fn requires(mut self, table: impl Into<Requirement>) -> Self {
        self.requires.push(table.into());
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

    /// Rows for a client that names no limit, where the cap would be too many.
    #[must_use]
    pub fn default_limit(mut self, rows: u32) -> Self {
        self.default_limit = rows;
        self
    }

    /// A condition on a column of the result that a client may send.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Orders the rows by a column, and by those named before it first; `-` before the name is for the greatest first.
    #[must_use]
    pub fn order_by(mut self, column: &str) -> Self {
        let (column, descending) = column.strip_prefix('-').map_or((column, false), |column| (column, true));
        self.order.push(SortKey { column: column.into(), descending });
        self
    }

    /// Of too many rows the last ones stay, as of a chart that ends now.
    #[must_use]
    pub fn keeps_last(mut self) -> Self {
        self.keeps_last = true;
        self
    }

    /// How old an answer may be that was given to somebody else; 0: every answer is fresh.
    #[must_use]
    pub fn cache_seconds(mut self, seconds: u32) -> Self {
        self.cache_seconds = seconds;
        self
    }

    /// A table of the same plugin whose rows are added, as the recent past, when there are none.
    #[must_use]
    pub fn when_empty(mut self, table: &str) -> Self {
        self.when_empty = Some(table.into());
        self
    }

    /// What the first row's number means: reached or exceeded, `warning` is worth a look, and somebody should act at `critical`.
    #[must_use]
    pub fn check(mut self, column: &str, warning: f64, critical: f64) -> Self {
        self.check = Some(Check { column: column.into(), warning, critical });
        self
    }

    /// Something that can be done about a row.
    #[must_use]
    pub fn action(mut self, action: RowAction) -> Self {
        self.row_actions.push(action);
        self
    }
}
