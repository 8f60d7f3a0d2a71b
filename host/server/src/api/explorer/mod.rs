//! The explorer: what is in a server, and the SQL console.
//!
//! Browsing runs the panels of the plugin `panels-explorer` by routes of their own; the names of databases and tables are values of
//! those panels. Rows of the cluster's own tables, and statements that the caller wrote, need the right to write: they cost, and they
//! show more than names.

mod browse;
mod console;
mod preview;
mod query_log;

use std::sync::Arc;

use chm_access::Caller;
use chm_clickhouse::Host;
use poem_openapi::OpenApi;

use super::data::DataApi;
use super::error::{Problem, Word};
use super::explain::ExplainApi;
use super::gate::denied;
use super::parameters;
use crate::app::App;
use crate::plugins::{Gated, Panel, Unknown};

/// Longest text in a row of the envelope, in characters; what is longer is cut, and says so.
const CELL_CHARS: u32 = 10_000;

/// All of the explorer's operations.
pub(super) fn apis() -> impl OpenApi + 'static {
    (browse::BrowseApi, preview::PreviewApi, query_log::QueryLogApi, console::ConsoleApi, ExplainApi, DataApi)
}

/// The server that a request names; these routes have none of their own.
pub(super) fn host(app: &App, caller: &Caller, sent: &str) -> Result<(u32, Arc<Host>), Problem> {
    parameters::host(app, caller, Some(sent))
}

/// A panel that a route shows, for a caller who may read it.
pub(super) fn open(
    app: &App,
    caller: &Caller,
    name: &str,
    plugin: &str,
    found: Result<&Gated<Panel>, Unknown>,
) -> poem::Result<Arc<Panel>> {
    let gated = found.map_err(|_| {
        let message = format!("the panel `{name}` is not there; load the bundled plugin {plugin}");
        Problem::new(Word::NotFound, message)
    })?;
    let (panel, _allowed) = gated.open(&app.matrix, caller, app.posture).map_err(|denial| denied(&denial))?;
    Ok(panel)
}
