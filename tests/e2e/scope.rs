//! Scopes: this server, every replica of a cluster, every configured host; and the map of a cluster.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::{Answer, CLUSTER, Host, READER, TRAVELLER, cluster, engine, old_server, run};

fn replicas(answer: &Answer) -> Vec<String> {
    let mut names: Vec<String> =
        answer.rows().iter().map(|row| row["replica_host"].as_str().expect("a replica").to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Names of those that are not in an answer.
fn unreachable(answer: &Answer) -> Vec<String> {
    let named = answer.json()["metadata"]["unreachable"].as_array().cloned().unwrap_or_default();
    named.iter().map(|one| one["host"].as_str().expect("a host").to_owned()).collect()
}

#[test]
fn every_replica_of_a_cluster_answers_and_one_that_is_gone_is_named() {
    run(async {
        let pair = cluster().await;
        let mut names = pair.names().await;
        names.sort_unstable();
        let [_, gone] = pair.addresses();
        let host = Host::with_bundled().unhurried().watches(&pair.first.url(), TRAVELLER).start().await;
        let path = format!("/api/v1/tables/mergetree-settings?cluster={CLUSTER}");

        // Both, in one order, cut as one.
        let all = host.get(&format!("{path}&sort=name&limit=1000")).await.expect(200);
        assert_eq!(replicas(&all), names);
        assert_eq!(unreachable(&all), Vec::<String>::new());
        let settings: Vec<String> =
            all.rows().iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect();
        assert!(settings.is_sorted(), "{settings:?}");
        let page = host.get(&format!("{path}&sort=name&offset=3&limit=5")).await.expect(200);
        assert_eq!(page.json()["metadata"]["truncated"], true);
        let of_page: Vec<Value> = page.rows().iter().map(|row| row["name"].clone()).collect();
        assert_eq!(json!(of_page), json!(settings[3..8]));
        let one_server = host.get("/api/v1/tables/mergetree-settings?limit=1000").await.expect(200);
        assert_eq!(settings.len(), 2 * one_server.rows().len());

        // A counter of the cluster is the sum over its replicas.
        let counted = host.get(&format!("/api/v1/cluster-counts/replication-queue-in-cluster?cluster={CLUSTER}")).await;
        assert_eq!(counted.expect(200).json()["data"]["count"], 0);
        let lag = format!("/api/v1/cluster-counts/replication-lag-critical-in-cluster?cluster={CLUSTER}");
        assert_eq!(host.get(&lag).await.expect(200).json()["data"]["count"], 0);

        // Each of them runs a part of the question, and that is none of what runs there.
        let running = host.get(&format!("/api/v1/tables/running-queries?cluster={CLUSTER}")).await.expect(200);
        let is_ours = |row: &Value| row["initial_query_id"].as_str().is_some_and(|id| id.starts_with("chm-"));
        assert!(!running.rows().iter().any(is_ours), "{running}");

        let map = host.get("/api/v1/cluster-topology").await.expect(200).json()["data"].clone();
        assert_eq!(map["meta"]["liveSource"], "fanout", "{map}");
        let of_pair = |map: &Value| -> Vec<Value> {
            let nodes = map["chNodes"].as_array().expect("nodes").iter();
            nodes.filter(|node| node["clusters"].to_string().contains(CLUSTER)).cloned().collect()
        };
        for node in of_pair(&map) {
            assert!(node["status"] == "healthy" || node["status"] == "warn", "{node}");
            assert!(node["version"].as_str().is_some_and(|version| version.starts_with("26.")), "{node}");
            assert!(node["uptimeSeconds"].is_u64() && node["memoryUsed"].is_u64(), "{node}");
        }
        assert_eq!(of_pair(&map).len(), 2, "{map}");
        assert_eq!(map["replEdges"].as_array().map(Vec::len), Some(1), "{map}");
        assert_eq!(map["keeper"], json!({"present": false, "source": "none", "leaderId": null, "quorumHealthy": null}));
        let news = host.get("/api/v1/notifications").await.expect(200).json();
        assert_eq!(news["data"], json!({"notifications": [], "totalCount": 0}), "{news}");

        pair.second.stop().await;
        // Another limit, so that no kept answer is shown.
        let left = host.get(&format!("{path}&sort=name&limit=999")).await.expect(200);
        assert_eq!(replicas(&left).len(), 1);
        assert_eq!(unreachable(&left), [gone.as_str()]);
        // Named once, also where the recent past is shown, and with a number that lacks it.
        let merges = host.get(&format!("/api/v1/tables/merges?cluster={CLUSTER}")).await.expect(200);
        assert_eq!(unreachable(&merges), [gone.as_str()], "{merges}");
        let path = format!("/api/v1/cluster-counts/readonly-tables-in-cluster?cluster={CLUSTER}");
        let counted = host.get(&path).await.expect(200);
        assert_eq!(counted.json()["data"]["count"], 0);
        assert_eq!(unreachable(&counted), [gone.as_str()], "{counted}");
        let map = host.get("/api/v1/cluster-topology").await.expect(200).json()["data"].clone();
        let node = of_pair(&map).into_iter().find(|node| node["isLocal"] == false).expect("the other");
        assert_eq!((&node["id"], &node["status"]), (&json!(gone), &json!("unreachable")), "{map}");
    });
}

#[test]
fn a_cluster_that_is_not_there_or_not_granted_is_explained() {
    run(async {
        let pair = cluster().await;
        let host = Host::with_bundled().unhurried().watches(&pair.first.url(), READER).start().await;
        let unknown = host.get("/api/v1/tables/merges?cluster=pear").await;
        assert!(unknown.error(400, "validation_error").contains(CLUSTER), "{unknown}");
        for query in ["scope=cluster", "scope=host&cluster=pair", "scope=hosts&hostId=0", "scope=world"] {
            host.get(&format!("/api/v1/tables/merges?{query}")).await.error(400, "validation_error");
        }
        let closed = host.get(&format!("/api/v1/tables/merges?cluster={CLUSTER}")).await.expect(200);
        let unavailable = &closed.json()["metadata"]["unavailable"];
        assert_eq!(unavailable["reason"], "not_granted", "{closed}");
        assert_eq!(unavailable["remedy"], "GRANT READ ON REMOTE TO reader", "{closed}");
        let map = host.get("/api/v1/cluster-topology").await.expect(200).json()["data"].clone();
        assert_eq!(map["meta"]["liveSource"], "local", "{map}");
        let nodes = map["chNodes"].as_array().expect("nodes");
        let others: Vec<&Value> = nodes.iter().filter(|node| node["isLocal"] == false).collect();
        assert!(!others.is_empty() && others.iter().all(|node| node["status"].is_null()), "{map}");
    });
}

#[test]
fn configured_hosts_answer_side_by_side_and_those_that_cannot_are_named() {
    run(async {
        let (engine, old) = (engine().await, old_server().await);
        let mut config = String::new();
        for (name, url, (user, password)) in [
            ("new", engine.url(), engine.administrator()),
            ("gone", "http://127.0.0.1:1".to_owned(), ("u", "p")),
            ("old", old.url(), old.user()),
        ] {
            let _ = write!(
                config,
                "[[clickhouse.hosts]]\nname = \"{name}\"\nurl = \"{url}\"\nuser = \"{user}\"\npassword = \"{password}\"\n"
            );
        }
        let host = Host::with_bundled().watches_nothing().unhurried().config(&config).start().await;
        let answer = host.get("/api/v1/tables/tables-list?scope=hosts").await.expect(200);
        let mut servers: Vec<(Option<u64>, String)> =
            answer.rows().iter().map(|row| (row["hostId"].as_u64(), row["hostName"].to_string())).collect();
        servers.sort_unstable();
        servers.dedup();
        assert_eq!(servers, [(Some(0), "\"new\"".to_owned()), (Some(2), "\"old\"".to_owned())], "{answer}");
        assert_eq!(unreachable(&answer), ["1"]);
        // What one of them is too old for is no failure of the others.
        let answer = host.get("/api/v1/tables/view-refreshes?scope=hosts").await.expect(200);
        assert_eq!(unreachable(&answer), ["1", "2"], "{answer}");
        // An old server draws a map too, of itself.
        let map = host.get("/api/v1/cluster-topology?hostId=2").await.expect(200).json()["data"].clone();
        assert_eq!(map["meta"]["liveSource"], "local", "{map}");
        assert_eq!(map["chNodes"][0]["version"], "18.16.1", "{map}");
        host.get("/api/v1/cluster-topology?hostId=1").await.expect(503);
    });
}
