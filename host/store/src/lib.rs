//! The host's own state: API keys and the audit log, in a SQLite file or in PostgreSQL.
//!
//! [`Store::open`] connects and brings the tables up to date. A key's token is never stored, only what it says. A change of a key and
//! its [`NewEntry`] in the audit log are one transaction: neither is there without the other. The audit log can be appended to and
//! read; there is no function that changes or removes an entry, and the database itself refuses to.

mod audit;
mod entry;
mod error;
mod key;
mod keys;
mod migrations;
mod page;
mod postgres;
mod sqlite;
mod store;
mod url;

pub use entry::{Actor, Entry, EntryFilter, NewEntry, Outcome};
pub use error::StoreError;
pub use key::{Key, NewKey, Revocation, Rotation};
pub use page::{Cursor, InvalidCursor, Page};
pub use store::Store;
pub use url::{InvalidStoreUrl, StoreUrl};
