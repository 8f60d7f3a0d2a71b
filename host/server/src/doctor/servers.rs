//! Asks each watched server.

use std::sync::Arc;

use chm_clickhouse::Host;
use chm_clickhouse::grants::Standing;

use super::finding::Finding;
use super::needs::Wanted;
use crate::hosts::Hosts;
use crate::plugins::Registry;

/// Whether each server answers, and whether its user may do what is needed, and no more. Only reads.
pub async fn servers(hosts: &Hosts, registry: &Registry) -> Vec<Finding> {
    let asked = hosts.all().map(|(id, host)| one(id, host, registry));
    futures::future::join_all(asked).await.into_iter().flatten().collect()
}

async fn one(id: u32, host: &Arc<Host>, registry: &Registry) -> Vec<Finding> {
    let name = &host.config().name;
    let wanted = Wanted::of(registry, id);
    let asked =
        async { Ok::<_, chm_clickhouse::ReadError>((host.version().await?, host.standing(&wanted.needs).await?)) };
    let (version, standing) = match asked.await {
        Ok(answer) => answer,
        Err(error) => {
            return vec![
                Finding::fail(format!("ClickHouse, {name}"), error.to_string())
                    .advise("it must answer from where this host runs, with this user and password"),
            ];
        }
    };
    let mut findings = vec![
        Finding::ok(format!("ClickHouse, {name}"), format!("answers, version {version}")),
        profile(name, &standing),
    ];
    findings.extend(grants(name, &standing, &wanted));
    findings
}

fn profile(name: &str, standing: &Standing) -> Finding {
    let item = format!("settings profile, {name}");
    match standing.readonly.as_deref() {
        Some(value @ ("1" | "2")) => Finding::ok(item, format!("readonly = {value}")),
        Some(value) => Finding::warn(item, format!("readonly = {value}: only the host keeps this user from writing"))
            .advise("give the user a profile with `readonly = 2` (docs/operating.md)"),
        None => Finding::warn(item, "unknown: the user may not read system.settings"),
    }
}

fn grants(name: &str, standing: &Standing, wanted: &Wanted) -> Vec<Finding> {
    let item = |what: &str| format!("{what}, {name}");
    let advice = standing.advice(&wanted.needs);
    let how = match standing.storage.as_deref() {
        Some("users_xml") => "the user is in the server's users configuration: write it there, in <grants>",
        Some(_) => "run as an administrator",
        None => {
            "run as an administrator, or write it into <grants> where the user is in the server's users configuration"
        }
    };
    let mut findings = Vec::new();
    let tables = wanted.needs.tables.len() - standing.absent.len();
    if advice.missing.is_empty() {
        findings.push(Finding::ok(item("grants"), format!("all that is loaded needs, {tables} tables among it")));
    } else {
        let found = format!("{} missing for what is loaded", advice.missing.len());
        findings.push(Finding::fail(item("grants"), found).advise(how).run(advice.missing));
    }
    if !advice.hidden.is_empty() {
        let found = "the user does not see the names of your tables, so panels of tables, parts and merges look empty";
        findings.push(Finding::warn(item("names of tables"), found).advise(how).run(advice.hidden));
    }
    let mut afterwards = advice.afterwards;
    if advice.superfluous.is_empty() {
        findings.push(Finding::ok(item("superfluous grants"), "none"));
    } else {
        let found = format!("{} may do more than anything loaded needs", shown(&standing.holding.user));
        let mut statements = advice.superfluous;
        if advice.data.is_empty() {
            statements.append(&mut afterwards);
        }
        findings.push(Finding::warn(item("superfluous grants"), found).advise(how).run(statements));
    }
    if !advice.data.is_empty() {
        let mut statements = advice.data;
        statements.append(&mut afterwards);
        let found = "the user reads your data: whoever may write in `tables` can, too, with the console and tools";
        let advice = format!("if that is not wanted, {how}");
        findings.push(Finding::warn(item("data"), found).advise(advice).run(statements));
    }
    if !standing.not_understood.is_empty() {
        let found =
            format!("not understood, and nothing was concluded from it: {}", standing.not_understood.join("; "));
        findings.push(Finding::warn(item("grants"), found).advise("compare with SHOW GRANTS yourself"));
    }
    if !wanted.unforeseeable.is_empty() {
        let found = format!("what the tools of {} read is not known beforehand", wanted.unforeseeable.join(", "));
        findings.push(Finding::ok(item("grants of tools"), found));
    }
    findings
}

/// A name from a server, on one line.
fn shown(user: &str) -> String {
    format!("`{}`", user.escape_debug())
}
