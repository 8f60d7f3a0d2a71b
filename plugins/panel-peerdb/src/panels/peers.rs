//! `peerdb-peers`: the databases that PeerDB knows.

use std::collections::BTreeMap;

use chm_plugin::panels::{Column, Context, Panel};
use chm_plugin::{Failure, Feature};
use serde_json::{Value, json};

use super::{database, items, text};
use crate::trouble::Trouble;
use crate::upstream::Question;

pub(super) fn describe(id: &str) -> Panel {
    Panel::table(id, Feature::Peerdb)
        .title("Peers")
        .summary("The databases that PeerDB knows.")
        .columns([
            Column::text("name").summary("The peer's name, as other calls take it."),
            Column::text("type").summary("Which kind of database it is."),
            Column::boolean("is_source").summary("Whether mirrors can read it.").nullable(),
            Column::boolean("is_destination").summary("Whether mirrors can write it.").nullable(),
        ])
        .refresh_seconds(120)
}

pub(super) fn rows(_: &Context) -> Result<Vec<Value>, Failure> {
    let answer = list()?;
    let among = |field: &str, name: &str| {
        // Older versions do not say what a peer can be.
        let listed = answer.get(field)?.as_array()?;
        Some(listed.iter().any(|peer| text(peer, "name") == name))
    };
    let rows = by_name(&answer).into_iter().map(|(name, kind)| {
        json!({
            "name": name,
            "type": kind,
            "is_source": among("sourceItems", name),
            "is_destination": among("destinationItems", name),
        })
    });
    Ok(rows.collect())
}

pub(super) fn list() -> Result<Value, Trouble> {
    Question::get("peers/list").ask()
}

/// Each peer, with the kind of its database.
pub(super) fn by_name(answer: &Value) -> BTreeMap<&str, String> {
    items(answer, "items").iter().map(|peer| (text(peer, "name"), database(peer, "type"))).collect()
}
