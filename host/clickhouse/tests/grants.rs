//! Claims about reading and advising on rights that hold for whatever a server says.

#![allow(clippy::unwrap_used, clippy::panic)] // clippy.toml allows these in tests; these are functions for them.

use std::collections::BTreeSet;

use chm_clickhouse::TableName;
use chm_clickhouse::grants::{Advice, Effect, Held, Holding, Needs, Pattern, Rule, Statement, Target, advise};
use proptest::prelude::*;

const RIGHTS: &[&str] = &[
    "SELECT",
    "SHOW",
    "SHOW TABLES",
    "SHOW COLUMNS",
    "INSERT",
    "ALTER UPDATE",
    "KILL QUERY",
    "OPTIMIZE",
    "ALL",
    "SYSTEM",
    "CREATE TEMPORARY TABLE",
];

fn target() -> impl Strategy<Value = Target> {
    let database = prop_oneof![Just("system"), Just("sys"), Just("shop")];
    let table = prop_oneof![Just("parts"), Just("processes"), Just("p"), Just("orders")];
    let pattern = |name: &str, is_prefix| Pattern { text: name.to_owned(), is_prefix };
    prop_oneof![
        Just(Target::Everything),
        (database.clone(), any::<bool>()).prop_map(move |(name, prefix)| Target::Database(pattern(name, prefix))),
        (database, table, any::<bool>()).prop_map(move |(database, table, prefix)| Target::Table {
            database: database.to_owned(),
            table: pattern(table, prefix)
        }),
    ]
}

fn held() -> impl Strategy<Value = Held> {
    let effect = prop_oneof![4 => Just(Effect::Grant), 1 => Just(Effect::Revoke), 1 => Just(Effect::RevokeOption)];
    let columns = prop_oneof![3 => Just(vec![]), 1 => Just(vec!["name".to_owned()])];
    let rights = (effect, proptest::sample::select(RIGHTS))
        .prop_filter("servers print what was taken away right by right", |(effect, right)| {
            *effect != Effect::Revoke || !["ALL", "SHOW"].contains(right)
        });
    (rights, columns, target(), any::<bool>(), any::<bool>()).prop_map(
        |((effect, right), columns, target, passes_on, is_role)| Held {
            holder: if is_role { "a role" } else { "chm" }.to_owned(),
            rule: Rule {
                effect,
                right: right.to_owned(),
                columns,
                target,
                passes_on: passes_on && effect == Effect::Grant,
            },
        },
    )
}

fn needs() -> impl Strategy<Value = Needs> {
    let tables = proptest::sample::subsequence(vec!["system.parts", "system.processes", "shop.orders"], 0..=3);
    (tables, any::<[bool; 3]>()).prop_map(|(tables, [names, kill_query, optimize_table])| Needs {
        tables: tables.into_iter().map(|table| TableName::parse(table).unwrap()).collect(),
        names,
        kill_query,
        optimize_table,
    })
}

fn holding() -> impl Strategy<Value = Holding> {
    proptest::collection::vec(held(), 0..8).prop_map(|rights| Holding {
        user: "chm".to_owned(),
        rights,
        open: BTreeSet::new(),
    })
}

/// What ClickHouse does with such a statement: a grant ends what was taken away below it; a revocation of what was granted ends that.
fn apply(holding: &mut Holding, statement: &str) {
    let Statement::Rights { rules, holder } = Statement::parse(statement).unwrap() else { panic!("{statement}") };
    for rule in rules {
        let same = |held: &Held| held.holder == holder && held.rule.right == rule.right;
        let exactly = |held: &Held| same(held) && held.rule.target == rule.target && held.rule.columns == rule.columns;
        match rule.effect {
            Effect::Grant => {
                let below = |target: &Target| match (&rule.target, target) {
                    (Target::Everything, _) => true,
                    (Target::Database(own), Target::Table { database, .. }) => *database == own.text,
                    (own, target) => own == target,
                };
                holding
                    .rights
                    .retain(|held| !(same(held) && held.rule.effect == Effect::Revoke && below(&held.rule.target)));
                holding.rights.push(Held { holder: holder.clone(), rule });
            }
            Effect::Revoke => holding.rights.retain(|held| !(exactly(held) && held.rule.effect == Effect::Grant)),
            Effect::RevokeOption => {
                for held in holding.rights.iter_mut().filter(|held| exactly(held)) {
                    held.rule.passes_on = false;
                }
            }
        }
    }
}

fn statements(advice: &Advice) -> impl Iterator<Item = &String> {
    let Advice { missing, hidden, superfluous, data, afterwards } = advice;
    superfluous.iter().chain(data).chain(missing).chain(hidden).chain(afterwards)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_follows_the_advice_needs_no_more(holding in holding(), needs in needs()) {
        let advice = advise(&holding, &needs);
        let mut after = holding.clone();
        statements(&advice).for_each(|statement| apply(&mut after, statement));
        prop_assert_eq!(advise(&after, &needs), Advice::default(), "{:?}", advice);
        for table in &needs.tables {
            prop_assert!(after.reads(table), "{}", table);
        }
    }

    #[test]
    fn what_is_missing_does_not_change_what_is_superfluous(holding in holding(), needs in needs()) {
        let advice = advise(&holding, &needs);
        let mut after = holding.clone();
        advice.missing.iter().chain(&advice.hidden).for_each(|statement| apply(&mut after, statement));
        let again = advise(&after, &needs);
        prop_assert!(again.missing.is_empty() && again.hidden.is_empty(), "{:?}", again);
        prop_assert_eq!(again.superfluous, advice.superfluous);
        prop_assert_eq!(again.data, advice.data);
    }

    #[test]
    fn a_statement_is_read_as_it_is_written(held in held(), name in "[^\\p{Cc}]{1,20}", column in "[^\\p{Cc}]{1,20}") {
        let mut rule = held.rule;
        rule.target = match rule.target {
            Target::Database(pattern) => Target::Database(Pattern { text: name.clone(), ..pattern }),
            Target::Table { table, .. } => Target::Table { database: name.clone(), table: Pattern { text: column.clone(), ..table } },
            other => other,
        };
        if !rule.columns.is_empty() {
            rule.columns.push(column);
        }
        let (verb, joint) = match rule.effect {
            Effect::Grant => ("GRANT", "TO"),
            Effect::Revoke => ("REVOKE", "FROM"),
            Effect::RevokeOption => ("REVOKE GRANT OPTION FOR", "FROM"),
        };
        let option = if rule.passes_on { " WITH GRANT OPTION" } else { "" };
        let holder = format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"));
        let line = format!("{verb} {rule} {joint} {holder}{option}");
        prop_assert_eq!(Statement::parse(&line), Ok(Statement::Rights { rules: vec![rule], holder: name }), "{}", line);
    }

    #[test]
    fn no_line_makes_the_reader_panic_and_a_refusal_is_one_short_line(line in "\\PC*|(GRANT|REVOKE|SELECT|ON|TO|FROM|`|'|\\*|\\.|,|\\(|\\)| |a|é|\\\\){0,30}") {
        if let Err(error) = Statement::parse(&line) {
            let text = error.to_string();
            prop_assert!(text.starts_with("expected ") && text.chars().count() < 400 && !text.contains('\n'), "{}", text);
        }
    }
}

#[test]
fn what_a_server_says_is_understood() {
    // As 26.7, 24.8 and 20.3 print them.
    for line in include_str!("data/grants.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Err(error) = Statement::parse(line) {
            panic!("{error}");
        }
    }
}

#[test]
fn what_is_not_understood_is_named() {
    for (line, words) in [
        ("", "GRANT or REVOKE"),
        ("SELECT 1", "GRANT or REVOKE"),
        ("GRANT", "a right or a role"),
        ("GRANT SELECT ON system.*", "ON or TO"),
        ("GRANT SELECT ON system.* TO", "a name"),
        ("GRANT SELECT ON TO chm", "ON or TO"),
        ("GRANT SELECT ON *.x TO chm", "`*` after `*.`"),
        ("GRANT SELECT ON s*.x TO chm", "a database that ends in `*`"),
        ("GRANT SELECT(a ON b.c TO chm", "after a column"),
        ("GRANT SELECT ON a.b TO chm WITH REPLACE OPTION", "the end"),
        ("GRANT SELECT ON a.b TO chm WITH ADMIN OPTION", "either rights ON something or roles"),
        ("GRANT SELECT ON a.b, a_role TO chm", "either rights ON something or roles"),
        ("GRANT a_role TO chm WITH GRANT OPTION", "either rights ON something or roles"),
        ("GRANT SELECT ON `a TO chm", "a closing quote"),
        ("GRANT SELECT ON ``.x TO chm", "a name that is not empty"),
        ("GRANT SELECT ON a.b TO chm; DROP TABLE x", "the end"),
    ] {
        let error = Statement::parse(line).expect_err(line).to_string();
        assert!(error.contains(words), "{line}: {error}");
    }
}
