//! `peerdb-slots`: replication slots, the one that lags most first. A slot that nobody reads keeps its source from throwing old log
//! away, until the disk is full.

use chm_plugin::panels::{Column, Context, Panel, Parameter};
use chm_plugin::{Failure, Feature};
use serde_json::{Value, json};

use super::{Patience, bytes, items, number, peers, text};
use crate::calls::segment;
use crate::trouble::Trouble;
use crate::upstream::Question;

/// The only kind of peer that has slots.
const WITH_SLOTS: &str = "postgres";

/// MiB of lag from which a slot is worth a look, and from which somebody should act.
const WARNING_MIB: f64 = 1024.0;
const CRITICAL_MIB: f64 = 10_240.0;

/// A slot; or a peer whose slots could not be had.
pub(super) struct Slot {
    pub(super) peer: String,
    pub(super) told: Result<Value, String>,
}

pub(super) fn describe(id: &str) -> Panel {
    Panel::table(id, Feature::Peerdb)
        .title("Replication slots")
        .summary("Replication slots that PeerDB reads, the one that lags most first.")
        .parameter(
            Parameter::text("peer").default("").summary("Only slots of this peer; empty: of all Postgres peers."),
        )
        .columns([
            Column::number("lag_mib")
                .summary("How much log the source keeps that is not confirmed yet, in MiB.")
                .nullable(),
            Column::bytes("lag_bytes").summary("The same.").nullable(),
            Column::text("peer").summary("The source."),
            Column::text("slot").summary("The slot's name there.").nullable(),
            Column::boolean("active").summary("Whether somebody reads it now.").nullable(),
            Column::text("wal_status")
                .summary("`reserved`, `extended`, `unreserved` or `lost`, as Postgres has it.")
                .nullable(),
            Column::text("restart_lsn").summary("The oldest log that it needs.").nullable(),
            Column::text("confirmed_flush_lsn").summary("The newest log that is confirmed.").nullable(),
            Column::text("current_lsn").summary("The newest log there is.").nullable(),
            Column::text("waits_for").summary("What its connection waits for.").nullable(),
            Column::text("problem").summary("Why the peer's slots could not be had.").nullable(),
        ])
        .refresh_seconds(30)
        .check("lag_mib", WARNING_MIB, CRITICAL_MIB)
}

pub(super) fn rows(context: &Context) -> Result<Vec<Value>, Failure> {
    let slots = match context.parameter("peer").filter(|peer| !peer.is_empty()) {
        Some(peer) => of_peer(peer)?,
        None => all()?,
    };
    Ok(slots.iter().map(Slot::row).collect())
}

/// The slots of all peers that have some. One peer's trouble is a row, and the others' slots are there.
pub(super) fn all() -> Result<Vec<Slot>, Trouble> {
    let patience = Patience::begins();
    let answer = peers::list()?;
    let mut slots = Vec::new();
    for (peer, _) in peers::by_name(&answer).into_iter().filter(|(_, kind)| kind == WITH_SLOTS) {
        let found = if patience.lasts() {
            of_peer(peer).map_err(|trouble| trouble.to_string())
        } else {
            Err("there was no time left to ask for them".to_owned())
        };
        match found {
            Ok(found) => slots.extend(found),
            Err(problem) => slots.push(Slot { peer: peer.to_owned(), told: Err(problem) }),
        }
    }
    sort(&mut slots);
    Ok(slots)
}

fn of_peer(peer: &str) -> Result<Vec<Slot>, Trouble> {
    let segment = segment(peer)
        .ok_or_else(|| Trouble::Invalid("`peer`: expected the name of a peer, without slashes".to_owned()))?;
    let answer = Question::get(format!("peers/slots/{segment}")).ask()?;
    let told = items(&answer, "slotData").iter();
    let mut slots: Vec<Slot> = told.map(|slot| Slot { peer: peer.to_owned(), told: Ok(slot.clone()) }).collect();
    sort(&mut slots);
    Ok(slots)
}

/// The most lag first; what is unknown last.
fn sort(slots: &mut [Slot]) {
    let lag = |slot: &Slot| slot.lag_mib().unwrap_or(f64::NEG_INFINITY);
    slots.sort_by(|one, other| lag(other).total_cmp(&lag(one)));
}

impl Slot {
    pub(super) fn lag_mib(&self) -> Option<f64> {
        number(self.told.as_ref().ok()?, "lagInMb").map(|lag| lag.max(0.0))
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.word("slotName")
    }

    /// Absent where PeerDB says nothing of it.
    pub(super) fn is_active(&self) -> Option<bool> {
        self.told.as_ref().ok()?.get("active")?.as_bool()
    }

    fn word(&self, field: &str) -> Option<&str> {
        self.told.as_ref().ok().map(|slot| text(slot, field)).filter(|word| !word.is_empty())
    }

    fn row(&self) -> Value {
        let waits_for: Vec<&str> = ["waitEventType", "waitEvent"].iter().filter_map(|field| self.word(field)).collect();
        json!({
            "lag_mib": self.lag_mib(),
            "lag_bytes": self.lag_mib().and_then(bytes),
            "peer": self.peer,
            "slot": self.name(),
            "active": self.is_active(),
            "wal_status": self.word("walStatus"),
            "restart_lsn": self.word("restartLSN"),
            "confirmed_flush_lsn": self.word("confirmedFlushLSN"),
            "current_lsn": self.word("currentLSN"),
            "waits_for": Some(waits_for.join(": ")).filter(|words| !words.is_empty()),
            "problem": self.told.as_ref().err(),
        })
    }
}
