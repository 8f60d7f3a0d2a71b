//! ClickHouse users with less than all rights.

use serde_json::json;

use crate::harness::{Host, STRICT, run};
use crate::panels;

#[test]
fn a_user_whose_profile_is_readonly_sees_everything_that_is_to_be_seen() {
    run(async {
        let host = Host::with_bundled().watches_as(STRICT).await.start().await;
        let (_, items) = panels::items(&host, "panels-").await;
        assert!(items.len() >= 20);
        let mut wrong = Vec::new();
        // Counters of clusters ask for a cluster's name, and have claims of their own (`scope.rs`).
        for (path, operation) in items.iter().filter(|(path, _)| !path.contains("/cluster-counts/")) {
            let answer = host.get(&panels::with_required(path, operation)).await;
            if answer.status != 200 {
                wrong.push(answer.to_string());
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(host.query("SELECT getSetting('readonly') AS r").await.expect(200).rows(), [json!({"r": 1})]);
        let tool = host.post("/api/v1/tools/list_databases", &json!({})).await.expect(200);
        assert!(tool.text().contains("e2e"), "{tool}");
        host.get("/api/v1/host-status?hostId=0").await.expect(200);
    });
}

#[test]
fn a_readonly_users_rows_are_cut_exactly_too() {
    run(async {
        let host = Host::with_bundled().watches_as(STRICT).await.start().await;
        for (rows, truncated) in [(99, false), (100, false), (101, true), (200_000, true)] {
            let body = json!({"sql": format!("SELECT number FROM numbers({rows})"), "limit": 100});
            let answer = host.post("/api/v1/explorer/query", &body).await.expect(200).json();
            assert_eq!(answer["metadata"]["rows"], rows.min(100), "{rows}");
            assert_eq!(answer["metadata"]["truncated"], truncated, "{rows}");
        }
    });
}
