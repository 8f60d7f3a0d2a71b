//! Everything that reaches a monitored ClickHouse: the read-only guard, hosts, limits, streaming reads, and the few
//! typed control statements.
//!
//! Law 3: only two things are sent to ClickHouse, a [`GuardedQuery`] read with `readonly` and limits in the same
//! request, or a control statement this crate writes itself from checked identifiers.

mod absence;
mod cells;
mod cluster;
mod config;
mod control;
mod error;
mod format;
pub mod grants;
pub mod guard;
mod host;
mod http;
mod json_strings;
mod lines;
mod options;
mod place;
mod places;
mod profile;
pub mod redact;
mod rows;
mod shape;
mod system_tables;
mod tables;
mod utf8;
mod version;

pub use absence::Absence;
pub use cluster::{ClusterMember, ClusterName, Reach};
pub use config::{HostConfig, HostConfigError, Limits};
pub use control::{Optimized, QueryId, QueryIdError};
pub use error::{ErrorKind, MAX_MESSAGE, ReadError};
pub use format::Format;
pub use guard::{Arrangement, GuardedQuery, REPLICA, Refusal};
pub use host::{Host, Status};
pub use options::ReadOptions;
pub use places::{Claim, Holder};
pub use redact::{hide_credentials, redaction_sql};
pub use rows::Rows;
pub use shape::ServerShape;
pub use tables::{ColumnName, Presence, TableName, TableNameError};
pub use version::ServerVersion;
