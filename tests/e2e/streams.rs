//! Results as they flow: cut exactly, cancelled with their reader, never whole in memory, never half and looking whole.

use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Host, engine, eventually, run, shared};

/// Caps that no claim here reaches.
const WIDE: &str = "[limits]\nrow_cap = 10000000\nresult_bytes = 4294967296";

#[test]
fn truncated_is_exact_at_every_cap() {
    run(async {
        let host = &Host::with_bundled().config("[limits]\nrow_cap = 1000").start().await;
        let console = |rows: u64, limit: Option<u64>| {
            let mut body = json!({"sql": format!("SELECT number FROM numbers({rows})")});
            if let Some(limit) = limit {
                body["limit"] = json!(limit);
            }
            async move { host.post("/api/v1/explorer/query", &body).await.expect(200).json() }
        };
        for (cap, limit) in [(1000, None), (100, Some(100)), (1, Some(1)), (1000, Some(5000))] {
            for (rows, truncated) in [(cap - 1, false), (cap, false), (cap + 1, true), (100 * cap, true)] {
                let answer = console(rows, limit).await;
                let data = answer["data"].as_array().expect("rows");
                assert_eq!(data.len() as u64, rows.min(cap), "{rows} of {cap}");
                assert_eq!(answer["metadata"]["rows"], rows.min(cap), "{rows} of {cap}");
                assert_eq!(answer["metadata"]["truncated"], truncated, "{rows} of {cap}");
                assert!(data.iter().enumerate().all(|(index, row)| row["number"] == index), "in order and once each");
            }
        }
        for (rows, truncated) in [(49, false), (50, false), (51, true)] {
            let body = json!({"sql": format!("SELECT number FROM numbers({rows})"), "maxRows": 50});
            let answer = host.post("/api/v1/tools/query", &body).await.expect(200).json();
            assert_eq!(answer["data"]["rows"].as_array().expect("rows").len(), rows.min(50));
            assert_eq!(answer["data"]["truncated"], truncated, "{rows}");
        }
        let bytes = Host::with_bundled().config("[limits]\nresult_bytes = 10000").start().await;
        let wide = bytes.query("SELECT repeat('x', 100) AS x FROM numbers(1000)").await.expect(200);
        let answer = wide.json();
        assert_eq!(answer["metadata"]["truncated"], true);
        assert!(answer["data"].as_array().is_some_and(|rows| rows.len() > 50 && rows.len() < 100), "{wide}");
        let narrow = bytes.query("SELECT repeat('x', 100) AS x FROM numbers(50)").await.expect(200).json();
        assert_eq!(narrow["metadata"]["truncated"], false);
    });
}

/// How many queries with this word in them run now.
async fn running(word: &str) -> String {
    let sql = format!(
        "SELECT count() FROM system.processes WHERE query LIKE '%{word}%' AND query NOT LIKE '%system.processes%'"
    );
    engine().await.ask(&sql).await
}

#[test]
fn a_reader_who_leaves_takes_his_query_along() {
    run(async {
        let host = Host::with_bundled().config(WIDE).start().await;
        let host = &host;
        let ask = |sql: &str| {
            let body = json!({"sql": sql});
            host.request(Method::POST, "/api/v1/explorer/query").json(&body).send()
        };
        // In the middle of the rows.
        let word = "leaves_in_the_middle";
        let answer = ask(&format!("SELECT number AS {word}, repeat('x', 500) AS x FROM numbers(9000000)"))
            .await
            .expect("an answer");
        let mut chunks = answer.bytes_stream();
        assert!(chunks.next().await.is_some_and(|chunk| chunk.is_ok()));
        eventually("the query runs", Duration::from_secs(5), async || running(word).await == "1").await;
        drop(chunks);
        eventually("it is cancelled", Duration::from_secs(10), async || running(word).await == "0").await;

        // Before the first row.
        let word = "leaves_before_the_first";
        let waiting =
            ask(&format!("SELECT count() AS {word} FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"));
        tokio::select! {
            answer = waiting => panic!("answered already: {answer:?}"),
            () = eventually("the query runs", Duration::from_secs(10), async || running(word).await == "1") => {}
        }
        eventually("it is cancelled", Duration::from_secs(10), async || running(word).await == "0").await;
    });
}

/// A figure of `/proc/<process>/status` in KiB.
fn memory(process: u32, key: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = text.lines().find(|line| line.starts_with(key)).expect("a line");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_large_result_never_is_in_memory_as_a_whole() {
    run(async {
        let host = Host::with_bundled().config(WIDE).start().await;
        // Whatever the first request makes is not the stream's.
        host.query("SELECT 1").await.expect(200);
        let before = memory(host.process(), "VmHWM:");
        let body = json!({"sql": "SELECT number, repeat('x', 1000) AS x FROM numbers(150000)"});
        let answer = host.request(Method::POST, "/api/v1/explorer/query").json(&body).send().await.expect("an answer");
        let mut chunks = answer.bytes_stream();
        let (mut received, mut paused) = (0_u64, false);
        while let Some(chunk) = chunks.next().await {
            received += chunk.expect("a chunk").len() as u64;
            if !paused && received > 1 << 20 {
                // A slow reader holds the query back rather than filling the host.
                paused = true;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        let grown = memory(host.process(), "VmHWM:") - before;
        assert!(received > 150_000_000, "{received}");
        // Buffers of 64 KiB on three hops, a socket's worth before and behind, and what the allocator keeps of them: a tenth of
        // the result would already mean that something gathers it.
        assert!(grown < 15_000, "grown by {grown} KiB over {received} bytes");
    });
}

#[test]
fn a_result_that_breaks_off_never_looks_complete() {
    run(async {
        let host = Host::with_bundled().config(WIDE).start().await;
        for format in ["json", "ndjson", "csv"] {
            let body = json!({"sql": "SELECT throwIf(number = 990000, 'on purpose') AS t, repeat('x', 100) AS x FROM numbers(1000000)",
                "format": format});
            let answer =
                host.request(Method::POST, "/api/v1/explorer/query").json(&body).send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{format}: the first rows were sent");
            let outcome = answer.bytes().await;
            if let Ok(bytes) = outcome {
                let end = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(300)..]).into_owned();
                panic!("{format}: {} bytes looked complete: …{end}", bytes.len());
            }
        }
        // What fails before its first chunk is an error like any other.
        host.query("SELECT throwIf(number = 3, 'on purpose') FROM numbers(10)").await.error(500, "query_error");
    });
}

#[test]
fn more_queries_than_places_wait_and_then_are_busy() {
    run(async {
        let host = Host::with_bundled().env("CLICKHOUSE_POOL_SIZE", "2").start().await;
        let answers = futures::future::join_all((0..24).map(|_| host.get("/api/v1/tables/disks"))).await;
        for answer in answers {
            assert!(answer.status == 200 || answer.status == 503, "{answer}");
            if answer.status == 503 {
                answer.error(503, "busy");
            }
        }
        host.get("/api/v1/tables/disks").await.expect(200);
    });
}

#[test]
fn times_are_shown_in_the_wanted_zone() {
    run(async {
        let host = shared().await;
        let hour = async |zone: &str| -> Value {
            let body = json!({"sql": "SELECT toString(toDateTime(0)) AS t", "timezone": zone});
            host.post("/api/v1/explorer/query", &body).await.expect(200).rows()[0]["t"].clone()
        };
        assert_eq!(hour("Asia/Tokyo").await, "1970-01-01 09:00:00");
        assert_eq!(hour("UTC").await, "1970-01-01 00:00:00");
    });
}
