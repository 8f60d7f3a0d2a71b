//! Servers of every kind, as the crate that reaches them sees them: an old one, one that keeps no logs, users with few rights, and two
//! that form a cluster.

use std::time::Duration;

use chm_access::Secret;
use chm_clickhouse::{
    Absence, Arrangement, ErrorKind, Format, GuardedQuery, Host, HostConfig, Limits, Presence, REPLICA, ReadError,
    ReadOptions, TableName,
};
use serde_json::{Value, json};

use crate::harness::{
    CLUSTER, LACKING, OUTSIDER, READER, STRICT, TRAVELLER, bare_engine, cluster, engine, eventually, old_server, run,
};

fn host(url: &str, (user, password): (&str, &str)) -> Host {
    let config = HostConfig::new(0, None, url, user, Secret::new(password)).expect("an address");
    Host::new(config, Limits::default()).expect("a host")
}

async fn try_rows(host: &Host, sql: &str, options: ReadOptions) -> Result<Vec<Value>, ReadError> {
    let query = GuardedQuery::check(sql).unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    rows_of(host, &query, options).await
}

async fn rows_of(host: &Host, query: &GuardedQuery, options: ReadOptions) -> Result<Vec<Value>, ReadError> {
    let rows = host.read(query, options).await?.collect().await?;
    Ok(rows.iter().map(|row| serde_json::from_slice(row).expect("a row of JSON")).collect())
}

async fn rows(host: &Host, sql: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
    try_rows(host, sql, with(parameters)).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn with(parameters: &[(&str, &str)]) -> ReadOptions {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ReadOptions { parameters, ..ReadOptions::default() }
}

fn table(name: &str) -> TableName {
    TableName::parse(name).expect("a table's name")
}

#[test]
fn an_old_server_is_asked_for_its_version_its_state_and_its_tables() {
    run(async {
        let server = old_server().await;
        for user in [server.user(), server.strict_user()] {
            let host = host(&server.url(), user);
            host.ping(Duration::from_secs(5)).await.expect("a sign of life");
            assert_eq!(host.version().await.expect("a version"), "18.16.1");
            assert!(!host.status().await.expect("a state").hostname.is_empty());
            let tables = ["system.parts", "system.errors", "e2e.kept"].map(table);
            let present = host.tables_present(&tables).await;
            assert_eq!(present, [Presence::Present, Presence::Absent, Presence::Present]);
            let columns = host.columns_present(&tables[0], &["rows", "primary_key_bytes_in_memory", "odd"]).await;
            assert_eq!(columns, [Presence::Present, Presence::Present, Presence::Absent]);
        }
    });
}

#[test]
fn an_old_server_reads_every_value_as_it_was_given() {
    run(async {
        let server = old_server().await;
        let texts = [
            "",
            "plain",
            "it's",
            "''",
            r"\",
            r"\'",
            r"\\'",
            "a\nb\tc\rd",
            "\0",
            "end\\",
            "{x:String}",
            "' OR 1 --",
            "/*",
            "ünïcödé 🦀",
            "$$",
            "\u{7f}\u{1}",
            r"\n\t\0\x41\u0041\N\b\f\a\v\e\q\%\_",
            "`\"",
        ];
        for user in [server.user(), server.strict_user()] {
            let host = host(&server.url(), user);
            for text in texts {
                let sql = "SELECT {x:String} AS s, lower(hex({x:String})) AS bytes, s = {x:String} AS same";
                let expected = json!([{"s": text, "bytes": hex::encode(text), "same": 1}]);
                assert_eq!(Value::from(rows(&host, sql, &[("x", text)]).await), expected, "{text:?}");
            }
            for (kind, value, is) in [
                ("UInt8", "255", "toUInt8(255)"),
                ("UInt64", "18446744073709551615", "toUInt64('18446744073709551615')"),
                ("Int64", "-9223372036854775808", "toInt64('-9223372036854775808')"),
                ("Int32", "-7", "toInt32(-7)"),
                ("Float64", "0.25", "toFloat64(0.25)"),
                ("Float64", "-1e-7", "toFloat64('-0.0000001')"),
                ("Float64", "5", "toFloat64(5)"),
                ("Date", "2020-02-29", "toDate('2020-02-29')"),
                ("DateTime", "2020-02-29 12:30:00", "toDateTime('2020-02-29 12:30:00')"),
                ("Array(UInt8)", "[1, 2]", "[1, 2]"),
                ("Array(String)", r"['it\'s', 'b', '']", r"['it\'s', 'b', '']"),
                ("Bool", "true", "1"),
            ] {
                let sql = format!("SELECT {{x:{kind}}} = {is} AS same");
                assert_eq!(rows(&host, &sql, &[("x", value)]).await[0]["same"], json!(1), "{kind} {value}");
            }
            let sql = "SELECT {c:Identifier} AS n FROM e2e.{t:Identifier} WHERE has({days:Array(String)}, toString(day)) = 0 \
                 ORDER BY n LIMIT {limit:UInt32}";
            let given = [("c", "n"), ("t", "kept"), ("days", "['1999-01-01']"), ("limit", "2")];
            assert_eq!(rows(&host, sql, &given).await.len(), 2);
            let sql = "SELECT quantile({q:Float64})(n) AS q FROM e2e.kept";
            assert_eq!(rows(&host, sql, &[("q", "1")]).await.len(), 1);
        }
        let host = host(&server.url(), server.user());
        for (kind, value) in [("UInt8", "256"), ("UInt8", "1 OR 1"), ("Identifier", "a`b")] {
            let sql = format!("SELECT {{x:{kind}}} AS s FROM system.one");
            let error = try_rows(&host, &sql, with(&[("x", value)])).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Validation, "{error}");
        }
        let error = try_rows(&host, "SELECT {x:String} AS s", with(&[])).await.unwrap_err();
        assert!(error.to_string().contains("parameter `x`"), "{error}");
    });
}

#[test]
fn an_old_servers_numbers_rows_and_errors_are_those_of_a_new_one() {
    run(async {
        let server = old_server().await;
        let host = host(&server.url(), server.user());
        assert_eq!(rows(&host, "SELECT toUInt64(5) AS n", &[]).await, [json!({"n": 5})]);
        for (wanted, more) in [(10, true), (1_000_000, false)] {
            let sql = "SELECT number FROM system.numbers LIMIT 1000";
            let query = GuardedQuery::check(sql).expect("a statement");
            let mut rows = host.read(&query, ReadOptions { max_rows: wanted, ..with(&[]) }).await.expect("rows");
            assert_eq!((rows.collect().await.expect("rows").len() as u64, rows.truncated()), (wanted.min(1000), more));
        }
        for (sql, code, words) in [
            ("SELECT nothing FROM system.one", 47, "Unknown identifier"),
            ("SELECT 1 FROM system.nothing", 60, "doesn't exist"),
            ("SELECT 1 FROM numbers(3)", 164, "readonly"),
        ] {
            let error = try_rows(&host, sql, with(&[])).await.unwrap_err();
            assert_eq!(error.code(), Some(code), "{error}");
            assert!(error.to_string().contains(words), "{error}");
            for ours in ["e.what", "displayText", "DB::Exception"] {
                assert!(!error.to_string().contains(ours), "{error}");
            }
        }
        // After rows that were right, in every format that has rows.
        let late = "SELECT number, throwIf(number = 300000) AS t FROM system.numbers LIMIT 400000";
        for format in [Format::JsonEachRow, Format::Csv, Format::Tsv] {
            let query = GuardedQuery::check(late).expect("a statement");
            let options = ReadOptions { format, max_rows: 1_000_000, ..with(&[]) };
            let error = match host.read(&query, options).await {
                Ok(mut rows) => rows.collect().await.map(|rows| rows.len()).unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error.code(), Some(395), "{format:?}: {error}");
        }
        let options = ReadOptions { max_execution: Duration::from_secs(1), ..with(&[]) };
        let error = try_rows(&host, "SELECT count() AS c FROM system.numbers", options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    });
}

#[test]
fn a_query_that_nobody_waits_for_is_stopped_on_an_old_server_too() {
    run(async {
        let server = old_server().await;
        for (user, id) in [(server.user(), "chm-left-1"), (server.strict_user(), "chm-left-2")] {
            let host = host(&server.url(), user);
            // Known before the clock runs.
            host.version().await.expect("a version");
            let query = GuardedQuery::check("SELECT count() AS c FROM system.numbers").expect("a statement");
            let options = ReadOptions { query_id: Some(id.to_owned()), ..with(&[]) };
            let running = async || {
                let sql = format!("SELECT count() FROM system.processes WHERE query_id = '{id}'");
                server.ask(&sql).await == "1"
            };
            let limit = Duration::from_secs(20);
            tokio::select! {
                answer = host.read(&query, options) => panic!("endless: {answer:?}"),
                () = eventually("the query runs", limit, running) => {}
            }
            eventually("the query is gone", limit, async || !running().await).await;
        }
    });
}

#[test]
fn a_shape_tells_what_a_server_has() {
    run(async {
        let (new, old, bare) = (engine().await, old_server().await, bare_engine().await);
        let new_shape = host(&new.url(), READER).shape().await.expect("a shape");
        assert!(new_shape.version().is_at_least((26, 7)));
        assert!(new_shape.has_column("system", "query_log", "normalized_query_hash"));
        assert!(new_shape.has_table("system", "errors") && !new_shape.has_table("system", "zookeeper"));
        for user in [old.user(), old.strict_user()] {
            let shape = host(&old.url(), user).shape().await.expect("a shape");
            assert_eq!(shape.version().release(), (18, 16));
            assert!(shape.has_table("system", "query_log") && !shape.has_table("system", "errors"));
            assert!(shape.has_column("system", "query_log", "ProfileEvents.Names"));
            assert!(!shape.has_column("system", "query_log", "normalized_query_hash"));
        }
        let shape = host(&bare.url(), bare.administrator()).shape().await.expect("a shape");
        assert!(shape.has_table("system", "parts") && !shape.has_table("system", "query_log"));
        let strict = host(&new.url(), STRICT).shape().await.expect("a shape");
        assert!(strict.has_table("system", "query_log"));
    });
}

#[test]
fn a_shape_is_asked_for_once_and_again_when_it_is_old() {
    run(async {
        let bare = bare_engine().await;
        let host = host(&bare.url(), bare.administrator());
        let shapes = futures::future::join_all((0..20).map(|_| host.shape())).await;
        let first = shapes[0].as_ref().expect("a shape");
        assert!(shapes.iter().all(|shape| std::sync::Arc::ptr_eq(shape.as_ref().expect("a shape"), first)));
        bare.ask("CREATE TABLE system.query_log_0 (x UInt8) ENGINE = MergeTree ORDER BY x").await;
        assert!(!host.shape().await.expect("a shape").has_table("system", "query_log_0"));
        let fresh = host.shape_younger_than(Duration::ZERO).await.expect("a shape");
        assert_eq!(fresh.predecessors("query_log"), ["query_log_0"]);
        host.forget_shape().await;
        assert!(!std::sync::Arc::ptr_eq(&host.shape().await.expect("a shape"), &fresh));
    });
}

#[test]
fn what_is_absent_is_not_granted_not_enabled_or_not_in_this_version() {
    run(async {
        let (new, old, bare) = (engine().await, old_server().await, bare_engine().await);
        let servers = [
            ("admin", host(&new.url(), new.administrator())),
            ("lacking", host(&new.url(), LACKING)),
            ("bare", host(&bare.url(), bare.administrator())),
            ("old", host(&old.url(), old.user())),
            ("old, strict", host(&old.url(), old.strict_user())),
        ];
        let not_enabled = "<text_log><database>system</database><table>text_log</table></text_log>";
        for (server, name, kind, words) in [
            ("admin", "system.query_log", None, ""),
            ("admin", "system.zookeeper", Some("not_enabled"), "<zookeeper>"),
            (
                "admin",
                "system.no_such_table",
                Some("not_in_this_version"),
                "does not exist on this server (ClickHouse 26.",
            ),
            ("lacking", "system.query_log", Some("not_granted"), "GRANT SELECT ON system.query_log TO lacking"),
            ("lacking", "system.part_log", None, ""),
            ("bare", "system.query_log", Some("not_enabled"), "<query_log>"),
            ("bare", "system.text_log", Some("not_enabled"), not_enabled),
            ("old", "system.query_log", None, ""),
            ("old", "system.text_log", Some("not_in_this_version"), "came with ClickHouse 19; this server has 18.16.1"),
            ("old", "system.errors", Some("not_in_this_version"), "came with ClickHouse 20"),
            ("old, strict", "system.errors", Some("not_in_this_version"), "came with ClickHouse 20"),
        ] {
            let host = &servers.iter().find(|(label, _)| *label == server).expect("a server").1;
            let absence = host.why_absent(&table(name)).await.expect("an answer");
            assert_eq!(absence.as_ref().map(Absence::kind), kind, "{server} {name}: {absence:?}");
            let text = absence.map(|absence| absence.to_string()).unwrap_or_default();
            assert!(text.contains(words), "{server} {name}: {text}");
        }
        for (server, name, column, kind) in [
            ("admin", "system.query_log", "query", None),
            ("admin", "system.query_log", "ProfileEvents", None),
            ("admin", "system.query_log", "odd", Some("not_in_this_version")),
            ("lacking", "system.query_log", "query", Some("not_granted")),
            ("old", "system.query_log", "ProfileEvents.Names", None),
            ("old", "system.query_log", "normalized_query_hash", Some("not_in_this_version")),
        ] {
            let host = &servers.iter().find(|(label, _)| *label == server).expect("a server").1;
            let absence = host.why_column_absent(&table(name), column).await.expect("an answer");
            assert_eq!(absence.as_ref().map(Absence::kind), kind, "{server} {name}.{column}: {absence:?}");
        }
        // To ask why is to fail, which the server's logs keep: once is enough.
        let outsider = host(&new.url(), OUTSIDER);
        for (name, times) in [("system.moves", 3), ("system.one", 3), ("system.query_log", 1)] {
            for _ in 0..times {
                let absence = outsider.why_absent(&table(name)).await.expect("an answer");
                let grant = format!("GRANT SELECT ON {name} TO outsider");
                let remedy = absence.as_ref().and_then(Absence::remedy);
                assert_eq!(remedy, (name != "system.query_log").then_some(grant.as_str()), "{absence:?}");
            }
        }
        new.ask("SYSTEM FLUSH LOGS").await;
        let asked = "SELECT count() FROM system.query_log WHERE type = 'ExceptionBeforeStart' AND user = 'outsider' \
                     AND query LIKE 'SELECT 1 AS one FROM system.moves%'";
        assert_eq!(new.ask(asked).await, "1");
        // A server that cannot be asked is no server without the table.
        let nobody = host("http://127.0.0.1:1", ("u", "p"));
        assert_eq!(nobody.why_absent(&table("system.query_log")).await.unwrap_err().kind(), ErrorKind::Network);
        assert_eq!(nobody.shape().await.unwrap_err().kind(), ErrorKind::Network);
    });
}

#[test]
fn both_nodes_of_a_cluster_answer_and_one_that_is_gone_is_named() {
    run(async {
        let pair = cluster().await;
        let host = host(&pair.first.url(), TRAVELLER);
        let name = host.cluster(CLUSTER).await.expect("clusters").expect("the cluster");
        assert_eq!(host.cluster("x'; --").await.expect("clusters"), None);
        let members = host.cluster_members(&name).await.expect("members");
        let addresses: Vec<&str> = members.iter().map(|member| member.address.as_str()).collect();
        assert_eq!(addresses, pair.addresses());
        let reach = host.reachable_members(&name).await.expect("an answer");
        let names = pair.names().await;
        assert_eq!(reach.reached.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), names);
        assert!(reach.unreachable.is_empty());

        // Each counts by itself, with the same parameters; order and limit are of all together.
        let sql = "SELECT database, count() AS tables, {x:String} AS x FROM system.tables \
                   WHERE database = {database:String} GROUP BY database -- the end";
        let arrangement =
            Arrangement { order_by: vec![("tables".into(), true), (REPLICA.into(), false)], ..Arrangement::default() };
        let wrapped = |arrangement: &Arrangement| {
            GuardedQuery::check(sql).expect("a statement").on_every_replica(&name, arrangement).expect("a SELECT")
        };
        let options = || with(&[("x", "it's"), ("database", "system")]);
        let rows = rows_of(&host, &wrapped(&arrangement), options()).await.expect("rows");
        let hosts: Vec<&str> = rows.iter().filter_map(|row| row[REPLICA].as_str()).collect();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(hosts, sorted);
        assert!(rows.iter().all(|row| row["x"] == "it's" && row["tables"].as_u64() > Some(100)), "{rows:?}");
        let one = Arrangement { limit: Some(1), offset: 1, ..arrangement };
        assert_eq!(rows_of(&host, &wrapped(&one), options()).await.expect("rows").len(), 1);

        pair.second.stop().await;
        let error = rows_of(&host, &wrapped(&one), options()).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), (Some(279), ErrorKind::Network), "{error}");
        let skipping = ReadOptions { skip_unavailable_shards: true, ..options() };
        let rows = rows_of(&host, &wrapped(&Arrangement::default()), skipping).await.expect("rows");
        assert_eq!(rows.iter().filter_map(|row| row[REPLICA].as_str()).collect::<Vec<_>>(), names[..1]);
        let reach = host.reachable_members(&name).await.expect("an answer");
        assert_eq!(reach.reached.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), names[..1]);
        assert_eq!(reach.unreachable, members[1..]);
    });
}

#[test]
fn a_cluster_is_closed_to_whom_it_is_not_granted_and_old_servers_say_so() {
    run(async {
        let pair = cluster().await;
        let host_of = |user| host(&pair.first.url(), user);
        let reader = host_of(READER);
        let name = reader.cluster(CLUSTER).await.expect("clusters").expect("the cluster");
        let error = reader.reachable_members(&name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
        assert_eq!(reader.grant_for(&error).as_deref(), Some("GRANT READ ON REMOTE TO reader"));
        // Nobody writes it by hand.
        assert!(GuardedQuery::check("SELECT 1 FROM clusterAllReplicas('pair', view(SELECT 1))").is_err());
        let old = old_server().await;
        let error = host(&old.url(), old.user()).cluster(CLUSTER).await.unwrap_err();
        assert!(matches!(error, ReadError::TooOld { .. }), "{error}");
        assert!(error.to_string().contains("18.16.1"), "{error}");
        // A user who may give no setting reads too, and is told which replica is gone.
        let strict = host_of(STRICT);
        assert_eq!(strict.reachable_members(&name).await.expect("an answer").reached.len(), 2);
        let gone = pair.addresses()[1].clone();
        pair.second.stop().await;
        let error = strict.reachable_members(&name).await.unwrap_err();
        assert!(error.to_string().contains(&gone), "{error}");
    });
}
