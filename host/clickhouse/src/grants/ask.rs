//! Asks a server what the host's own user may do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde::Deserialize;

use super::advice::{Advice, Held, Holding, Needs, advise};
use super::grammar::Statement;
use super::quoted;
use super::target::Target;
use crate::error::ReadError;
use crate::host::Host;
use crate::tables::TableName;

/// Limit of one question.
const LIMIT: Duration = Duration::from_secs(10);
/// Most roles that are followed.
const ROLES: usize = 100;

/// What is known of the host's user on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The user's rights.
    pub holding: Holding,
    /// `readonly` of the user's own profile, when it could be asked: `0`, `1` or `2`.
    pub readonly: Option<String>,
    /// Where the server keeps the user, when that could be asked: `users_xml`, `local_directory`, `replicated`, …
    pub storage: Option<String>,
    /// Tables that are needed and not there.
    pub absent: BTreeSet<TableName>,
    /// What the server said and was not understood; nothing was concluded from it.
    pub not_understood: Vec<String>,
}

impl Standing {
    /// What an administrator should run. A table that is not there needs no right.
    #[must_use]
    pub fn advice(&self, needs: &Needs) -> Advice {
        let tables = needs.tables.difference(&self.absent).cloned().collect();
        advise(&self.holding, &Needs { tables, ..needs.clone() })
    }
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Host {
    /// Asks for the user's rights, as far as they bear on `needs`. Only reads.
    ///
    /// # Errors
    /// When the server cannot be asked at all.
    pub async fn standing(&self, needs: &Needs) -> Result<Standing, ReadError> {
        let user = self.name_of("SELECT currentUser() AS name").await?.ok_or(ReadError::Broken)?;
        let storage =
            self.name_of("SELECT u.storage AS name FROM system.users AS u WHERE u.name = currentUser()").await;
        let mut standing = Standing {
            holding: Holding { user: user.clone(), ..Holding::default() },
            readonly: self.profile().await?.readonly().map(str::to_owned),
            storage: storage.ok().flatten(),
            absent: BTreeSet::new(),
            not_understood: Vec::new(),
        };
        self.follow(&user, &mut standing).await?;
        for table in &needs.tables {
            if !standing.holding.reads(table) {
                self.try_table(table, &mut standing).await;
            }
        }
        Ok(standing)
    }

    async fn name_of(&self, sql: &str) -> Result<Option<String>, ReadError> {
        Ok(self.ask::<Named>(sql, Vec::new(), LIMIT).await?.pop().map(|named| named.name))
    }

    /// The user's grants, then those of the roles in force, and of their roles.
    async fn follow(&self, user: &str, standing: &mut Standing) -> Result<(), ReadError> {
        // Old servers do not have the function; then every role that was granted counts.
        let enabled = self.ask::<Named>("SELECT arrayJoin(enabledRoles()) AS name", Vec::new(), LIMIT).await.ok();
        let enabled: Option<BTreeSet<String>> = enabled.map(|rows| rows.into_iter().map(|row| row.name).collect());
        let mut waiting = VecDeque::from([None]);
        let mut met = BTreeSet::new();
        while let Some(role) = waiting.pop_front() {
            if met.len() > ROLES {
                standing.not_understood.push(format!("the rights of more than {ROLES} roles"));
                break;
            }
            let holder = role.clone().unwrap_or_else(|| user.to_owned());
            let sql = match &role {
                None => "SHOW GRANTS".to_owned(),
                Some(role) => format!("SHOW GRANTS FOR {}", quoted(role)),
            };
            let rows: Vec<BTreeMap<String, String>> = match self.ask(&sql, Vec::new(), LIMIT).await {
                Ok(rows) => rows,
                Err(error) if role.is_none() => return Err(error),
                Err(error) => {
                    standing.not_understood.push(format!("the rights of the role {}: {error}", quoted(&holder)));
                    continue;
                }
            };
            for line in rows.iter().flat_map(BTreeMap::values) {
                match Statement::parse(line) {
                    Ok(Statement::Rights { rules, .. }) => {
                        let held = |rule| Held { holder: holder.clone(), rule };
                        standing.holding.rights.extend(rules.into_iter().map(held));
                    }
                    Ok(Statement::Roles { roles, .. }) => {
                        let in_force = |role: &String| enabled.as_ref().is_none_or(|enabled| enabled.contains(role));
                        let fresh = roles.into_iter().filter(in_force).filter(|role| met.insert(role.clone()));
                        waiting.extend(fresh.map(Some));
                    }
                    Err(error) => standing.not_understood.push(error.to_string()),
                }
            }
        }
        Ok(())
    }

    /// Some tables are open to everybody, which ones differs from version to version, and some are not there: so it is tried.
    async fn try_table(&self, table: &TableName, standing: &mut Standing) {
        let sql = format!("SELECT * FROM {} LIMIT 0", Target::table(table));
        match self.ask::<serde::de::IgnoredAny>(&sql, Vec::new(), LIMIT).await {
            Ok(_) => {
                standing.holding.open.insert(table.clone());
            }
            Err(ReadError::Server { code: 60 | 81, .. }) => {
                standing.absent.insert(table.clone());
            }
            // 497 is "not enough privileges", and the other errors say nothing about the right.
            Err(_) => {}
        }
    }
}
