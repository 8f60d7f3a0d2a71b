//! Who counts as one, where callers are counted.

use std::fmt;
use std::net::IpAddr;

use chm_access::Caller;

use super::client_address::ClientAddress;

/// A subject, wherever it comes from; without a subject, a network.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OneCaller {
    /// A subject.
    Subject(Box<str>),
    /// An address, or the network of which one client has all.
    Network(IpAddr),
}

impl OneCaller {
    /// The one that a request counts for.
    #[must_use]
    pub fn of(caller: Option<&Caller>, address: ClientAddress) -> Self {
        match caller.and_then(Caller::subject) {
            Some(subject) => Self::Subject(subject.into()),
            None => Self::Network(address.network()),
        }
    }
}

/// Different for different callers: a subject may read like an address.
impl fmt::Display for OneCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(subject) => write!(f, "subject {subject}"),
            Self::Network(network) => write!(f, "network {network}"),
        }
    }
}
