//! The watched servers, as they are configured.

use super::finding::Finding;
use super::place::Place;
use super::subject::Subject;
use crate::config::ClickhouseHost;

/// Longer queries are a burden for the server that is watched.
const LONG_S: u32 = 60;

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let clickhouse = &subject.config().clickhouse;
    let mut findings = Vec::new();
    if clickhouse.hosts.is_empty() {
        findings.push(
            Finding::fail("ClickHouse", "no server is configured")
                .advise("set CLICKHOUSE_HOST or [[clickhouse.hosts]]")
                // `serve` says it in its own words.
                .known(),
        );
    }
    for host in &clickhouse.hosts {
        findings.push(user(host));
        findings.push(address(host));
    }
    findings.push(time(subject));
    findings.push(Finding::ok(
        "queries at once",
        format!("{} per server; CLICKHOUSE_POOL_SIZE should fit the people who look at once", clickhouse.pool_size),
    ));
    findings
}

/// As people know it, never with credentials.
fn called(host: &ClickhouseHost) -> String {
    host.name.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| host.url.to_string())
}

fn user(host: &ClickhouseHost) -> Finding {
    let item = format!("ClickHouse user, {}", called(host));
    let is_far = Place::of_url(host.url.expose()) != Place::Loopback;
    match (host.user.as_str(), host.password.is_empty()) {
        (user, true) if is_far => Finding::fail(item, format!("`{user}` without a password, over the network"))
            .advise("create a user of its own, with a password (docs/operating.md)"),
        ("default", _) => Finding::warn(item, "`default`, which most servers let do everything")
            .advise("create a user of its own (docs/operating.md)"),
        (user, _) => Finding::ok(item, format!("`{user}`")),
    }
}

fn address(host: &ClickhouseHost) -> Finding {
    let item = format!("ClickHouse address, {}", called(host));
    if host.url.expose().scheme() == "https" {
        return Finding::ok(item, "https");
    }
    match Place::of_url(host.url.expose()) {
        Place::Loopback => Finding::ok(item, "http, on this machine"),
        Place::Private => Finding::ok(item, "http, in a network of your own"),
        Place::Unknown => Finding::warn(item, "http, by a name that may lead anywhere")
            .advise("use https, unless the name stays in a network of your own"),
        Place::Public => {
            Finding::fail(item, "http, over the Internet: the password and all data can be read on the way")
                .advise("use https (usually port 8443)")
        }
    }
}

fn time(subject: &Subject<'_>) -> Finding {
    const ITEM: &str = "query time limit";
    let config = subject.config();
    let seconds = config.clickhouse.max_execution_time;
    let request = config.limits.request_timeout_ms;
    if request.is_some_and(|limit| limit <= u64::from(seconds) * 1000) {
        return Finding::fail(ITEM, format!("{seconds} s, and a request is given up before"))
            .advise("raise CHM_REQUEST_TIMEOUT_MS, or lower CLICKHOUSE_MAX_EXECUTION_TIME");
    }
    if seconds > LONG_S {
        return Finding::warn(ITEM, format!("{seconds} s"))
            .advise("set CLICKHOUSE_MAX_EXECUTION_TIME to 30, and below the timeout of whatever stands in front");
    }
    Finding::ok(ITEM, format!("{seconds} s; it must be below the timeout of whatever stands in front"))
}
