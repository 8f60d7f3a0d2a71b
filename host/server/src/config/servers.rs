//! The list of ClickHouse servers, from the file and from the comma lists of the environment.

use std::collections::BTreeMap;

use figment::value::{Dict, Value};

use super::address;
use super::kind::Kind;
use super::origin::Origin;
use super::problem::{Problem, Warning};
use super::variables::ServerList;

/// The servers as configured, and where each part of them comes from (by dotted path).
#[derive(Default)]
pub(super) struct Servers {
    pub hosts: Vec<Value>,
    pub origins: BTreeMap<String, Origin>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Warning>,
}

/// A comma list: items are trimmed, and empty ones keep their place (contract weakness C8).
struct List<'a> {
    name: &'a str,
    items: Vec<&'a str>,
}

impl<'a> List<'a> {
    fn new((name, text): (&'a str, &'a str)) -> Self {
        Self { name, items: text.split(',').map(str::trim).collect() }
    }

    fn origin(&self) -> Origin {
        Origin::Variable(self.name.to_owned())
    }

    /// The item for one of `hosts` servers; a list of one is for all of them where that is wanted.
    fn get(&self, host: usize, one_for_all: bool) -> Option<&'a str> {
        let position = if one_for_all && self.items.len() == 1 { 0 } else { host };
        self.items.get(position).copied().filter(|item| !item.is_empty())
    }
}

impl Servers {
    /// Brings both together. A list of addresses replaces the file's servers whole, so that no credentials of the file go to
    /// an address that the file does not name; the other lists then apply to whatever servers there are.
    pub fn resolve(from_file: &[Value], file: &Origin, lists: &BTreeMap<ServerList, (&str, &str)>) -> Self {
        let mut this = Self::default();
        let list = |which| lists.get(&which).copied().map(List::new);
        let mut tables = match list(ServerList::Addresses) {
            Some(addresses) => {
                this.keep_allow_lists(from_file, addresses.name);
                this.read_addresses(&addresses)
            }
            None => from_file.iter().enumerate().map(|(host, value)| this.take_table(host, value, file)).collect(),
        };
        for (which, field, one_for_all) in [
            (ServerList::Users, "user", true),
            (ServerList::Passwords, "password", true),
            (ServerList::Names, "name", false),
        ] {
            if let Some(list) = list(which) {
                this.apply(&mut tables, &list, field, one_for_all);
            }
        }
        for (host, table) in tables.iter_mut().enumerate() {
            this.complete(host, table);
        }
        this.hosts = tables.into_iter().map(Value::from).collect();
        this
    }

    fn read_addresses(&mut self, addresses: &List<'_>) -> Vec<Dict> {
        let mut tables = Vec::new();
        for (host, item) in addresses.items.iter().enumerate() {
            match Kind::Url.check(&Value::from(*item)) {
                Ok(url) => {
                    self.origins.insert(path(host, "url"), addresses.origin());
                    tables.push(Dict::from([("url".to_owned(), url)]));
                }
                Err(misfit) => {
                    let key = Some(path(host, "url"));
                    let found = if item.is_empty() { Some("nothing".to_owned()) } else { misfit.found };
                    self.problems.push(Problem::BadValue {
                        origin: addresses.origin(),
                        line: None,
                        key,
                        found,
                        expected: misfit.expected,
                    });
                    tables.push(Dict::new());
                }
            }
        }
        tables
    }

    /// Replacing a server that only some may see by one that everybody may see is nothing to do in passing.
    fn keep_allow_lists(&mut self, from_file: &[Value], variable: &str) {
        let limited = |value: &Value| value.as_dict().is_some_and(|table| table.contains_key("allow"));
        if let Some(host) = from_file.iter().position(limited) {
            self.problems.push(Problem::Contradiction(format!(
                "{variable} replaces the servers of the file, and with them `{}`: unset {variable}, or remove the list",
                path(host, "allow")
            )));
        }
    }

    fn take_table(&mut self, host: usize, value: &Value, file: &Origin) -> Dict {
        let table = value.as_dict().cloned().unwrap_or_default();
        for field in table.keys() {
            self.origins.insert(path(host, field), file.clone());
        }
        table
    }

    fn apply(&mut self, tables: &mut [Dict], list: &List<'_>, field: &str, one_for_all: bool) {
        if tables.is_empty() {
            self.warnings
                .push(Warning::note(format!("{} has no effect: no ClickHouse server is configured", list.name)));
            return;
        }
        if list.items.len() != tables.len() && !(one_for_all && list.items.len() == 1) {
            let one = if one_for_all { "1 or " } else { "" };
            let hint = if field == "password" {
                "; a password with a comma in it must stand in the configuration file"
            } else {
                ""
            };
            let expected = format!("{one}{} comma-separated items, one per server{hint}", tables.len());
            let found = Some(format!("{} items", list.items.len()));
            self.problems.push(Problem::BadValue { origin: list.origin(), line: None, key: None, found, expected });
            return;
        }
        for (host, table) in tables.iter_mut().enumerate() {
            if let Some(item) = list.get(host, one_for_all) {
                table.insert(field.to_owned(), item.into());
                self.origins.insert(path(host, field), list.origin());
            }
        }
    }

    /// Moves credentials out of the address, refuses a query in it (it could lift `readonly`), and fills what is left.
    fn complete(&mut self, host: usize, table: &mut Dict) {
        let address = table.get("url").and_then(Value::as_str).and_then(address::parse);
        let origin = self.origins.get(&path(host, "url")).cloned();
        if let (Some(mut url), Some(origin)) = (address, origin) {
            let misfit = |expected: &str| Problem::BadValue {
                origin: origin.clone(),
                line: None,
                key: Some(path(host, "url")),
                found: None,
                expected: expected.to_owned(),
            };
            if url.query().is_some() || url.fragment().is_some() {
                self.problems.push(misfit("an address without query and fragment: settings are the host's own"));
            }
            let (user, password) = (decoded(url.username()), url.password().map(decoded));
            let has_any = !url.username().is_empty() || url.password().is_some();
            for (field, value) in
                [("user", Some(user).filter(|user| user.as_deref() != Some(""))), ("password", password)]
            {
                match value {
                    Some(Some(value)) if table.get(field).is_none_or(|given| given.as_str() == Some(&value)) => {
                        table.insert(field.to_owned(), value.into());
                        self.origins.insert(path(host, field), origin.clone());
                    }
                    Some(Some(_)) => {
                        let text =
                            format!("`{}` is given twice, in the address and apart: remove one", path(host, field));
                        self.problems.push(Problem::Contradiction(text));
                    }
                    Some(None) => self.problems.push(misfit("user-info in UTF-8")),
                    None => {}
                }
            }
            if has_any && url.set_username("").is_ok() && url.set_password(None).is_ok() {
                table.insert("url".to_owned(), url.as_str().into());
            }
        }
        for (field, default) in [("user", super::model::default_user()), ("password", String::new())] {
            if !table.contains_key(field) {
                table.insert(field.to_owned(), default.into());
                self.origins.insert(path(host, field), Origin::Default);
            }
        }
    }
}

fn path(host: usize, field: &str) -> String {
    format!("clickhouse.hosts[{host}].{field}")
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let digit =
            |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        let mut ahead = bytes.clone();
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                plain.push(high * 16 + low);
                bytes = ahead;
            }
            _ => plain.push(byte),
        }
    }
    String::from_utf8(plain).ok()
}
