//! The configuration reference, made from the tables that the host itself uses.

use std::fmt::Write as _;

use chm_access::Feature;

use super::leaf::plain;
use super::load::built_in;
use super::schema::{KEYS, Key};
use super::variables::{Meaning, ServerList, VARIABLES, Variable};

const HEAD: &str = "# Configuration reference

<!-- Made by `reference_markdown()`; a test compares. Do not edit. -->

Values come from four places; a later one wins: built-in defaults, the configuration file, environment variables, options of the
command line. The file is named by `--config` or `CHM_CONFIG_FILE` and ends in `.toml`, `.yaml` or `.yml`. A blank variable counts as unset.
An unknown key, an unknown `CHM_…` variable or a value that does not fit stops the start. `chm-host config check` prints what is in
effect, and where each value comes from.
";

/// Every key and every variable, as Markdown.
pub fn reference_markdown() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Keys\n\n`<…>` stands for a name, `[]` for each item of a list.\n\n");
    text.push_str("| Key | Takes | Default | Variable | Meaning |\n|---|---|---|---|---|\n");
    let defaults = built_in().unwrap_or_default();
    for key in KEYS {
        let default = key.default.map(str::to_owned).or_else(|| find(&defaults, key).map(plain));
        let default = default.map(|default| code(&default)).unwrap_or_default();
        let path = key.path.replace(".[", "[");
        let _ = writeln!(
            text,
            "| {} | {} | {default} | {} | {} |",
            code(&path),
            escaped(&key.kind.expected()),
            variables_of(key),
            escaped(key.meaning)
        );
    }
    text.push_str("\n## Features\n\n| Id | Contains |\n|---|---|\n");
    for feature in Feature::ALL {
        let _ = writeln!(text, "| {} | {} |", code(feature.name()), feature.summary());
    }
    text.push_str("\n## Variables\n\n| Variable | Meaning |\n|---|---|\n");
    for variable in VARIABLES {
        let _ = writeln!(text, "| {} | {} |", code(variable.name), escaped(&meaning(variable)));
    }
    text
}

fn find<'a>(defaults: &'a figment::value::Dict, key: &Key) -> Option<&'a figment::value::Value> {
    let (first, rest) = key.path.split_once('.').unwrap_or((key.path, ""));
    defaults.get(first)?.find_ref(rest)
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn variables_of(key: &Key) -> String {
    let names = VARIABLES.iter().filter(|variable| match variable.meaning {
        Meaning::Sets(path) | Meaning::SetsAs(_, path) | Meaning::Peerdb(path) => {
            path == key.path || fits_setting(path, key)
        }
        Meaning::PublishableKey => key.path == "issuers.<issuer>.issuer",
        Meaning::ClerkPublicRead => key.path == "auth.public_read",
        Meaning::Servers(list) => key.path == format!("clickhouse.hosts.[].{}", field(list)),
        Meaning::Feature => {
            feature_field(variable.name).is_some_and(|field| key.path == format!("features.<feature>.{field}"))
        }
        Meaning::DisabledFeatures => key.path == "features.<feature>.enabled",
        Meaning::GuardedFeatures => key.path == "features.<feature>.access",
        _ => false,
    });
    names.map(|variable| code(variable.name)).collect::<Vec<_>>().join(", ")
}

/// Endpoints and issuers that a variable sets belong to the row of all of them; settings of plugins have rows of their own below.
fn fits_setting(path: &str, key: &Key) -> bool {
    ["endpoints.", "issuers."].iter().any(|table| path.starts_with(table) && key.path.starts_with(table))
        && path.rsplit('.').next() == key.parts().last()
}

fn field(list: ServerList) -> &'static str {
    match list {
        ServerList::Addresses => "url",
        ServerList::Users => "user",
        ServerList::Passwords => "password",
        ServerList::Names => "name",
    }
}

fn feature_field(name: &str) -> Option<&'static str> {
    let fields = ["enabled", "access", "read", "write"];
    fields.into_iter().find(|field| name.to_lowercase().ends_with(&format!("_{field}")))
}

fn meaning(variable: &Variable) -> String {
    match variable.meaning {
        Meaning::Sets(path) => format!("Sets {}.", code(path)),
        Meaning::SetsAs(form, path) => format!("Sets {}: {}.", code(path), form.expected()),
        Meaning::Peerdb(path) => {
            let as_what =
                if path.ends_with("authorization") { ", as `Basic` credentials of a user without a name" } else { "" };
            format!("Sets {}{as_what}; counts with {} only.", code(path), code("PEERDB_API_URL"))
        }
        Meaning::PublishableKey => {
            format!("Sets {} for the provider `clerk`, where nothing else does.", code("issuers.clerk.issuer"))
        }
        Meaning::ClerkPublicRead => {
            format!("Sets {}; counts with the provider `clerk` only.", code("auth.public_read"))
        }
        Meaning::Servers(list) => {
            let key = code(&format!("clickhouse.hosts[].{}", field(list)));
            match list {
                ServerList::Addresses => format!("Comma list: {key} of each server. Replaces the servers of the file."),
                ServerList::Users | ServerList::Passwords => {
                    format!(
                        "Comma list: {key} of each server, by position; empty items keep their place. One item is for all."
                    )
                }
                ServerList::Names => {
                    format!("Comma list: {key} of each server, by position; empty items keep their place.")
                }
            }
        }
        Meaning::DisabledFeatures => "Comma list of features that are switched off.".to_owned(),
        Meaning::GuardedFeatures => "Comma list of features that need authentication.".to_owned(),
        Meaning::Feature => {
            let field = feature_field(variable.name).unwrap_or_default();
            format!(
                "Sets {}; wins over the lists. `<ID>` is the feature in capitals, `-` as `_`.",
                code(&format!("features.<id>.{field}"))
            )
        }
        Meaning::ConfigFile => "Names the configuration file.".to_owned(),
        Meaning::Nothing(reason) => format!("Nothing: {reason}. A warning says so."),
        Meaning::NothingAndMatters(reason) => format!("Nothing: {reason}. A security warning says so."),
        Meaning::NothingToSwitchOn(reason) => {
            format!("Nothing: {reason}. A security warning says so, unless it is switched off.")
        }
        Meaning::Common => "Nothing.".to_owned(),
    }
}
