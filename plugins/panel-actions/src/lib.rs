//! What somebody may do to a server: stop a query, merge a table's parts; and the settings of a running query.
//!
//! Each action is a file here, named after it, and a line in the list below.

mod credentials;
mod kill_query;
mod optimize_table;
mod query_settings;
mod running;
mod table_name;
mod words;

use chm_plugin::actions::{Action, Context, DryRun, Outcome};
use chm_plugin::{Actions, Failure};

/// The bundled actions.
pub struct ClickHouse;

impl Actions for ClickHouse {
    fn describe() -> Vec<Action> {
        vec![kill_query::describe(), optimize_table::describe(), query_settings::describe()]
    }

    fn preview(action: &str, context: Context) -> Result<DryRun, Failure> {
        match action {
            kill_query::NAME => kill_query::preview(&context),
            optimize_table::NAME => optimize_table::preview(&context),
            _ => Err(unknown(action)),
        }
    }

    fn run(action: &str, context: Context) -> Result<Outcome, Failure> {
        match action {
            kill_query::NAME => kill_query::run(&context),
            optimize_table::NAME => optimize_table::run(&context),
            query_settings::NAME => query_settings::run(&context),
            _ => Err(unknown(action)),
        }
    }
}

fn unknown(action: &str) -> Failure {
    Failure::not_found(format!("there is no action `{action}`"))
}

chm_plugin::export!(actions: ClickHouse);
