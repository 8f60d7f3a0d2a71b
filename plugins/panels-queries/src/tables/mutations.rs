use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

/// A mutation is stuck when it is ten minutes old and still has parts to change.
fn sql(in_progress: &str) -> String {
    format!(
        "SELECT database, table, mutation_id, command, create_time, is_done, \
         NOT is_done AND parts_to_do > 0 AND create_time < now() - 600 AS is_stuck, \
         if(is_done, NULL, dateDiff('second', create_time, now())) AS elapsed, parts_to_do, parts_to_do_names, {in_progress}, \
         latest_failed_part, nullIf(mutations.latest_fail_time, toDateTime(0)) AS latest_fail_time, latest_fail_reason \
         FROM system.mutations AS mutations ORDER BY is_done, create_time DESC LIMIT 1000"
    )
}

pub(crate) fn panel() -> Panel {
    Panel::table("mutations", Feature::Operations)
        .title("Mutations")
        .summary("ALTERs that rewrite parts: unfinished ones first, then the newest.")
        .requires("system.mutations")
        .query(sql("emptyArrayString() AS parts_in_progress_names"))
        .query_since("25.12", sql("parts_in_progress_names"))
        .columns(["database", "table", "mutation_id", "command"].map(Column::text))
        .column(Column::timestamp("create_time"))
        .column(Column::boolean("is_done"))
        .column(Column::boolean("is_stuck").summary("Ten minutes old, with parts left to change."))
        .column(Column::seconds("elapsed").nullable().summary("Since it was asked for, while it is not done."))
        .column(Column::count("parts_to_do"))
        .column(Column::json("parts_to_do_names"))
        .column(Column::json("parts_in_progress_names").summary("Parts being rewritten now (25.12 and newer)."))
        .column(Column::text("latest_failed_part"))
        .column(Column::timestamp("latest_fail_time").nullable())
        .column(Column::text("latest_fail_reason"))
        .refresh_seconds(30)
}
