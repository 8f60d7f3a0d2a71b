//! Results as they flow: cut exactly, cancelled with their reader, never whole in memory, never half and looking whole.

use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Host, HostBuilder, READER, engine, eventually, run, shared};

/// A plugin with panels whose rows are many, slow, or never the same.
const FLOWS: &str =
    "[plugins.flows.grants]\nclickhouse = { hosts = \"all\", max_rows = 10000000, max_bytes = 4294967296 }";

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
fn a_result_that_breaks_off_never_looks_complete_in_http_1_0() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    run(async {
        // nginx asks so unless it is told otherwise. Such an answer ends with its connection, and nothing else tells that it is whole.
        let host = &Host::with_bundled().config(WIDE).start().await;
        let ask = async |failing: u32| {
            let sql = format!(
                "SELECT throwIf(number = {failing}, 'on purpose') AS t, repeat('x', 100) AS x FROM numbers(1000000)"
            );
            let body = json!({"sql": sql, "format": "ndjson"}).to_string();
            let address = host.url().trim_start_matches("http://");
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
            let head = "POST /api/v1/explorer/query HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n";
            let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(request.as_bytes()).await.expect("a request");
            let mut said = Vec::new();
            let outcome = stream.read_to_end(&mut said).await;
            assert!(said.starts_with(b"HTTP/1.0 200 OK\r\n"), "{failing}: {:?}", said.get(..300));
            outcome.map(|_| said.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"t\":0")).count())
        };
        assert!(ask(990_000).await.is_err(), "it looked complete");
        assert_eq!(ask(1_000_000).await.expect("the end"), 1_000_000);
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
                assert_eq!(answer.header("retry-after"), "1", "{answer}");
                assert_eq!(answer.json()["error"]["retryAfterSec"], 1, "{answer}");
            }
        }
        host.get("/api/v1/tables/disks").await.expect(200);
    });
}

fn flowing() -> HostBuilder {
    Host::with_bundled().unhurried().guest("flows").config(WIDE).config(FLOWS)
}

#[test]
fn every_format_is_cut_exactly_and_says_so() {
    run(async {
        let host = &flowing().start().await;
        for format in ["json", "ndjson", "csv", "tsv", "parquet", "arrow"] {
            for (rows, truncated) in [(0, false), (6, false), (7, false), (8, true), (1000, true)] {
                let shown = rows.min(7);
                let path = format!("/api/v1/tables/flows.numbers?rows={rows}&limit=7&format={format}");
                let answer = host.get(&path).await.expect(200);
                if format == "json" {
                    let metadata = &answer.json()["metadata"];
                    assert_eq!(
                        (&metadata["rows"], &metadata["truncated"]),
                        (&json!(shown), &json!(truncated)),
                        "{path}"
                    );
                    assert_eq!(answer.rows().len(), shown, "{path}");
                    continue;
                }
                assert_eq!(answer.header("x-chm-rows"), shown.to_string(), "{path}");
                assert_eq!(answer.header("x-chm-truncated"), truncated.to_string(), "{path}");
                assert!(answer.header("x-chm-query-id").starts_with("chm-"), "{path}");
                let text = answer.text();
                match format {
                    "ndjson" => {
                        let numbers: Vec<Value> = text
                            .lines()
                            .map(|row| serde_json::from_str::<Value>(row).expect("a row")["n"].clone())
                            .collect();
                        assert_eq!(numbers, (0..shown).map(Value::from).collect::<Vec<_>>(), "{path}");
                    }
                    "csv" => {
                        assert_eq!(text.matches("\nc\"\n").count(), shown, "{path}: {text:?}");
                        assert!(text.starts_with("\"n\",\"text\"\n"), "{path}: {text:?}");
                        assert!(!text.contains('\r'), "{path}: {text:?}");
                    }
                    "tsv" => {
                        assert_eq!(text.lines().count(), shown + 1, "{path}: {text:?}");
                        assert!(!text.contains('\r'), "{path}: {text:?}");
                    }
                    "parquet" => assert!(text.starts_with("PAR1") && text.ends_with("PAR1"), "{path}"),
                    _ => assert!(answer.body.starts_with(&[0xff; 4]), "{path}: no Arrow stream"),
                }
            }
        }
        // ClickHouse reads its own formats back: as many rows are in there as the header says.
        let file = engine().await.user_files().join("streams.parquet");
        let answer = host.get("/api/v1/tables/flows.numbers?rows=1000&limit=77&format=parquet").await.expect(200);
        std::fs::write(&file, &answer.body).expect("a file");
        let sql = format!("SELECT count(), max(n) FROM file('{}')", file.display());
        assert_eq!(engine().await.ask(&sql).await, "77\t76");
        // What is too long to be part of another statement is counted too.
        let long = format!("SELECT number FROM numbers(3) /* {} */", "x".repeat(99_950));
        let body = json!({"sql": long, "format": "parquet", "limit": 2});
        let answer = host.post("/api/v1/explorer/query", &body).await.expect(200);
        assert_eq!((answer.header("x-chm-rows"), answer.header("x-chm-truncated")), ("2", "true"));
    });
}

#[test]
fn charts_over_time_lose_their_oldest_points_and_show_the_newest_last() {
    run(async {
        let host = &flowing().start().await;
        for (rows, from) in [(5, 0), (100, 0), (101, 1), (1000, 900)] {
            let answer = host.get(&format!("/api/v1/charts/flows.newest?rows={rows}")).await.expect(200);
            let numbers: Vec<i64> = answer.rows().iter().filter_map(|row| row["n"].as_i64()).collect();
            assert_eq!(numbers, (from..rows).collect::<Vec<_>>(), "{rows}");
            assert_eq!(answer.json()["metadata"]["truncated"], from > 0, "{rows}");
        }
        let text = host.get("/api/v1/charts/flows.newest?rows=3&format=csv").await.expect(200).text();
        assert_eq!(text, "\"n\"\n0\n1\n2\n");
    });
}

#[test]
fn readers_of_the_same_share_one_query_until_the_last_of_them_leaves() {
    run(async {
        let host = &flowing().env("CHM_ANSWERS_CACHE", "false").env("CLICKHOUSE_POOL_SIZE", "2").start().await;
        // More readers than places, and one query.
        let path = "/api/v1/tables/flows.unique-and-slow?key=together";
        let answers = futures::future::join_all((0..12).map(|_| host.get(path))).await;
        let ids: Vec<String> =
            answers.into_iter().map(|answer| answer.expect(200).rows()[0]["id"].to_string()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let again = host.get(path).await.expect(200).rows()[0]["id"].to_string();
        assert_ne!(again, ids[0], "nothing was to be kept");

        // The one who asked first leaves first: the query is not his alone.
        let running = async || {
            let sql = "SELECT arrayStringConcat(groupArray(query_id), ' ') FROM system.processes \
                       WHERE query LIKE '%1000000000000%' AND query_id LIKE 'chm-%'";
            engine().await.ask(sql).await
        };
        // The one who asks for the metrics is among them.
        let in_flight = async |readers: u32| {
            let line = format!("\nchm_http_requests_in_flight {}\n", readers + 1);
            host.get("/metrics").await.expect(200).text().contains(&line)
        };
        let wait = Duration::from_secs(20);
        let mut shared = false;
        // A second reader who has come in may still be on his way to the query: then once more, with more time.
        for moment in [100, 1_000, 5_000] {
            let ask = || host.request(Method::GET, "/api/v1/tables/flows.endless?key=shared").send();
            let first = tokio::spawn(ask());
            eventually("the query runs", wait, async || !running().await.is_empty()).await;
            let query = running().await;
            let second = tokio::spawn(ask());
            eventually("the second reader is there", wait, async || in_flight(2).await).await;
            tokio::time::sleep(Duration::from_millis(moment)).await;
            first.abort();
            eventually("the first reader is gone", wait, async || in_flight(1).await).await;
            tokio::time::sleep(Duration::from_millis(moment)).await;
            shared = running().await == query;
            assert!(!second.is_finished());
            second.abort();
            eventually("it is cancelled", wait, async || running().await.is_empty()).await;
            if shared {
                break;
            }
        }
        assert!(shared, "the second reader ran a query of his own, or lost it with the first reader");
    });
}

#[test]
fn what_is_asked_again_soon_is_not_read_again_and_a_client_that_has_it_is_told() {
    run(async {
        let host = &flowing().start().await;
        let path = "/api/v1/tables/flows.unique?key=again";
        let first = host.get(path).await.expect(200);
        assert_eq!(first.header("cache-control"), "private, max-age=60");
        let second = host.get(path).await.expect(200);
        assert_eq!(first.rows(), second.rows());
        assert_eq!(first.json()["metadata"]["queryId"], second.json()["metadata"]["queryId"]);
        assert_eq!(first.header("etag"), second.header("etag"));
        assert!(second.header("age").parse::<u64>().is_ok(), "{second}");
        let other = host.get("/api/v1/tables/flows.unique?key=other").await.expect(200);
        assert_ne!(first.rows()[0]["id"], other.rows()[0]["id"], "other values are another question");

        let asked = host.request(Method::GET, path).header("if-none-match", first.header("etag"));
        let unchanged = Answer::of(asked).await.expect(304);
        assert!(unchanged.body.is_empty());
        assert_eq!(unchanged.header("etag"), first.header("etag"));
        let asked = host.request(Method::GET, path).header("if-none-match", other.header("etag"));
        Answer::of(asked).await.expect(200);

        let fresh = flowing().env("CHM_ANSWERS_CACHE", "false").start().await;
        let (one, two) = (fresh.get(path).await.expect(200), fresh.get(path).await.expect(200));
        assert_ne!(one.rows()[0]["id"], two.rows()[0]["id"]);
    });
}

#[test]
fn what_is_kept_is_given_to_nobody_who_may_not_have_it_and_for_no_other_user_of_the_server() {
    run(async {
        let engine = engine().await;
        let server = |(user, password): (&str, &str), allow: &str| {
            let url = engine.url();
            format!("[[clickhouse.hosts]]\nurl = \"{url}\"\nuser = \"{user}\"\npassword = \"{password}\"\n{allow}\n")
        };
        // The same server twice: what its administrator sees is for a few, what a user without rights sees for all who sign in.
        let servers = server(engine.administrator(), "allow = [\"role:sre\"]") + &server(READER, "");
        let host = flowing()
            .watches_nothing()
            .config(&servers)
            .config("[features.queries]\naccess = \"role:sre,dev\"")
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_ALLOW_INSECURE", "true");
        let host = &host.start().await;
        let path = |server: u32| format!("/api/v1/tables/flows.unique?key=rights&hostId={server}");
        let ask = async |server: u32, groups: &str, tag: &str| {
            let request = host.request(Method::GET, &path(server)).header("x-forwarded-user", "bob");
            Answer::of(request.header("x-forwarded-groups", groups).header("if-none-match", tag)).await
        };
        let kept = ask(0, "sre", "").await.expect(200);
        assert_eq!(ask(0, "sre", "").await.rows(), kept.rows(), "it is kept");
        let other = ask(1, "dev", "").await.expect(200);
        assert_ne!(other.rows()[0]["id"], kept.rows()[0]["id"], "another user of the same server has rows of his own");
        assert_eq!(ask(1, "sre", "").await.rows(), other.rows());
        // Those who may not have it are not even told that they have it already.
        for (server, groups) in [(0, "dev"), (0, "stranger"), (1, "stranger")] {
            for tag in ["", "*", kept.header("etag"), other.header("etag")] {
                ask(server, groups, tag).await.expect(403);
            }
        }
    });
}

#[test]
fn a_server_that_is_away_is_named_and_the_rows_of_the_others_are_there() {
    run(async {
        let engine = engine().await;
        let (user, password) = engine.administrator();
        // Where nothing listens.
        let servers = |addresses: &[&str]| {
            let one = |address: &&str| {
                format!("[[clickhouse.hosts]]\nurl = \"{address}\"\nuser = \"{user}\"\npassword = \"{password}\"\n")
            };
            addresses.iter().map(one).collect::<String>()
        };
        let (here, away) = (engine.url(), "http://127.0.0.1:9");
        let host = flowing().watches_nothing().config(&servers(&[&here, away, &here])).start().await;
        let path = "/api/v1/tables/flows.numbers?rows=3&scope=hosts";
        let answer = host.get(path).await.expect(200);
        let hosts: Vec<Value> = answer.rows().iter().map(|row| row["hostId"].clone()).collect();
        assert_eq!(
            hosts.iter().map(|id| id.to_string().replace('"', "")).collect::<Vec<_>>(),
            ["0", "0", "0", "2", "2", "2"],
            "{answer}"
        );
        let unreachable = answer.json()["metadata"]["unreachable"].clone();
        assert_eq!(unreachable[0]["host"], "1", "{answer}");
        assert!(
            unreachable[0]["reason"].as_str().is_some_and(|reason| reason.contains("cannot be reached")),
            "{answer}"
        );
        let lines = host.get(&format!("{path}&format=ndjson")).await.expect(200);
        assert_eq!((lines.header("x-chm-rows"), lines.header("x-chm-unreachable")), ("6", "1"));
        let csv = host.get(&format!("{path}&format=csv")).await.expect(200).text();
        assert_eq!(csv.matches("\"n\"").count(), 1, "one header: {csv}");
        host.get(&format!("{path}&format=parquet")).await.error(400, "validation_error");
    });
}

#[test]
fn texts_are_compressed_for_those_who_read_that() {
    run(async {
        let host = &flowing().start().await;
        let path = "/api/v1/tables/flows.numbers?rows=1000&limit=1000";
        let plain = host.get(path).await.expect(200);
        for coding in ["gzip", "zstd"] {
            let asked = host.request(Method::GET, path).header("accept-encoding", coding);
            let answer = Answer::of(asked).await.expect(200);
            assert_eq!(answer.header("content-encoding"), coding);
            assert!(answer.body.len() * 3 < plain.body.len(), "{} of {}", answer.body.len(), plain.body.len());
            assert_eq!(answer.header("etag"), plain.header("etag"), "it is the same answer");
        }
        let asked = host.request(Method::GET, &format!("{path}&format=parquet")).header("accept-encoding", "gzip");
        let parquet = Answer::of(asked).await.expect(200);
        assert_eq!(parquet.header("content-encoding"), "");
        assert!(parquet.body.starts_with(b"PAR1"));
    });
}

/// All that a server sends over one connection.
#[test]
fn bytes_that_are_no_text_leave_json_readable() {
    run(async {
        let host = shared().await;
        let sql = "SELECT unhex('ff00c3') AS bytes, 'ä' AS text FROM numbers(2)";
        for format in ["json", "ndjson"] {
            let answer = host.post("/api/v1/explorer/query", &json!({"sql": sql, "format": format})).await.expect(200);
            let text = std::str::from_utf8(&answer.body).unwrap_or_else(|error| panic!("{format}: {error}"));
            assert_eq!(text.matches("\u{fffd}\\u0000\u{fffd}").count(), 2, "{text}");
            assert_eq!(text.matches('ä').count(), 2, "{text}");
        }
        // Other formats are bytes, and are passed on as such.
        let answer = host.post("/api/v1/explorer/query", &json!({"sql": sql, "format": "csv"})).await.expect(200);
        assert_eq!(answer.body.iter().filter(|byte| **byte == 0xff).count(), 2);
    });
}

async fn raw(host: &Host, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream =
        tokio::net::TcpStream::connect(host.url().trim_start_matches("http://")).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.expect("an answer");
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn the_end_of_a_long_stream_says_how_many_rows_there_were() {
    run(async {
        let host = &flowing().start().await;
        for (rows, truncated) in [(100_000, false), (100_001, true)] {
            let body =
                json!({"sql": format!("SELECT number FROM numbers({rows})"), "format": "ndjson", "limit": 100_000})
                    .to_string();
            let said = raw(
                host,
                &format!(
                    "POST /api/v1/explorer/query HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\nConnection: close\r\nContent-Type: application/json\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                ),
            )
            .await;
            let (head, _) = said.split_once("\r\n\r\n").expect("a head");
            assert!(head.to_ascii_lowercase().contains("trailer: x-chm-rows, x-chm-truncated"), "{head}");
            let end = &said[said.len() - 80..];
            assert!(end.contains("x-chm-rows: 100000\r\n"), "{end}");
            assert!(end.contains(&format!("x-chm-truncated: {truncated}\r\n")), "{end}");
        }
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
