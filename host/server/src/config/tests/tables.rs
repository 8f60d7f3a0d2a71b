//! The two tables agree with what the code does.

use super::*;
use crate::config::form::Form;
use crate::config::variables::{Meaning, VARIABLES};

#[test]
fn a_blank_variable_is_unset_whatever_it_is() {
    let names = VARIABLES.iter().map(|variable| variable.name).filter(|name| !name.contains(['*', '<']));
    for blank in ["", "  "] {
        let pairs: Vec<_> = names.clone().map(|name| (name, blank)).collect();
        let loaded = load(&pairs).unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.render(), load(&[]).unwrap().render());
    }
}

#[test]
fn every_variable_does_what_its_row_says() {
    for variable in VARIABLES {
        let name = variable.name.replace("<ID>", "AGENT").replace('*', "SOMETHING");
        let value = match variable.meaning {
            Meaning::Sets(path) => match path {
                "auth.public_read" => "true",
                "auth.provider" => "trusted",
                "listen" => "127.0.0.1:9",
                "log.format" => "json",
                "store.url" => "sqlite:/somewhere/state.db",
                "edge.allowed_hosts" => "chm.example.org",
                "edge.cors_origins" | "edge.public_origin" => "https://ops.example.org",
                "edge.trusted_proxies" => "10.0.0.0/8",
                "edge.forwarded_header" => "forwarded",
                "edge.hsts" => "true",
                "actions.confirmation" => "optional",
                "answers.coalesce" | "answers.cache" => "false",
                "limits.request_timeout_ms" => "70000",
                path if path.starts_with("clickhouse.") || path.starts_with("limits.") => "7",
                path if path.starts_with("plugins.panel-peerdb.") => "7",
                "issuers.oidc.algorithms" => "ES256",
                path if path.ends_with("url") || path.ends_with("endpoint") => "https://h",
                _ => "something",
            },
            Meaning::SetsAs(Form::Pem, _) => "-----BEGIN PUBLIC KEY-----",
            Meaning::SetsAs(..) => "https://h",
            Meaning::Peerdb(_) => "7000",
            Meaning::PublishableKey => "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
            Meaning::ClerkPublicRead => "true",
            Meaning::Servers(_) => "http://h",
            Meaning::DisabledFeatures | Meaning::GuardedFeatures => "agent",
            Meaning::Feature => {
                if name.ends_with("ENABLED") {
                    "false"
                } else {
                    "public"
                }
            }
            Meaning::ConfigFile => continue,
            Meaning::Nothing(_) | Meaning::NothingAndMatters(_) | Meaning::Common => "none",
            Meaning::NothingToSwitchOn(_) => "true",
        };
        let mut pairs = vec![(name.as_str(), value)];
        let mut company = vec![("CLICKHOUSE_HOST", "http://h")];
        // What the variable does nothing without.
        match variable.meaning {
            // One of them says that people sign in.
            Meaning::NothingToSwitchOn(_) => company.push(("CHM_AUTH_PROVIDER", "none")),
            Meaning::Peerdb(_) => company.push(("PEERDB_API_URL", "https://h")),
            Meaning::PublishableKey | Meaning::ClerkPublicRead => company.push(("CHM_AUTH_PROVIDER", "clerk")),
            Meaning::Sets(path) | Meaning::SetsAs(_, path) => {
                for (beginning, needed) in [
                    ("auth.api_key_previous_secret", &[("CHM_API_KEY_SECRET", "another")][..]),
                    ("auth.admin_secret", &[("CHM_API_KEY_SECRET", "another")]),
                    ("tls.", &[("CHM_TLS_CERT_FILE", "cert.pem"), ("CHM_TLS_KEY_FILE", "key.pem")]),
                    ("issuers.cloudflare.", &[("CHM_CF_ACCESS_TEAM_DOMAIN", "https://h"), ("CHM_CF_ACCESS_AUD", "x")]),
                    ("issuers.clerk.", &[("CHM_CLERK_ISSUER", "https://h")]),
                    ("issuers.oidc.", &[("CHM_OIDC_ISSUER", "https://h"), ("CHM_OIDC_AUDIENCE", "x")]),
                ] {
                    if path.starts_with(beginning) {
                        company.extend(needed);
                    }
                }
            }
            _ => {}
        }
        pairs.extend(company.into_iter().filter(|(other, _)| *other != name));
        let loaded = load(&pairs).unwrap_or_else(|error| panic!("{name}: {error}"));
        let named = loaded.origins().any(|(_, origin)| *origin == Origin::Variable(name.clone()));
        let warned = loaded.warnings.iter().find(|warning| warning.text.starts_with(&format!("{name} ")));
        match variable.meaning {
            Meaning::Nothing(_) => assert!(!named && warned.is_some_and(|warning| !warning.security), "{name}"),
            Meaning::NothingAndMatters(_) => {
                assert!(!named && warned.is_some_and(|warning| warning.security), "{name}")
            }
            Meaning::NothingToSwitchOn(_) => {
                assert!(!named && warned.is_some_and(|warning| warning.security), "{name}");
                for off in ["false", "0", "off", " "] {
                    assert_eq!(load(&[(&name, off)]).unwrap().warnings, [], "{name}");
                }
            }
            Meaning::Common => assert!(!named && warned.is_none(), "{name}"),
            _ => assert!(named && warned.is_none(), "{name} sets nothing"),
        }
    }
}

#[test]
fn the_reference_has_every_key_and_every_variable() {
    let text = reference_markdown();
    for key in crate::config::schema::KEYS {
        assert!(text.contains(&format!("| `{}` |", key.path.replace(".[", "["))), "{}", key.path);
    }
    for variable in VARIABLES {
        assert!(text.contains(&format!("| `{}` |", variable.name)), "{}", variable.name);
    }
    for row in [
        "| `listen` | an address and a port, for example 127.0.0.1:3000 | `\"127.0.0.1:3000\"` | `CHM_LISTEN` |",
        "| `endpoints.<endpoint>.url` |",
        "`HEALTH_ALERT_WEBHOOK_URL` |",
    ] {
        assert!(text.contains(row), "{row}");
    }
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(text.lines().filter(|line| line.starts_with("| `")).all(|line| [3, 6].contains(&columns(line))));
}

#[test]
fn every_default_fits_its_key_and_every_variable_sets_a_key_that_exists() {
    use crate::config::schema::{KEYS, Place, place};
    for variable in VARIABLES {
        if let Meaning::Sets(path) = variable.meaning {
            let parts: Vec<_> = path.split('.').collect();
            assert!(matches!(place(&parts), Place::Leaf(_)), "{}", variable.name);
        }
    }
    for key in KEYS {
        if let Some(default) = key.default {
            let text = format!("value = {default}");
            let value =
                <figment::providers::Toml as figment::providers::Format>::from_str::<figment::value::Dict>(&text)
                    .unwrap();
            assert_eq!(key.kind.check(&value["value"]).as_ref(), Ok(&value["value"]), "{}", key.path);
        }
    }
    let built_in = crate::config::load::built_in().unwrap();
    let mut check = crate::config::check::Check {
        origin: &Origin::Default,
        source: &crate::config::file::Source::default(),
        plugins: &[],
        problems: Vec::new(),
    };
    assert_eq!(check.values(&built_in), built_in);
    assert_eq!(check.problems, []);
}
