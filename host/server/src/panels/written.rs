//! The statement last written for each server. Dashboards ask the same again and again, and to write and guard it anew took a tenth
//! of the host's processor time for a small answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chm_clickhouse::ServerShape;

use super::facts::Asked;
use super::statement::{NoStatement, Statement, Wishes};

/// For one panel: at most one statement for each server.
#[derive(Debug, Default)]
pub struct Written {
    last: Mutex<HashMap<u32, Last>>,
}

/// A statement, and all that it was written from.
#[derive(Debug)]
struct Last {
    /// Another one is made whenever the server is asked anew.
    shape: Arc<ServerShape>,
    wishes: Wishes,
    statement: Statement,
}

impl Written {
    /// The statement for this server, unless it is the one that was written last.
    ///
    /// # Errors
    /// What `write` says. It is asked again the next time.
    pub fn or_write(
        &self,
        server: u32,
        facts: &Asked,
        wishes: &Wishes,
        write: impl FnOnce() -> Result<Statement, NoStatement>,
    ) -> Result<Statement, NoStatement> {
        // What else was asked has no shape to be known by.
        let Some(shape) = facts.shape_alone() else { return write() };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.get(&server)
            && Arc::ptr_eq(&last.shape, shape)
            && last.wishes == *wishes
        {
            return Ok(last.statement.clone());
        }
        let statement = write()?;
        last.insert(server, Last { shape: shape.clone(), wishes: wishes.clone(), statement: statement.clone() });
        Ok(statement)
    }
}
