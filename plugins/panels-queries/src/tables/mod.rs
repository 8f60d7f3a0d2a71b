//! Tables. To add one: a file that describes it, and a line here.

mod query_log;

macro_rules! tables {
    ($($file:ident),+ $(,)?) => {
        $(mod $file;)+

        pub(crate) fn all() -> Vec<chm_plugin::panels::Panel> {
            vec![$($file::panel()),+]
        }
    };
}

tables![
    running_queries,
    history_queries,
    failed_queries,
    slow_queries,
    expensive_queries,
    expensive_queries_by_memory,
    query_detail,
    query_views_log,
    user_processes,
    common_errors,
    merges,
    mutations,
    moves,
    part_log,
    backups,
    errors,
    tables_overview,
    part_info,
    detached_parts,
    disks,
    settings,
    mergetree_settings,
];
