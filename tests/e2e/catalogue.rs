//! The catalogue: every name that the pages of operators ask for is there, under the feature it belongs to.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Host, run, shared};

/// Tables by feature.
const TABLES: &[(&str, &[&str])] = &[
    (
        "queries",
        &[
            "common-errors",
            "expensive-queries",
            "expensive-queries-by-memory",
            "failed-queries",
            "history-queries",
            "parallelization",
            "query-cache",
            "query-condition-cache",
            "query-detail",
            "query-metric-log",
            "query-views-log",
            "running-queries",
            "slow-queries",
            "thread-analysis",
            "top-usage-columns",
            "top-usage-tables",
            "user-processes",
        ],
    ),
    ("metrics", &["profiler"]),
    (
        "tables",
        &[
            "asynchronous-insert-log",
            "asynchronous-inserts",
            "columns",
            "detached_parts",
            "dictionaries",
            "distributed-ddl-queue",
            "dropped-tables",
            "index-analytics",
            "kafka-consumers",
            "part-info",
            "projection-analytics",
            "projections",
            "rabbitmq-consumers",
            "readonly-tables",
            "replicas",
            "replicated-fetches",
            "replication-queue",
            "system-logs",
            "tables-list",
            "tables-overview",
            "view-refreshes",
            "explorer-all-dependencies",
            "explorer-columns",
            "explorer-database-dependencies",
            "explorer-databases",
            "explorer-ddl",
            "explorer-dependencies-downstream",
            "explorer-dependencies-upstream",
            "explorer-dictionary-source",
            "explorer-indexes",
            "explorer-projections",
            "explorer-skip-indexes",
            "explorer-table-dependencies",
            "explorer-table-overview",
            "explorer-table-usage",
            "explorer-tables",
        ],
    ),
    (
        "operations",
        &[
            "backups",
            "blob-storage-log",
            "errors",
            "merge-performance",
            "merges",
            "moves",
            "mutations",
            "page-views",
            "part-log",
        ],
    ),
    ("cluster", &["cluster-live-metrics", "clusters", "clusters-topology", "count-in-replicas", "replicas-status"]),
];

/// Charts, whatever feature.
const CHARTS: &[&str] = &[
    // Queries, and how they perform.
    "cancelled-queries",
    "failed-query-count",
    "failed-query-count-by-user",
    "insert-performance",
    "mv-staleness",
    "query-cache",
    "query-cache-usage",
    "query-count",
    "query-count-by-user",
    "query-count-heatmap",
    "query-count-today",
    "query-duration",
    "query-duration-percentiles",
    "query-duration-trend",
    "query-memory",
    "query-type",
    "slow-query-occurrences",
    "slow-query-regressions",
    "top-inserters",
    "top-query-fingerprints",
    "top-query-fingerprints-perf",
    // Merges and parts.
    "merge-avg-duration",
    "merge-count",
    "merge-sum-read-rows",
    "part-log-lifecycle",
    "summary-used-by-merges",
    // The system and its storage.
    "backup-size",
    "compression-ratio",
    "cpu-usage",
    "data-freshness",
    "disk-io-throughput",
    "disk-size",
    "disk-usage-by-database",
    "disk-usage-trend",
    "disks-usage",
    "keeper-requests",
    "keeper-wait-time",
    "memory-usage",
    "mutation-progress",
    "new-parts-created",
    "oom-killed-queries",
    "partition-part-health",
    "partition-part-health-summary",
    "parts-per-table",
    "storage-policies",
    "summary-stuck-mutations",
    "summary-used-by-mutations",
    "summary-used-by-running-queries",
    "top-memory-queries",
    "top-table-size",
    // Health.
    "health-delayed-inserts",
    "health-disk-percent",
    "health-failed-backups",
    "health-failed-mutations",
    "health-failed-queries-recent",
    "health-keeper-exceptions-recent",
    "health-long-running-queries",
    "health-max-part-count",
    "health-memory-percent",
    "health-mv-refresh-failures",
    "health-oom-killed-recent",
    "health-query-timeouts",
    "health-readonly-replicas",
    "health-replication-lag",
    "health-stuck-merges",
    // Connections, replication, Keeper, threads, dictionaries.
    "connections-http",
    "connections-interserver",
    "connections-pool",
    "replication-queue-count",
    "replication-summary-table",
    "readonly-replica",
    "replication-lag",
    "replication-lag-trend",
    "keeper-bytes",
    "keeper-connection-events",
    "keeper-health",
    "keeper-info-summary",
    "keeper-operation-mix",
    "zookeeper-exception",
    "zookeeper-requests",
    "zookeeper-summary-table",
    "zookeeper-uptime",
    "zookeeper-wait",
    "cpu-time-per-thread",
    "parallelization-efficiency",
    "thread-utilization",
    "dictionary-count",
    // Overview.
    "database-count",
    "disk-size-all",
    "disk-size-single",
    "merge-active-count",
    "running-queries-count",
    "table-count",
];

const COUNTERS: &[&str] = &[
    "backups",
    "clusters",
    "dictionaries",
    "disks",
    "distributed-ddl-queue",
    "merges",
    "mergetree-settings",
    "metrics",
    "page-views",
    "readonly-tables",
    "replication-queue",
    "running-queries",
    "settings",
    "table-replicas",
    "tables-explorer",
    "tables-overview",
    "view-refreshes",
];

const CLUSTER_COUNTERS: &[&str] =
    &["readonly-tables-in-cluster", "replication-lag-critical-in-cluster", "replication-queue-in-cluster"];

/// Charts about resources, which the contract puts under `metrics`.
const OF_RESOURCES: &[&str] = &["cpu-usage", "disk-size", "disk-usage-trend", "disks-usage", "memory-usage"];

async fn document(host: &Host) -> Value {
    host.get("/openapi.json").await.expect(200).json()
}

#[test]
fn every_name_of_the_catalogue_is_there_under_its_feature() {
    run(async {
        let document = document(shared().await).await;
        let feature = |path: String| document["paths"][&path]["get"]["x-chm-feature"].as_str().map(str::to_owned);
        let mut missing = Vec::new();
        for (expected, names) in TABLES {
            for name in *names {
                match feature(format!("/api/v1/tables/{name}")) {
                    Some(found) if found == *expected => {}
                    found => missing.push(format!("table {name}: {found:?}, expected {expected}")),
                }
            }
        }
        for name in CHARTS {
            match feature(format!("/api/v1/charts/{name}")) {
                Some(found) if (found == "metrics") == OF_RESOURCES.contains(name) => {}
                found => missing.push(format!("chart {name}: {found:?}")),
            }
        }
        assert!(missing.is_empty(), "{} missing or misplaced:\n{}", missing.len(), missing.join("\n"));
    });
}

#[test]
fn every_counter_of_the_catalogue_counts() {
    run(async {
        let host = shared().await;
        let all = host.get("/api/v1/menu-counts?hostId=0").await.expect(200).json();
        let counts = all["data"]["counts"].as_object().expect("counts");
        let names: BTreeSet<&str> = counts.keys().map(String::as_str).collect();
        let missing: Vec<_> = COUNTERS.iter().filter(|name| !names.contains(*name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        for name in ["disks", "settings", "tables-explorer"] {
            assert!(counts[name].as_u64().is_some_and(|count| count > 0), "{name}: {}", counts[name]);
        }
        for name in COUNTERS {
            let one = host.get(&format!("/api/v1/menu-counts/{name}?hostId=0")).await.expect(200).json();
            assert_eq!(one["data"]["count"].is_null(), counts[*name].is_null(), "{name}");
        }
        // A counter that were not there would be 404.
        for name in CLUSTER_COUNTERS {
            host.get(&format!("/api/v1/cluster-counts/{name}?cluster=nowhere")).await.expect(400);
        }
        for (path, status) in [
            ("/api/v1/menu-counts/constructor", 404),
            ("/api/v1/cluster-counts/readonly-tables-in-cluster", 400),
            ("/api/v1/cluster-counts/nothing?cluster=default", 404),
        ] {
            host.get(path).await.expect(status);
        }
    });
}
