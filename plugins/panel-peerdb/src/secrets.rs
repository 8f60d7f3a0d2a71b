//! Takes secrets out of what PeerDB says, before anybody sees it. It knows them by how they are called and by how they look, and
//! rather hides too much than too little.

mod prose;

use serde_json::{Map, Value};

pub(crate) use prose::hide as hide_in_text;

/// What stands where a secret was.
pub(crate) const HIDDEN: &str = "***";

/// A field is a secret if its name, in lower case and without anything but letters and digits, contains one of these. So every spelling
/// is one: `secretAccessKey`, `secret_access_key`, `SECRET-ACCESS-KEY`.
const WORDS: [&str; 23] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "privatekey",
    "accesskey",
    "apikey",
    "hostkey",
    "accountkey",
    "encryptionkey",
    "enckey",
    "clientkey",
    "tlskey",
    "sslkey",
    "signingkey",
    "certificate",
    "rootca",
    "authorization",
    "connectionstring",
    "subscriptionid",
    "serviceaccountkey",
];

/// The same for words that stand within others: the whole name is one of these, or ends with it after a border.
const SHORT: [&str; 12] =
    ["pwd", "pass", "dsn", "cert", "pem", "sas", "sig", "signature", "auth", "cookie", "bearer", "jwt"];

/// Fields that say what a setting is called, where another one has its value.
const NAMES: [&str; 7] = ["name", "key", "k", "option", "parameter", "setting", "variable"];

/// How the names of those others end.
const VALUES: [&str; 6] = ["value", "val", "v", "data", "default", "content"];

/// Hides all secrets in a value.
pub(crate) fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // A setting as a pair: `{"name": "S3_SECRET", "value": "…"}`.
            let names_secret = NAMES.iter().any(|field| {
                let text = fields.iter().find(|(name, _)| plain(name) == *field).and_then(|(_, value)| value.as_str());
                text.is_some_and(is_secret)
            });
            for (name, value) in fields.iter_mut() {
                let is_value = || VALUES.iter().any(|word| plain(name).ends_with(word));
                if is_secret(name) || (names_secret && is_value()) {
                    hide_all(value);
                } else {
                    hide(value);
                }
            }
            hide_names(fields);
        }
        Value::Array(items) => {
            let mut follows_option = false;
            for item in items {
                if follows_option {
                    hide_all(item);
                } else {
                    hide(item);
                }
                // A command line as a list: `["--password", "…"]`.
                follows_option = item.as_str().is_some_and(is_option);
            }
        }
        Value::String(text) => {
            if let Some(hidden) = hide_in_quoted_json(text).or_else(|| hide_in_text(text)) {
                *text = hidden;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A name may be an address with its password, as in counts by address. No field is lost by that, as alike as they may become.
fn hide_names(fields: &mut Map<String, Value>) {
    if fields.keys().all(|name| hide_in_text(name).is_none()) {
        return;
    }
    for (name, value) in std::mem::take(fields) {
        let mut name = hide_in_text(&name).unwrap_or(name);
        while fields.contains_key(&name) {
            name.push('*');
        }
        fields.insert(name, value);
    }
}

/// An object, list or text that was written as JSON into a text is looked into as such; nothing where it is none, or has no secrets.
fn hide_in_quoted_json(text: &str) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[', '"']) {
        return None;
    }
    let mut value: Value = serde_json::from_str(text).ok()?;
    let before = value.clone();
    hide(&mut value);
    (value != before).then(|| value.to_string())
}

/// Whether a field of this name holds a secret.
fn is_secret(name: &str) -> bool {
    let all = plain(name);
    WORDS.iter().any(|word| all.contains(word)) || last_word(name).is_some_and(|word| SHORT.contains(&word.as_str()))
}

/// Whether what follows is a secret: `--password`.
fn is_option(word: &str) -> bool {
    word.strip_prefix("--").is_some_and(|name| !name.contains(['=', ' ']) && is_secret(name))
}

/// Letters and digits, in lower case.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The last word of a name: `Cert` of `sslCert`, `dsn` of `catalog_dsn`.
fn last_word(name: &str) -> Option<String> {
    let mut words = vec![String::new()];
    let mut before = None;
    for c in name.chars() {
        let begins = c.is_uppercase() && before.is_some_and(char::is_lowercase);
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    words.into_iter().rfind(|word| !word.is_empty())
}

/// Whatever is under a secret name. That nothing is set, or whether something is, may be seen.
fn hide_all(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if text.is_empty() => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Object(fields) if fields.is_empty() => {}
        other => *other = Value::String(HIDDEN.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn hidden(mut value: Value) -> Value {
        hide(&mut value);
        value
    }

    #[test]
    fn every_secret_of_every_kind_of_peer_is_hidden() {
        for field in [
            "password",
            "privateKey",
            "private_key",
            "hostKey",
            "privateKeyId",
            "rootCa",
            "root_ca",
            "accessKeyId",
            "secretAccessKey",
            "certificate",
            "apiKey",
            "subscriptionId",
            "token",
            "sessionToken",
            "access-token",
            "CLIENT_SECRET",
            "sslCert",
            "client_cert",
            "connectionString",
            "jdbc_dsn",
            "dsn",
            "Authorization",
            "credentials",
            "PASSPHRASE",
            "pwd",
            "dbPass",
            "sasl_password",
            "encKey",
            "tls_key",
            "client-key",
            "sig",
        ] {
            let peer = json!({"peer": {"name": "p", "config": [{field: "s3cr3t", "host": "db"}]}});
            let expected = json!({"peer": {"name": "p", "config": [{field: "***", "host": "db"}]}});
            assert_eq!(hidden(peer), expected, "{field}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let fields = json!({"name": "p", "type": "POSTGRES", "host": "db", "port": 5432, "user": "u", "database": "d",
            "primaryKey": ["id"], "fieldsname": "x", "concert": "x", "passes": 3, "key": "k", "keys": ["a"], "slotName": "s",
            "password": null, "disableTls": false, "hasPassword": true, "secretAccessKey": "", "author": "x",
            "url": "https://db.example:5432/x?y=z", "errorMessage": "password authentication failed for user \"u\""});
        assert_eq!(hidden(fields.clone()), fields);
    }

    #[test]
    fn json_that_was_written_into_a_text_is_looked_into() {
        for (text, expected) in [
            (r#"{"password": {"value": "s3cr3t"}, "n": 1}"#, r#"{"password":"***","n":1}"#),
            (r#" [{"secrets": ["s3cr3t"]}]"#, r#"[{"secrets":"***"}]"#),
            (r#"{"option": "password", "val": "s3cr3t"}"#, r#"{"option":"password","val":"***"}"#),
            (r#""{\"apiKey\":\"s3cr3t\"}""#, r#""{\"apiKey\":\"***\"}""#),
            (r#"{"password": {"value": "s3cr3t"#, r#"{"password": ***"#),
            (r#"{"name":  "p"}"#, r#"{"name":  "p"}"#),
        ] {
            assert_eq!(hidden(json!({"text": text})), json!({"text": expected}));
        }
    }

    #[test]
    fn command_lines_in_lists_and_short_pairs_are_looked_into() {
        assert_eq!(
            hidden(json!({"run": ["mysql", "--password", "s3cr3t", "--host", "db", "--password=s3cr3t"]})),
            json!({"run": ["mysql", "--password", "***", "--host", "db", "--password=***"]})
        );
        assert_eq!(
            hidden(
                json!([{"k": "password", "v": "s3cr3t"}, {"k": "host", "v": "db"}, {"columns": ["password", "id"]}])
            ),
            json!([{"k": "password", "v": "***"}, {"k": "host", "v": "db"}, {"columns": ["password", "id"]}])
        );
    }

    #[test]
    fn names_of_fields_hold_no_secrets_either_and_none_is_lost() {
        assert_eq!(
            hidden(json!({"rows": {"postgres://u:s3cr3t@db/x": 1, "postgres://v:s3cr3t@db/x": [2], "db": 3}})),
            json!({"rows": {"postgres://***@db/x": 1, "postgres://***@db/x*": [2], "db": 3}})
        );
    }

    #[test]
    fn whole_trees_and_numbers_under_a_secret_name_are_hidden() {
        assert_eq!(
            hidden(json!({"credentials": {"user": "u", "x": ["y"]}, "password": 1234, "tokens": ["a"]})),
            json!({"credentials": "***", "password": "***", "tokens": "***"})
        );
    }

    #[test]
    fn a_setting_that_is_called_like_a_secret_hides_its_value() {
        let settings = json!({"settings": [
            {"name": "PEERDB_S3_SECRET", "value": "a", "defaultValue": "b", "description": "c"},
            {"name": "PEERDB_QUEUE_SIZE", "value": "1", "defaultValue": "2"},
            {"key": "api_key", "value": "a"}]});
        assert_eq!(
            hidden(settings),
            json!({"settings": [
                {"name": "PEERDB_S3_SECRET", "value": "***", "defaultValue": "***", "description": "c"},
                {"name": "PEERDB_QUEUE_SIZE", "value": "1", "defaultValue": "2"},
                {"key": "api_key", "value": "***"}]})
        );
    }

    /// Any JSON without secrets of its own, however deep.
    fn innocent() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ a-zäöü0-9_.]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[g-hx-z]{1,6}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// Puts a field into some object of a value; one is made where there is none.
    fn plant(value: &mut Value, turns: &[usize], field: &str, secret: Value) {
        let (turn, rest) = turns.split_first().map_or((0, turns), |(turn, rest)| (*turn, rest));
        match value {
            Value::Array(items) if !items.is_empty() => {
                let at = turn % items.len();
                plant(&mut items[at], rest, field, secret);
            }
            Value::Object(fields) if !fields.is_empty() && turn % 3 > 0 => {
                let at = turn % fields.len();
                if let Some(inner) = fields.values_mut().nth(at) {
                    plant(inner, rest, field, secret);
                }
            }
            Value::Object(fields) => {
                fields.insert(field.to_owned(), secret);
            }
            other => *other = json!({field: secret}),
        }
    }

    /// A secret name in some spelling.
    fn secret_name() -> impl Strategy<Value = String> {
        let words = proptest::sample::select(vec![
            "password",
            "private key",
            "secret access key",
            "access key id",
            "api key",
            "auth token",
            "root ca",
            "client secret",
            "connection string",
            "credentials",
            "host key",
            "ssl certificate",
        ]);
        let prefix = proptest::sample::select(vec!["", "my ", "peer db ", "x "]);
        (prefix, words, 0..5).prop_map(|(prefix, words, spelling)| {
            let words: Vec<String> = format!("{prefix}{words}").split(' ').map(str::to_owned).collect();
            let capital = |word: &String| word[..1].to_uppercase() + &word[1..];
            match spelling {
                0 => words.join("_"),
                1 => words.join("-"),
                2 => words.join("_").to_uppercase(),
                3 => words.iter().map(capital).collect(),
                _ => words.iter().take(1).cloned().chain(words.iter().skip(1).map(capital)).collect(),
            }
        })
    }

    fn secret(text: &str, shape: usize) -> Value {
        match shape {
            0 => json!(text),
            1 => json!([text]),
            2 => json!({"a": {"b": [text]}}),
            _ => json!({"value": text, "type": "x"}),
        }
    }

    proptest! {
        #[test]
        fn a_secret_comes_out_of_no_json_and_all_else_does(
            value in innocent(), turns in proptest::collection::vec(0..6_usize, 0..5), name in secret_name(), shape in 0..4_usize
        ) {
            let mut with = value.clone();
            plant(&mut with, &turns, &name, secret("C4NARY", shape));
            let mut expected = value.clone();
            plant(&mut expected, &turns, &name, json!("***"));
            prop_assert_eq!(hidden(with), expected);
            prop_assert_eq!(hidden(value.clone()), value);
        }

        #[test]
        fn a_secret_in_prose_comes_out_of_no_json(
            value in innocent(), turns in proptest::collection::vec(0..6_usize, 0..5), around in "[ a-zäöü0-9]{0,8}", form in 0..12_usize
        ) {
            let text = match form {
                0 => "postgres://u:C4NARY@db:5432/x".to_owned(),
                1 => "mongodb+srv://u:p@C4NARY@db/x".to_owned(),
                2 => "host=db password=C4NARY sslmode=require".to_owned(),
                3 => "password = 'it is C4NARY' host=db".to_owned(),
                4 => r#"{"secretAccessKey": "C4NARY"}"#.to_owned(),
                5 => r#"{\"private_key\":\"a b C4NARY\"}"#.to_owned(),
                6 => "Authorization: Basic C4NARY".to_owned(),
                7 => "sent bearer C4NARY to it".to_owned(),
                8 => "-----BEGIN RSA PRIVATE KEY-----\nC4NARY\nC4NARY\n-----END RSA PRIVATE KEY-----".to_owned(),
                9 => "mysqldump -h db -u root -pC4NARY shop".to_owned(),
                10 => "curl -su 'u:C4NARY' https://h/".to_owned(),
                _ => "https://h/x?a=b&api_key=C4NARY&c=d".to_owned(),
            };
            let mut with = value;
            plant(&mut with, &turns, "zz", json!(format!("{around} {text} {around}")));
            let out = hidden(with).to_string();
            prop_assert!(!out.contains("C4NARY"), "{}", out);
        }

        #[test]
        fn no_json_makes_it_panic_and_twice_is_as_once(text in any::<String>()) {
            let once = hidden(json!({"zz": text.clone(), text.clone(): text}));
            prop_assert_eq!(hidden(once.clone()), once);
        }
    }
}
