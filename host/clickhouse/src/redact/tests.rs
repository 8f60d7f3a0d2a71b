use bytes::Bytes;
use proptest::prelude::*;

use super::patterns::SUSPICIOUS;
use super::*;
use crate::format::Format;

/// Statements as people write them, each with a secret that says so.
const SENSITIVE: &[&str] = &[
    "SELECT * FROM s3('https://b/x.csv', 'AKID-SECRET', 'SECRET', 'CSV')",
    "SELECT * FROM s3Cluster ( 'c', $$SECRET$$ , $x$ 'SECRET' $x$)",
    "INSERT INTO FUNCTION gcs('u', 'k', 'SECRET') SELECT 1",
    "SELECT * FROM azureBlobStorage('DefaultEndpointsProtocol=https;AccountKey=SECRET;', 'c', 'p')",
    "select * from `remoteSecure`('h:9440', db.t, 'u', 'it''s SECRET \\' SECRET')",
    "SELECT * FROM remote /* it's */ ('h', d.t, 'u', 'SECRET')",
    "SELECT * FROM mysql('h', 'd', 't', 'u', 'SECRET') WHERE a = \"don't\"",
    "SELECT * FROM postgresql(\n'h',\n'd', 't', 'u', 'SECRET')",
    "CREATE TABLE t (x Int8) ENGINE = MongoDB('h', 'd', 'c', 'u', 'SECRET')",
    "CREATE TABLE t (x Int8) ENGINE = Kafka() SETTINGS kafka_sasl_password = 'SECRET'",
    "CREATE TABLE t ENGINE = NATS SETTINGS nats_token='SECRET'",
    "CREATE USER u IDENTIFIED WITH sha256_password BY 'SECRET'",
    "CREATE USER u IDENTIFIED BY \"SECRET\"",
    "CREATE USER u IDENTIFIED BY SECRET",
    "CREATE USER u IDENTIFIED BY'SECRET'",
    "CREATE USER u IDENTIFIED BY \u{2018}SECRET\u{2019}",
    "ALTER USER IF EXISTS u RENAME TO v, 'SECRET'",
    "CREATE NAMED  COLLECTION n AS a = 'x', b = 'SECRET'",
    "CREATE DICTIONARY d (i UInt8) PRIMARY KEY i SOURCE(CLICKHOUSE(USER 'u' PASSWORD 'SECRET'))",
    "CREATE DICTIONARY d SOURCE(HTTP(URL 'https://x' CREDENTIALS(USER 'u' PASSWORD 'SECRET')))",
    "CREATE DICTIONARY d SOURCE(MYSQL(USER 'u' PASSWORD SECRET))",
    "CREATE DICTIONARY d SOURCE(MYSQL(USER u PASSWORD SECRET HOST h))",
    "SELECT * FROM executable('x.sh SECRET', TSV)",
    "CREATE FUNCTION f AS x -> x -- X-API-Key: SECRET",
    "X-ClickHouse-Key: SECRET",
    "Private Key = 'SECRET'",
    "HTTP request to https://h/x?a=1&key=SECRET failed",
    "SELECT 'https://h/x?auth=SECRET'",
    "BACKUP TABLE t TO S3('https://b/', 'k', 'SECRET')",
    "RESTORE ALL FROM Disk('d', 'x') SETTINGS password='SECRET'",
    "SELECT encrypt('aes-256-gcm', x, 'SECRET'), aes_decrypt_mysql('m', y, 'SECRET')",
    "SELECT HMAC('sha256', 'm', 'SECRET')",
    "SELECT sipHash64Keyed((1, 2), 'SECRET')",
    "SELECT * FROM url('https://x', JSON, headers('Authorization' = 'Bearer SECRET'))",
    "SET x = 1 -- password: SECRET",
    "{\"password\": \"SECRET\", \"api_key\":\"SE\\\"SECRET\"}",
    "Authorization: Bearer SECRET",
    "cannot open https://u:SECRET@h:1/x?y and mongodb://SECRET@a,b/",
    "amqp://u:pa/SE?SECRET@h",
    "SELECT * FROM s3('https://b/x.csv', 'k', 'SECRET",
    "SELECT * FROM s3('https://b/x.csv', 'k', 'SECRET\\",
    "SELECT * FROM s3(-- don't\n'u', 'k', 'SECRET')",
    "SELECT `it's`, x FROM s3('u', 'k', 'SECRET')",
    "Syntax error: failed at position 30 (SECRET) (line 1, col 30): SECRET. Expected one of: IDENTIFIED, literal",
    "password: Syntax error (Single quoted string is not closed): SECRET",
    "user's table doesn't exist: s3('u', 'SECRET')",
];

#[test]
fn no_secret_of_a_sensitive_text_is_left() {
    for text in SENSITIVE {
        let hidden = hide_credentials(text);
        assert!(!hidden.contains("SECRET"), "{text} → {hidden}");
        assert_eq!(hide_credentials(&hidden), hidden, "{text}");
        assert!(hidden.contains(HIDDEN), "{text} → {hidden}");
    }
}

#[test]
fn what_is_kept_is_still_readable() {
    for (text, kept) in [
        ("SELECT * FROM s3('u', 'k', 's') LIMIT 3", "SELECT * FROM s3('[HIDDEN]', '[HIDDEN]', '[HIDDEN]') LIMIT 3"),
        ("CREATE USER u IDENTIFIED BY 'x' SETTINGS a = 1", "CREATE USER u IDENTIFIED BY '[HIDDEN]' SETTINGS a = 1"),
        ("connect to http://u:p@h:8123/x failed", "connect to http://[HIDDEN]@h:8123/x failed"),
        ("SELECT 'postgres://u:p@h/d'", "SELECT 'postgres://[HIDDEN]@h/d'"),
        ("CREATE USER u IDENTIFIED BY pw HOST ANY", "CREATE USER u IDENTIFIED BY [HIDDEN] HOST ANY"),
    ] {
        assert_eq!(hide_credentials(text), kept);
    }
}

#[test]
fn a_text_without_anything_sensitive_is_as_it_was() {
    for text in [
        "",
        "SELECT count() FROM t WHERE url = 'https://a/b' AND user = 'x' AND domain(url) != ''",
        "SELECT 'it''s', $$ x $$, \"a'b\" -- don't",
        "INSERT INTO t VALUES ('a', 'b@c')",
        "Table default.x doesn't exist. (UNKNOWN_TABLE)",
        "SELECT hasToken(message, 'x'), source, disk FROM logs WHERE remote = 'y'",
        "ALTER TABLE t UPDATE word = toString(toUInt32(word)) WHERE 1",
        "CREATE TABLE users (user String DEFAULT 'x') ENGINE = MergeTree ORDER BY user",
        "see https://example.com:8443/path?x=1",
    ] {
        assert!(matches!(hide_credentials(text), Cow::Borrowed(same) if same == text), "{text}");
    }
}

/// A row of each format with these texts.
fn encoded(format: Format, texts: &[&str]) -> Bytes {
    let json = |text: &&str| serde_json::Value::from(*text).to_string();
    let line = match format {
        Format::JsonEachRow => {
            let members: Vec<String> = texts.iter().enumerate().map(|(i, t)| format!("\"c{i}\":{}", json(t))).collect();
            format!("{{{},\"n\":[1,{{}}]}}\n", members.join(","))
        }
        Format::JsonCompactEachRow => format!("[{}]\n", texts.iter().map(json).collect::<Vec<_>>().join(", ")),
        Format::Csv => {
            let fields: Vec<String> = texts.iter().map(|t| format!("\"{}\"", t.replace('"', "\"\""))).collect();
            format!("1,{},\\N\n", fields.join(","))
        }
        _ => {
            let escape = |t: &&str| {
                t.replace('\\', "\\\\")
                    .replace('\n', "\\n")
                    .replace('\t', "\\t")
                    .replace('\r', "\\r")
                    .replace('\'', "\\'")
            };
            format!("1\t{}\t\\N\n", texts.iter().map(escape).collect::<Vec<_>>().join("\t"))
        }
    };
    Bytes::from(line)
}

const FORMATS: [Format; 4] = [Format::JsonEachRow, Format::JsonCompactEachRow, Format::Csv, Format::Tsv];

fn filtered(format: Format, rows: Bytes) -> String {
    String::from_utf8_lossy(&Redactor::new(format, true).rows(rows)).into_owned()
}

#[test]
fn rows_of_every_format_lose_their_secrets_and_nothing_else() {
    for format in FORMATS {
        for text in SENSITIVE {
            let rows = [encoded(format, &["plain", "a'b"]), encoded(format, &["before", text, "after"])].concat();
            let kept = filtered(format, Bytes::from(rows));
            assert!(!kept.contains("SECRET"), "{format:?} {text} → {kept}");
            if format == Format::Tsv && text.starts_with('{') {
                continue;
            }
            let expected = hide_credentials(text);
            let expected =
                [encoded(format, &["plain", "a'b"]), encoded(format, &["before", &expected, "after"])].concat();
            assert_eq!(kept, String::from_utf8_lossy(&expected), "{format:?}");
        }
    }
}

#[test]
fn what_one_value_quotes_another_one_names() {
    for format in FORMATS {
        let kept = filtered(format, encoded(format, &["s3('u', 'SECRET')", "cannot parse 'SECRET'"]));
        assert!(!kept.contains("SECRET"), "{kept}");
    }
    for error in [
        "Syntax error: failed at position 30 ('SECRET'): 'SECRET')",
        "Syntax error: failed at position 30 (SECRET): SECRET. Expected one of: string literal",
        "Syntax error: failed at position 30: SECRET. Expected one of: string literal",
    ] {
        let kept = filtered(Format::Csv, encoded(Format::Csv, &[error]));
        assert!(!kept.contains("SECRET") && kept.contains("Syntax error"), "{kept}");
    }
}

#[test]
fn what_a_line_of_a_plan_names_those_behind_it_quote() {
    let lines = |named: &str| -> [String; 4] {
        ["Literal 'x'".into(), named.into(), "Identifier y".into(), "Literal 'SECRET'".into()]
    };
    for named in
        ["Function decrypt (alias z) (children 1)", "FUNCTION id: 4, function_name: s3, function_type: ordinary"]
    {
        for format in FORMATS {
            let rows: Vec<Bytes> = lines(named).iter().map(|line| encoded(format, &[line])).collect();
            // As they come: all at once, or one after the other.
            let mut one = Redactor::new(format, true).of_plan();
            let each: Vec<u8> = rows.iter().flat_map(|row| one.rows(row.clone())).collect();
            let all = Redactor::new(format, true).of_plan().rows(Bytes::from(rows.concat()));
            for kept in [&each[..], &all] {
                let kept = String::from_utf8_lossy(kept);
                assert!(!kept.contains("SECRET") && kept.contains("Identifier y"), "{kept}");
            }
        }
    }
    let harmless = encoded(Format::Csv, &["Literal 'x'"]);
    assert_eq!(Redactor::new(Format::Csv, true).of_plan().rows(harmless.clone()), harmless);
}

#[test]
fn maps_hide_the_values_of_secret_names() {
    let row = Bytes::from(
        "{\"query\":\"SELECT 1\",\"Settings\":{\"kafka_sasl_password\":\"SECRET\",\"max_threads\":\"2\"}}\n",
    );
    let kept = filtered(Format::JsonEachRow, row);
    assert!(!kept.contains("SECRET") && kept.contains("\"max_threads\":\"2\""), "{kept}");
    for (format, row) in [
        (Format::Tsv, "x\t{'kafka_sasl_password':'SECRET'}\t['SELECT s3(\\'u\\',\\'SECRET\\')']\n"),
        (Format::Tsv, "(SELECT * FROM s3(\\'u\\',\\'SECRET\\'))\n"),
        (Format::Csv, "\"{'kafka_sasl_password':'SECRET'}\",\"['SELECT s3(\\'u\\',\\'SECRET\\')']\"\n"),
    ] {
        let kept = filtered(format, Bytes::from(row));
        assert!(!kept.contains("SECRET"), "{kept}");
        assert_eq!(
            kept.matches('\t').count() + kept.matches("\",\"").count(),
            row.matches('\t').count() + row.matches("\",\"").count()
        );
    }
}

#[test]
fn the_names_of_columns_decide_where_the_tables_are_not_known() {
    let row = |column: &str| Bytes::from(format!("{{\"{column}\":\"s3('u','SECRET')\"}}\n"));
    for (column, hides) in [("query", true), ("word", false)] {
        let kept = Redactor::new(Format::JsonEachRow, false).rows(row(column));
        assert_eq!(!String::from_utf8_lossy(&kept).contains("SECRET"), hides, "{column}");
        let mut csv = Redactor::new(Format::Csv, false);
        csv.header(format!("\"n\",\"{column}\"\n").as_bytes());
        let kept = csv.rows(Bytes::from("1,\"s3('u','SECRET')\"\n"));
        assert_eq!(!String::from_utf8_lossy(&kept).contains("SECRET"), hides, "{column}");
    }
}

#[test]
fn statements_that_may_show_sql_are_known() {
    use crate::{GuardedQuery, ReadOptions};
    let care = |sql: &str, options: &ReadOptions| {
        let care = Care::of(&GuardedQuery::check(sql).unwrap(), options);
        (care.rows, care.holder)
    };
    let none = ReadOptions::default();
    for (sql, expected) in [
        ("SELECT query FROM system.query_log", (true, true)),
        ("SELECT query FROM `system`.\"query_log_0\"", (true, true)),
        ("SELECT * FROM merge('system', '^query_log')", (true, true)),
        ("SHOW CREATE TABLE t", (true, true)),
        ("EXPLAIN SELECT 1", (true, true)),
        ("SELECT view_definition FROM information_schema.views", (true, true)),
        ("SELECT * FROM system.metrics", (true, false)),
        ("SELECT tables, n FROM app.tables ORDER BY n DESC", (true, false)),
        ("SELECT number FROM numbers(10)", (false, false)),
        ("SELECT word FROM app.words ORDER BY word DESC", (false, false)),
    ] {
        assert_eq!(care(sql, &none), expected, "{sql}");
    }
    let beside = ReadOptions { database: Some("system".into()), ..Default::default() };
    assert_eq!(care("SELECT * FROM processes", &beside), (true, true));
    let bound = ReadOptions {
        parameters: vec![("d".into(), "system".into()), ("t".into(), "query_log".into())],
        ..Default::default()
    };
    assert_eq!(care("SELECT * FROM {d:Identifier}.{t:Identifier}", &bound), (true, true));
}

#[test]
fn the_guard_takes_the_expression_that_hides_credentials() {
    let sql = format!("SELECT {} AS query FROM system.query_log", redaction_sql("query_log.query"));
    assert!(crate::GuardedQuery::check(&sql).is_ok(), "{sql}");
}

fn quoted(secret: &str, how: u8) -> String {
    match how % 7 {
        0 => format!("'{secret}'"),
        1 => format!("'it''s {secret}'"),
        2 => format!("'a\\'{secret}\\\\'"),
        3 => format!("$${secret}$$"),
        4 => format!("$tag$' {secret} \" $tag$"),
        5 => format!("'-- {secret} /* '"),
        _ => format!("'\"{secret}`'"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever stands around it and wherever the text is cut.
    #[test]
    fn no_secret_survives_whatever_the_quoting(
        how in prop::collection::vec(any::<u8>(), 1..5),
        begin in prop::sample::select(vec!["s3(", "CREATE USER u IDENTIFIED BY ", "password = ", "encrypt('a', ", "remote/*x*/(", "NAMED COLLECTION "]),
        before in prop::collection::vec(prop::sample::select(vec!["-- don't\n", "/* it's */", "`a'b`, ", "\"x''\", ", "'y' , ", "# \"\n", "$$z$$,", "2 - 1, "]), 0..3),
        after in "[ a-z,()'\"`$/*#\n-]{0,12}", cut in any::<prop::sample::Index>(),
    ) {
        let values: Vec<String> = how.iter().map(|how| quoted("hunter2", *how)).collect();
        let whole = format!("SELECT 1, {begin}{}{}, {after}", before.concat(), values.join(", "));
        let end = cut.index(whole.len() + 1);
        if whole.is_char_boundary(end) {
            for text in [&whole[..], &whole[..end]] {
                let hidden = hide_credentials(text);
                if super::is_sensitive(text) {
                    prop_assert!(!hidden.contains("hunter2"), "{} → {}", text, hidden);
                }
                prop_assert_eq!(hide_credentials(&hidden).into_owned(), hidden.into_owned());
            }
        }
    }

    /// Nothing panics, lines of JSON stay what they are, and what is found decoded is suspected encoded.
    #[test]
    fn any_text_passes_every_format(texts in prop::collection::vec("(s3\\(|password=|://|'|\\\\|\"|\\$|[a-z@ \n\t\r,:é]){0,20}", 1..4)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for format in FORMATS {
            let row = encoded(format, &texts);
            if texts.iter().any(|text| is_sensitive(text)) {
                prop_assert!(SUSPICIOUS.is_match(&row), "{:?} {:?}", format, texts);
            }
            let kept = Redactor::new(format, true).rows(row.clone());
            prop_assert_eq!(kept.last(), Some(&b'\n'));
            if format.row_brackets().is_some() {
                let value: serde_json::Value = serde_json::from_slice(&kept).unwrap();
                let before: serde_json::Value = serde_json::from_slice(&row).unwrap();
                prop_assert_eq!(value.as_object().map(serde_json::Map::len), before.as_object().map(serde_json::Map::len));
            }
        }
    }

    #[test]
    fn any_bytes_pass(bytes in prop::collection::vec(any::<u8>(), 0..80), name in "(s3\\('|\"password=)") {
        for format in FORMATS {
            let rows: Vec<u8> = [name.as_bytes(), &bytes, b"\n"].concat();
            let _ = Redactor::new(format, true).rows(Bytes::from(rows));
        }
    }
}
