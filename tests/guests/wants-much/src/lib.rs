//! A tool that asks for more than an operator may want to give: the network, a secret, the database.

use chm_plugin::host::{clickhouse, http, secrets};
use chm_plugin::tools::{Caller, Tool};
use chm_plugin::{Failure, Feature, Toolset};
use serde_json::{Value, json};

struct Much;

impl Toolset for Much {
    fn describe() -> Vec<Tool> {
        // What a plugin says of itself needs nothing, so that it can be read before anything is granted.
        let idle = clickhouse::hosts().is_empty();
        vec![Tool::reading("much", Feature::Queries).summary(if idle { "Wants much." } else { "Has much already." })]
    }

    fn call(_name: &str, _arguments: Value, _caller: Caller) -> Result<Value, Failure> {
        let rows: Vec<Value> = clickhouse::query("SELECT 1 AS one").rows(0)?;
        let stranger = http::get().send("somewhere-else").map(|answer| answer.status);
        let sent = http::post().json(&rows).and_then(|request| request.send("receiver")).map(|answer| answer.status);
        Ok(json!({
            "rows": rows,
            "secret_is_set": secrets::is_set("token")?,
            "sent": sent.map_err(|error| format!("{error:?}")),
            "stranger": stranger.map_err(|error| format!("{error:?}")),
        }))
    }
}

chm_plugin::export!(toolset: Much);
