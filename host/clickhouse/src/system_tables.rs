//! Tables of `system` that not every server has: since which year, and with what configuration. From ClickHouse's documentation of
//! its system tables and server settings.

/// One such table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SystemTable {
    /// Its name in `system`.
    pub(crate) name: &'static str,
    /// The year of the first release with it, as releases are numbered: 21 of 21.9.
    pub(crate) since: u32,
    /// What goes into the server's configuration for it to be kept; nothing when every server has it.
    pub(crate) enabled_by: Option<&'static str>,
    /// When it appears on a server that is configured so.
    pub(crate) appears: &'static str,
}

const FLUSH: &str = "with its first entry, a few seconds after it";
const START: &str = "after a restart";
const ZOOKEEPER: &str = "<zookeeper> in the server's configuration, with the addresses of Keeper";
const KEEPER: &str = "<keeper_server> in the server's configuration: a Keeper inside the server";

macro_rules! log {
    ($name:literal, $since:literal) => {
        log!($name, $since, "")
    };
    ($name:literal, $since:literal, $more:literal) => {
        SystemTable {
            name: $name,
            since: $since,
            enabled_by: Some(concat!(
                "<",
                $name,
                "><database>system</database><table>",
                $name,
                "</table></",
                $name,
                "> in the server's configuration",
                $more
            )),
            appears: FLUSH,
        }
    };
}

const fn table(name: &'static str, since: u32) -> SystemTable {
    SystemTable { name, since, enabled_by: None, appears: START }
}

const fn configured(name: &'static str, since: u32, how: &'static str) -> SystemTable {
    SystemTable { name, since, enabled_by: Some(how), appears: START }
}

const TABLES: &[SystemTable] = &[
    log!("query_log", 1, ", and log_queries = 1 in the profiles of users"),
    log!("query_thread_log", 18, ", and log_query_threads = 1 in the profiles of users"),
    log!("query_views_log", 21, ", and log_query_views = 1 in the profiles of users"),
    log!("query_metric_log", 24, ", where query_metric_log_interval is not 0"),
    log!("part_log", 1),
    log!("metric_log", 19),
    log!("asynchronous_metric_log", 20),
    log!("error_log", 24),
    log!("text_log", 19, " (with <level>)"),
    log!("trace_log", 19, ", and query_profiler_real_time_period_ns in the profiles of users"),
    log!("crash_log", 20, " (it has an entry only after a crash)"),
    log!("session_log", 21),
    log!("processors_profile_log", 22, ", and log_processors_profiles = 1 in the profiles of users"),
    log!("opentelemetry_span_log", 20),
    log!("asynchronous_insert_log", 22),
    log!("backup_log", 23, " (it has an entry only after a backup)"),
    log!("blob_storage_log", 23, ", for disks that are object storage"),
    log!("filesystem_cache_log", 22, ", and enable_filesystem_cache_log = 1"),
    log!("filesystem_read_prefetches_log", 23, ", and enable_filesystem_read_prefetches_log = 1"),
    log!("s3queue_log", 23),
    log!("transactions_info_log", 22),
    log!("zookeeper_log", 21, ", on a server with Keeper"),
    log!("zookeeper_connection_log", 25, ", on a server with Keeper"),
    log!("aggregated_zookeeper_log", 26, ", on a server with Keeper"),
    log!("background_schedule_pool_log", 25),
    log!("dead_letter_queue", 25),
    log!("iceberg_metadata_log", 25),
    log!("delta_lake_metadata_log", 25),
    configured("zookeeper", 1, ZOOKEEPER),
    configured("zookeeper_connection", 22, ZOOKEEPER),
    configured("zookeeper_info", 26, ZOOKEEPER),
    configured("zookeeper_watches", 26, ZOOKEEPER),
    configured("keeper_changelogs", 26, KEEPER),
    configured("keeper_cluster", 26, KEEPER),
    configured("keeper_snapshots", 26, KEEPER),
    // The one that the server itself does not make.
    SystemTable {
        name: "monitoring_events",
        since: 1,
        enabled_by: Some("a dashboard that records its page views in ClickHouse"),
        appears: "when that dashboard makes it",
    },
    table("asynchronous_inserts", 21),
    table("backups", 22),
    table("data_skipping_indices", 21),
    table("detached_parts", 19),
    table("disks", 19),
    table("distributed_ddl_queue", 21),
    table("distribution_queue", 20),
    table("dropped_tables", 23),
    table("errors", 20),
    table("grants", 20),
    table("kafka_consumers", 23),
    table("moves", 23),
    table("named_collections", 22),
    table("projection_parts", 21),
    table("projections", 24),
    table("query_cache", 23),
    table("query_condition_cache", 25),
    table("quotas", 20),
    table("replicated_fetches", 20),
    table("replicated_merge_tree_settings", 20),
    table("role_grants", 20),
    table("roles", 20),
    table("server_settings", 23),
    table("storage_policies", 19),
    table("user_processes", 23),
    table("users", 20),
    table("view_refreshes", 23),
    table("warnings", 21),
];

/// What is known of a table of `system`.
pub(crate) fn find(name: &str) -> Option<&'static SystemTable> {
    TABLES.iter().find(|table| table.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_is_there_once_and_a_log_names_its_own_section() {
        for table in TABLES {
            assert_eq!(TABLES.iter().filter(|other| other.name == table.name).count(), 1, "{}", table.name);
            assert!((1..=26).contains(&table.since), "{}", table.name);
            if table.name.ends_with("_log") {
                let how = table.enabled_by.unwrap();
                assert!(how.starts_with(&format!("<{}>", table.name)), "{how}");
            }
        }
    }
}
