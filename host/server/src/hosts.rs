//! The watched servers, and who may see each.

use std::sync::Arc;

use chm_access::{AllowList, Caller};
use chm_clickhouse::Host;

/// The watched servers. Whoever wants one says for whom, so that no list of people is forgotten on the way.
#[derive(Debug)]
pub struct Hosts(Vec<Watched>);

#[derive(Debug)]
struct Watched {
    host: Arc<Host>,
    allow: Option<AllowList>,
}

/// Why there is no server for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostRefusal {
    /// No server has this id.
    #[error("there is no ClickHouse host {0}")]
    Unknown(u32),
    /// The operator named the people who may see it, and the caller is not one of them.
    #[error("ClickHouse host {0} is open to other people only")]
    Closed(u32),
}

impl Hosts {
    /// In the order of the configuration; the id of the API is the position.
    #[must_use]
    pub fn new(hosts: impl IntoIterator<Item = (Arc<Host>, Option<AllowList>)>) -> Self {
        Self(hosts.into_iter().map(|(host, allow)| Watched { host, allow }).collect())
    }

    /// Whether none is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are, whoever may see them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, for what the host does by itself.
    pub fn all(&self) -> impl Iterator<Item = (u32, &Arc<Host>)> {
        (0..).zip(self.0.iter().map(|watched| &watched.host))
    }

    /// Those that the caller may see; `None` is the host itself.
    pub fn seen_by(&self, caller: Option<&Caller>) -> impl Iterator<Item = (u32, &Arc<Host>)> {
        (0..).zip(&self.0).filter(move |(_, watched)| watched.admits(caller)).map(|(id, watched)| (id, &watched.host))
    }

    /// One of them, for the caller; `None` is the host itself.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub fn get(&self, id: u32, caller: Option<&Caller>) -> Result<&Arc<Host>, HostRefusal> {
        let watched = self.0.get(id as usize).ok_or(HostRefusal::Unknown(id))?;
        if watched.admits(caller) { Ok(&watched.host) } else { Err(HostRefusal::Closed(id)) }
    }
}

impl Watched {
    fn admits(&self, caller: Option<&Caller>) -> bool {
        match (&self.allow, caller) {
            (None, _) | (_, None) => true,
            (Some(list), Some(caller)) => list.names(caller),
        }
    }
}
