//! `peerdb-status`: whether PeerDB is there. It always has its one row: what is wrong is what it shows.

use chm_plugin::panels::{Column, Context, Panel};
use chm_plugin::{Failure, Feature};
use serde_json::{Value, json};

use super::text;
use crate::upstream::Question;

pub(super) fn describe(id: &str) -> Panel {
    Panel::table(id, Feature::Peerdb)
        .title("PeerDB")
        .summary("Whether PeerDB answers, and which version it is.")
        .columns([
            Column::boolean("configured").summary("Whether the operator named a PeerDB."),
            Column::text("state")
                .summary("`connected`, `auth` (it wants another password), `unreachable` or `not-configured`."),
            Column::text("version").summary("PeerDB's version.").nullable(),
            Column::text("error").summary("What is wrong, and what to do.").nullable(),
        ])
        .refresh_seconds(30)
        .row_cap(1)
}

pub(super) fn rows(_: &Context) -> Result<Vec<Value>, Failure> {
    let row = match Question::get("version").ask() {
        Ok(answer) => {
            let version = Some(text(&answer, "version")).filter(|version| !version.is_empty());
            json!({"configured": true, "state": "connected", "version": version, "error": null})
        }
        Err(trouble) => {
            let state = trouble.state();
            json!({"configured": state != "not-configured", "state": state, "version": null, "error": trouble.to_string()})
        }
    };
    Ok(vec![row])
}
