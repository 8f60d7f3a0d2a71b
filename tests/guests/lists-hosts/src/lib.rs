//! Tells which watched servers it is shown, and reads from or acts on whichever it is told to.

use chm_plugin::host::{clickhouse, control};
use chm_plugin::tools::{Caller, Tool};
use chm_plugin::{Failure, Feature, Toolset};
use serde_json::{Value, json};

struct Lists;

impl Toolset for Lists {
    fn describe() -> Vec<Tool> {
        let input = json!({"type": "object", "properties": {"hostId": {"type": "integer", "minimum": 0}}});
        ["hosts", "read", "kill"].map(|name| Tool::reading(name, Feature::Queries).input(&input)).into()
    }

    fn call(name: &str, arguments: Value, _caller: Caller) -> Result<Value, Failure> {
        let host = arguments["hostId"].as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or_default();
        match name {
            "hosts" => {
                let hosts = clickhouse::hosts();
                let ids: Vec<u32> = hosts.iter().map(|host| host.id).collect();
                let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
                Ok(json!({"ids": ids, "names": names}))
            }
            "read" => Ok(json!({"rows": clickhouse::query("SELECT 1 AS one").rows::<Value>(host)?})),
            _ => Ok(json!({"killed": control::kill_query(host, "no-query-of-anybody")?})),
        }
    }
}

chm_plugin::export!(toolset: Lists);
