//! Where the host keeps its own state.

use std::fmt;
use std::str::FromStr;

use chm_store::{InvalidStoreUrl, StoreUrl};
use serde::{Deserialize, Deserializer};

/// The host's own state.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Where it is kept; in a SQLite file of the user's when nobody says.
    #[serde(default)]
    pub url: Option<StorePlace>,
    /// Days after which keys that have ended are removed.
    pub key_retention_days: u32,
}

/// Where state is kept, if it is. Shows no password.
#[derive(Clone, Debug)]
pub enum StorePlace {
    /// Nowhere: no keys are minted, and the audit log is only in the log.
    Nowhere,
    /// There.
    At(StoreUrl),
}

/// The word for [`StorePlace::Nowhere`].
const NONE: &str = "none";

/// The text names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sqlite:<path of a file>, postgres://<user>:<password>@<host>/<database>, or {NONE}")]
pub struct NoPlace;

impl From<InvalidStoreUrl> for NoPlace {
    fn from(_: InvalidStoreUrl) -> Self {
        Self
    }
}

impl FromStr for StorePlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if text.trim().eq_ignore_ascii_case(NONE) {
            return Ok(Self::Nowhere);
        }
        Ok(Self::At(text.parse()?))
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str(NONE),
            Self::At(url) => write!(f, "{url}"),
        }
    }
}

impl<'de> Deserialize<'de> for StorePlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
