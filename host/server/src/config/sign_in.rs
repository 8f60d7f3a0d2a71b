//! What the bundled auth providers need beyond single keys: values that follow from others, and what an operator forgot.

use chm_access::PluginId;
use chm_manifest::SettingValue;
use figment::Figment;
use figment::value::{Dict, Value};

use super::environment::{Environment, nest};
use super::form::Form;
use super::kind::boolean;
use super::model::Config;
use super::origin::{Layer, Origin};
use super::problem::{Problem, Warning};
use super::provider::Providers;
use super::variables::{Meaning, VARIABLES, that_set};

const CLERK: &str = "auth-clerk";
/// Clerk's backend API, where nobody names another.
const CLERK_API: &str = "https://api.clerk.com";
/// Milliseconds that it may take (contract §5.2). The plugin's own clock, in `bundled.toml`, is longer.
const CLERK_API_TIMEOUT: i64 = 5000;

/// The setting with the name of the header in which a proxy sends its secret, and its default.
const SECRET_HEADER: (&str, &str) = ("shared_secret_header", "X-Chm-Proxy-Secret");
/// By plugin: the settings with the name of a header that says who it is, and their defaults. Further claims are not among them: one
/// that names the secret's header is left out, and people sign in without it.
const HEADERS: [(&str, &[(&str, &str)]); 2] = [
    (
        "auth-trusted",
        &[
            ("user_header", "X-Forwarded-User"),
            ("email_header", "X-Forwarded-Email"),
            ("name_header", "X-Forwarded-Preferred-Username"),
            ("avatar_header", "X-Forwarded-Avatar"),
            ("groups_header", "X-Forwarded-Groups"),
            ("role_header", "X-Forwarded-Role"),
        ],
    ),
    ("auth-proxy", &[("auth_header", "X-Forwarded-User")]),
];

/// Variables that count only while the provider `clerk` is chosen.
pub(super) struct ClerkVariables {
    pub layers: Vec<Layer>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Warning>,
}

/// Reads them, on top of everything else that was said.
pub(super) fn clerk_variables(environment: &Environment, figment: &Figment) -> ClerkVariables {
    let text = |path: &str| figment.find_value(path).ok().and_then(Value::into_string);
    let providers: Providers = text("auth.provider").and_then(|words| words.parse().ok()).unwrap_or_default();
    let chosen = providers.iter().any(|provider| provider.plugin.as_str() == CLERK);
    let mut found = ClerkVariables { layers: Vec::new(), problems: Vec::new(), warnings: Vec::new() };
    found.public_read(environment, chosen);
    if chosen && text("issuers.clerk.issuer").is_none() {
        found.publishable_key(environment);
    }
    found
}

impl ClerkVariables {
    fn public_read(&mut self, environment: &Environment, chosen: bool) {
        const NAME: &str = "CHM_CLERK_PUBLIC_READ";
        let Some(text) = environment.get(NAME) else { return };
        let Some(value) = boolean(text) else {
            self.bad(NAME, Some(format!("`{}`", text.trim().escape_debug())), &super::kind::Kind::Boolean.expected());
            return;
        };
        match environment.get("CHM_PUBLIC_READ").and_then(boolean) {
            Some(other) if chosen && other != value => self.problems.push(Problem::Contradiction(format!(
                "CHM_PUBLIC_READ and {NAME} set `auth.public_read` to different values: unset one of them"
            ))),
            _ if chosen => self.layers.push(layer(NAME, &["auth", "public_read"], value.into())),
            _ if value => self.warnings.push(Warning::security(format!(
                "{NAME} means nothing here: it counts with the provider `clerk` only; CHM_PUBLIC_READ works with every provider"
            ))),
            _ => {}
        }
    }

    /// The first of them, in the order of the table, names the issuer.
    fn publishable_key(&mut self, environment: &Environment) {
        let names = VARIABLES.iter().filter(|variable| variable.meaning == Meaning::PublishableKey);
        let Some((name, text)) =
            names.map(|variable| variable.name).find_map(|name| Some((name, environment.get(name)?)))
        else {
            return;
        };
        match Form::PublishableKey.read(text) {
            Some(issuer) => self.layers.push(layer(name, &["issuers", "clerk", "issuer"], issuer.into())),
            None => self.bad(name, None, Form::PublishableKey.expected()),
        }
    }

    fn bad(&mut self, name: &str, found: Option<String>, expected: &str) {
        let origin = Origin::Variable(name.to_owned());
        self.problems.push(Problem::BadValue { origin, line: None, key: None, found, expected: expected.to_owned() });
    }
}

fn layer(name: &str, path: &[&str], value: Value) -> Layer {
    Layer { origin: Origin::Variable(name.to_owned()), values: nest(path, value) }
}

/// What follows from the values that were set, for keys that nobody set.
pub(super) fn implied(values: &Dict) -> Vec<Dict> {
    let text = |path: &str| values.get(path.split('.').next()?)?.find_ref(path.split_once('.')?.1)?.as_str();
    let mut implied = Vec::new();
    let mut imply = |path: &[&str], value: Value| implied.push(nest(path, value));
    for (name, keys) in [("cloudflare", "cdn-cgi/access/certs"), ("clerk", ".well-known/jwks.json")] {
        let Some(issuer) = text(&format!("issuers.{name}.issuer")) else { continue };
        imply(&["issuers", name, "algorithms"], vec!["RS256"].into());
        if text(&format!("issuers.{name}.public_key")).is_none() {
            imply(&["issuers", name, "jwks_url"], format!("{}/{keys}", issuer.trim_end_matches('/')).into());
        }
    }
    if text("issuers.clerk.issuer").is_some() {
        // Session tokens have no `aud`; the plugin looks at their `azp`.
        imply(&["issuers", "clerk", "audiences"], vec!["*"].into());
        if text("issuers.clerk.public_key").is_some() {
            imply(&["plugins", CLERK, "settings", "networkless"], true.into());
        }
        if let Some(origin) = text("edge.public_origin") {
            imply(&["plugins", CLERK, "settings", "authorized_parties"], vec![origin].into());
        }
    }
    if let Some(secret) = text("plugins.auth-clerk.settings.secret_key") {
        imply(&["endpoints", "clerk-api", "url"], CLERK_API.into());
        imply(&["endpoints", "clerk-api", "timeout_ms"], CLERK_API_TIMEOUT.into());
        imply(&["endpoints", "clerk-api", "headers", "authorization"], format!("Bearer {secret}").into());
    }
    implied
}

/// Returns what keeps a chosen provider from ever signing anybody in, where the contract has no word for it.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    if chosen(config, "auth-oidc") && !config.issuers.contains_key("oidc") {
        problems.push(Problem::Contradiction(
            "the provider `oidc` needs an issuer: set CHM_OIDC_ISSUER and CHM_OIDC_AUDIENCE, or write [issuers.oidc]"
                .to_owned(),
        ));
    }
    for (plugin, headers) in HEADERS {
        if chosen(config, plugin) {
            problems.extend(shared_header(config, plugin, headers));
        }
    }
    problems
}

/// Where the secret's header says who it is, too. The host shows it to no plugin, so that it would say nothing, and nobody why.
fn shared_header(config: &Config, plugin: &str, headers: &[(&str, &str)]) -> Option<Problem> {
    let header = |name: &str, default: &str| {
        let set = setting(config, plugin, name).and_then(|value| match value {
            SettingValue::Text(text) => Some(text.as_str()),
            _ => None,
        });
        set.unwrap_or(default).trim().to_ascii_lowercase()
    };
    let secret = header(SECRET_HEADER.0, SECRET_HEADER.1);
    let (name, _) = headers.iter().find(|(name, default)| header(name, default) == secret)?;
    let key = |name: &str| {
        let path = format!("plugins.{plugin}.settings.{name}");
        let variables = that_set(&path).join(", ");
        format!("`{path}` ({variables})")
    };
    Some(Problem::Contradiction(format!(
        "{} and {} name the same header, `{secret}`: give the proxy's secret a header of its own",
        key(SECRET_HEADER.0),
        key(name)
    )))
}

/// Returns what an operator should know of the chosen providers. The contract lets them run and sign nobody in.
pub(super) fn warnings(config: &Config) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut say = |text: &str| warnings.push(Warning::security(text));
    if chosen(config, "auth-trusted") {
        match (is_set(config, "auth-trusted", "auth_secret"), is_true(config, "auth-trusted", "allow_insecure")) {
            (false, false) => say(
                "the provider `trusted` signs nobody in: set CHM_TRUSTED_AUTH_SECRET, or CHM_TRUSTED_ALLOW_INSECURE where only the proxy reaches this server",
            ),
            (false, true) => say(
                "CHM_TRUSTED_ALLOW_INSECURE is on and there is no CHM_TRUSTED_AUTH_SECRET: whoever reaches this server without the proxy can be anybody",
            ),
            (true, _) => {}
        }
    }
    if chosen(config, "auth-proxy")
        && !config.issuers.contains_key("cloudflare")
        && !is_set(config, "auth-proxy", "auth_secret")
    {
        say(
            "the provider `proxy` signs nobody in: set CHM_PROXY_AUTH_SECRET, or CHM_CF_ACCESS_TEAM_DOMAIN and CHM_CF_ACCESS_AUD",
        );
    }
    if chosen(config, CLERK) {
        if !config.issuers.contains_key("clerk") {
            say("the provider `clerk` signs nobody in: set CHM_CLERK_PUBLISHABLE_KEY or CHM_CLERK_ISSUER");
        }
        if !is_set(config, CLERK, "secret_key") && !is_true(config, CLERK, "networkless") {
            say("the provider `clerk` signs nobody in: set CLERK_SECRET_KEY or CLERK_JWT_KEY");
        }
        if !is_set(config, CLERK, "authorized_parties") {
            say(
                "the provider `clerk` signs no browser in: set CHM_PUBLIC_ORIGIN or CHM_CLERK_AUTHORIZED_PARTIES to the address that people open",
            );
        }
    }
    for (word, plugin, secret) in [
        ("trusted", "auth-trusted", "auth_secret"),
        ("proxy", "auth-proxy", "auth_secret"),
        ("clerk", CLERK, "secret_key"),
    ] {
        if !chosen(config, plugin) && is_set(config, plugin, secret) {
            warnings.push(Warning::security(format!(
                "`plugins.{plugin}.settings.{secret}` is set, but `{word}` is not among the providers (CHM_AUTH_PROVIDER) and signs nobody in"
            )));
        }
    }
    warnings
}

fn chosen(config: &Config, plugin: &str) -> bool {
    config.auth.providers.iter().any(|provider| provider.plugin.as_str() == plugin)
}

fn setting<'a>(config: &'a Config, plugin: &str, name: &str) -> Option<&'a SettingValue> {
    let plugin: PluginId = plugin.parse().ok()?;
    config.plugins.get(&plugin)?.settings.get(name).filter(|value| !value.is_blank())
}

fn is_set(config: &Config, plugin: &str, name: &str) -> bool {
    setting(config, plugin, name).is_some()
}

fn is_true(config: &Config, plugin: &str, name: &str) -> bool {
    match setting(config, plugin, name) {
        Some(SettingValue::Boolean(flag)) => *flag,
        Some(SettingValue::Integer(number)) => *number == 1,
        Some(SettingValue::Text(text)) => boolean(text) == Some(true),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use chm_manifest::{Manifest, SettingKind};

    use super::*;

    #[test]
    fn the_headers_are_those_of_the_plugins() {
        for (text, (plugin, headers)) in [
            include_str!("../../../../plugins/auth-trusted/plugin.toml"),
            include_str!("../../../../plugins/auth-proxy/plugin.toml"),
        ]
        .into_iter()
        .zip(HEADERS)
        {
            let manifest = Manifest::parse(text).unwrap();
            assert_eq!(manifest.id.as_str(), plugin);
            let told = headers
                .iter()
                .chain([&SECRET_HEADER])
                .map(|(name, default)| ((*name).to_owned(), (*default).to_owned()));
            let settings = manifest.settings.iter().filter(|(_, setting)| setting.kind == SettingKind::Header);
            let theirs = settings.map(|(name, setting)| (name.clone(), setting.default_text().unwrap_or_default()));
            assert_eq!(told.collect::<std::collections::BTreeMap<_, _>>(), theirs.collect());
        }
    }
}
