//! Values to choose from for a filter of a panel (contract, http-api §4.5), among the rows that the other parameters select.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::facts::Asked;
use super::request::{Request, Scope};
use super::run::Asking;
use super::statement::{self, MOST_VALUES, NoStatement};
use super::unavailable;
use crate::answers::{self, Ask, Part};
use crate::api::parameters::AnswerFormat;
use crate::api::{Metadata, Problem, Unavailable, Word};
use crate::plugins::Panel;
use crate::query::{self, Source};
use crate::telemetry::QuerySource;

/// How old the values may be.
const CACHE: Duration = Duration::from_secs(60);

/// A value, and how many rows have it.
#[derive(Debug, Deserialize)]
pub struct ValueCount {
    /// As the filter takes it.
    pub value: String,
    /// Rows.
    pub count: u64,
}

/// The values of the column behind a filter, most frequent first.
///
/// # Errors
/// When the panel has no such filter, or the server does not answer.
pub async fn values(
    asking: Asking<'_>,
    panel: &Panel,
    key: &str,
    mut sent: BTreeMap<String, String>,
) -> Result<(Vec<ValueCount>, Metadata), Problem> {
    let Some(filter) = panel.filters.iter().find(|filter| filter.name() == key) else {
        let names: Vec<&str> = panel.filters.iter().map(super::Filter::name).collect();
        let message = match names.as_slice() {
            [] => format!("panel `{}` has no filters", panel.name),
            names => format!("panel `{}` has no filter `{key}`; filters are {}", panel.name, names.join(", ")),
        };
        return Err(Problem::new(Word::NotFound, message));
    };
    // What the filter itself says would leave only that.
    sent.insert(key.to_owned(), String::new());
    let request = Request::from_pairs(asking.app, asking.caller, panel, sent)?;
    let Scope::Host(id, host) = &request.scope else {
        return Err(Problem::invalid(
            "scope",
            "parameter `scope`: values are offered for one host at a time; name it by `hostId`",
        ));
    };
    let facts = Asked::about(&panel.selection, host).await?;
    let mut metadata = Metadata {
        host: id.to_string(),
        clickhouse_version: Some(facts.version_text().to_owned()),
        ..Metadata::default()
    };
    let mut found = match statement::values_of(&panel.selection, &facts, filter.column(), &request.conditions) {
        Ok(statement) => statement,
        Err(NoStatement::Lack(lack)) => {
            metadata.unavailable = Some(Unavailable::lacking(lack, host).await?);
            return Ok((Vec::new(), metadata));
        }
        Err(NoStatement::Filter { column, .. }) => {
            metadata.unavailable = Some(unavailable::no_column(&column, facts.version_text()));
            return Ok((Vec::new(), metadata));
        }
        Err(NoStatement::Refused(refusal)) => return Err(Problem::new(Word::Plugin, refusal.to_string())),
    };
    found.bindings.extend(request.bindings.iter().cloned());
    let source = Source {
        kind: QuerySource::Table,
        request_id: asking.request_id,
        caller: Some(asking.caller),
        address: Some(asking.address),
        plugin: panel.plugin.id(),
        item: &panel.name,
    };
    let mut options = query::options(asking.app, &source, found.bindings, MOST_VALUES);
    options.timezone.clone_from(&request.timezone);
    let parts = vec![Part { host: host.clone(), query: found.query, options }];
    let ask = Ask {
        app: asking.app,
        parts,
        format: AnswerFormat::Json,
        source,
        cache: CACHE,
        reversed: false,
        metadata: Metadata::default(),
    };
    let rows = answers::collect(ask).await?;
    metadata.rows = rows.count;
    metadata.truncated = rows.truncated;
    let values = serde_json::from_slice(&rows.json)
        .map_err(|_| Problem::new(Word::Query, "the server's values are not what was asked for"))?;
    Ok((values, metadata))
}
