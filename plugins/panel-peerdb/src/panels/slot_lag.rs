//! `peerdb-slot-lag`: the lag of one slot over time.

use chm_plugin::panels::{Column, Context, Drawing, Panel, Parameter};
use chm_plugin::time::timestamp;
use chm_plugin::{Failure, Feature};
use serde_json::{Value, json};

use super::{bytes, items, number, text, time};
use crate::upstream::Question;

/// As PeerDB calls them.
const SINCE: [(&str, &str); 3] = [("1hour", "1hour"), ("1day", "1day"), ("1month", "1month")];

pub(super) fn describe(id: &str) -> Panel {
    Panel::chart(id, Feature::Peerdb)
        .title("Slot lag")
        .summary("The lag of one replication slot over time.")
        .parameter(Parameter::text("peer").summary("The source."))
        .parameter(Parameter::text("slot").summary("The slot's name there."))
        .parameter(Parameter::choice("since", &SINCE).default("1day").summary("How far to look back."))
        .columns([
            Column::timestamp("event_time").summary("When it was measured, UTC."),
            Column::number("lag_mib").summary("How much log the source kept that was not confirmed, in MiB."),
            Column::bytes("lag_bytes").summary("The same.").nullable(),
            Column::text("restart_lsn").summary("The oldest log that the slot needed.").nullable(),
            Column::text("confirmed_lsn").summary("The newest log that was confirmed.").nullable(),
        ])
        .x("event_time")
        .drawing(Drawing::Area)
        .refresh_seconds(60)
        .row_cap(10_000)
}

pub(super) fn rows(context: &Context) -> Result<Vec<Value>, Failure> {
    let parameter = |name: &str| context.parameter(name).unwrap_or_default();
    let wanted = json!({"peerName": parameter("peer"), "slotName": parameter("slot"), "timeSince": parameter("since")});
    let answer = Question::post("peers/slots/lag_history", wanted).ask()?;
    let mut points: Vec<(f64, &Value)> =
        items(&answer, "data").iter().filter_map(|point| Some((time(point, "time")?, point))).collect();
    points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let rows = points.into_iter().filter_map(|(time, point)| {
        let lag = number(point, "size")?.max(0.0);
        let word = |field: &str| Some(text(point, field)).filter(|word| !word.is_empty());
        Some(json!({
            "event_time": timestamp(time)?,
            "lag_mib": lag,
            "lag_bytes": bytes(lag),
            "restart_lsn": word("restartLSN"),
            "confirmed_lsn": word("confirmedLSN"),
        }))
    });
    Ok(rows.collect())
}
