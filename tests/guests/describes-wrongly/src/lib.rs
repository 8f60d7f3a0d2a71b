//! Describes itself in a way that no host should take. Its setting `how` says in which.

use std::hint::black_box;

use chm_plugin::panels::{Column, Panel, Parameter};
use chm_plugin::tools::{Caller, Tool};
use chm_plugin::{Failure, Feature, Panels, Toolset, host};
use serde_json::Value;

struct Wrong;

impl Panels for Wrong {
    fn describe() -> Vec<Panel> {
        let panel = |id: &str| Panel::table(id, Feature::Queries).query("SELECT 1 AS n").column(Column::integer("n"));
        match host::config::get("how").as_deref() {
            Some("traps") => std::process::abort(),
            Some("loops") => loop {
                black_box(());
            },
            Some("allocates") => {
                let mut taken = Vec::new();
                loop {
                    taken.push(black_box(vec![1_u8; 1 << 20]));
                }
            }
            Some("repeats") => vec![panel("twin"), panel("twin")],
            Some("bad-id") => vec![panel("Über/allem")],
            Some("bad-sql") => vec![panel("works").query("SELECT * FROM file('/etc/passwd')")],
            Some("no-sql") => vec![Panel::table("works", Feature::Queries).column(Column::integer("n"))],
            Some("foreign-feature") => {
                vec![
                    Panel::table("works", Feature::Own("somebody-else"))
                        .query("SELECT 1 AS n")
                        .column(Column::integer("n")),
                ]
            }
            Some("reserved-parameter") => vec![panel("works").parameter(Parameter::text("hostId"))],
            Some("bad-default") => vec![panel("works").parameter(Parameter::integer("n", 1..=5).default(6))],
            Some("too-many-rows") => vec![panel("works").row_cap(u32::MAX)],
            _ => vec![panel("works")],
        }
    }
}

impl Toolset for Wrong {
    fn describe() -> Vec<Tool> {
        let tool = Tool::reading("works", Feature::Queries);
        match host::config::get("how").as_deref() {
            Some("bad-schema") => vec![tool.input(&Value::from("no schema"))],
            Some("repeated-tool") => vec![tool.clone(), tool],
            _ => vec![tool],
        }
    }

    fn call(_name: &str, _arguments: Value, _caller: Caller) -> Result<Value, Failure> {
        Ok(serde_json::json!({}))
    }
}

chm_plugin::export!(panels: Wrong, toolset: Wrong);
