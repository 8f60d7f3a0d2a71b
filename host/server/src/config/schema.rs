//! Every key of the configuration: the one table that checks, rendering and the reference are made from.

use super::kind::Kind;

/// One key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// Dotted path; `<…>` stands for a name that the operator chooses, `[]` for each item of a list.
    pub path: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The value when nobody sets it, in TOML, where the path has a chosen name. Other defaults are in `defaults.toml`.
    pub default: Option<&'static str>,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

const fn key(path: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key { path, kind, default: None, meaning }
}

impl Key {
    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// The parts of the path.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('.')
    }
}

/// One day, the longest that anything may wait.
const DAY_S: i64 = 86_400;
const DAY_MS: i64 = DAY_S * 1000;
const GIB: i64 = 1 << 30;
/// More a minute is no limit.
const RATE: i64 = 10_000_000;

/// Algorithms whose verifying key is public. `none` and the shared-key ones are not here on purpose.
const ALGORITHMS: &[&str] = &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// All keys, in the order of the reference.
pub(super) const KEYS: &[Key] = &[
    key("listen", Kind::Listen, "Where the server listens; port 0 lets the system choose."),
    key("plugin_dir", Kind::Path, "The folder with the `.wasm` files of plugins."),
    key("guest_rustc", Kind::Path, "The compiler that builds plugins, when it should not be looked for."),
    key(
        "clickhouse.hosts.[].url",
        Kind::Url,
        "The HTTP interface of a server. User-info in it is taken as `user` and `password`; a query is refused.",
    ),
    key("clickhouse.hosts.[].user", Kind::Text, "The user; `default` when absent."),
    key("clickhouse.hosts.[].password", Kind::Password, "The password; empty when absent."),
    key("clickhouse.hosts.[].name", Kind::Text, "What to call the server."),
    key(
        "clickhouse.hosts.[].allow",
        Kind::Members,
        "Who may see the server; everybody whom the features admit when absent.",
    ),
    key("clickhouse.max_execution_time", Kind::Integer(1, DAY_S), "Seconds after which a query is stopped."),
    key("clickhouse.pool_size", Kind::Integer(1, 1000), "Most queries at once, per server."),
    key(
        "clickhouse.caller_share_percent",
        Kind::Integer(1, 100),
        "How much of `clickhouse.pool_size` one caller may hold, and of those who wait for it; at least one query.",
    ),
    key(
        "clickhouse.ping_timeout_ms",
        Kind::Integer(1, DAY_MS),
        "Milliseconds that one server may take to say its version or state.",
    ),
    key("auth.provider", Kind::Providers, "Who says who a caller is, in the order they are asked."),
    key("auth.public_read", Kind::Boolean, "Whether callers without credentials may read what is public."),
    key(
        "auth.api_key_secret",
        Kind::Secret,
        "The secret that `chm_` keys are signed with. Keys are off without it; with it and provider `none`, a key is needed for everything.",
    ),
    key(
        "auth.api_key_previous_secret",
        Kind::Secret,
        "The secret before that one: keys that it signed stay valid until you remove it.",
    ),
    key(
        "auth.admin_secret",
        Kind::Secret,
        "What mints and revokes keys and reads the audit log; the key secret itself when absent.",
    ),
    key(
        "auth.accept_unlisted_keys",
        Kind::Boolean,
        "Whether rightly signed keys without an id are accepted, as chmonitor makes them; they cannot be revoked one by one.",
    ),
    key("auth.operators", Kind::Members, "Who mints and revokes keys and reads the audit log, once signed in."),
    key("auth.agent_token", Kind::Secret, "A bearer token for programs that use the agent."),
    key("auth.agent_token_scopes", Kind::Scopes, "What the agent's token may do."),
    key("auth.cron_secret", Kind::Secret, "The bearer token of the cron routes, which are off without it."),
    key(
        "features.<feature>.enabled",
        Kind::Boolean,
        "Whether the feature is there at all; `true` when absent. A plugin's own feature has the plugin's id.",
    ),
    key(
        "features.<feature>.access",
        Kind::Access,
        "Who may use it; `public` when absent, but `authenticated` for `agent`, `actions` and the features of plugins.",
    ),
    key("features.<feature>.read", Kind::Access, "Who may read; wins over `access`."),
    key(
        "features.<feature>.write",
        Kind::Access,
        "Who may write; wins over `access`. Without credentials nobody writes, even where this is `public`, unless nobody signs in here.",
    ),
    key("plugins.<plugin>.enabled", Kind::Boolean, "Whether the plugin is loaded.").or("true"),
    key("plugins.<plugin>.sha256", Kind::Digest, "The only digest that the plugin's file may have."),
    key(
        "plugins.<plugin>.settings.<setting>",
        Kind::Setting,
        "A setting of the plugin's own, as its manifest describes it.",
    ),
    key("plugins.<plugin>.grants.clickhouse.hosts", Kind::Hosts, "The servers that the plugin may read.").or("\"all\""),
    key("plugins.<plugin>.grants.clickhouse.max_rows", Kind::Integer(1, 10_000_000), "Most rows of one of its reads.")
        .or("10000"),
    key("plugins.<plugin>.grants.clickhouse.max_bytes", Kind::Integer(1, 4 * GIB), "Most bytes of one of its reads.")
        .or("16777216"),
    key(
        "plugins.<plugin>.grants.control",
        Kind::Choices(&["kill-query", "optimize-table"]),
        "The statements that it may have run. An empty list loads a plugin that asks for them, and refuses each.",
    ),
    key("plugins.<plugin>.grants.http", Kind::Names, "The endpoints that it may send to."),
    key("plugins.<plugin>.grants.secrets", Kind::Names, "Those of its settings that are secrets and that it may use."),
    key("plugins.<plugin>.grants.jwt", Kind::Names, "The issuers that it may ask about."),
    key("plugins.<plugin>.grants.kv", Kind::Integer(0, GIB), "Bytes of its own store."),
    key(
        "plugins.<plugin>.limits.memory_mib",
        Kind::Integer(1, 4096),
        "MiB of memory of one call; the role's limit when absent.",
    ),
    key(
        "plugins.<plugin>.limits.cpu_ms",
        Kind::Integer(1, DAY_MS),
        "Milliseconds of processor time of one call; the role's limit when absent.",
    ),
    key(
        "plugins.<plugin>.limits.wall_ms",
        Kind::Integer(1, DAY_MS),
        "Milliseconds of one call, waiting included; the role's limit when absent.",
    ),
    key("plugins.<plugin>.limits.concurrency", Kind::Integer(1, 1024), "Calls at once; the role's limit when absent."),
    key(
        "endpoints.<endpoint>.url",
        Kind::SecretUrl,
        "An address that plugins may send to. Only its origin is ever shown.",
    ),
    key("endpoints.<endpoint>.headers.<header>", Kind::Secret, "A header that the host adds."),
    key("endpoints.<endpoint>.timeout_ms", Kind::Integer(1, DAY_MS), "Milliseconds for the whole exchange.")
        .or("10000"),
    key("endpoints.<endpoint>.max_response_bytes", Kind::Integer(0, GIB), "Most bytes of an answer.").or("1048576"),
    key("issuers.<issuer>.issuer", Kind::Text, "The exact `iss` of the tokens."),
    key("issuers.<issuer>.jwks_url", Kind::Url, "Where the keys are; discovered from the issuer when absent."),
    key(
        "issuers.<issuer>.public_key",
        Kind::Text,
        "Its key in PEM, instead: RSA, EC on P-256 or P-384, or Ed25519. Nothing is fetched then.",
    ),
    key(
        "issuers.<issuer>.audiences",
        Kind::Names,
        "A token must be meant for one of these; `*` alone: for whom it is, is not looked at, or only by the plugin.",
    ),
    key("issuers.<issuer>.algorithms", Kind::Choices(ALGORITHMS), "Signature algorithms that are accepted.")
        .or("[\"RS256\", \"ES256\"]"),
    key(
        "store.url",
        Kind::Store,
        "Where API keys and the audit log are kept: a file, or a PostgreSQL database when several hosts share it. In the user's state \
         folder when absent; with `none` no keys can be made, and the audit log is in the log only.",
    ),
    key(
        "store.key_retention_days",
        Kind::Integer(1, 3650),
        "Days after which keys that have ended are removed by `/api/cron/retention-prune`.",
    ),
    key("log.format", Kind::Choice(&["pretty", "json"]), "How log lines look."),
    key("log.level", Kind::LogFilter, "Which lines are logged, as `tracing` reads it."),
    key("telemetry.otlp_endpoint", Kind::Url, "An OTLP/HTTP collector; nothing is exported without it."),
    key("telemetry.service_name", Kind::Text, "The `service.name` of traces."),
    key(
        "edge.allowed_hosts",
        Kind::HostNames,
        "The only names under which requests are answered. When absent: every name; but a host on loopback that asks nobody to sign in answers to localhost, 127.0.0.1, [::1] and the address it listens on.",
    ),
    key(
        "edge.cors_origins",
        Kind::Origins,
        "Web pages of these origins may call the API from a browser; none when absent.",
    ),
    key("edge.public_origin", Kind::Origin, "Where browsers find this host, when a proxy changes `Host`."),
    key("edge.trusted_proxies", Kind::Networks, "Proxies whose word on a client's address counts; none when absent."),
    key(
        "edge.forwarded_header",
        Kind::Choice(&["x-forwarded-for", "forwarded"]),
        "The header in which trusted proxies name the client. They must set or remove it, whatever the client sent.",
    ),
    key(
        "edge.hsts",
        Kind::Boolean,
        "Whether browsers are told to use TLS only (`Strict-Transport-Security`); when absent, if `tls.cert` is set.",
    ),
    key(
        "tls.cert",
        Kind::Path,
        "The certificate and its chain (PEM): the host then speaks TLS only. A renewed file counts within seconds.",
    ),
    key("tls.key", Kind::Path, "The certificate's key (PEM)."),
    key("answers.coalesce", Kind::Boolean, "Whether identical reads of panels at the same time run once."),
    key(
        "answers.cache",
        Kind::Boolean,
        "Whether answers of panels are kept in memory for the few seconds that each panel allows.",
    ),
    key(
        "actions.confirmation",
        Kind::Choice(&["required", "optional"]),
        "Whether a change to a server is shown and confirmed before it is made; `optional` lets clients of chmonitor make it at once.",
    ),
    key("actions.confirmation_seconds", Kind::Integer(1, 3600), "Seconds that a confirmation lasts."),
    key("limits.body_bytes", Kind::Integer(1, GIB), "Most bytes of a request's body."),
    key("limits.row_cap", Kind::Integer(1, 10_000_000), "Most rows of an answer."),
    key("limits.result_bytes", Kind::Integer(1, 4 * GIB), "Most bytes of an answer."),
    key(
        "limits.requests_per_minute",
        Kind::Integer(1, RATE),
        "Most requests a minute of one caller: of a subject, else of an address (IPv6: of a /64). As many may come at once.",
    ),
    key("limits.agent_requests_per_minute", Kind::Integer(1, RATE), "The same for requests to the agent."),
    key(
        "limits.actions_per_minute",
        Kind::Integer(1, RATE),
        "Most changes to servers a minute of one caller, through `/api/v1/actions`.",
    ),
    key(
        "limits.failed_sign_ins_per_minute",
        Kind::Integer(1, RATE),
        "Most different wrong credentials a minute from one address (IPv6: one /64).",
    ),
    key("limits.header_bytes", Kind::Integer(8192, 1 << 20), "Most bytes of a request's head."),
    key(
        "limits.header_timeout_ms",
        Kind::Integer(1, DAY_MS),
        "Milliseconds that a connection may go without a complete request, TLS handshake included.",
    ),
    key("limits.body_timeout_ms", Kind::Integer(1, DAY_MS), "Milliseconds that a request's body may take."),
    key(
        "limits.request_timeout_ms",
        Kind::Integer(1, DAY_MS),
        "Milliseconds until the head of an answer is sent; more than `clickhouse.max_execution_time`, and one minute more than that when absent.",
    ),
    key("limits.connections", Kind::Integer(1, 1_000_000), "Most connections at once; others wait."),
];

/// Keys that a table cannot do without: the table, the key.
pub(super) const REQUIRED: &[(&str, &str)] = &[
    ("clickhouse.hosts.[]", "url"),
    ("endpoints.<endpoint>", "url"),
    ("issuers.<issuer>", "issuer"),
    ("issuers.<issuer>", "audiences"),
];

/// What stands at a path.
pub(super) enum Place {
    /// A value.
    Leaf(&'static Key),
    /// A table, or a list of tables.
    Table,
    /// Nothing: no key begins like this.
    Nothing,
}

fn part_fits(pattern: &str, part: &str) -> bool {
    pattern.starts_with('<') || pattern == part
}

/// Finds what stands at a path, given in parts (`[]` for an item of a list).
pub(super) fn place(path: &[&str]) -> Place {
    let mut place = Place::Nothing;
    for key in KEYS {
        let pattern: Vec<&str> = key.parts().collect();
        if pattern.len() < path.len() || !pattern.iter().zip(path).all(|(pattern, part)| part_fits(pattern, part)) {
            continue;
        }
        if pattern.len() == path.len() {
            return Place::Leaf(key);
        }
        place = Place::Table;
    }
    place
}

/// What may follow in the table at a path: the fixed names, and the placeholder (`<plugin>`, `[]`) if there is one.
pub(super) fn children(path: &[&str]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in KEYS {
        let pattern: Vec<&'static str> = key.parts().collect();
        let inside =
            pattern.len() > path.len() && pattern.iter().zip(path).all(|(pattern, part)| part_fits(pattern, part));
        if let Some(name) = pattern.get(path.len()).filter(|name| inside && !names.contains(*name)) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_their_keys() {
        assert!(matches!(place(&["listen"]), Place::Leaf(key) if key.path == "listen"));
        assert!(matches!(place(&["plugins", "x", "grants", "kv"]), Place::Leaf(_)));
        assert!(matches!(place(&["clickhouse", "hosts", "[]", "url"]), Place::Leaf(_)));
        assert!(matches!(place(&["clickhouse", "hosts"]), Place::Table));
        assert!(matches!(place(&["plugins", "x"]), Place::Table));
        assert!(matches!(place(&["listen", "x"]), Place::Nothing));
        assert!(matches!(place(&["lisen"]), Place::Nothing));
        assert_eq!(children(&["log"]), ["format", "level"]);
        assert_eq!(children(&["features"]), ["<feature>"]);
    }

    #[test]
    fn paths_are_unique_and_every_meaning_is_a_sentence() {
        let mut paths: Vec<_> = KEYS.iter().map(|key| key.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), KEYS.len());
        for key in KEYS {
            assert!(key.meaning.ends_with('.'), "{}", key.path);
        }
    }
}
