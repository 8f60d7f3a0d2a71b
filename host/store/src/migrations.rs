//! The tables, and how they came to be. Only ever added to: a host of an older version works on with what a newer one has made.

use std::borrow::Cow;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Steps in order: version, name, SQLite, PostgreSQL. A step that was released never changes.
const STEPS: &[(i64, &str, &str, &str)] = &[(
    1,
    "keys and audit",
    include_str!("../migrations/sqlite/0001_keys_and_audit.sql"),
    include_str!("../migrations/postgres/0001_keys_and_audit.sql"),
)];

/// The database may be shared with another program that counts its own steps.
const TABLE: &str = "chm_migrations";

pub(crate) fn sqlite() -> Migrator {
    migrator(|(_, _, sqlite, _)| sqlite)
}

pub(crate) fn postgres() -> Migrator {
    migrator(|(_, _, _, postgres)| postgres)
}

fn migrator(text: impl Fn(&(i64, &str, &'static str, &'static str)) -> &'static str) -> Migrator {
    let steps = STEPS.iter().map(|step| {
        Migration::new(step.0, Cow::Borrowed(step.1), MigrationType::Simple, SqlStr::from_static(text(step)), false)
    });
    let mut migrator = Migrator::with_migrations(steps.collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_the_folders_is_taken() {
        for folder in ["sqlite", "postgres"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
            assert_eq!(std::fs::read_dir(path).unwrap().count(), STEPS.len(), "{folder}");
        }
    }

    #[test]
    fn steps_only_add() {
        for (_, name, sqlite, postgres) in STEPS {
            for word in ["DROP ", "RENAME ", "ALTER COLUMN"] {
                assert!(!sqlite.contains(word) && !postgres.contains(word), "{name}: {word}");
            }
        }
    }
}
