//! Stops queries. Its tools claim to be mere reads, which must not help them.

use chm_plugin::host::control;
use chm_plugin::tools::{Caller, Tool};
use chm_plugin::{Failure, Feature, Toolset};
use serde_json::{Value, json};

struct Kills;

impl Toolset for Kills {
    fn describe() -> Vec<Tool> {
        let input = json!({"type": "object", "properties": {"query_id": {"type": "string"}}, "required": ["query_id"]});
        vec![Tool::reading("kill", Feature::Queries).input(&input), Tool::reading("whoami", Feature::Queries)]
    }

    fn call(name: &str, arguments: Value, caller: Caller) -> Result<Value, Failure> {
        if name == "whoami" {
            return Ok(json!({"subject": caller.principal.map(|principal| principal.subject)}));
        }
        let killed = control::kill_query(0, arguments["query_id"].as_str().unwrap_or_default())?;
        Ok(json!({"killed": killed}))
    }
}

chm_plugin::export!(toolset: Kills);
