//! Panel files become Rust, and each mistake is named with its line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use chm_plugin_build::{Problems, generate};

/// A table with everything a file can say.
const PARTS: &str = r#"title = "Parts"
summary = "Parts of one table."
feature = "tables"
reads = ["system.parts", { table = "system.disks", columns = ["name"] }]
refresh_seconds = 60
order_by = ["-rows", "name"]
when_empty = "others"
sql = """
SELECT $columns
FROM system.parts AS parts
WHERE parts.table = {table:String} AND parts.level >= {level:UInt8}
"""

[[variants]]
since = "24.1"
needs = ["system.parts.refcount"]
sql = "SELECT $columns FROM $parts AS parts WHERE parts.table = {table:String} AND level >= {level:UInt8} -- a comment; with {x:Y}"

[parameters]
table = { text = 64, summary = "The table." }
level = { integer = [0, 99], default = 1, summary = "Merges." }

[columns]
name = "text"
rows = "rows"
ratio = { kind = "number", nullable = true, sql = "a / b", needs = ["marks"], otherwise = "0" }
size = { kind = "bytes", fractional = true, summary = "Mean." }

[filters]
big = { column = "rows", operators = ["gte", "between"], scale = 1000, default = "gte:1", summary = "Thousands." }

[[actions]]
action = "optimizeTable"
title = "Optimise"
arguments = { table = "name" }
"#;

const OTHERS: &str = r#"title = "Others"
summary = "Other parts."
feature = "mine"
sql = "SELECT 1 AS a"
[columns]
a = "integer"
"#;

const OVER_TIME: &str = r#"title = "Queries"
summary = "Queries by user."
feature = "queries"
reads = ["system.query_log*"]
[over_time]
table = "query_log"
interval = "toStartOfHour"
hours = 24
where = "is_initial_query"
by = ["user"]
[columns]
user = "text"
count = { kind = "count", sql = "count()" }
"#;

const BREAKDOWN: &str = r#"title = "Queries"
summary = "Queries by kind."
feature = "queries"
reads = ["system.query_log*"]
drawing = "bar"
[over_time]
table = "query_log"
interval = "toStartOfDay"
hours = 336
breakdown = "query_kind"
[columns]
query_count = "count"
"#;

const COUNTER: &str = r#"title = "Merges"
summary = "Merges at work."
feature = "operations"
reads = ["system.merges"]
sql = "SELECT count() AS count FROM system.merges"
[columns]
count = "count"
"#;

/// The plugin `mine` with these files.
fn made(files: &[(&str, &str)]) -> Result<String, Problems> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plugin.toml"), "id = \"mine\"\n").unwrap();
    for (name, text) in files {
        let path = folder.path().join("panels").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    generate(folder.path())
}

#[test]
fn all_that_a_file_says_becomes_a_call_of_the_builder() {
    let code = made(&[("tables/parts.toml", PARTS), ("tables/others.toml", OTHERS)]).unwrap();
    let calls = [
        r#"Panel::table("parts", Feature::Tables)"#,
        r#".parameter(Parameter::integer("level", 0..=99).summary("Merges.").default("1"))"#,
        r#".parameter(Parameter::text("table").max_length(64).summary("The table."))"#,
        r#".query("SELECT $columns\nFROM system.parts AS parts\nWHERE"#,
        r#".since("24.1").needs(Requirement::table("system.parts").columns(&["refcount"])))"#,
        r#".requires(Requirement::table("system.disks").columns(&["name"]))"#,
        r#".column(Column::number("ratio").nullable().sql("a / b").needs(&["marks"]).otherwise("0"))"#,
        r#".column(Column::bytes("size").fractional().summary("Mean."))"#,
        r#".filter(Filter::new("big", &[Operator::Gte, Operator::Between]).column("rows").scale(1000.0).default("gte:1")"#,
        r#".order_by("-rows")"#,
        ".refresh_seconds(60)",
        ".cache_seconds(20)",
        ".row_cap(1000)",
        r#".when_empty("others")"#,
        r#".action(RowAction::new("optimizeTable", "Optimise").argument("table", "name"))"#,
        r#"Panel::table("others", Feature::Own("mine"))"#,
    ];
    for call in calls {
        assert!(code.contains(call), "{call}\n{code}");
    }
    assert_eq!(code.matches("Panel::table(").count(), 2);
}

#[test]
fn columns_stay_in_the_order_of_the_file() {
    let code = made(&[("tables/parts.toml", PARTS), ("tables/others.toml", OTHERS)]).unwrap();
    let places: Vec<_> = ["\"name\")", "\"rows\")", "\"ratio\")", "\"size\")"]
        .map(|name| code.find(&format!("::{}", name)).or_else(|| code.find(&format!("({name}"))).unwrap())
        .to_vec();
    assert!(places.is_sorted(), "{places:?}\n{code}");
}

#[test]
fn a_chart_over_time_is_written_out() {
    let code = made(&[("charts/by-user.toml", OVER_TIME)]).unwrap();
    for part in [
        r#"Parameter::choice("interval", &[("toStartOfMinute", "60")"#,
        r#"Parameter::integer("lastHours", 1..=8760)"#,
        r#".default("24")"#,
        "FROM $query_log WHERE (is_initial_query) AND event_date >=",
        "GROUP BY bucket, user",
        r#".requires(Requirement::table("system.query_log").family())"#,
        r#"Column::timestamp("event_time").summary("Beginning of the bucket.").sql("bucket")"#,
        ".keeps_last()",
        ".row_cap(10000)",
        r#".x("event_time")"#,
        r#".order_by("user")"#,
        "Drawing::Line",
    ] {
        assert!(code.contains(part), "{part}\n{code}");
    }
}

#[test]
fn a_breakdown_knows_servers_that_lack_the_kind() {
    let code = made(&[("charts/by-kind.toml", BREAKDOWN)]).unwrap();
    let (older, newer) = code.split_once("VariantQuery::new").unwrap();
    assert!(older.contains("toString('') AS kind_name"), "{code}");
    assert!(newer.contains("toString(query_kind) AS kind_name"), "{code}");
    assert!(newer.contains(r#".needs(Requirement::table("system.query_log").columns(&["query_kind"]))"#), "{code}");
    assert!(code.contains("UNION ALL") && code.contains(r#"Column::json("breakdown")"#), "{code}");
    // Nothing that old servers, or those where readonly=1 refuses table functions, do not know.
    for missing in ["WITH FILL", "EXCEPT", "numbers(", "merge("] {
        assert!(!code.contains(missing), "{missing}\n{code}");
    }
}

#[test]
fn a_folder_without_panels_makes_none() {
    assert!(made(&[]).unwrap().contains("vec![\n    ]"));
    assert!(generate(Path::new("no/such/folder")).is_ok());
}

#[test]
fn each_mistake_is_named_with_its_line() {
    // File, what is replaced in it, by what, and what is said of it.
    let cases: &[(&str, &str, &str, &str)] = &[
        (PARTS, "title = \"Parts\"", "tilte = \"Parts\"", "parts.toml:1: unknown field `tilte`"),
        (PARTS, "title = \"Parts\"", "tilte = \"Parts\"", "did you mean `title`?"),
        (PARTS, "title = \"Parts\"", "title = 1", "parts.toml:1: invalid type: integer `1`, expected a string"),
        (PARTS, "title = \"Parts\"\n", "", "missing field `title`"),
        (PARTS, "\"Parts of one table.\"", "\" \"", "`summary` is empty"),
        (PARTS, "= \"tables\"", "= \"tabels\"", "parts.toml:3: `tabels` is no feature; did you mean `tables`?"),
        (
            PARTS,
            "reads = [\"system.parts\", ",
            "reads = [\"parts\", ",
            "`reads` names `parts`; expected `database.table`",
        ),
        (
            PARTS,
            "reads = [\"system.parts\", ",
            "reads = [\"system.part\", ",
            "reads system.parts, which is not in `reads`; did you mean `part`?",
        ),
        (
            PARTS,
            "[\"-rows\"",
            "[\"-row\"",
            "parts.toml:6: `order_by` names `row`, which is no column; did you mean `rows`?",
        ),
        (PARTS, "\"others\"", "\"other\"", "there is no panels/tables/other.toml; did you mean `others`?"),
        (PARTS, "\"others\"", "\"parts\"", "`when_empty` names another table"),
        (PARTS, "SELECT $columns\n", "SELECT name, rows\n", "write `$columns` after SELECT"),
        (
            PARTS,
            "{table:String} AND parts",
            "{tabel:String} AND parts",
            "`{tabel:String}`, which is no parameter; did you mean `table`?",
        ),
        (PARTS, "{level:UInt8}\n", "{level:String}\n", "the type in `{level:String}` does not fit"),
        (PARTS, "{level:UInt8}\n", "{level:UInt8};\n", "a statement has no `;`"),
        (PARTS, "SELECT $columns\n", "SELEC $columns\n", "parts.toml:8: expected a statement that begins with SELECT"),
        (PARTS, "{level:UInt8}\n", "{level:UInt8})\n", "parts.toml:8: `)` has no partner in this statement"),
        (PARTS, "{level:UInt8}\n", "{level:UInt8} AND name = 'x\n", "parts.toml:8: `'` has no partner"),
        (PARTS, "\"a / b\"", "\"a / (b\"", "column `ratio`: `(` has no partner in this expression"),
        (PARTS, "{level:UInt8}\n", "{level:UInt8} ORDER BY rows\n", "the host adds ORDER BY"),
        (PARTS, "{level:UInt8}\n", "{level:UInt8} LIMIT 5\n", "the host adds LIMIT"),
        (PARTS, "{level:UInt8}\n", "{level:UInt8} SETTINGS x = 1\n", "SETTINGS are the host's"),
        (PARTS, "{level:UInt8}\n", "{level:UInt8} FORMAT JSON\n", "FORMAT is the client's choice"),
        (PARTS, "FROM system.parts", "FROM merge('system', 'parts')", "write `$table` instead of merge(…)"),
        (PARTS, "FROM system.parts", "FROM numbers(5)", "numbers(…): a server where readonly=1"),
        (
            PARTS,
            "FROM $parts",
            "FROM $part",
            "`$part` is neither `$columns` nor a table in `reads`; did you mean `parts`?",
        ),
        (PARTS, "since = \"24.1\"", "since = \"new\"", "`since` is `new`; expected a version such as 24.1"),
        (PARTS, "[\"system.parts.refcount\"]", "[\"parts\"]", "`needs` names `parts`; expected `database.table`"),
        (PARTS, "table = { text = 64", "table = { text = 0", "a text of at most 0 characters"),
        (PARTS, "table = { text = 64", "table = { boolean = true, text = 64", "expected one of `integer"),
        (PARTS, "table = { text = 64", "limit = { text = 64", "parameter `limit` is the host's own"),
        (PARTS, "summary = \"The table.\"", "summary = \"\"", "parameter `table` has no `summary`"),
        (PARTS, "level = { integer", "depth = { integer", "no statement uses parameter `depth`"),
        (
            PARTS,
            "default = 1,",
            "default = 100,",
            "parts.toml:21: parameter `level`: the default is 100; expected a whole number from 0 to 99",
        ),
        (PARTS, "[0, 99]", "[99, 0]", "the least is 99, the most 0"),
        (PARTS, "name = \"text\"", "name = \"txt\"", "parts.toml:24: unknown variant `txt`"),
        (PARTS, "name = \"text\"", "name = \"txt\"", "did you mean `text`?"),
        (PARTS, "name = \"text\"", "name = \"text\"\nname = \"text\"", "duplicate key"),
        (PARTS, "name = \"text\"", "name = \"text\"\n\"a b\" = \"text\"", "column `a b`: letters, digits"),
        (PARTS, "name = \"text\"", "name = \"text\"\nhostName = \"text\"", "column `hostName` is the host's own"),
        (PARTS, "needs = [\"marks\"]", "needs = [\"system.parts\"]", "it needs `system.parts`, a table"),
        (PARTS, "needs = [\"marks\"], ", "", "`otherwise` without `needs` is never selected"),
        (PARTS, "\"a / b\"", "\"(SELECT 1 FROM system.tables)\"", "column `ratio`: reads system.tables"),
        (
            PARTS,
            "column = \"rows\"",
            "column = \"size_\"",
            "filter `big` names `size_`, which is no column; did you mean `size`?",
        ),
        (PARTS, "\"between\"]", "\"contains\"]", "filter `big`: `contains` does not fit a column of the kind rows"),
        (PARTS, "\"between\"]", "\"betwen\"]", "did you mean `between`?"),
        (PARTS, "\"gte:1\"", "\"lt:1\"", "the default's operator `lt` is not one of its operators"),
        (PARTS, "big = {", "level = {", "filter `level`: a parameter or filter has that name already"),
        (PARTS, "{ table = \"name\" }", "{ table = \"nam\" }", "argument `table` names `nam`, which is no column"),
        (PARTS, "summary = \"Parts of one table.\"", "summary = \"S.\"\nx = \"name\"", "`x` is for charts"),
        (
            PARTS,
            "summary = \"Parts of one table.\"",
            "summary = \"S.\"\nsource = \"fetched\"",
            "expected one of `sql`, `[over_time]`",
        ),
    ];
    for (file, from, to, said) in cases {
        assert!(file.contains(from), "{from}");
        let text = file.replacen(from, to, 1);
        let problems = made(&[("tables/parts.toml", &text), ("tables/others.toml", OTHERS)]).unwrap_err().to_string();
        assert!(problems.contains(said), "expected: {said}\nsaid: {problems}");
    }
}

#[test]
fn mistakes_in_charts_and_counters_are_named() {
    let cases: &[(&str, &str, &str, &str, &str)] = &[
        (
            "charts",
            OVER_TIME,
            "\"toStartOfHour\"",
            "\"hour\"",
            "`hour` is no interval; expected one of toStartOfMinute",
        ),
        ("charts", OVER_TIME, "table = \"query_log\"", "table = \"part_log\"", "`part_log`, which is not in `reads`"),
        (
            "charts",
            OVER_TIME,
            "by = [\"user\"]",
            "by = [\"usr\"]",
            "`by` names `usr`, which is no column; did you mean `user`?",
        ),
        ("charts", OVER_TIME, "by = [\"user\"]", "by = [\"user\"]\nfill = \"zero\"", "an empty bucket has no key"),
        (
            "charts",
            OVER_TIME,
            "user = \"text\"",
            "user = \"text\"\nevent_time = \"timestamp\"",
            "`event_time` comes from `[over_time]`",
        ),
        ("tables", OVER_TIME, "", "", "`[over_time]` is for charts"),
        ("charts", BREAKDOWN, "\"count\"", "\"text\"", "each is a count"),
        (
            "charts",
            BREAKDOWN,
            "\"toStartOfDay\"",
            "\"toStartOfMinute\"",
            "it.toml:9: 336 hours have 20161 buckets, and an answer has 10000 rows at most",
        ),
        (
            "charts",
            BREAKDOWN,
            "query_count = \"count\"",
            "a = \"count\"\nb = \"count\"",
            "one column of the kind count",
        ),
        ("charts", COUNTER, "", "", "a chart needs `x`"),
        ("counters", COUNTER, "count = \"count\"", "n = \"count\"", "a counter has one column, `count`"),
        (
            "counters",
            COUNTER,
            "count = \"count\"",
            "count = \"count\"\n[check]\ncolumn = \"count\"\nwarning = 9\ncritical = 1",
            "warning 9 comes after critical 1",
        ),
        (
            "counter",
            COUNTER,
            "",
            "",
            "panels/counter: expected folders tables, charts, counters, cluster-counters here; did you mean `counters`?",
        ),
    ];
    for (folder, file, from, to, said) in cases {
        let text = file.replacen(from, to, 1);
        let problems = made(&[(&format!("{folder}/it.toml"), &text)]).unwrap_err().to_string();
        assert!(problems.contains(said), "expected: {said}\nsaid: {problems}");
    }
    for (name, said) in [("counters/A b.toml", "`A b` is none"), ("counters/it.yaml", "expected a panel file")] {
        assert!(made(&[(name, COUNTER)]).unwrap_err().to_string().contains(said), "{said}");
    }
    made(&[("counters/it.toml", COUNTER), ("cluster-counters/it.toml", COUNTER)]).unwrap();
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = PARTS.replace("[\"-rows\", \"name\"]", "[\"a\", \"b\"]").replace("\"others\"", "\"c\"");
    let problems = made(&[("tables/parts.toml", &text), ("counters/it.toml", "x")]).unwrap_err();
    let files: Vec<_> = problems.0.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(
        files,
        ["panels/counters/it.toml", "panels/tables/parts.toml", "panels/tables/parts.toml", "panels/tables/parts.toml"]
    );
}

#[test]
fn the_files_in_the_documentation_are_sound() {
    let text = include_str!("../../../docs/writing-plugins.md");
    let (_, section) = text.split_once("## A panel is a file").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let files: Vec<(&str, &str)> = section
        .split("```toml\n# panels/")
        .skip(1)
        .map(|block| block.split_once("```").unwrap().0.split_once('\n').unwrap())
        .collect();
    assert_eq!(files.len(), 2);
    made(&files).unwrap();
    // And the mistake in it is what is said of it.
    let said = section.split_once("error: ").unwrap().1.split_once('\n').unwrap().0;
    let (path, text) = files[0];
    let text = format!("# panels/{path}\n{}", text.replace("-bytes_on_disk", "-byte_on_disk"));
    assert_eq!(made(&[(path, &text)]).unwrap_err().to_string(), said);
}
