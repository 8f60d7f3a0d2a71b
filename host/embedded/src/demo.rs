//! Something to look at: a small database and a light workload on an engine of our own.
//!
//! Bounded in every way: events are kept three days (about a million small rows), orders replace
//! themselves, and one statement runs every few seconds. The slow query sleeps rather than computes.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::engine::Engine;
use crate::statement::{Connection, StatementError};

const SCHEMA: &str = include_str!("../templates/demo/schema.sql");
const SEED_EVENTS: &str = include_str!("../templates/demo/seed_events.sql");
const SEED_IMPORTS: &str = "INSERT INTO demo.imports (line, price) VALUES (1, '12.50'), (2, '8.00'), (3, 'call us')";
/// Never ends: `call us` is no number. The failure is kept in `system.mutations`.
const STUCK_MUTATION: &str = "ALTER TABLE demo.imports UPDATE cents = toUInt32(toFloat64(price) * 100) WHERE line > 0";
const INSERT_EVENTS: &str = include_str!("../templates/demo/insert_events.sql");
const INSERT_ORDERS: &str = include_str!("../templates/demo/insert_orders.sql");
/// 2.5 s of sleep over 250 rows; ClickHouse allows 3 s per block.
const SLOW: &str = "SELECT service, count() AS requests, max(pause) FROM \
    (SELECT service, sleepEachRow(0.01) AS pause FROM demo.events LIMIT 250) GROUP BY service";
const READS: [&str; 4] = [
    "SELECT service, count() AS requests, quantile(0.95)(duration_ms) AS p95 FROM demo.events \
     WHERE time > now() - INTERVAL 1 HOUR GROUP BY service ORDER BY requests DESC",
    "SELECT toStartOfFiveMinutes(time) AS bucket, countIf(status >= 500) AS failures FROM demo.events \
     WHERE time > now() - INTERVAL 3 HOUR GROUP BY bucket ORDER BY bucket",
    "SELECT state, count(), sum(amount) FROM demo.orders FINAL GROUP BY state",
    "SELECT path, count() AS requests FROM demo.events WHERE status = 404 GROUP BY path ORDER BY requests DESC LIMIT 10",
];
/// Each fails for another reason, as in real life.
const FAILING: [&str; 4] = [
    "SELECT customer FROM demo.events LIMIT 1",
    "SELECT count() FROM demo.customers",
    "SELECT sum(toUInt32(price)) FROM demo.imports",
    "SELECT groupArray(path) FROM demo.events SETTINGS max_memory_usage = 1000000",
];
/// Marks the workload's queries in `system.query_log`.
const SETTINGS: [(&str, &str); 2] = [("log_comment", "chm-host demo workload"), ("max_threads", "2")];

const PERIOD: Duration = Duration::from_secs(5);

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A statement that makes the database failed.
    #[error("the demo database could not be made: {0}")]
    Statement(#[from] StatementError),
}

/// The demo database.
#[derive(Debug)]
pub struct Demo;

/// The running workload; it ends when this is dropped.
#[derive(Debug)]
pub struct DemoHandle(JoinHandle<()>);

impl Drop for DemoHandle {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Demo {
    /// Makes the database `demo` where it is missing (0.3 s) and starts the workload. On an engine that
    /// has it already nothing is made twice.
    ///
    /// # Errors
    /// When the database cannot be made. Later failures of the workload are logged at debug level.
    pub async fn start(engine: &Engine) -> Result<DemoHandle, DemoError> {
        let connection = engine.connection().clone();
        create(&connection).await?;
        Ok(DemoHandle(tokio::spawn(work(connection))))
    }
}

async fn create(connection: &Connection) -> Result<(), StatementError> {
    for statement in SCHEMA.split(';').filter(|text| !text.trim().is_empty()) {
        connection.run(statement).await?;
    }
    if is_empty(connection, "events").await? {
        connection.run(SEED_EVENTS).await?;
    }
    if is_empty(connection, "imports").await? {
        connection.run(SEED_IMPORTS).await?;
    }
    let stuck = connection
        .run("SELECT count() FROM system.mutations WHERE database = 'demo' AND table = 'imports' AND NOT is_done")
        .await?;
    if stuck.trim() == "0" {
        // Not awaited by the server either: the profile has mutations_sync = 0.
        connection.run(STUCK_MUTATION).await?;
    }
    Ok(())
}

async fn is_empty(connection: &Connection, table: &str) -> Result<bool, StatementError> {
    let sql = format!("SELECT count() FROM (SELECT 1 FROM demo.{table} LIMIT 1)");
    Ok(connection.run(&sql).await?.trim() == "0")
}

async fn work(connection: Connection) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for round in 0_usize.. {
        ticks.tick().await;
        for statement in statements(round) {
            if let Err(error) = connection.run_with(statement, &SETTINGS).await {
                tracing::debug!(%error, "demo workload");
            }
        }
    }
}

/// What runs in a round of 5 s. The first one has some of everything.
fn statements(round: usize) -> Vec<&'static str> {
    let mut statements = vec![INSERT_EVENTS, READS[round % READS.len()]];
    if round.is_multiple_of(2) {
        statements.push(INSERT_ORDERS);
    }
    if round.is_multiple_of(9) {
        statements.push(FAILING[(round / 9) % FAILING.len()]);
    }
    if round.is_multiple_of(12) {
        statements.push(SLOW);
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_the_promised_share_of_each_statement() {
        let hour: Vec<&str> = (0..720).flat_map(statements).collect();
        let count = |wanted: &str| hour.iter().filter(|text| **text == wanted).count();
        assert_eq!(count(SLOW), 60);
        assert_eq!(count(INSERT_EVENTS), 720);
        assert_eq!(FAILING.map(count), [20; 4]);
        assert!(statements(0).contains(&SLOW) && statements(0).contains(&FAILING[0]));
    }

    #[test]
    fn no_statement_of_the_schema_holds_a_semicolon_in_a_text() {
        for statement in SCHEMA.split(';') {
            assert_eq!(statement.matches('\'').count() % 2, 0, "{statement}");
        }
    }
}
