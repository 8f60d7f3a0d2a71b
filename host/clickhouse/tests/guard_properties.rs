//! The guard under random input: it never panics, and dress changes no verdict.

use chm_clickhouse::GuardedQuery;
use proptest::prelude::*;

const BENIGN: &[&[&str]] = &[
    &[
        "SELECT", "number", "%", "3", "AS", "k", ",", "count", "(", ")", "FROM", "numbers", "(", "10", ")", "GROUP",
        "BY", "k",
    ],
    &[
        "WITH", "x", "AS", "(", "SELECT", "1", "AS", "url", ")", "SELECT", "url", ",", "uniq", "(", "url", ")", "FROM",
        "x", "GROUP", "BY", "url",
    ],
    &[
        "SELECT", "*", "FROM", "system", ".", "settings", "WHERE", "name", "IN", "(", "'a''b'", ",", "$$ ' $$", ")",
        "LIMIT", "5",
    ],
    &[
        "EXPLAIN", "PLAN", "indexes", "=", "1", "SELECT", "a", ".", "x", "FROM", "t", "AS", "a", "LEFT", "JOIN", "s",
        "AS", "b", "ON", "a", ".", "x", "=", "b", ".", "x",
    ],
    &["DESCRIBE", "TABLE", "system", ".", "parts"],
    &["SHOW", "TABLES", "FROM", "system", "LIKE", "'%drop%'"],
];

/// Each is an expression or a table that must never be reached.
const CALLS: &[&str] =
    &["file", "url", "s3", "remote", "mysql", "executable", "hdfs", "icebergLocal", "dictionary", "sleep", "eval"];

fn gap() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![" ", "\n", "\t", " /* ; ' */ ", "\u{a0}", " -- '\"` ( \n", "/**/ ", " #! $$ \n", "\r\n"])
}

fn recase(word: &str, upper: &[bool]) -> String {
    word.chars()
        .zip(upper.iter().cycle())
        .map(|(c, up)| if *up { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect()
}

fn is_keyword(word: &str) -> bool {
    word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_input_panics(sql in "\\PC{0,200}") {
        let _ = GuardedQuery::check(&sql);
    }

    #[test]
    fn no_soup_of_tokens_panics(
        parts in prop::collection::vec(prop::sample::select(vec![
            "SELECT", "FROM", "WITH", "JOIN", "IN", "AS", "(", ")", "[", "]", "{", "}", ",", ".", ";", "'", "\"", "`", "$$", "/*", "*/", "--",
            "\n", "SETTINGS", "FORMAT", "EXPLAIN", "x", "1", "=", ":", "Identifier", "file", "é", "\\", "SHOW", "UNION", "ALL", "-",
        ]), 0..40),
        spaced in any::<bool>(),
    ) {
        let _ = GuardedQuery::check(&parts.join(if spaced { " " } else { "" }));
    }

    #[test]
    fn dress_refuses_no_benign_statement(
        which in 0..BENIGN.len(),
        gaps in prop::collection::vec(gap(), 40),
        upper in prop::collection::vec(any::<bool>(), 1..9),
        semicolon in any::<bool>(),
    ) {
        let mut sql = String::new();
        for (word, gap) in BENIGN[which].iter().zip(&gaps) {
            sql.push_str(gap);
            sql.push_str(&if is_keyword(word) { recase(word, &upper) } else { (*word).to_owned() });
        }
        if semicolon { sql.push_str(" ; "); }
        prop_assert!(GuardedQuery::check(&sql).is_ok(), "{sql}: {:?}", GuardedQuery::check(&sql));
    }

    #[test]
    fn no_dress_hides_a_call(
        which in 0..CALLS.len(),
        quote in prop::sample::select(vec!["", "\"", "`"]),
        gap in gap(),
        upper in prop::collection::vec(any::<bool>(), 1..9),
        nest in prop::collection::vec(0..8_usize, 0..12),
        before in prop::sample::select(vec!["1", "'\\''", "$$ ' $$", "$a$ $$ $a$", "\"a\"\"\"", "x'27'", "[1, 2]", "t.1.2", "f(x -> x)"]),
    ) {
        let call = format!("{quote}{}{quote}{gap}{}('x')", recase(CALLS[which], &upper), "");
        let mut sql = format!("SELECT {before}, {call}");
        for shape in nest {
            sql = match shape {
                0 => format!("SELECT * FROM ({sql})"),
                1 => format!("SELECT ({sql})"),
                2 => format!("WITH a AS ({sql}) SELECT * FROM a"),
                3 => format!("SELECT 1 WHERE 1 IN ({sql})"),
                4 => format!("SELECT 1 UNION ALL {sql}"),
                5 => format!("SELECT * FROM view({sql})"),
                6 => format!("SELECT arrayMap(x -> ({sql}), [1])"),
                _ => format!("SELECT * FROM system.one AS o, ({sql}) AS s"),
            };
        }
        prop_assert!(GuardedQuery::check(&sql).is_err(), "{sql}");
    }

    #[test]
    fn no_dress_hides_a_settings_clause(
        gap in gap(),
        upper in prop::collection::vec(any::<bool>(), 1..9),
        name in prop::sample::select(vec!["readonly = 0", "`readonly` = 0", "\"readonly\"=0", "readonly", "a.b = 1", "param_x = 1"]),
        depth in 0..20_usize,
    ) {
        let clause = format!("SELECT 1{gap} {}{gap} {name}", recase("settings", &upper));
        let sql = format!("{}{clause}{}", "SELECT * FROM (".repeat(depth), ")".repeat(depth));
        prop_assert!(GuardedQuery::check(&sql).is_err(), "{sql}");
    }
}

#[test]
fn length_and_depth_are_bounded() {
    let long = format!("SELECT '{}'", "x".repeat(100_000));
    assert!(GuardedQuery::check(&long).unwrap_err().to_string().contains("100000"));
    let nested = |depth: usize| format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(GuardedQuery::check(&nested(90)).is_ok());
    assert!(GuardedQuery::check(&nested(5_000)).unwrap_err().to_string().contains("100 deep"));
}

#[test]
fn a_refusal_says_where_and_what() {
    for (sql, parts) in [
        ("SELECT 1,\n  url('x')", ["2:3", "`url`"]),
        ("DROP TABLE x", ["1:1", "`DROP`"]),
        ("SELECT 1 SETTINGS a = 1", ["1:10", "SETTINGS"]),
        ("SELECT '", ["1:8", "not closed"]),
        ("SELECT 1; SELECT 2", ["1:9", "one statement"]),
        ("SELECT * FROM nope(1)", ["1:15", "numbers, "]),
        ("SELECT 1\0", ["1:9", "NUL"]),
    ] {
        let text = GuardedQuery::check(sql).unwrap_err().to_string();
        assert!(parts.iter().all(|p| text.contains(p)), "{sql}: {text}");
    }
}
