//! Panels that break when they are asked, and some that work.

use chm_plugin::panels::{Column, Context, Panel, PlannedQuery};
use chm_plugin::{Failure, Feature, Panels, host};

use crate::breaking;

pub(crate) struct Broken;

/// Planned panels; each does what its name says.
const PLANNED: [&str; 9] = [
    "plan-loops",
    "plan-allocates",
    "plan-traps",
    "plan-panics",
    "plan-overflows",
    "plan-fails",
    "plan-reads-an-address",
    "plan-writes",
    "plan-waits",
];

/// Fetched panels.
const FETCHED: [&str; 5] = ["fetch-garbage", "fetch-an-object", "fetch-loops", "fetch-a-flood", "fetch-works"];

impl Panels for Broken {
    fn describe() -> Vec<Panel> {
        let numbers = "SELECT number AS n FROM numbers(10)";
        let column = || Column::integer("n");
        let mut panels = vec![
            Panel::table("works", Feature::Queries).query(numbers).column(column()),
            Panel::table("needs-what-is-missing", Feature::Queries)
                .query("SELECT n FROM no_such_database.no_such_table")
                .requires("no_such_database.no_such_table")
                .column(column()),
            Panel::table("needs-a-newer-server", Feature::Queries).query_since("99.1", numbers).column(column()),
            Panel::table("own-feature", Feature::Own("misbehaves")).query(numbers).column(column()),
            Panel::table("transform-works", Feature::Queries).query(numbers).column(column()).transformed(),
            Panel::table("transform-traps", Feature::Queries).query(numbers).column(column()).transformed(),
        ];
        panels.extend(PLANNED.map(|id| Panel::table(id, Feature::Queries).planned().column(column())));
        panels.extend(FETCHED.map(|id| Panel::table(id, Feature::Queries).fetched().column(column())));
        panels
    }

    fn plan(panel: &str, _context: Context) -> Result<PlannedQuery, Failure> {
        match panel {
            "plan-loops" => breaking::run_forever(),
            "plan-allocates" => breaking::take_all_memory(),
            "plan-traps" => breaking::trap(),
            "plan-panics" => breaking::panic_with_words(),
            "plan-overflows" => Ok(PlannedQuery::new(format!("SELECT {}", breaking::overflow_the_stack(0)))),
            "plan-fails" => Err(Failure::internal("words for the log only")),
            "plan-reads-an-address" => {
                Ok(PlannedQuery::new("SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')"))
            }
            "plan-writes" => Ok(PlannedQuery::new("DROP TABLE e2e.kept")),
            // Waits for the host rather than working itself: only the wall clock can end this.
            "plan-waits" => loop {
                let slow = host::clickhouse::query(
                    "SELECT count() FROM numbers(100000000000) WHERE NOT ignore(sipHash64(number))",
                );
                let _ = slow.read(0);
            },
            other => Err(Failure::not_found(other)),
        }
    }

    fn fetch(panel: &str, _context: Context) -> Result<Vec<u8>, Failure> {
        match panel {
            "fetch-garbage" => Ok(vec![0xff, b'{', 0, b'<']),
            "fetch-an-object" => Ok(br#"{"n":1}"#.to_vec()),
            "fetch-loops" => breaking::run_forever(),
            "fetch-a-flood" => {
                let rows = vec![r#"{"n":1}"#; 5_000].join(",");
                Ok(format!("[{rows}]").into_bytes())
            }
            "fetch-works" => Ok(br#"[{"n":1},{"n":2},{"n":3}]"#.to_vec()),
            other => Err(Failure::not_found(other)),
        }
    }

    fn transform(panel: &str, _context: Context, rows: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match panel {
            "transform-works" => {
                let rows: Vec<serde_json::Value> =
                    serde_json::from_slice(&rows).map_err(|error| Failure::internal(error.to_string()))?;
                let odd: Vec<_> =
                    rows.into_iter().filter(|row| row["n"].as_u64().is_some_and(|n| n % 2 == 1)).collect();
                serde_json::to_vec(&odd).map_err(|error| Failure::internal(error.to_string()))
            }
            _ => breaking::trap(),
        }
    }
}
