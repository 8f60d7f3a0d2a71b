//! Role: panels, that is tables, charts and counters.
//!
//! Most panels are data: what they ask ClickHouse, and what the answer means. The host runs the query and streams the
//! rows to the client without entering the plugin.
//!
//! Such panels are written as files, one for each, which `chm-plugin-build` reads when the plugin is compiled:
//! [`export_panel_files!`](crate::export_panel_files). Panels that are computed are built by the methods of [`Panel`].

mod column;
mod files;
mod filter;
mod panel;
mod parameter;
mod requirement;
mod row_action;
mod variant_query;

pub use crate::bindings::imports::chm::plugin::types::Binding;
use crate::bindings::panels::exports::chm::plugin::panels as wire;
pub use wire::{
    Bounds, Check, Choice, Column, ColumnKind, Context, Drawing, Filter, Operator, Panel, Parameter, ParameterKind,
    PlannedQuery, Requirement, RowAction, RowArgument, Shape, SortKey, Source, TextLimits, Unit, VariantQuery,
};

use crate::{Failure, panic_hook};

/// A set of panels.
pub trait Panels {
    /// The panels. Called once, when the plugin is loaded.
    fn describe() -> Vec<Panel>;

    /// Computes the query of a panel made with [`Panel::planned`].
    ///
    /// # Errors
    /// A [`Failure`], which decides the HTTP status.
    fn plan(panel: &str, context: Context) -> Result<PlannedQuery, Failure> {
        let _ = context;
        Err(Failure::internal(format!("panel `{panel}` is planned, but this plugin has no `plan`")))
    }

    /// Brings the rows of a panel made with [`Panel::fetched`]: a JSON array of objects.
    ///
    /// # Errors
    /// A [`Failure`], which decides the HTTP status.
    fn fetch(panel: &str, context: Context) -> Result<Vec<u8>, Failure> {
        let _ = context;
        Err(Failure::internal(format!("panel `{panel}` is fetched, but this plugin has no `fetch`")))
    }

    /// Rewrites the rows of a panel made with [`Panel::transformed`]: a JSON array of objects in, one out.
    ///
    /// # Errors
    /// A [`Failure`], which decides the HTTP status.
    fn transform(panel: &str, context: Context, rows: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let _ = (context, rows);
        Err(Failure::internal(format!("panel `{panel}` is transformed, but this plugin has no `transform`")))
    }
}

impl<T: Panels> wire::Guest for T {
    fn describe() -> Vec<Panel> {
        panic_hook::install();
        T::describe()
    }

    fn plan(panel: String, context: Context) -> Result<PlannedQuery, Failure> {
        panic_hook::install();
        T::plan(&panel, context)
    }

    fn fetch(panel: String, context: Context) -> Result<Vec<u8>, Failure> {
        panic_hook::install();
        T::fetch(&panel, context)
    }

    fn transform(panel: String, context: Context, rows: Vec<u8>) -> Result<Vec<u8>, Failure> {
        panic_hook::install();
        T::transform(&panel, context, rows)
    }
}

impl Context {
    /// Host 0 with these parameters, for tests.
    #[must_use]
    pub fn example(parameters: &[(&str, &str)]) -> Self {
        let binding = |(name, value): &(&str, &str)| Binding { name: (*name).into(), value: (*value).into() };
        Self { host: 0, server_version: None, parameters: parameters.iter().map(binding).collect() }
    }

    /// The checked value of a parameter; `None` only for a name the panel does not declare.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.value.as_str())
    }
}

impl PlannedQuery {
    /// A statement with `{name:Type}` placeholders.
    #[must_use]
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), bindings: Vec::new() }
    }

    /// Gives a placeholder its value, which never becomes part of the statement's text.
    #[must_use]
    pub fn bind(mut self, name: &str, value: impl ToString) -> Self {
        self.bindings.push(Binding { name: name.into(), value: value.to_string() });
        self
    }
}
