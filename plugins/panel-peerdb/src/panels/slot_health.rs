//! `peerdb-slot-health`: all slots in one row. Its check is about those that nobody reads.

use chm_plugin::panels::{Column, Context, Drawing, Panel};
use chm_plugin::{Failure, Feature};
use serde_json::{Value, json};

use super::slots;

pub(super) fn describe(id: &str) -> Panel {
    Panel::chart(id, Feature::Peerdb)
        .title("Slots nobody reads")
        .summary("All replication slots in one row; worth a look when nobody reads one.")
        .columns([
            Column::count("inactive").summary("Slots that nobody reads: their source keeps all log since."),
            Column::count("slots").summary("All of them."),
            Column::number("worst_lag_mib").summary("The most lag of one slot, in MiB.").nullable(),
            Column::text("worst_slot").summary("That slot, as `peer/slot`.").nullable(),
            Column::count("unknown_peers").summary("Peers whose slots could not be had."),
        ])
        .drawing(Drawing::Stat)
        .refresh_seconds(60)
        .row_cap(1)
        .check("inactive", 1.0, 3.0)
}

pub(super) fn rows(_: &Context) -> Result<Vec<Value>, Failure> {
    let slots = slots::all()?;
    let known = slots.iter().filter(|slot| slot.told.is_ok()).count();
    let worst = slots.first().filter(|slot| slot.lag_mib().is_some());
    Ok(vec![json!({
        "inactive": slots.iter().filter(|slot| slot.is_active() == Some(false)).count(),
        "slots": known,
        "worst_lag_mib": worst.and_then(slots::Slot::lag_mib),
        "worst_slot": worst.map(|slot| format!("{}/{}", slot.peer, slot.name().unwrap_or_default())),
        "unknown_peers": slots.len() - known,
    })])
}
