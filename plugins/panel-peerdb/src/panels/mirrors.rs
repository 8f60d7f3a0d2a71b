//! `peerdb-mirrors`: what is replicated from where to where, and in which state it is.

use chm_plugin::panels::{Column, Context, Panel, Parameter};
use chm_plugin::time::timestamp;
use chm_plugin::{Failure, Feature};
use serde_json::{Value, json};

use super::{Patience, database, items, text, time};
use crate::trouble::Trouble;
use crate::upstream::Question;

/// States of a mirror as PeerDB's interface numbers them: some versions send the number instead of the word.
const STATES: [&str; 12] = [
    "unknown",
    "running",
    "paused",
    "pausing",
    "setup",
    "snapshot",
    "terminating",
    "terminated",
    "completed",
    "resync",
    "failed",
    "modifying",
];

/// Most mirrors whose state one answer asks for.
const MOST: usize = 200;

/// A mirror, and its state as far as it could be had.
pub(super) struct Mirror {
    listed: Value,
    pub(super) state: Result<String, String>,
}

pub(super) fn describe(id: &str) -> Panel {
    let states = ["running", "snapshot", "paused", "failed"];
    let choices: Vec<(&str, &str)> = [("all", "")].into_iter().chain(states.map(|state| (state, state))).collect();
    Panel::table(id, Feature::Peerdb)
        .title("Mirrors")
        .summary("What PeerDB replicates from where to where, and in which state it is.")
        .parameter(Parameter::choice("state", &choices).default("all").summary("Only mirrors in this state."))
        .parameter(
            Parameter::text("search")
                .default("")
                .summary("Only mirrors in whose name, source or destination this text is."),
        )
        .columns([
            Column::text("name").summary("The mirror's name, as other calls take it."),
            Column::text("kind").summary("`cdc` follows changes, `query` copies the result of a query."),
            Column::text("state")
                .summary("`running`, `snapshot`, `paused`, `failed`, …; null when it could not be had.")
                .nullable(),
            Column::text("source").summary("The peer that is read."),
            Column::text("source_type").summary("Which kind of database that is."),
            Column::text("destination").summary("The peer that is written."),
            Column::text("destination_type").summary("Which kind of database that is."),
            Column::timestamp("created_at").summary("When it was made, UTC.").nullable(),
            Column::text("problem").summary("Why the state could not be had.").nullable(),
        ])
        .refresh_seconds(60)
}

pub(super) fn rows(context: &Context) -> Result<Vec<Value>, Failure> {
    let wanted = context.parameter("state").unwrap_or_default();
    let search = context.parameter("search").unwrap_or_default().to_lowercase();
    let rows = all()?.into_iter().filter(|mirror| mirror.is_found_by(&search)).filter(|mirror| {
        // Whoever looks for failed ones must not miss one that could not be asked about.
        wanted.is_empty() || mirror.state.as_ref().map_or(true, |state| state == wanted)
    });
    Ok(rows.map(|mirror| mirror.row()).collect())
}

/// All mirrors, with the states of as many as patience allows.
pub(super) fn all() -> Result<Vec<Mirror>, Trouble> {
    let patience = Patience::begins();
    let answer = Question::get("mirrors/list").ask()?;
    let mirrors = items(&answer, "mirrors").iter().enumerate().map(|(number, listed)| {
        let state = if number < MOST && patience.lasts() {
            state_of(text(listed, "name")).map_err(|trouble| trouble.to_string())
        } else {
            Err("there are too many mirrors to ask about each".to_owned())
        };
        Mirror { listed: listed.clone(), state }
    });
    Ok(mirrors.collect())
}

fn state_of(name: &str) -> Result<String, Trouble> {
    let wanted = json!({"flowJobName": name, "includeFlowInfo": false});
    let answer = Question::post("mirrors/status", wanted).ask()?;
    Ok(match answer.get("currentFlowState") {
        Some(Value::String(word)) => word.trim_start_matches("STATUS_").to_ascii_lowercase(),
        Some(Value::Number(number)) => {
            let known = number.as_u64().and_then(|number| STATES.get(usize::try_from(number).ok()?));
            known.map_or_else(|| format!("unknown ({number})"), |state| (*state).to_owned())
        }
        _ => "unknown".to_owned(),
    })
}

impl Mirror {
    fn is_found_by(&self, search: &str) -> bool {
        ["name", "sourceName", "destinationName"]
            .iter()
            .any(|field| text(&self.listed, field).to_lowercase().contains(search))
    }

    fn row(&self) -> Value {
        let listed = &self.listed;
        let is_cdc = listed.get("isCdc").and_then(Value::as_bool).unwrap_or_default();
        json!({
            "name": text(listed, "name"),
            "kind": if is_cdc { "cdc" } else { "query" },
            "state": self.state.as_ref().ok(),
            "source": text(listed, "sourceName"),
            "source_type": database(listed, "sourceType"),
            "destination": text(listed, "destinationName"),
            "destination_type": database(listed, "destinationType"),
            "created_at": time(listed, "createdAt").and_then(timestamp),
            "problem": self.state.as_ref().err(),
        })
    }
}
