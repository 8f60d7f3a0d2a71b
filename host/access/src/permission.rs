//! What an operation asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::feature::FeatureId;

/// Whether something looks, or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Looks only.
    Read,
    /// Changes something, costs money, or runs what the caller wrote (the SQL console).
    Write,
}

impl Operation {
    /// Both.
    pub const ALL: &[Operation] = &[Operation::Read, Operation::Write];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// The right that a route, panel, chart, check, action or tool needs. Each of them carries one in its type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Permission {
    /// The feature it belongs to.
    pub feature: FeatureId,
    /// What it does there.
    pub operation: Operation,
}

impl Permission {
    /// The right to look at a feature.
    pub fn read(feature: impl Into<FeatureId>) -> Self {
        Self { feature: feature.into(), operation: Operation::Read }
    }

    /// The right to change something in a feature.
    pub fn write(feature: impl Into<FeatureId>) -> Self {
        Self { feature: feature.into(), operation: Operation::Write }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.feature, self.operation)
    }
}
