//! What panels say is right: real faults where they can be made, rows in a log where they cannot, and what came of them.
//!
//! Each claim here stands for a mistake that dashboards for ClickHouse are known to make.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::harness::{Answer, Host, OUTSIDER, STRICT, engine, eventually, old_server, run};

const SECRET: &str = "sekret-word";
/// Merges, logs and refreshes take their own time.
const SOON: Duration = Duration::from_secs(30);

/// Faults, and rows of logs as a server writes them. Their times are those of before the engine was started, so that they are alone.
const STATEMENTS: &[(&str, bool)] = &[
    ("CREATE DATABASE answers ENGINE = Atomic", false),
    ("CREATE TABLE answers.source (n UInt32) ENGINE = MergeTree ORDER BY n", false),
    ("INSERT INTO answers.source VALUES (1)", false),
    (
        "CREATE MATERIALIZED VIEW answers.failing REFRESH EVERY 1 DAY (n UInt8) ENGINE = MergeTree ORDER BY n \
         AS SELECT throwIf(n > 0, 'a view that fails') AS n FROM answers.source",
        false,
    ),
    ("BACKUP TABLE answers.nothing TO Memory('bad')", true),
    ("BACKUP TABLE answers.source TO Memory('good')", false),
    // Not done, and no failure: nobody works on it.
    ("CREATE TABLE answers.held (n UInt32, m UInt32) ENGINE = MergeTree ORDER BY n", false),
    ("INSERT INTO answers.held VALUES (1, 1)", false),
    ("SYSTEM STOP MERGES answers.held", false),
    ("ALTER TABLE answers.held UPDATE m = 2 WHERE 1", false),
    ("CREATE TABLE answers.detached (n UInt32) ENGINE = MergeTree ORDER BY n", false),
    ("INSERT INTO answers.detached VALUES (1)", false),
    ("ALTER TABLE answers.detached DETACH PARTITION tuple()", false),
    (
        "CREATE DICTIONARY answers.words (n UInt64, word String) PRIMARY KEY n SOURCE(CLICKHOUSE(QUERY 'SELECT 1, \\'a\\'')) \
         LAYOUT(FLAT()) LIFETIME(0)",
        false,
    ),
    ("SELECT count() FROM e2e.kept WHERE word = 'nowhere'", false),
    ("SYSTEM FLUSH LOGS", false),
    (
        "INSERT INTO system.part_log (event_type, merge_reason, event_date, event_time, database, table, duration_ms) VALUES \
         ('MergeParts', 'RegularMerge', today() - 5, now() - 5 * 86400, 'log', 'merged', 100), \
         ('MergeParts', 'RegularMerge', today() - 5, now() - 5 * 86400, 'log', 'merged', 300), \
         ('MergeParts', 'TTLDeleteMerge', today() - 5, now() - 5 * 86400, 'log', 'merged', 9000)",
        false,
    ),
    (
        "INSERT INTO system.part_log (event_type, event_date, event_time, database, table, rows) \
         SELECT arrayJoin(['NewPart', 'NewPart', 'MergeParts', 'MutatePart', 'RemovePart']), toDate(t), t, 'log', 'parts', 7 \
         FROM (SELECT toStartOfHour(now() - toIntervalHour(10)) + 60 AS t)",
        false,
    ),
    (
        "INSERT INTO system.asynchronous_insert_log (event_date, event_time, event_time_microseconds, flush_time, \
         flush_time_microseconds, database, table) SELECT toDate(t), t, toDateTime64(t, 6), t + 1, \
         toDateTime64(t, 6) + toIntervalMillisecond(1500), 'log', 'waited' FROM (SELECT now() - 7200 AS t)",
        false,
    ),
    // Two samples in one hour; three samples of a core that was busy all the time, ten seconds apart.
    (
        "INSERT INTO system.metric_log (event_date, event_time, CurrentMetric_HTTPConnection, \
         CurrentMetric_InterserverConnection, CurrentMetric_ZooKeeperRequest) \
         SELECT toDate(t), t + number * 10, 2 + 2 * number, 2 + 2 * number, 2 + 2 * number \
         FROM (SELECT number, toStartOfHour(now() - toIntervalHour(100)) + 60 AS t FROM numbers(2))",
        false,
    ),
    (
        "INSERT INTO system.metric_log (event_date, event_time, ProfileEvent_OSCPUVirtualTimeMicroseconds, \
         CurrentMetric_TCPConnection, CurrentMetric_ReadonlyReplica) \
         SELECT toDate(t), t + number * 10, 10000000, 2 + number, number \
         FROM (SELECT number, toStartOfTenMinutes(now() - toIntervalHour(20)) + 60 AS t FROM numbers(3))",
        false,
    ),
    (
        "INSERT INTO system.asynchronous_metric_log (event_date, event_time, metric, value) \
         SELECT toDate(t), t, pair.1, pair.2 FROM (SELECT toStartOfHour(now() - toIntervalHour(20)) + 60 AS t, \
         arrayJoin([('KeeperZnodeCount', 10), ('KeeperZnodeCount', 30)]) AS pair)",
        false,
    ),
    (
        "INSERT INTO system.asynchronous_metric_log (event_date, event_time, metric, value) \
         SELECT toDate(t), t, pair.1, pair.2 FROM (SELECT now() - 3 * 86400 AS t, \
         arrayJoin([('DiskUsed_one', 10), ('DiskAvailable_one', 90), ('DiskUsed_two', 30), ('DiskAvailable_two', 5)]) AS pair)",
        false,
    ),
    (
        "INSERT INTO system.query_log (type, event_date, event_time, query_start_time, query, query_id, user, query_kind, \
         query_duration_ms, memory_usage, read_rows, written_rows, result_rows, tables, client_name, is_initial_query) VALUES \
         ('QueryFinish', toDate(now() - 10800), now() - 10800, now() - 10800, 'SELECT alpha', 'answers-a', 'one', 'Select', \
          500, 1048576, 10, 0, 1, ['answers.alpha'], 'first', 1), \
         ('ExceptionWhileProcessing', toDate(now() - 7200), now() - 7200, now() - 7200, 'INSERT beta', 'answers-b', 'two', 'Insert', \
          2500, 10485760, 100, 5, 0, ['answers.beta'], 'second', 1), \
         ('QueryFinish', toDate(now() - 3600), now() - 3600, now() - 3600, \
          'SELECT gamma FROM s3(''http://127.0.0.1:1/b/c.csv'', ''AKIAKEY'', ''sekret-word'')', 'answers-c', 'two', 'Select', \
          60000, 104857600, 1000, 0, 50, ['answers.alpha', 'answers.beta'], 'second', 1)",
        false,
    ),
];

/// A host of its own, whose answers nobody asked for before the faults were made.
async fn host() -> &'static Host {
    static HOST: OnceCell<Host> = OnceCell::const_new();
    HOST.get_or_init(|| async {
        let engine = engine().await;
        for (sql, fails) in STATEMENTS {
            let outcome = engine.ask_with(sql, &[]).await;
            assert_eq!(outcome.is_err(), *fails, "{sql}: {outcome:?}");
        }
        engine.ask_with("SELEC 1", &[("query_id", "no-statement")]).await.expect_err("no statement");
        eventually("the view fails", SOON, async || {
            engine.ask("SELECT exception != '' FROM system.view_refreshes WHERE view = 'failing'").await == "1"
        })
        .await;
        eventually("the mutation fails", SOON, async || {
            engine.ask("SELECT count() FROM system.mutations WHERE latest_fail_reason != ''").await != "0"
        })
        .await;
        Host::with_bundled().unhurried().start().await
    })
    .await
}

async fn rows(path: &str) -> Vec<Value> {
    host().await.get(&format!("/api/v1/{path}")).await.expect(200).rows()
}

/// Claims that some row has all of these.
#[track_caller]
fn has(path: &str, rows: &[Value], expected: &Value) {
    let wanted = expected.as_object().expect("an object");
    let fits = |row: &&Value| wanted.iter().all(|(name, value)| row[name] == *value);
    assert!(rows.iter().any(|row| fits(&row)), "{path}: no row with {expected} in {}", json!(rows));
}

#[test]
fn checks_fire_for_what_is_broken_and_for_nothing_else() {
    run(async {
        let checks = "health-mv-refresh-failures,health-failed-backups,health-failed-mutations";
        let answer = host().await.get(&format!("/api/v1/health/checks?charts={checks}")).await.expect(200).json();
        let check = |name: &str| &answer["checks"][name];
        for name in checks.split(',') {
            assert!(check(name)["value"].as_f64() >= Some(1.0), "{name}: {}", check(name));
            assert!(
                ["warning", "critical"].map(Value::from).contains(&check(name)["status"]),
                "{name}: {}",
                check(name)
            );
        }
        let views = &check("health-mv-refresh-failures")["data"][0]["views"];
        assert!(views.as_array().is_some_and(|views| views.contains(&json!("answers.failing"))), "{views}");
        assert_eq!(check("health-failed-backups")["data"][0]["last_status"], "BACKUP_FAILED");
        // The held one is not done either, and did not fail.
        let counted = check("health-failed-mutations")["value"].as_f64();
        let count = async |condition: &str| {
            let sql = format!("SELECT count() FROM system.mutations WHERE NOT is_done AND {condition}");
            engine().await.ask(&sql).await.parse::<f64>().expect("a number")
        };
        assert_eq!(counted, Some(count("latest_fail_reason != ''").await));
        assert!(counted < Some(count("1").await));
    });
}

#[test]
fn states_of_backups_are_clickhouses_own() {
    run(async {
        let rows = rows("tables/backups").await;
        for status in ["BACKUP_FAILED", "BACKUP_CREATED"] {
            has("backups", &rows, &json!({"status": status}));
        }
    });
}

#[test]
fn the_newest_server_has_every_column_that_a_panel_names() {
    run(async {
        for (panel, gone) in [
            // One hash stands for all of these since 26.
            ("query-condition-cache", &["table_uuid", "part_name", "condition_hash", "condition"][..]),
            ("kafka-consumers", &[]),
            ("asynchronous-inserts", &[]),
            ("asynchronous-insert-log", &[]),
            ("dictionaries", &[]),
            ("view-refreshes", &[]),
            ("merge-performance", &[]),
            ("detached_parts", &[]),
            ("errors", &[]),
            ("tables-overview", &[]),
            ("mutations", &[]),
        ] {
            let answer = host().await.get(&format!("/api/v1/tables/{panel}")).await.expect(200);
            let metadata = &answer.json()["metadata"];
            assert!(metadata["unavailable"].is_null(), "{answer}");
            let absent = metadata["absentColumns"].as_array().cloned().unwrap_or_default();
            assert!(absent.iter().all(|name| gone.contains(&name.as_str().unwrap_or_default())), "{panel}: {absent:?}");
        }
        has("dictionaries", &rows("tables/dictionaries").await, &json!({"name": "words"}));
        has("view-refreshes", &rows("tables/view-refreshes").await, &json!({"view": "failing", "is_failed": 1}));
        has("mv-staleness", &rows("charts/mv-staleness").await, &json!({"view": "failing", "is_failed": 1}));
    });
}

#[test]
fn numbers_are_those_of_the_logs() {
    run(async {
        for (path, expected) in [
            // Duration is a column; merges for a TTL are no regular ones.
            ("tables/merge-performance", json!({"merges": 2, "avg_duration_ms": 200, "max_duration_ms": 300})),
            // From the insert to its being written, not a time.
            ("tables/asynchronous-insert-log?table=waited", json!({"latency_ms": 1500})),
            // Gauges are averaged, not added up.
            ("charts/connections-http", json!({"http_connections": 3, "max_http_connections": 4})),
            ("charts/connections-interserver", json!({"interserver_connections": 3, "max_interserver_connections": 4})),
            ("charts/connections-pool", json!({"tcp_connections": 3, "max_tcp_connections": 4})),
            ("charts/zookeeper-requests", json!({"zookeeper_requests": 3})),
            ("charts/readonly-replica", json!({"readonly_replicas": 2})),
            ("charts/keeper-requests", json!({"znodes": 20})),
            // Cores, from the times of the samples and not of their bucket.
            ("charts/cpu-usage", json!({"cpu_usage": 1})),
            // All disks, each by itself.
            ("charts/disks-usage", json!({"disk": "one", "used_space": 10, "available_space": 90})),
            ("charts/disks-usage", json!({"disk": "two", "used_space": 30, "available_space": 5})),
            ("charts/part-log-lifecycle", json!({"new_parts": 2, "merges": 1, "mutations": 1, "removals": 1})),
            ("charts/new-parts-created", json!({"full_name": "log.parts", "new_parts": 2, "total_rows": 14})),
        ] {
            let rows: Vec<Value> = rows(path).await.into_iter().map(whole).collect();
            has(path, &rows, &expected);
        }
    });
}

/// Numbers that are whole without their point: `3.0` is 3.
#[allow(clippy::cast_possible_truncation)]
fn whole(mut row: Value) -> Value {
    for value in row.as_object_mut().expect("an object").values_mut() {
        if let Some(number) = value.as_f64().filter(|number| number.fract() == 0.0) {
            *value = json!(number as i64);
        }
    }
    row
}

#[test]
fn detached_parts_are_all_shown_unless_a_table_is_named() {
    run(async {
        has("detached_parts", &rows("tables/detached_parts").await, &json!({"table": "detached"}));
        assert_eq!(rows("tables/detached_parts?table=nothing").await.len(), 0);
    });
}

#[test]
fn an_error_shows_where_it_came_from() {
    run(async {
        let path = "/api/v1/tables/errors?error=FUNCTION_THROW_IF_VALUE_IS_NON_ZERO";
        eventually("a trace", SOON, async || {
            engine().await.ask("SYSTEM FLUSH LOGS").await;
            let rows = host().await.get(path).await.expect(200).rows();
            let frames = rows.first().and_then(|row| row["last_error_trace"].as_array().cloned()).unwrap_or_default();
            let address = |frame: &Value| frame.as_str().is_some_and(|frame| frame.starts_with("0x"));
            !frames.is_empty() && frames.iter().all(address)
        })
        .await;
    });
}

#[test]
fn a_text_that_is_no_statement_is_shown_as_it_was_sent() {
    run(async {
        let path = "/api/v1/tables/query-detail?query_id=no-statement";
        eventually("the entry", SOON, async || {
            engine().await.ask("SYSTEM FLUSH LOGS").await;
            let rows = host().await.get(path).await.expect(200).rows();
            assert!(rows.iter().all(|row| row["query"] == "SELEC 1" && row["formatted_query"].is_null()), "{rows:?}");
            !rows.is_empty()
        })
        .await;
    });
}

/// The host asks for tables that are not there, and is refused; whoever leaves a page early stops its queries.
#[test]
fn failures_of_the_monitors_own_questions_are_not_the_servers() {
    run(async {
        let count = async |whose: &str| -> f64 {
            let sql = format!(
                "SELECT count() FROM system.query_log WHERE toInt8(type) IN (3, 4) AND event_time > now() - 3600 AND {whose} \
                 startsWith(initial_query_id, 'chm-')"
            );
            engine().await.ask(&sql).await.parse().expect("a number")
        };
        host().await.get("/api/v1/tables/keeper-watches").await.expect(200);
        eventually("a failure of our own, and the failures of others", SOON, async || {
            engine().await.ask("SYSTEM FLUSH LOGS").await;
            let before = count("NOT").await;
            let path = "/api/v1/health/checks?charts=health-failed-queries-recent";
            let checks = host().await.get(path).await.expect(200).json();
            let value = checks["checks"]["health-failed-queries-recent"]["value"].as_f64().expect("a number");
            let ours = count("").await;
            // Others fail meanwhile, and an answer is kept for some seconds.
            ours > 0.0 && before <= value && value <= count("NOT").await
        })
        .await;
        let rows = rows("tables/failed-queries?limit=1000").await;
        assert!(!rows.is_empty());
        assert!(!rows.iter().any(|row| row["query_id"].as_str().is_some_and(|id| id.starts_with("chm-"))));
    });
}

#[test]
fn a_chart_of_every_minute_is_whole_unless_asked_for_more() {
    run(async {
        let answer = host().await.get("/api/v1/charts/failed-query-count").await.expect(200);
        assert_eq!(answer.json()["metadata"]["truncated"], false);
        assert_eq!(answer.rows().len(), 166 * 60 + 1);
        let more = host().await.get("/api/v1/charts/failed-query-count?lastHours=168").await.expect(200);
        assert_eq!(more.json()["metadata"]["truncated"], true);
        // What is cut is what is longest ago.
        let newest =
            |answer: &Answer| answer.rows().last().and_then(|row| row["event_time"].as_str().map(str::to_owned));
        assert!(newest(&more).is_some() && newest(&more) >= newest(&answer), "{:?}", newest(&more));
    });
}

#[test]
fn what_a_user_may_not_see_is_named_with_its_grant() {
    run(async {
        host().await;
        let outsider = Host::with_bundled().unhurried().watches_as(OUTSIDER).await.start().await;
        for (path, table) in [
            ("tables/part-log", "part_log"),
            ("tables/tables-overview", "parts"),
            ("menu-counts/merges", "merges"),
            // Everybody may read these, and is not shown them.
            ("tables/settings", "settings"),
            ("charts/database-count", "databases"),
        ] {
            let answer = outsider.get(&format!("/api/v1/{path}")).await.expect(200);
            let unavailable = &answer.json()["metadata"]["unavailable"];
            assert_eq!(unavailable["reason"], "not_granted", "{answer}");
            assert_eq!(unavailable["remedy"], format!("GRANT SELECT ON system.{table} TO outsider"), "{answer}");
        }
        let answer = outsider.get("/api/v1/tables/history-queries?query_id=answers-a").await.expect(200);
        has("history-queries", &answer.rows(), &json!({"query": "SELECT alpha"}));
        // One row about the server, with what there is.
        let answer = outsider.get("/api/v1/tables/overview").await.expect(200);
        assert!(answer.rows()[0]["today_queries"].is_u64() && answer.rows()[0]["table_count"].is_null(), "{answer}");
    });
}

#[test]
fn a_user_who_may_set_nothing_sees_the_tables() {
    run(async {
        host().await;
        let strict = Host::with_bundled().unhurried().watches_as(STRICT).await.start().await;
        let answer = strict.get("/api/v1/tables/tables-overview").await.expect(200);
        has("tables-overview", &answer.rows(), &json!({"database": "e2e", "table": "kept"}));
    });
}

#[test]
fn without_keeper_its_tables_are_not_enabled() {
    run(async {
        for (path, section) in [
            ("tables/zookeeper", "<zookeeper>"),
            ("tables/distributed-ddl-queue", "<zookeeper>"),
            ("tables/keeper-info", "<zookeeper>"),
            ("charts/keeper-info-summary", "<zookeeper>"),
            ("menu-counts/distributed-ddl-queue", "<zookeeper>"),
            ("tables/keeper-cluster", "<keeper_server>"),
            ("tables/keeper-snapshots", "<keeper_server>"),
            ("tables/keeper-changelogs", "<keeper_server>"),
        ] {
            let answer = host().await.get(&format!("/api/v1/{path}")).await.expect(200);
            let unavailable = &answer.json()["metadata"]["unavailable"];
            assert_eq!(unavailable["reason"], "not_enabled", "{answer}");
            assert!(unavailable["message"].as_str().is_some_and(|text| text.contains(section)), "{answer}");
        }
    });
}

#[test]
fn the_biggest_tables_are_seven_unless_asked_otherwise() {
    run(async {
        assert_eq!(rows("charts/top-table-size").await.len(), 7);
        assert_eq!(rows("charts/top-table-size?limit=8").await.len(), 8);
        let refused = host().await.get("/api/v1/charts/top-table-size?limit=101").await;
        assert!(refused.error(400, "validation_error").contains("from 1 to 100"), "{refused}");
    });
}

#[test]
fn old_servers_count_the_events_of_parts() {
    run(async {
        let old = old_server().await;
        old.ask("CREATE TABLE e2e.merged (n UInt32) ENGINE = MergeTree ORDER BY n").await;
        old.ask("INSERT INTO e2e.merged VALUES (1)").await;
        old.ask("INSERT INTO e2e.merged VALUES (2)").await;
        old.ask("OPTIMIZE TABLE e2e.merged").await;
        let host = Host::with_bundled().unhurried().watches(&old.url(), old.user()).start().await;
        for (chart, column) in [
            ("part-log-lifecycle", "new_parts"),
            ("part-log-lifecycle", "merges"),
            ("new-parts-created", "new_parts"),
            ("merge-avg-duration", "merges"),
        ] {
            // The log is written a moment later, and an answer is kept for another.
            eventually(&format!("{column} of {chart}"), SOON, async || {
                let rows = host.get(&format!("/api/v1/charts/{chart}")).await.expect(200).rows();
                rows.iter().filter_map(|row| row[column].as_u64()).sum::<u64>() > 0
            })
            .await;
        }
    });
}

#[test]
fn where_nothing_happens_now_the_recent_past_is_shown() {
    run(async {
        eventually("no merges, and those of before", SOON, async || {
            let body = host().await.get("/api/v1/tables/merges").await.expect(200).json();
            let recent = &body["metadata"]["recent"];
            let is_empty = body["data"].as_array().is_some_and(Vec::is_empty);
            is_empty
                && recent["panel"] == "recent-merges"
                && recent["rows"].as_array().is_some_and(|rows| !rows.is_empty())
        })
        .await;
        // Narrowed to nothing is not nothing.
        let narrowed = host().await.get("/api/v1/tables/merges?offset=1000").await.expect(200).json();
        assert!(narrowed["metadata"]["recent"].is_null(), "{narrowed}");
        for path in [
            "tables/recent-queries?last_hours=24",
            "tables/history-queries?query_id=answers-c",
            "tables/history-queries?query_id=answers-c&format=csv",
            "tables/running-queries",
        ] {
            let answer = host().await.get(&format!("/api/v1/{path}")).await.expect(200);
            assert!(!answer.text().contains(SECRET), "{answer}");
        }
        assert_eq!(rows("tables/history-queries?query_id=answers-c").await.len(), 1);
    });
}

/// Ids of the queries of this file that a condition leaves.
async fn found(query: &str) -> String {
    let ours = if query.contains("query_id") { "" } else { "&query_id=contains:answers-" };
    let rows = rows(&format!("tables/history-queries?sort=query_id&{query}{ours}")).await;
    let last = |row: &Value| row["query_id"].as_str().and_then(|id| id.strip_prefix("answers-").map(str::to_owned));
    rows.iter().filter_map(last).collect()
}

#[test]
fn filters_of_the_history_leave_what_they_say() {
    run(async {
        for (query, left) in [
            ("user=one", "a"),
            ("user=in:one,two", "abc"),
            ("user=notIn:one", "bc"),
            ("user=eq:two", "bc"),
            ("user=ne:two", "a"),
            ("user=contains:ON", "a"),
            ("excluded_users=two", "a"),
            ("query=GAMMA", "c"),
            ("query=notContains:select", "b"),
            ("query=eq:SELECT%20alpha", "a"),
            ("query_id=answers-b", "b"),
            ("query_kind=Insert", "b"),
            ("query_kind=eq:Select", "ac"),
            ("query_kind=ne:Select", "b"),
            ("type=ExceptionWhileProcessing,QueryStart", "b"),
            ("type=ne:QueryFinish", "b"),
            ("duration=2.5", "bc"),
            ("duration=gt:2.5", "c"),
            ("duration=lte:2.5", "ab"),
            ("duration=lt:2.5", "a"),
            ("duration=between:0.4,3", "ab"),
            ("memory=gte:10", "bc"),
            ("memory=gt:10", "c"),
            ("memory=lte:1", "a"),
            ("memory=lt:10", "a"),
            ("memory=between:1,10", "ab"),
            ("read_rows=gte:100", "bc"),
            ("read_rows=gt:100", "c"),
            ("read_rows=lte:100", "ab"),
            ("read_rows=lt:100", "a"),
            ("read_rows=between:10,100", "ab"),
            ("written_rows=gte:5", "b"),
            ("written_rows=lte:0", "ac"),
            ("result_rows=gt:1", "c"),
            ("result_rows=lt:1", "b"),
            ("tables=ALPHA", "ac"),
            ("client_name=second", "bc"),
            ("client_name=contains:FIR", "a"),
            ("client_name=eq:first", "a"),
            ("event_time=2.5", "bc"),
            ("event_time=withinHours:1.5", "c"),
            ("event_time=", "abc"),
            ("user=two&duration=gt:10", "c"),
        ] {
            assert_eq!(found(query).await, left, "{query}");
        }
        let times = rows("tables/history-queries?sort=query_id&query_id=contains:answers-").await;
        let time = |place: usize| {
            let text = times[place]["event_time"].as_str().expect("a time").to_owned();
            form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
        };
        for (query, left) in [
            (format!("event_time=gte:{}", time(1)), "bc"),
            (format!("event_time=lte:{}", time(1)), "ab"),
            (format!("event_time=between:{},{}", time(0), time(1)), "ab"),
        ] {
            assert_eq!(found(&query).await, left, "{query}");
        }
    });
}

#[test]
fn values_to_choose_from_are_those_within_the_window() {
    run(async {
        let options = async |more: &str| {
            let path =
                format!("/api/v1/tables/history-queries/filter-options?key=user&query_id=contains:answers-{more}");
            host().await.get(&path).await.expect(200).json()["data"]["options"].clone()
        };
        assert_eq!(options("").await, json!([{"value": "two", "count": 2}, {"value": "one", "count": 1}]));
        assert_eq!(options("&event_time=withinHours:1.5").await, json!([{"value": "two", "count": 1}]));
    });
}

#[test]
fn pages_join_without_a_gap_and_the_last_one_says_so() {
    run(async {
        let page = async |offset: usize, limit: usize| -> Answer {
            let path = format!("/api/v1/tables/mergetree-settings?sort=-name&offset={offset}&limit={limit}");
            host().await.get(&path).await.expect(200)
        };
        let names = |answer: &Answer| -> Vec<String> {
            answer.rows().iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
        };
        let all = names(&page(0, 1000).await);
        let mut sorted = all.clone();
        sorted.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(all, sorted);
        let mut joined = Vec::new();
        while joined.len() < all.len() {
            let answer = page(joined.len(), 60).await;
            joined.extend(names(&answer));
            assert_eq!(answer.json()["metadata"]["truncated"], joined.len() < all.len(), "{} rows", joined.len());
        }
        assert_eq!(joined, all);
        for (limit, truncated) in [(all.len(), false), (all.len() - 1, true)] {
            assert_eq!(page(0, limit).await.json()["metadata"]["truncated"], truncated, "{limit}");
        }
        assert_eq!(names(&page(all.len(), 10).await), Vec::<String>::new());
    });
}

#[test]
fn what_is_unknown_is_named_with_what_is_known() {
    run(async {
        for (query, words) in [
            ("usr=one", &["`usr`", "user"][..]),
            ("sort=qery_id", &["`qery_id`", "query_id"]),
            ("duration=contains:1", &["`duration`", "contains", "gte, gt, lte, lt, between"]),
            ("duration=long", &["`duration`", "a number"]),
            ("duration=between:1", &["`duration`", "two values"]),
            ("event_time=gte:yesterday", &["`event_time`", "a time such as"]),
            ("limit=0", &["`limit`", "1 to 250"]),
            ("offset=-1", &["`offset`", "whole number"]),
            ("user=one&user=two", &["`user`", "twice"]),
        ] {
            let answer = host().await.get(&format!("/api/v1/tables/history-queries?{query}")).await;
            let message = answer.error(400, "validation_error");
            assert!(words.iter().all(|word| message.contains(word)), "{query}: {message}");
        }
    });
}
