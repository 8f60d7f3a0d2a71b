//! Rights that are held × rights that are needed -> the statements between the two. A pure function.

use std::collections::BTreeSet;

use super::grammar::{Effect, Rule};
use super::quoted;
use super::target::Target;
use crate::tables::TableName;

/// What the host, with the plugins it has loaded, does on one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Tables that are read.
    pub tables: BTreeSet<TableName>,
    /// Users' tables should appear in lists of tables, parts and merges.
    pub names: bool,
    /// Queries of others are stopped.
    pub kill_query: bool,
    /// Tables are optimised.
    pub optimize_table: bool,
}

/// A right and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The user, or one of the user's roles.
    pub holder: String,
    /// The right.
    pub rule: Rule,
}

/// What a user may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding {
    /// The user.
    pub user: String,
    /// The user's own rights, and those of the roles that are in force.
    pub rights: Vec<Held>,
    /// Tables that were seen to be readable without a right.
    pub open: BTreeSet<TableName>,
}

/// Statements for an administrator to run. Each list is empty when there is nothing to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// `GRANT …`: without these something that is loaded does not work.
    pub missing: Vec<String>,
    /// `GRANT …`: without these lists leave out what the user may not see.
    pub hidden: Vec<String>,
    /// `REVOKE …`: nothing that is loaded needs these.
    pub superfluous: Vec<String>,
    /// `REVOKE …`: these let the console and tools read data that no panel needs. An operator may want that.
    pub data: Vec<String>,
    /// `GRANT …`: to run after the `REVOKE`s of both lists, which take away something that is needed with what is not.
    pub afterwards: Vec<String>,
}

/// Databases that describe the server and hold nobody's data.
const DESCRIBING: &[&str] = &["system", "INFORMATION_SCHEMA", "information_schema"];
/// Rights which change nothing and read no data. Old servers need the last for every table function.
const HARMLESS: &[&str] = &[
    "SHOW",
    "SHOW DATABASES",
    "SHOW TABLES",
    "SHOW COLUMNS",
    "SHOW DICTIONARIES",
    "USAGE",
    "NONE",
    "CREATE TEMPORARY TABLE",
];
/// Rights behind the tables of users, roles, quotas and so on, beside SELECT.
const ABOUT_ACCESS: &[&str] = &[
    "SHOW ACCESS",
    "SHOW USERS",
    "SHOW ROLES",
    "SHOW ROW POLICIES",
    "SHOW QUOTAS",
    "SHOW SETTINGS PROFILES",
    "SHOW MASKING POLICIES",
];
/// Tables that need one of those.
const ACCESS_TABLES: &[&str] = &[
    "users",
    "roles",
    "grants",
    "role_grants",
    "row_policies",
    "masking_policies",
    "quotas",
    "quota_limits",
    "quotas_usage",
    "settings_profiles",
    "settings_profile_elements",
];

fn is_one_of(right: &str, names: &[&str]) -> bool {
    names.iter().any(|name| right.eq_ignore_ascii_case(name))
}

/// What one right is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Fitting,
    Superfluous,
    Data,
}

impl Needs {
    fn judge(&self, rule: &Rule) -> Use {
        let right = rule.right.as_str();
        if is_one_of(right, &["SELECT"]) {
            let wanted = DESCRIBING.iter().any(|database| rule.target.is_within(database))
                || self.tables.iter().any(|table| rule.target == Target::table(table));
            return if wanted { Use::Fitting } else { Use::Data };
        }
        let about_access =
            || self.tables.iter().any(|t| t.database() == "system" && is_one_of(t.table(), ACCESS_TABLES));
        let fitting = is_one_of(right, HARMLESS)
            || (self.kill_query && is_one_of(right, &["KILL QUERY"]))
            || (self.optimize_table && is_one_of(right, &["OPTIMIZE", "OPTIMIZE TABLE"]))
            || (is_one_of(right, ABOUT_ACCESS) && about_access());
        if fitting { Use::Fitting } else { Use::Superfluous }
    }
}

/// The statements between what is held and what is needed.
#[must_use]
pub fn advise(holding: &Holding, needs: &Needs) -> Advice {
    let to = format!("TO {}", quoted(&holding.user));
    let mut advice = Advice::default();
    let mut superfluous = Lines::default();
    let mut options = Lines::default();
    let mut data = Lines::default();
    let mut kept = Vec::new();
    for held in &holding.rights {
        if held.rule.effect != Effect::Grant {
            kept.push(held.clone());
            continue;
        }
        match needs.judge(&held.rule) {
            Use::Superfluous => superfluous.add("REVOKE", held),
            Use::Data => {
                data.add("REVOKE", held);
                if held.rule.passes_on {
                    options.add("REVOKE GRANT OPTION FOR", held);
                }
            }
            Use::Fitting => {
                if held.rule.passes_on {
                    options.add("REVOKE GRANT OPTION FOR", held);
                }
                kept.push(held.clone());
            }
        }
    }
    advice.superfluous = superfluous.into_statements();
    advice.superfluous.extend(options.into_statements());
    advice.data = data.into_statements();

    let kept = Holding { rights: kept, user: String::new(), open: holding.open.clone() };
    let mut regained = Vec::new();
    for table in &needs.tables {
        if !holding.reads(table) {
            advice.missing.push(format!("GRANT SELECT ON {} {to}", Target::table(table)));
        } else if !kept.reads(table) {
            let target = if DESCRIBING.contains(&table.database()) {
                Target::Database(super::Pattern::exact(table.database()))
            } else {
                Target::table(table)
            };
            regained.push(format!("GRANT SELECT ON {target} {to}"));
        }
    }
    let mut line = |needed: bool, has: bool, keeps: bool, text: &str, list: &mut Vec<String>| match (needed, has, keeps)
    {
        (true, false, _) => list.push(format!("GRANT {text} ON *.* {to}")),
        (true, true, false) => regained.push(format!("GRANT {text} ON *.* {to}")),
        _ => {}
    };
    let names = "SHOW TABLES, SHOW COLUMNS";
    line(needs.names, holding.sees_names(), kept.sees_names(), names, &mut advice.hidden);
    line(needs.kill_query, holding.kills(), kept.kills(), "KILL QUERY", &mut advice.missing);
    line(needs.optimize_table, holding.optimizes(), kept.optimizes(), "OPTIMIZE", &mut advice.missing);
    regained.dedup();
    advice.afterwards = regained;
    advice
}

impl Holding {
    /// Whether the whole of a table may be read.
    #[must_use]
    pub fn reads(&self, table: &TableName) -> bool {
        self.open.contains(table) || self.has(&["SELECT", "ALL"], |target| target.fits(table))
    }

    fn sees_names(&self) -> bool {
        // Who may read a table may see it.
        let reads = self.has(&["SELECT", "ALL"], everywhere);
        let shows = |right: &str| self.has(&[right, "SHOW", "ALL"], everywhere);
        reads || (shows("SHOW TABLES") && shows("SHOW COLUMNS"))
    }

    fn kills(&self) -> bool {
        self.has(&["KILL QUERY", "ALL"], everywhere)
    }

    /// Some tables are enough: an operator may have chosen them.
    fn optimizes(&self) -> bool {
        let granted = |held: &Held| held.rule.effect == Effect::Grant;
        let rights = &["OPTIMIZE", "OPTIMIZE TABLE", "ALL"];
        self.rights.iter().any(|held| granted(held) && is_one_of(&held.rule.right, rights))
    }

    /// Whether one holder has a right. `rights` are its name and those of the groups it is in, the smallest first. Of the rules that
    /// fit, the closest counts; of equally close ones that of the smaller group, and then the one that takes away.
    fn has(&self, rights: &[&str], fits: impl Fn(&Target) -> Option<(u8, usize)>) -> bool {
        let holders: BTreeSet<&str> = self.rights.iter().map(|held| held.holder.as_str()).collect();
        let weight = |rule: &Rule| {
            let is_revoked = match rule.effect {
                // A right to single columns is not the right to the table; the loss of one is the loss of the whole.
                Effect::Grant if !rule.columns.is_empty() => return None,
                Effect::RevokeOption => return None,
                Effect::Grant => false,
                Effect::Revoke => true,
            };
            let group = rights.iter().position(|right| rule.right.eq_ignore_ascii_case(right))?;
            Some((fits(&rule.target)?, std::cmp::Reverse(group), is_revoked))
        };
        holders.into_iter().any(|holder| {
            let of_holder = self.rights.iter().filter(|held| held.holder == holder);
            of_holder.filter_map(|held| weight(&held.rule)).max().is_some_and(|(.., is_revoked)| !is_revoked)
        })
    }
}

fn everywhere(target: &Target) -> Option<(u8, usize)> {
    (*target == Target::Everything).then_some((0, 0))
}

/// Rights on one target of one holder go into one statement, in the order they were met.
#[derive(Default)]
struct Lines(Vec<(&'static str, String, Target, Vec<String>)>);

impl Lines {
    fn add(&mut self, verb: &'static str, held: &Held) {
        let columns: Vec<String> = held.rule.columns.iter().map(|column| quoted(column)).collect();
        let columns = if columns.is_empty() { String::new() } else { format!("({})", columns.join(", ")) };
        let right = format!("{}{columns}", held.rule.right);
        let same = |(v, holder, target, _): &&mut (&str, String, Target, Vec<String>)| {
            *v == verb && *holder == held.holder && *target == held.rule.target
        };
        match self.0.iter_mut().find(same) {
            Some((.., rights)) => rights.push(right),
            None => self.0.push((verb, held.holder.clone(), held.rule.target.clone(), vec![right])),
        }
    }

    fn into_statements(self) -> Vec<String> {
        let statement = |(verb, holder, target, rights): (&str, String, Target, Vec<String>)| {
            format!("{verb} {} ON {target} FROM {}", rights.join(", "), quoted(&holder))
        };
        self.0.into_iter().map(statement).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::grammar::Statement;
    use super::*;

    /// What `SHOW GRANTS` of user `chm` says.
    fn holding(lines: &[&str]) -> Holding {
        let mut holding = Holding { user: "chm".to_owned(), ..Holding::default() };
        for line in lines {
            if let Statement::Rights { rules, holder } = Statement::parse(line).unwrap() {
                holding.rights.extend(rules.into_iter().map(|rule| Held { holder: holder.clone(), rule }));
            }
        }
        holding
    }

    fn needs(tables: &[&str]) -> Needs {
        Needs { tables: tables.iter().map(|t| TableName::parse(t).unwrap()).collect(), ..Needs::default() }
    }

    #[test]
    fn missing_rights_are_granted_by_exact_lines() {
        let two = needs(&["system.parts", "system.query_log"]);
        let parts = "GRANT SELECT ON system.parts TO chm";
        let log = "GRANT SELECT ON system.query_log TO chm";
        for (held, missing) in [
            (&["GRANT SELECT ON system.* TO chm"][..], &[][..]),
            (&["GRANT SELECT ON *.* TO chm"], &[]),
            (&["GRANT ALL ON *.* TO chm WITH GRANT OPTION"], &[]),
            (&["GRANT SELECT ON sys*.* TO chm"], &[]),
            (&["GRANT SELECT ON system.p* TO chm"], &[log]),
            (&["GRANT SELECT ON system.query_log TO chm"], &[parts]),
            (&["GRANT SELECT ON system.query_log TO a_role", "GRANT SELECT ON system.parts TO chm"], &[]),
            (&[], &[parts, log]),
            (&["GRANT SELECT(name) ON system.parts TO chm", log], &[parts]),
            (&["GRANT SELECT ON system.* TO chm", "REVOKE SELECT ON system.parts FROM chm"], &[parts]),
            (&["GRANT SELECT ON system.* TO chm", "REVOKE SELECT(name) ON system.parts FROM chm"], &[parts]),
            (&["GRANT SELECT ON *.* TO chm", "REVOKE SELECT ON sys*.* FROM chm", parts], &[log]),
            // Another holder's loss is not the user's.
            (&["GRANT SELECT ON system.* TO chm", "REVOKE SELECT ON system.parts FROM a_role"], &[]),
            (&["GRANT SELECT ON shop.* TO chm", "GRANT INSERT ON system.* TO chm"], &[parts, log]),
        ] {
            assert_eq!(advise(&holding(held), &two).missing, missing, "{held:?}");
        }
        let mut open = holding(&[]);
        open.open = two.tables.clone();
        assert_eq!(advise(&open, &two), Advice::default());
        let odd = Holding { user: "o'd`d".to_owned(), ..Holding::default() };
        assert_eq!(advise(&odd, &needs(&["my db.t-1"])).missing, [r"GRANT SELECT ON `my db`.`t-1` TO `o'd\`d`"]);
    }

    #[test]
    fn superfluous_rights_are_revoked_by_exact_lines() {
        let nothing = Needs::default();
        for (held, superfluous) in [
            (&["GRANT SELECT, SHOW TABLES ON system.* TO chm"][..], &[][..]),
            (
                &["GRANT SELECT, INSERT, ALTER, CREATE, DROP, SYSTEM ON system.* TO chm"],
                &["REVOKE INSERT, ALTER, CREATE, DROP, SYSTEM ON system.* FROM chm"],
            ),
            (&["GRANT ALL ON *.* TO chm"], &["REVOKE ALL ON *.* FROM chm"]),
            (&["GRANT READ, WRITE ON S3 TO chm"], &["REVOKE READ, WRITE ON S3 FROM chm"]),
            (&["GRANT READ ON URL(`http://x/.*`) TO chm"], &["REVOKE READ ON URL(`http://x/.*`) FROM chm"]),
            (&["GRANT FILE, URL, S3, REMOTE ON *.* TO old"], &["REVOKE FILE, URL, S3, REMOTE ON *.* FROM old"]),
            (&["GRANT SET DEFINER ON us* TO chm"], &["REVOKE SET DEFINER ON us* FROM chm"]),
            (&["GRANT INSERT(x, `a b`) ON a.b TO chm"], &["REVOKE INSERT(x, `a b`) ON a.b FROM chm"]),
            (&["GRANT KILL QUERY, OPTIMIZE ON *.* TO chm"], &["REVOKE KILL QUERY, OPTIMIZE ON *.* FROM chm"]),
            (
                &["GRANT SELECT ON system.* TO chm WITH GRANT OPTION"],
                &["REVOKE GRANT OPTION FOR SELECT ON system.* FROM chm"],
            ),
            (&["GRANT SHOW ACCESS ON *.* TO chm"], &["REVOKE SHOW ACCESS ON *.* FROM chm"]),
        ] {
            assert_eq!(advise(&holding(held), &nothing).superfluous, superfluous, "{held:?}");
        }
        let users = needs(&["system.users"]);
        assert!(advise(&holding(&["GRANT SHOW ACCESS ON *.* TO chm"]), &users).superfluous.is_empty());
    }

    #[test]
    fn control_statements_need_their_rights_and_only_then() {
        let needs = Needs { kill_query: true, optimize_table: true, ..Needs::default() };
        let lines = ["GRANT KILL QUERY ON *.* TO chm", "GRANT OPTIMIZE ON *.* TO chm"];
        assert_eq!(advise(&holding(&[]), &needs).missing, lines);
        assert_eq!(advise(&holding(&lines), &needs), Advice::default());
        assert_eq!(advise(&holding(&[lines[0], "GRANT OPTIMIZE ON shop.* TO chm"]), &needs), Advice::default());
        assert_eq!(advise(&holding(&lines), &Needs::default()).superfluous.len(), 1);
    }

    #[test]
    fn data_is_named_apart_and_what_goes_with_it_is_given_back() {
        let needs = Needs { names: true, ..needs(&["system.parts", "system.merges", "shop.orders"]) };
        let advice = advise(&holding(&["GRANT SELECT ON *.* TO chm"]), &needs);
        assert_eq!(advice.data, ["REVOKE SELECT ON *.* FROM chm"]);
        let back = [
            "GRANT SELECT ON shop.orders TO chm",
            "GRANT SELECT ON system.* TO chm",
            "GRANT SHOW TABLES, SHOW COLUMNS ON *.* TO chm",
        ];
        assert_eq!(advice.afterwards, back);
        assert!(advice.missing.is_empty() && advice.superfluous.is_empty() && advice.hidden.is_empty());
        assert_eq!(advise(&holding(&back), &needs), Advice::default());
        assert_eq!(advise(&holding(&back[..2]), &needs).hidden, back[2..]);
    }
}
