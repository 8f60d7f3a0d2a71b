//! `peerdb-mirror-health`: how many mirrors are in which state. Its check is about those that failed.

use chm_plugin::panels::{Column, Context, Drawing, Panel};
use chm_plugin::{Failure, Feature};
use serde_json::{Value, json};

use super::mirrors;

pub(super) fn describe(id: &str) -> Panel {
    Panel::chart(id, Feature::Peerdb)
        .title("Mirrors by state")
        .summary("How many mirrors are in which state; worth a look when one failed.")
        .columns([
            Column::count("failed").summary("Mirrors that gave up."),
            Column::count("running").summary("Mirrors that follow their source."),
            Column::count("snapshot").summary("Mirrors that are being set up or copied for the first time, or again."),
            Column::count("paused").summary("Mirrors that are paused, or about to be."),
            Column::count("other").summary("Mirrors in another state, or whose state could not be had."),
            Column::count("mirrors").summary("All of them."),
        ])
        .drawing(Drawing::Stat)
        .refresh_seconds(60)
        .row_cap(1)
        .check("failed", 1.0, 3.0)
}

pub(super) fn rows(_: &Context) -> Result<Vec<Value>, Failure> {
    let all = mirrors::all()?;
    let count = |states: &[&str]| {
        let of_these =
            |mirror: &&mirrors::Mirror| mirror.state.as_ref().is_ok_and(|state| states.contains(&state.as_str()));
        all.iter().filter(of_these).count()
    };
    let (failed, running) = (count(&["failed"]), count(&["running"]));
    let (snapshot, paused) = (count(&["snapshot", "setup", "resync"]), count(&["paused", "pausing"]));
    Ok(vec![json!({
        "failed": failed,
        "running": running,
        "snapshot": snapshot,
        "paused": paused,
        "other": all.len() - failed - running - snapshot - paused,
        "mirrors": all.len(),
    })])
}
