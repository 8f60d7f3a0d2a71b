use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::found::{Found, Live, widest};
use super::map::{KeeperSource, LiveSource, NodeStatus, Topology, map};

fn member(cluster: &str, shard: u32, replica: u32, host: &str, is_local: bool) -> Value {
    json!({"cluster": cluster, "shard_num": shard, "replica_num": replica, "host_name": host, "host_address": "", "port": 9000,
        "is_local": is_local, "errors_count": 0, "is_active": null})
}

/// Two shards of two replicas, which the server also knows as a cluster of its own.
fn found() -> Found {
    Found {
        members: vec![
            member("all", 1, 1, "a", true),
            member("all", 1, 2, "b", false),
            member("all", 2, 1, "c", false),
            member("all", 2, 2, "d", false),
            member("self", 1, 1, "localhost", true),
        ],
        truncated: false,
        keepers: Vec::new(),
        connections: Vec::new(),
        live: Live::nothing(),
    }
}

fn statuses(map: &Topology) -> Vec<(&str, Option<NodeStatus>)> {
    map.ch_nodes.iter().map(|node| (node.host.as_str(), node.status)).collect()
}

#[test]
fn a_server_in_several_clusters_is_one_node_and_replicas_of_a_shard_are_joined() {
    let map = map(&found());
    assert_eq!(map.ch_nodes.len(), 4);
    assert_eq!(map.ch_nodes[0].clusters.len(), 2);
    let pair = |one: &str, other: &str| [format!("{one}:9000"), format!("{other}:9000")];
    assert_eq!(map.repl_edges, [pair("a", "b"), pair("c", "d")]);
    let clusters: Vec<_> = map.clusters.iter().map(|it| (it.name.as_str(), it.shards, it.nodes.len())).collect();
    assert_eq!(clusters, [("all", 2, 4), ("self", 1, 1)]);
    assert_eq!(widest(&found().members).as_deref(), Some("all"));
}

#[test]
fn what_nobody_said_is_missing_and_not_well() {
    let map = map(&found());
    assert!(statuses(&map).iter().all(|(_, status)| status.is_none()));
    assert_eq!((map.meta.live_source, map.keeper.source), (LiveSource::None, KeeperSource::None));
    assert_eq!((map.keeper.present, map.keeper.quorum_healthy), (false, None));
    assert!(map.ch_nodes[0].version.is_none() && map.ch_nodes[0].memory_used.is_none());
}

#[test]
fn a_node_is_healthy_warns_is_down_or_unreachable() {
    let mut found = found();
    let well = json!({"version": "26.7", "readonly_replicas": 0, "max_delay_seconds": null, "disk_used": 10, "disk_total": 100});
    let late =
        json!({"version": "26.7", "readonly_replicas": 2, "max_delay_seconds": 31, "disk_used": 90, "disk_total": 100});
    found.members[3]["is_active"] = json!(false);
    found.live = Live {
        source: LiveSource::Fanout,
        cluster: Some("all".to_owned()),
        of: BTreeMap::from([("a:9000".to_owned(), well), ("b:9000".to_owned(), late)]),
        local: None,
        unreachable: BTreeSet::from(["c:9000".to_owned()]),
    };
    let map = map(&found);
    let expected = [
        ("a", Some(NodeStatus::Healthy)),
        ("b", Some(NodeStatus::Warn)),
        ("c", Some(NodeStatus::Unreachable)),
        ("d", Some(NodeStatus::Down)),
    ];
    assert_eq!(statuses(&map), expected);
    assert_eq!(
        map.ch_nodes[1].reasons,
        ["2 of its replicas take no inserts", "a replica is 31 seconds behind", "90 % of its disk in use"]
    );
}

#[test]
fn a_server_in_no_cluster_is_a_node_too() {
    let live = Live {
        source: LiveSource::Local,
        local: Some(json!({"host": "alone", "version": "18.16.1"})),
        ..Live::nothing()
    };
    let map = map(&Found { members: Vec::new(), live, ..found() });
    assert_eq!(statuses(&map), [("alone", Some(NodeStatus::Healthy))]);
    assert!(map.ch_nodes[0].is_local && map.clusters.is_empty());
}

#[test]
fn keeper_nodes_are_joined_to_their_leader_and_to_who_is_connected() {
    let node = |host: &str, state: &str| json!({"host": host, "port": 9181, "server_state": state, "is_connected": 0});
    let connection = |server: Option<&str>, keeper: &str| {
        (server.map(str::to_owned), json!({"host": keeper, "port": 9181, "enabled_feature_flags": ["MULTI_READ"]}))
    };
    let found = Found {
        keepers: vec![node("k1", "follower"), node("k2", "leader"), node("k3", "")],
        connections: vec![connection(None, "k1"), connection(Some("b:9000"), "k2")],
        ..found()
    };
    let map = map(&found);
    assert_eq!(map.keeper.leader_id.as_deref(), Some("k2:9181"));
    assert_eq!((map.keeper.source, map.keeper.quorum_healthy), (KeeperSource::Keeper, Some(true)));
    assert_eq!(map.keepers[2].status, Some(NodeStatus::Unreachable));
    let pair = |one: &str, other: &str| [one.to_owned(), other.to_owned()];
    assert_eq!(map.raft_edges, [pair("k1:9181", "k2:9181"), pair("k2:9181", "k3:9181")]);
    assert_eq!(map.coord_edges, [pair("a:9000", "k1:9181"), pair("b:9000", "k2:9181")]);
}
