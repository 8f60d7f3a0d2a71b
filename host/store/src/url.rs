//! Where the state is kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Why a text names no store. Never shows the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStoreUrl {
    /// Neither of the two schemes.
    #[error(
        "not the address of a store: expected sqlite:<path of a file> or postgres://<user>:<password>@<host>/<database>"
    )]
    Scheme,
    /// No file.
    #[error(
        "the address of a store names no file: expected sqlite:<path of a file>; keeping it in memory is not supported"
    )]
    NoFile,
    /// Options where a path should end.
    #[error("the path of a SQLite store may not contain `?` or `#`: expected sqlite:<path of a file>, without options")]
    Options,
    /// Not what PostgreSQL's clients understand.
    #[error(
        "the address of a PostgreSQL store cannot be read: expected postgres://<user>:<password>@<host>:<port>/<database>"
    )]
    Postgres,
}

/// Where the state is kept: a SQLite file, or a PostgreSQL database. Shows no user, no password and no option.
#[derive(Clone)]
pub struct StoreUrl(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl StoreUrl {
    /// The SQLite file at `path`.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Sqlite(path.into()))
    }

    /// The file, when it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres(_) => None,
        }
    }
}

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    /// `sqlite:<path>`, also as `sqlite://<path>`, or `postgres://…`, also as `postgresql://…`.
    fn from_str(text: &str) -> Result<Self, InvalidStoreUrl> {
        let text = text.trim();
        let scheme = text.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
        match scheme.as_ref().map(|(scheme, rest)| (scheme.as_str(), *rest)) {
            Some(("sqlite", rest)) => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() || path == ":memory:" {
                    return Err(InvalidStoreUrl::NoFile);
                }
                if path.contains(['?', '#']) {
                    return Err(InvalidStoreUrl::Options);
                }
                Ok(Self::sqlite(path))
            }
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                let options = text.parse::<PgConnectOptions>().map_err(|_| InvalidStoreUrl::Postgres)?;
                Ok(Self(Kind::Postgres(Box::new(options))))
            }
            _ => Err(InvalidStoreUrl::Scheme),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Kind::Postgres(options) => {
                let host = match options.get_socket() {
                    Some(socket) => socket.display().to_string(),
                    None => options.get_host().to_owned(),
                };
                write!(f, "postgres://{host}:{}", options.get_port())?;
                options.get_database().map_or(Ok(()), |database| write!(f, "/{database}"))
            }
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_sorts_are_read() {
        for (given, shown) in [
            ("sqlite:/var/lib/chm/state.db", "sqlite:/var/lib/chm/state.db"),
            ("sqlite:///var/lib/chm/state.db", "sqlite:/var/lib/chm/state.db"),
            (" SQLite:state.db ", "sqlite:state.db"),
            ("postgres://ann:hunter2@db.example:5433/chm", "postgres://db.example:5433/chm"),
            ("postgresql://db.example/chm?sslmode=require", "postgres://db.example:5432/chm"),
        ] {
            assert_eq!(given.parse::<StoreUrl>().unwrap().to_string(), shown, "{given}");
        }
    }

    #[test]
    fn other_addresses_are_refused_with_what_was_expected() {
        for (given, expected) in [
            ("", InvalidStoreUrl::Scheme),
            ("state.db", InvalidStoreUrl::Scheme),
            ("mysql://h/db", InvalidStoreUrl::Scheme),
            ("postgres:h/db", InvalidStoreUrl::Scheme),
            ("sqlite:", InvalidStoreUrl::NoFile),
            ("sqlite::memory:", InvalidStoreUrl::NoFile),
            ("sqlite:state.db?mode=ro", InvalidStoreUrl::Options),
            ("postgres://h:not-a-port/db", InvalidStoreUrl::Postgres),
        ] {
            assert_eq!(given.parse::<StoreUrl>().unwrap_err(), expected, "{given}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: StoreUrl = "postgres://ann:hunter2@h/db?password=hunter2".parse().unwrap();
        assert!(!format!("{url} {url:?}").contains("hunter2"));
        let error = "postgres://ann:hunter2@h:x/db".parse::<StoreUrl>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
