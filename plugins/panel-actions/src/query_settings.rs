use std::collections::BTreeMap;

use chm_plugin::Failure;
use chm_plugin::actions::{Action, Context, Outcome, Parameter};
use chm_plugin::host::clickhouse::{self, QueryError, ServerError};
use serde::Deserialize;
use serde_json::json;

use crate::{credentials, running, words};

pub(crate) const NAME: &str = "querySettings";

pub(crate) fn describe() -> Action {
    Action::reading(NAME)
        .title("Query settings")
        .summary("Shows the settings that a running query was sent with; values that look like credentials are hidden.")
        .parameter(Parameter::text("queryId").summary("The query's id."))
}

type Settings = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Map {
    settings: Settings,
}

/// Before 21.8 there were no maps.
#[derive(Deserialize)]
struct Lists {
    names: Vec<String>,
    values: Vec<String>,
}

/// ClickHouse's codes for a column, function or type that it does not know.
const UNKNOWN: [u32; 3] = [16, 46, 47];

pub(crate) fn run(context: &Context) -> Result<Outcome, Failure> {
    let (host, query_id) = (context.host, running::query_id(context)?);
    let query = |columns: &str| {
        clickhouse::query(format!(
            "SELECT {columns} FROM system.processes WHERE query_id = {{query_id:String}} LIMIT 1"
        ))
        .bind("query_id", query_id)
        .read(host)
    };
    let found = match query("Settings AS settings") {
        Ok(rows) => rows.parse::<Map>()?.pop().map(|row| row.settings),
        Err(QueryError::Server(ServerError { code, .. })) if UNKNOWN.contains(&code) => {
            let rows = query("Settings.Names AS names, Settings.Values AS values")?.parse::<Lists>()?.pop();
            rows.map(|row| row.names.into_iter().zip(row.values).collect())
        }
        Err(error) => return Err(error.into()),
    };
    let Some(mut settings): Option<Settings> = found else { return Err(running::nothing(host, query_id)) };
    let mut hidden = Vec::new();
    for (name, value) in &mut settings {
        if let Some(shown) = credentials::hidden(name, value) {
            *value = shown;
            hidden.push(name.clone());
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "there are a few hundred settings")]
    let message = format!("The query `{query_id}` was sent with {}.", words::count(settings.len() as f64, "setting"));
    Ok(Outcome::new(message).data(&json!({ "queryId": query_id, "settings": settings, "hidden": hidden })))
}
