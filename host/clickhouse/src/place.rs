//! A place among the queries that a host runs at once, held as long as one runs.

use clickhouse::Client;
use tokio::sync::OwnedSemaphorePermit;

use crate::control::{QueryId, stop_query};
use crate::places::Claim;

/// Held while a query runs. Given up before the query has ended, it stops the query on servers that do not notice by themselves that
/// nobody waits for it any more.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _claim: Claim,
    leaving: Option<(Client, QueryId)>,
}

impl Place {
    /// For a query that ends with its connection.
    pub(crate) fn of(permit: OwnedSemaphorePermit, claim: Claim) -> Self {
        Self { _permit: permit, _claim: claim, leaving: None }
    }

    /// For a query of this id that goes on without its connection.
    pub(crate) fn must_stop(mut self, client: Client, query_id: &str) -> Self {
        self.leaving = QueryId::new(query_id).ok().map(|id| (client, id));
        self
    }

    /// The query has ended: nothing is to be stopped.
    pub(crate) fn query_ended(&mut self) {
        self.leaving = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and its connections with it.
        if let Some((client, id)) = self.leaving.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { stop_query(&client, &id).await });
        }
    }
}
