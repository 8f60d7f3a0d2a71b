use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel, Parameter};

use super::query_log::filter;

/// What runs, without this query itself. The wall time left is what is left of the rows, at the pace so far.
fn sql(client_agent: &str) -> String {
    format!(
        "SELECT query, user, os_user, current_database, query_kind, query_id, initial_query_id, \
         is_initial_query, toString(address) AS address, port, \
         transform(toUInt8(processes.interface), [1, 2, 3, 4, 5, 6, 7, 8], \
           ['TCP', 'HTTP', 'gRPC', 'MySQL', 'PostgreSQL', 'Local', 'TCP interserver', 'Prometheus'], 'other') AS interface, \
         client_name, client_hostname, {client_agent}, distributed_depth, elapsed, read_rows, read_bytes, \
         written_rows, written_bytes, total_rows_approx, memory_usage, peak_memory_usage, \
         length(thread_ids) AS thread_count, \
         if(total_rows_approx > 0, round(least(100, 100 * read_rows / total_rows_approx), 1), NULL) AS progress, \
         if(read_rows > 0 AND total_rows_approx > read_rows, \
           round(elapsed * (total_rows_approx - read_rows) / read_rows, 1), NULL) AS estimated_seconds_left, \
         ProfileEvents['Merge'] AS launched_merges, ProfileEvents AS profile_events \
         FROM system.processes AS processes \
         WHERE is_cancelled = 0 AND query_id != queryID() \
         AND ({{user:String}} = '' OR user = {{user:String}}) \
         AND ({{query:String}} = '' OR positionCaseInsensitiveUTF8(query, {{query:String}}) > 0) \
         AND ({{query_id:String}} = '' OR query_id = {{query_id:String}}) \
         AND elapsed >= {{min_elapsed_s:Float64}} \
         AND memory_usage >= toInt64({{min_memory_mb:UInt32}}) * 1048576 \
         ORDER BY elapsed DESC"
    )
}

pub(crate) fn panel() -> Panel {
    Panel::table("running-queries", Feature::Queries)
        .title("Running queries")
        .summary("What runs now, longest first.")
        .requires("system.processes")
        .query(sql("'' AS client_agent"))
        .query_since("26.6", sql("client_agent"))
        .parameter(filter("user"))
        .parameter(Parameter::text("query").summary("Only queries that contain this, in any spelling.").default(""))
        .parameter(filter("query_id"))
        .parameter(Parameter::number("min_elapsed_s", 0.0..=1e6).summary("Only queries this old, in seconds.").default(0))
        .parameter(Parameter::integer("min_memory_mb", 0..=1_000_000).summary("Only queries that use this much memory, in MiB.").default(0))
        .columns(["query", "user", "os_user", "current_database", "query_kind", "query_id", "initial_query_id"].map(Column::text))
        .column(Column::boolean("is_initial_query").summary("Sent by a client, not by another server."))
        .column(Column::text("address"))
        .column(Column::integer("port"))
        .columns(["interface", "client_name", "client_hostname"].map(Column::text))
        .column(Column::text("client_agent").summary("The coding agent that sent it, where one did (26.6 and newer)."))
        .column(Column::integer("distributed_depth"))
        .column(Column::seconds("elapsed"))
        .column(Column::rows("read_rows"))
        .column(Column::bytes("read_bytes"))
        .column(Column::rows("written_rows"))
        .column(Column::bytes("written_bytes"))
        .column(Column::rows("total_rows_approx").summary("Estimate of the rows it has to read."))
        .column(Column::bytes("memory_usage"))
        .column(Column::bytes("peak_memory_usage"))
        .column(Column::count("thread_count"))
        .column(Column::percent("progress").nullable())
        .column(Column::seconds("estimated_seconds_left").nullable())
        .column(Column::count("launched_merges"))
        .column(Column::json("profile_events"))
        .refresh_seconds(5)
}
