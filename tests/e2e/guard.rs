//! ClickHouse itself is asked how it reads what the guard accepted.
//!
//! Almost every keyword may be a name in ClickHouse, so statements are made of clauses, of keywords in the place of names, and of one
//! part that must never be reached; whatever passes is shown to `EXPLAIN AST`.

use chm_clickhouse::GuardedQuery;

use crate::harness::{engine, run};

/// Statements of all the clauses, split at spaces.
const STATEMENTS: &[&str] = &[
    "SELECT a FROM t",
    "SELECT * FROM a , b",
    "SELECT * FROM ( SELECT 1 ) AS s",
    "SELECT * FROM view ( SELECT 1 )",
    "WITH x AS ( SELECT 1 AS a ) SELECT * FROM x",
    "WITH RECURSIVE x AS ( SELECT 1 ) , y AS ( SELECT 2 ) SELECT * FROM x , y",
    "SELECT a , b AS c FROM t AS u WHERE a = 1 GROUP BY a , b WITH TOTALS HAVING a ORDER BY a DESC WITH FILL FROM 1 TO 5 STEP 1 LIMIT 1 , 2",
    "SELECT * FROM a JOIN b ON a . x = b . x",
    "SELECT * FROM a LEFT JOIN b USING x , y",
    "SELECT * FROM a ANY LEFT JOIN ( SELECT 1 ) b ON 1 GLOBAL INNER JOIN c USING ( d )",
    "SELECT * FROM t ARRAY JOIN z AS q WHERE 1",
    "SELECT 1 UNION ALL SELECT 2",
    "( SELECT 1 ) EXCEPT SELECT 2",
    "SELECT a IN b , a NOT IN ( SELECT b FROM c ) , in ( a , b ) FROM t",
    "SELECT a FROM t SAMPLE 1 / 10 OFFSET 1 / 2",
    "SELECT a FROM t FINAL LIMIT 1 BY a LIMIT 2 OFFSET 3 ROWS FETCH FIRST 1 ROWS ONLY",
    "SELECT count ( ) OVER ( PARTITION BY a ORDER BY b ) FROM t WINDOW w AS ( ) QUALIFY 1",
    "SELECT a IS DISTINCT FROM b , extract ( DAY FROM d ) , CASE WHEN a THEN b ELSE c END AS x",
    "SELECT DISTINCT ON ( a ) b FROM t",
    "SELECT * EXCEPT ( a ) REPLACE ( b AS c ) APPLY ( sum ) FROM t",
    "SELECT settings FROM t AS settings ORDER BY settings DESC",
    "WITH 1 AS n SELECT n , t . a , t . * FROM d . t",
];

/// Words in the place of names, and `AS`.
const WORDS: &str = "all and anti any apply array as asc between by case cross desc distinct div else end except fetch fill final \
    first for format from full global group having ilike in inner intersect interval into is join last left like limit mod not null \
    nulls offset on only or order over parallel prewhere qualify replace right row sample select semi set settings step table then \
    ties to top totals union using values view when where window with";

/// What must never be reached. `KEYWORD` is any of the words.
const HOSTILE: &[&str] = &[
    ", '/a/file'",
    "JOIN '/a/file' ON 1",
    "FROM '/a/file'",
    "ARRAY JOIN '/a/file'",
    "UNION ALL SELECT * FROM '/a/file'",
    ", \"/a/file\"",
    "JOIN \"/a/file\" ON 1",
    "FROM d . \"/a/file\"",
    "IN \"/a/file\"",
    "IN d . \"/a/file\"",
    "IN ( \"/a/file\" )",
    ", unknownFunction ( 1 )",
    "JOIN unknownFunction ( 1 ) ON 1",
    "FROM unknownFunction ( 1 )",
    "SETTINGS readonly = 0",
    "SETTINGS final , readonly = 0",
    "SETTINGS use_query_cache",
    "SETTINGS KEYWORD , readonly = 0",
    "SETTINGS KEYWORD = 0",
];

/// The same numbers every time (SplitMix64): a claim that fails does so again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).expect("small")
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

fn statement(numbers: &mut Numbers, words: &[&'static str]) -> String {
    let mut tokens: Vec<&str> = numbers.pick(STATEMENTS).split(' ').collect();
    for _ in 0..numbers.below(4) {
        let at = numbers.below(tokens.len());
        let word = numbers.pick(words);
        match numbers.below(4) {
            0 if tokens[at].bytes().all(|byte| byte.is_ascii_lowercase()) => tokens[at] = word,
            1 => tokens.insert(at + 1, word),
            2 => drop(tokens.splice(at + 1..at + 1, ["AS", word])),
            _ => drop(tokens.splice(at + 1..at + 1, [".", word])),
        }
    }
    let at = if numbers.below(2) == 0 { tokens.len() } else { 1 + numbers.below(tokens.len()) };
    let hostile: Vec<&str> = numbers
        .pick(HOSTILE)
        .split(' ')
        .map(|part| if part == "KEYWORD" { numbers.pick(words) } else { part })
        .collect();
    tokens.splice(at..at, hostile);
    let statement = tokens.join(" ");
    if numbers.below(4) == 0 { format!("SELECT * FROM ( {statement} ) AS s") } else { statement }
}

/// What ClickHouse's tree of a statement has in it that no accepted statement may, or nothing.
fn reaches(tree: &str) -> Option<&'static str> {
    let lines: Vec<(usize, &str)> =
        tree.lines().map(|line| (line.len() - line.trim_start().len(), line.trim())).collect();
    lines.iter().enumerate().find_map(|(at, (depth, line))| {
        // Without what the table is called here.
        let node = line.split(" (alias").next().unwrap_or_default();
        let mut words = node.split(' ');
        let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut below = lines[at + 1..].iter().take_while(|(deeper, _)| deeper > depth);
        let is_file = |line: &str| line.contains("Identifier") && line.contains("/a/file");
        match kind {
            "Set" => Some("a SETTINGS clause"),
            "TableIdentifier" if is_file(node) => Some("a file"),
            "TableExpression" if below.next().is_some_and(|(_, line)| line.starts_with("Function unknownFunction")) => {
                Some("a table function")
            }
            // Below a function is the list of its arguments, and below that they are.
            "Function" if ["in", "notIn", "globalIn", "globalNotIn"].contains(&name) => {
                let mut arguments = below.filter(|(deeper, _)| *deeper == depth + 2);
                arguments.nth(1).is_some_and(|(_, line)| is_file(line)).then_some("a file as a set")
            }
            _ => None,
        }
    })
}

#[test]
fn clickhouse_finds_nothing_in_accepted_statements_that_the_guard_overlooked() {
    run(async {
        let engine = engine().await;
        let explain = async |sql: &str| engine.ask_with(&format!("EXPLAIN AST {sql}"), &[]).await.ok();
        for (sql, expected) in [
            ("SELECT 1", None),
            ("SELECT 1 FROM t AS \"/a/file\"", None),
            ("SELECT (SELECT 1 SETTINGS final, readonly = 0)", Some("a SETTINGS clause")),
            ("SELECT * FROM t AS array JOIN '/a/file' ON 1", Some("a file")),
            ("SELECT * FROM t, unknownFunction(1)", Some("a table function")),
            ("SELECT 1 GLOBAL NOT IN (\"/a/file\")", Some("a file as a set")),
        ] {
            assert_eq!(explain(sql).await.as_deref().map(reaches), Some(expected), "{sql}");
        }

        let words: Vec<&'static str> = WORDS.split_whitespace().collect();
        let mut numbers = Numbers(4);
        let (mut understood, mut overlooked) = (0, Vec::new());
        for _ in 0..20_000 {
            let sql = statement(&mut numbers, &words);
            if GuardedQuery::check(&sql).is_err() {
                continue;
            }
            let Some(tree) = explain(&sql).await else { continue };
            understood += 1;
            // A table called `select` can be meant then, and only one that exists; the guard refuses to make one.
            let strange = tree.contains("Identifier SELECT") || tree.contains("Identifier select");
            match reaches(&tree) {
                Some(what) if !strange => overlooked.push(format!("{what}: {sql}")),
                _ => {}
            }
        }
        assert!(understood > 100, "{understood} statements were understood");
        assert!(overlooked.is_empty(), "{overlooked:#?}");
    });
}
