//! Charts. To add one: a file that describes it, and a line here.

mod over_time;

macro_rules! charts {
    ($($file:ident),+ $(,)?) => {
        $(mod $file;)+

        pub(crate) fn all() -> Vec<chm_plugin::panels::Panel> {
            vec![$($file::panel()),+]
        }
    };
}

charts![
    query_count,
    query_count_by_user,
    query_duration,
    query_memory,
    query_type,
    query_duration_percentiles,
    slow_query_occurrences,
    failed_query_count,
    failed_query_count_by_user,
    cancelled_queries,
    new_parts_created,
    part_log_lifecycle,
    merge_count,
    merge_avg_duration,
    memory_usage,
    cpu_usage,
    disk_size,
];
