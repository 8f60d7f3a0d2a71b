//! What is in a server: databases, tables, columns, keys, dependencies.

use std::collections::BTreeMap;
use std::sync::Arc;

use poem::Request;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::{Enum, OpenApi};

use super::open;
use crate::api::Tag;
use crate::api::error::Problem;
use crate::api::gate::{Gate, TablesRead};
use crate::api::host_id::HostId;
use crate::api::parameters;
use crate::api::routes::RowsResponse;
use crate::app::App;
use crate::panels;

/// Browsing.
pub struct BrowseApi;

/// Which dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
enum Direction {
    /// What feeds the table.
    Upstream,
    /// What the table feeds.
    Downstream,
    /// Both.
    Table,
    /// All of a database.
    Database,
    /// Where a dictionary's rows come from.
    Dictionary,
    /// All of the server.
    All,
}

impl Direction {
    fn panel(self) -> &'static str {
        match self {
            Self::Upstream => "explorer-dependencies-upstream",
            Self::Downstream => "explorer-dependencies-downstream",
            Self::Table => "explorer-table-dependencies",
            Self::Database => "explorer-database-dependencies",
            Self::Dictionary => "explorer-dictionary-source",
            Self::All => "explorer-all-dependencies",
        }
    }

    fn is_about_a_table(self) -> bool {
        !matches!(self, Self::Database | Self::All)
    }
}

fn downstream() -> Direction {
    Direction::Downstream
}

fn default_database() -> String {
    "default".to_owned()
}

/// Answers with a panel's rows. What else is in the query string (`limit`, `sort`, `format`, filters …) is the panel's.
async fn show(
    app: &Arc<App>,
    gate: &Gate<TablesRead>,
    request: &Request,
    name: &str,
    sent: BTreeMap<String, String>,
) -> poem::Result<RowsResponse> {
    let panel = open(app, &gate.caller, name, "panels-explorer", app.registry.catalogue.table(name))?;
    let asked = panels::Request::from_pairs(app, &gate.caller, &panel, sent)?;
    let asking = gate.asking(app);
    Ok(RowsResponse(panels::answer(asking, &panel, asked, request.headers()).await?))
}

fn pairs(request: &Request) -> Result<BTreeMap<String, String>, Problem> {
    panels::pairs(request.uri().query().unwrap_or_default())
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Explorer")]
impl BrowseApi {
    /// List databases
    ///
    /// With how much is in them. The panel `explorer-databases`, with its filters, `limit`, `offset`, `sort` and `format`.
    #[oai(path = "/explorer/databases", method = "get", operation_id = "explore_databases")]
    async fn databases(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        _host_id: Query<HostId>,
    ) -> poem::Result<RowsResponse> {
        show(&app, &gate, request, "explorer-databases", pairs(request)?).await
    }

    /// List the tables of a database
    ///
    /// The panel `explorer-tables`, with its filters, `limit`, `offset`, `sort` and `format`.
    #[oai(path = "/explorer/tables", method = "get", operation_id = "explore_tables")]
    async fn tables(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        _host_id: Query<HostId>,
        /// The database.
        #[oai(name = "database", default = "default_database")]
        _database: Query<String>,
    ) -> poem::Result<RowsResponse> {
        show(&app, &gate, request, "explorer-tables", pairs(request)?).await
    }

    /// List the columns of a table
    ///
    /// The panel `explorer-columns`, with its filters, `limit`, `offset`, `sort` and `format`.
    #[oai(path = "/explorer/columns", method = "get", operation_id = "explore_columns")]
    async fn columns(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        _host_id: Query<HostId>,
        /// The database.
        #[oai(name = "database", default = "default_database")]
        _database: Query<String>,
        /// The table.
        #[oai(name = "table")]
        _table: Query<String>,
    ) -> poem::Result<RowsResponse> {
        show(&app, &gate, request, "explorer-columns", pairs(request)?).await
    }

    /// The statement that makes a table
    ///
    /// Credentials in it are hidden. The panel `explorer-ddl`.
    #[oai(path = "/explorer/ddl", method = "get", operation_id = "explore_ddl")]
    async fn ddl(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        _host_id: Query<HostId>,
        /// The database.
        #[oai(name = "database", default = "default_database")]
        _database: Query<String>,
        /// The table.
        #[oai(name = "table")]
        _table: Query<String>,
    ) -> poem::Result<RowsResponse> {
        show(&app, &gate, request, "explorer-ddl", pairs(request)?).await
    }

    /// Keys of a table
    ///
    /// Primary, sorting, partition and sampling key. The panel `explorer-indexes`.
    #[oai(path = "/explorer/indexes", method = "get", operation_id = "explore_indexes")]
    async fn indexes(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        _host_id: Query<HostId>,
        /// The database.
        #[oai(name = "database", default = "default_database")]
        _database: Query<String>,
        /// The table.
        #[oai(name = "table")]
        _table: Query<String>,
    ) -> poem::Result<RowsResponse> {
        show(&app, &gate, request, "explorer-indexes", pairs(request)?).await
    }

    /// Skip indexes of a table
    ///
    /// The panel `explorer-skip-indexes`.
    #[oai(path = "/explorer/skip-indexes", method = "get", operation_id = "explore_skip_indexes")]
    async fn skip_indexes(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        _host_id: Query<HostId>,
        /// The database.
        #[oai(name = "database", default = "default_database")]
        _database: Query<String>,
        /// The table.
        #[oai(name = "table")]
        _table: Query<String>,
    ) -> poem::Result<RowsResponse> {
        show(&app, &gate, request, "explorer-skip-indexes", pairs(request)?).await
    }

    /// Projections of a table
    ///
    /// The panel `explorer-projections`.
    #[oai(path = "/explorer/projections", method = "get", operation_id = "explore_projections")]
    async fn projections(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        _host_id: Query<HostId>,
        /// The database.
        #[oai(name = "database")]
        _database: Query<String>,
        /// The table.
        #[oai(name = "table")]
        _table: Query<String>,
    ) -> poem::Result<RowsResponse> {
        show(&app, &gate, request, "explorer-projections", pairs(request)?).await
    }

    /// What feeds what
    ///
    /// Each row is one step: rows go from one table to the other, or are looked up by it. `kind` is `dependency`, `view target`,
    /// `dictionary lookup`, `join lookup`, `dictionary source` or `external`.
    #[oai(path = "/explorer/dependencies", method = "get", operation_id = "explore_dependencies")]
    #[allow(clippy::too_many_arguments, reason = "one for each parameter of the query string")]
    async fn dependencies(
        &self,
        gate: Gate<TablesRead>,
        app: Data<&Arc<App>>,
        request: &Request,
        /// Position of the ClickHouse host in the configuration.
        #[oai(name = "hostId")]
        host_id: Query<HostId>,
        /// The database.
        #[oai(name = "database", default = "default_database")]
        _database: Query<String>,
        /// The table; needed unless `direction` is `database` or `all`.
        table: Query<Option<String>>,
        /// Which dependencies.
        #[oai(default = "downstream")]
        direction: Query<Direction>,
    ) -> poem::Result<RowsResponse> {
        // A server that is closed to the caller says so before anything else.
        parameters::host(&app, &gate.caller, Some(&host_id.0))?;
        let mut sent = pairs(request)?;
        sent.remove("direction");
        if !direction.is_about_a_table() {
            sent.remove("table");
        } else if table.as_deref().is_none_or(str::is_empty) {
            let message = "parameter `table`: expected the name of a table; leave it out with direction=database or direction=all";
            return Err(Problem::invalid("table", message).into());
        }
        show(&app, &gate, request, direction.panel(), sent).await
    }
}
