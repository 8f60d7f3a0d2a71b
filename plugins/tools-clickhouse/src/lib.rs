//! Tools to look around in ClickHouse: databases, tables, columns, queries.
//!
//! Each tool is a file here, named after it, and a line in the list below.

mod answer;
mod schema;

use chm_plugin::tools::{Caller, Tool};
use chm_plugin::{Failure, Toolset};
use serde_json::Value;

macro_rules! tools {
    ($($tool:ident),+ $(,)?) => {
        $(mod $tool;)+

        fn all() -> Vec<Tool> {
            vec![$($tool::describe()),+]
        }

        fn dispatch(name: &str, arguments: Value) -> Result<Value, Failure> {
            match name {
                $(stringify!($tool) => $tool::call(chm_plugin::tools::arguments(arguments)?),)+
                _ => Err(Failure::not_found(format!("there is no tool `{name}`"))),
            }
        }
    };
}

tools![list_databases, list_tables, get_table_schema, query, get_running_queries, get_slow_queries];

/// The bundled tools.
pub struct ClickHouse;

impl Toolset for ClickHouse {
    fn describe() -> Vec<Tool> {
        all()
    }

    fn call(name: &str, arguments: Value, _caller: Caller) -> Result<Value, Failure> {
        dispatch(name, arguments)
    }
}

chm_plugin::export!(toolset: ClickHouse);
