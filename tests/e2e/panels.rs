//! The panels role: every table and chart of the bundled plugins against the real server.

use serde_json::{Map, Value};

use crate::harness::{Host, run, shared};

/// Panels that must have rows on the shared engine.
const WITH_ROWS: &[&str] = &[
    "/api/v1/tables/history-queries",
    "/api/v1/tables/failed-queries",
    "/api/v1/tables/mutations",
    "/api/v1/tables/part-info",
    "/api/v1/tables/tables-overview",
    "/api/v1/tables/disks",
    "/api/v1/tables/errors",
    "/api/v1/tables/settings",
    "/api/v1/charts/query-count",
    "/api/v1/charts/new-parts-created",
];

/// Operations of the document that plugins brought whose ids begin so: path and description.
pub async fn items(host: &Host, plugins: &str) -> (Value, Vec<(String, Value)>) {
    let document = host.get("/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().expect("paths");
    let items = paths
        .iter()
        .filter_map(|(path, methods)| Some((path.clone(), methods.get("get")?.clone())))
        .filter(|(_, operation)| operation["x-chm-plugin"].as_str().is_some_and(|id| id.starts_with(plugins)))
        .collect();
    (document, items)
}

/// The path with a value for each parameter that must be sent.
pub fn with_required(path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().expect("parameters");
    let required = parameters.iter().filter(|parameter| parameter["required"] == true);
    let pairs: Vec<String> = required
        .map(|parameter| {
            let (name, schema) = (parameter["name"].as_str().expect("a name"), &parameter["schema"]);
            let value = match (name, schema["enum"][0].as_str(), schema["minimum"].as_i64()) {
                ("database", ..) => "e2e".to_owned(),
                ("table", ..) => "kept".to_owned(),
                (_, Some(word), _) => word.to_owned(),
                (_, _, Some(least)) => least.to_string(),
                _ => "x".to_owned(),
            };
            format!("{name}={value}")
        })
        .collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Whether a value is what the document promises of it.
fn fits(value: &Value, schema: &Value) -> bool {
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().any(|choice| fits(value, choice));
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.contains(value);
    }
    match (value, schema["type"].as_str()) {
        (Value::Null, _) => schema["nullable"] == true,
        (Value::String(_), Some("string")) | (Value::Bool(_), Some("boolean")) | (Value::Number(_), Some("number")) => {
            true
        }
        (Value::Number(number), Some("integer")) => number.is_i64() || number.is_u64(),
        (_, None) => true,
        _ => false,
    }
}

fn misfits(rows: &[Value], schema: &Map<String, Value>) -> Vec<String> {
    let properties = schema["properties"].as_object().expect("properties");
    let mut found = std::collections::BTreeSet::new();
    for row in rows {
        let row = row.as_object().expect("an object");
        for (name, property) in properties {
            match row.get(name) {
                Some(value) if fits(value, property) => {}
                Some(value) => drop(found.insert(format!("`{name}` is {value}, described as {property}"))),
                None => drop(found.insert(format!("`{name}` is described and not there"))),
            }
        }
        found.extend(
            row.keys().filter(|key| !properties.contains_key(*key)).map(|key| format!("`{key}` is not described")),
        );
    }
    found.into_iter().collect()
}

#[test]
fn every_panel_answers_with_rows_of_the_described_type() {
    run(async {
        let host = shared().await;
        let (document, items) = items(host, "panels-").await;
        let count = |prefix: &str| items.iter().filter(|(path, _)| path.starts_with(prefix)).count();
        let (tables, charts) = (count("/api/v1/tables/"), count("/api/v1/charts/"));
        assert!(tables >= 12 && charts >= 8, "{tables} tables, {charts} charts");
        let mut wrong = Vec::new();
        let mut filled = Vec::new();
        // Counters have a number instead of rows.
        for (path, operation) in items.iter().filter(|(path, _)| !path.contains("-counts/")) {
            let answer = host.get(&with_required(path, operation)).await;
            if answer.status != 200 {
                wrong.push(answer.to_string());
                continue;
            }
            let body = answer.json();
            let rows = answer.rows();
            if !body["metadata"]["unavailable"].is_null() {
                let message = body["metadata"]["unavailable"]["message"].as_str().unwrap_or_default();
                if message.is_empty() || !rows.is_empty() {
                    wrong.push(format!("{path}: unavailable without words, or with rows: {answer}"));
                }
                continue;
            }
            if body["metadata"]["rows"] != rows.len() {
                wrong.push(format!("{path}: {} rows, but its metadata says {}", rows.len(), body["metadata"]["rows"]));
            }
            let name = operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]["items"]
                ["$ref"]
                .as_str()
                .and_then(|reference| reference.rsplit('/').next())
                .expect("a row type");
            let schema = document["components"]["schemas"][name].as_object().expect("the row type");
            wrong.extend(misfits(&rows, schema).into_iter().map(|misfit| format!("{path}: {misfit}")));
            if !rows.is_empty() {
                filled.push(path.as_str());
            }
        }
        wrong.extend(WITH_ROWS.iter().filter(|path| !filled.contains(path)).map(|path| format!("{path}: no rows")));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn a_chart_too_long_to_be_shown_loses_its_oldest_rows() {
    run(async {
        let host = shared().await;
        let path = "/api/v1/charts/query-count?interval=toStartOfMinute&lastHours=2";
        let times = async |path: &str| -> Vec<String> {
            let rows = host.get(path).await.expect(200).rows();
            rows.iter().map(|row| row["event_time"].as_str().expect("a time").to_owned()).collect()
        };
        let all = times(path).await;
        assert!(all.len() > 100 && all.is_sorted(), "{all:?}");
        let last = times(&format!("{path}&limit=3")).await;
        assert!(last.len() == 3 && last.is_sorted(), "{last:?}");
        // A minute may have begun between the two.
        assert!(last[0] >= all[all.len() - 3], "{last:?} of {all:?}");
    });
}

#[test]
fn a_panel_is_there_in_every_format_and_cut_at_the_limit() {
    run(async {
        let host = shared().await;
        let path = "/api/v1/tables/mergetree-settings?limit=7";
        assert_eq!(host.get(path).await.expect(200).rows().len(), 7);
        for (format, media, lines) in
            [("ndjson", "application/x-ndjson", 7), ("csv", "text/csv", 8), ("tsv", "text/tab-separated-values", 8)]
        {
            let answer = host.get(&format!("{path}&format={format}")).await.expect(200);
            assert!(answer.header("content-type").starts_with(media), "{}", answer.header("content-type"));
            // A field of CSV may hold line feeds, so its lines are counted by what they begin with.
            let text = answer.text();
            assert!(text.lines().count() >= lines, "{answer}");
        }
    });
}

#[test]
fn parameters_of_a_panel_reach_its_query() {
    run(async {
        let host = shared().await;
        let all = host.get("/api/v1/tables/settings?limit=5").await.expect(200).rows();
        assert_eq!(all.len(), 5);
        let changed = host.get("/api/v1/tables/settings?changed=true").await.expect(200).rows();
        assert!(changed.iter().all(|row| row["changed"] == 1 || row["changed"] == true), "{changed:?}");
        let nobody = host.get("/api/v1/tables/history-queries?user=nobody-of-that-name").await.expect(200).rows();
        assert!(nobody.is_empty(), "{nobody:?}");
        let hostile = "/api/v1/tables/history-queries?user=%27%20OR%201%3D1%20--%20";
        assert!(host.get(hostile).await.expect(200).rows().is_empty());
    });
}

#[test]
fn answers_that_the_host_composes_say_how_long_they_took() {
    run(async {
        let host = shared().await;
        for path in
            ["hosts", "host-status?hostId=0", "menu-counts", "menu-counts/merges", "notifications", "cluster-topology"]
        {
            let answer = host.get(&format!("/api/v1/{path}")).await.expect(200);
            assert!(answer.json()["metadata"]["duration"].as_f64().is_some_and(|seconds| seconds > 0.0), "{answer}");
        }
    });
}
