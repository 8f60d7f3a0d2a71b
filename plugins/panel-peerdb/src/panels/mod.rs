//! Tables and charts over PeerDB's answers. None of them reads ClickHouse.

mod mirror_health;
mod mirrors;
mod peers;
mod slot_health;
mod slot_lag;
mod slots;
mod status;

use chm_plugin::host::clock;
use chm_plugin::panels::{Context, Panel};
use chm_plugin::{Failure, Panels};
use serde_json::Value;

/// Milliseconds after which a panel asks PeerDB nothing more: what it has by then is its answer.
const PATIENCE: f64 = 5000.0;

/// The panels.
pub struct Tables;

macro_rules! panels {
    ($($id:literal = $panel:ident),+ $(,)?) => {
        impl Panels for Tables {
            fn describe() -> Vec<Panel> {
                // Answers are kept by `cache`, for as long as the operator wants, and not by the host besides.
                vec![$($panel::describe($id).fetched().cache_seconds(0)),+]
            }

            fn fetch(panel: &str, context: Context) -> Result<Vec<u8>, Failure> {
                let rows: Vec<Value> = match panel {
                    $($id => $panel::rows(&context)?,)+
                    _ => return Err(Failure::not_found(format!("there is no panel `{panel}`"))),
                };
                serde_json::to_vec(&rows).map_err(|error| Failure::internal(error.to_string()))
            }
        }
    };
}

panels![
    "peerdb-status" = status,
    "peerdb-mirrors" = mirrors,
    "peerdb-mirror-health" = mirror_health,
    "peerdb-peers" = peers,
    "peerdb-slots" = slots,
    "peerdb-slot-health" = slot_health,
    "peerdb-slot-lag" = slot_lag,
];

/// How long a panel that asks for many things may go on.
struct Patience {
    until: f64,
}

impl Patience {
    fn begins() -> Self {
        Self { until: clock::now() + PATIENCE }
    }

    fn lasts(&self) -> bool {
        clock::now() < self.until
    }
}

/// The list under a name; empty when there is none.
fn items<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The text under a name; empty when there is none.
fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The number under a name. Long ones come as texts.
fn number(item: &Value, name: &str) -> Option<f64> {
    let value = item.get(name)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number| number.is_finite())
}

/// The milliseconds since the Unix epoch under a name. PeerDB writes 0 where there is no time.
fn time(item: &Value, name: &str) -> Option<f64> {
    number(item, name).filter(|time| *time > 0.0)
}

/// Whole bytes of so many MiB; nothing for what no number of bytes is.
fn bytes(mib: f64) -> Option<u64> {
    let bytes = (mib * 1_048_576.0).round();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It has just been looked at.
    (0.0..9.0e18).contains(&bytes).then_some(bytes as u64)
}

/// The kind of a database, in small letters. Some versions of PeerDB send its number in their interface's enumeration.
fn database(item: &Value, name: &str) -> String {
    match item.get(name) {
        Some(Value::String(word)) => word.to_ascii_lowercase(),
        Some(Value::Number(number)) => match number.as_i64() {
            Some(0) => "bigquery".to_owned(),
            Some(1) => "snowflake".to_owned(),
            Some(2) => "mongo".to_owned(),
            Some(3) => "postgres".to_owned(),
            Some(5) => "s3".to_owned(),
            Some(6) => "sqlserver".to_owned(),
            Some(7) => "mysql".to_owned(),
            Some(8) => "clickhouse".to_owned(),
            Some(9) => "kafka".to_owned(),
            Some(10) => "pubsub".to_owned(),
            Some(11) => "eventhubs".to_owned(),
            Some(12) => "elasticsearch".to_owned(),
            _ => number.to_string(),
        },
        _ => String::new(),
    }
}
