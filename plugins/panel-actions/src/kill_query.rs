use chm_plugin::Failure;
use chm_plugin::actions::{Action, Context, DryRun, Outcome, Parameter, Statement};
use chm_plugin::host::control;
use serde_json::json;

use crate::running::{self, Initiated};
use crate::words;

pub(crate) const NAME: &str = "killQuery";

pub(crate) fn describe() -> Action {
    Action::changing(NAME)
        .title("Kill query")
        .summary("Stops a running query, on the host that started it.")
        .uses(Statement::KillQuery)
        .parameter(Parameter::text("queryId").summary("The query's id."))
}

pub(crate) fn preview(context: &Context) -> Result<DryRun, Failure> {
    let initiated = running::initiated(context)?;
    let identities: Vec<&str> = initiated.queries.iter().map(|query| query.identity.as_str()).collect();
    let fingerprint = format!("{} {} {}", initiated.host, initiated.query_id, identities.join(" "));
    Ok(DryRun::new(summary(&initiated), fingerprint).targets(initiated.queries.iter().map(|query| {
        json!({
            "hostId": initiated.host,
            "queryId": initiated.query_id,
            "user": query.user,
            "elapsedSeconds": query.elapsed,
            "memoryBytes": words::whole(query.memory_bytes),
            "isCancelled": query.is_cancelled == 1,
            "query": query.text,
        })
    })))
}

fn summary(initiated: &Initiated) -> String {
    let Initiated { host, query_id, queries, by_part } = initiated;
    let each: Vec<String> = queries
        .iter()
        .map(|query| {
            let cancelled = if query.is_cancelled == 1 { ", being stopped already" } else { "" };
            let memory = words::bytes(query.memory_bytes);
            format!("of user `{}`, running for {:.1} s with {memory} of memory{cancelled}", query.user, query.elapsed)
        })
        .collect();
    let whole = if *by_part { ", of which the named one is a part" } else { "" };
    format!("Stops the query `{query_id}` on ClickHouse host {host}{whole}: {}.", each.join("; and one "))
}

pub(crate) fn run(context: &Context) -> Result<Outcome, Failure> {
    let Initiated { host, query_id, .. } = running::initiated(context)?;
    match control::kill_query(host, &query_id)? {
        0 => Err(running::nothing(host, &query_id)),
        told => Ok(Outcome::new(format!("ClickHouse host {host} was told to stop the query `{query_id}`."))
            .data(&json!({ "hostId": host, "queryId": query_id, "queries": told }))),
    }
}
