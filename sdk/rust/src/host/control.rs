//! The only statements that change anything. The host writes them itself from checked identifiers.

use super::imports;
use crate::Failure;
pub use crate::bindings::imports::chm::plugin::control::ControlError;

/// Asks ClickHouse to stop one query; returns how many were running under that id.
///
/// # Errors
/// [`ControlError`]: not granted, a malformed id, or ClickHouse refused.
pub fn kill_query(host: u32, query_id: &str) -> Result<u32, ControlError> {
    imports::control::kill_query(host, query_id)
}

/// Starts an unscheduled merge.
///
/// # Errors
/// [`ControlError`]: not granted, a malformed name, or ClickHouse refused.
pub fn optimize_table(host: u32, database: &str, table: &str) -> Result<(), ControlError> {
    imports::control::optimize_table(host, database, table)
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Denied(reason) => Self::Denied(reason),
            ControlError::Invalid(reason) => Self::InvalidInput(reason),
            ControlError::Failed(reason) => Self::Unavailable(reason),
        }
    }
}
