//! What the loaded plugins need of ClickHouse.

use chm_clickhouse::TableName;
use chm_clickhouse::grants::Needs;
use chm_sandbox::{ControlStatement, Role};

use crate::plugins::Registry;

/// What the host itself asks.
const OWN: &[&str] = &["system.settings", "system.tables", "system.columns"];

/// The tables of bundled tools and actions: they write their statements when they are called, so their descriptions cannot name them.
const OF_CALLS: &[(&str, &[&str])] = &[
    ("panel-actions", &["system.merges", "system.parts", "system.processes", "system.tables"]),
    (
        "tools-clickhouse",
        &["system.columns", "system.databases", "system.processes", "system.query_log", "system.tables"],
    ),
];

/// What one server must let the host's user do.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub needs: Needs,
    /// Plugins that read what no description names.
    pub unforeseeable: Vec<String>,
}

impl Wanted {
    /// For the server with this id.
    pub fn of(registry: &Registry, host: u32) -> Self {
        let mut wanted = Self::default();
        wanted.tables(OWN);
        for plugin in registry.active() {
            let grants = plugin.grants();
            wanted.needs.kill_query |= grants.allows_statement(ControlStatement::KillQuery);
            wanted.needs.optimize_table |= grants.allows_statement(ControlStatement::OptimizeTable);
            if !grants.clickhouse.as_ref().is_some_and(|grant| grant.hosts.contains(host)) {
                continue;
            }
            wanted.needs.names = true;
            for panel in registry.catalogue.panels().filter(|panel| panel.plugin.id() == plugin.id()) {
                wanted.needs.tables.extend(panel.selection.reads.iter().cloned());
            }
            let roles = &plugin.inspection().roles;
            if roles.contains(&Role::Toolset) || roles.contains(&Role::Actions) {
                match OF_CALLS.iter().find(|(id, _)| *id == plugin.id()) {
                    Some((_, tables)) => wanted.tables(tables),
                    None => wanted.unforeseeable.push(plugin.id().to_owned()),
                }
            }
        }
        wanted
    }

    fn tables(&mut self, names: &[&str]) {
        self.needs.tables.extend(names.iter().filter_map(|name| TableName::parse(name).ok()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_tables_of_bundled_tools_and_actions_are_those_in_their_source() {
        for (id, tables) in OF_CALLS {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(id).join("src");
            let mut found = BTreeSet::new();
            for file in std::fs::read_dir(source).unwrap() {
                let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
                for after in text.split("system.").skip(1) {
                    let name: String = after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                    found.insert(format!("system.{name}"));
                }
            }
            assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), *tables, "{id}");
        }
    }
}
