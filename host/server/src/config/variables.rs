//! Every environment variable that the chmonitor contract or this host names.

use super::form::Form;

/// What a variable does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Sets this key.
    Sets(&'static str),
    /// Sets this key, once its text has taken another form.
    SetsAs(Form, &'static str),
    /// Names Clerk's issuer, where nothing else does and `clerk` is among the providers.
    PublishableKey,
    /// Sets `auth.public_read`, where `clerk` is among the providers.
    ClerkPublicRead,
    /// Sets this key of PeerDB's endpoint, where that has an address.
    Peerdb(&'static str),
    /// Is one of the four lists of servers: their addresses, users, passwords, names.
    Servers(ServerList),
    /// Lists features that are switched off.
    DisabledFeatures,
    /// Lists features that need authentication.
    GuardedFeatures,
    /// Sets `enabled` or `access` of the feature in its name.
    Feature,
    /// Names the configuration file.
    ConfigFile,
    /// Means nothing here, for this reason; a warning says so.
    Nothing(&'static str),
    /// Means nothing here, for this reason, and bears on who may do what; a loud warning says so.
    NothingAndMatters(&'static str),
    /// Switches on what is not here, for this reason; a loud warning says so, unless it is off.
    NothingToSwitchOn(&'static str),
    /// Means nothing here, and is so common that nobody wants to hear of it.
    Common,
}

/// Which list of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ServerList {
    Addresses,
    Users,
    Passwords,
    Names,
}

/// A variable, or a family of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable {
    /// The name; `*` stands for any text, `<ID>` for a feature in capitals.
    pub name: &'static str,
    pub meaning: Meaning,
}

use Meaning::{
    ClerkPublicRead, Common, ConfigFile, DisabledFeatures, Feature, GuardedFeatures, Nothing, NothingAndMatters,
    NothingToSwitchOn, Peerdb, PublishableKey, Servers, Sets, SetsAs,
};

const fn var(name: &'static str, meaning: Meaning) -> Variable {
    Variable { name, meaning }
}

const CLOUD: &str = "this host has no cloud mode";
const PROVIDER: &str = "CHM_AUTH_PROVIDER alone chooses a provider";
const BUILD_TIME: &str = "nothing is decided when the host is built";
const AGENT: &str = "the agent is not part of this version";
const ALERTS: &str = "the health sweep is not part of this version; the address is taken from HEALTH_ALERT_WEBHOOK_URL";
const STORES: &str = "conversations, insights and connections are not stored in this version";
const RATES: &str =
    "it has no limit of its own: RATE_LIMIT_API_PER_MIN and RATE_LIMIT_AGENT_PER_MIN are for all callers";
const PEERDB: &str = "this host reads other variables of PeerDB's only";
const CLI: &str = "it belongs to the command-line client";
const TELEMETRY: &str = "this host sends nothing about itself to anybody";
const BILLING: &str = "this host has no billing";

/// All of them. A name that is listed comes before a family that would also cover it.
pub(super) const VARIABLES: &[Variable] = &[
    var("CHM_LISTEN", Sets("listen")),
    var("CHM_CONFIG_FILE", ConfigFile),
    var("CHM_PLUGIN_DIR", Sets("plugin_dir")),
    var("CHM_GUEST_RUSTC", Sets("guest_rustc")),
    var("CHM_STORE_URL", Sets("store.url")),
    var("CHM_LOG_FORMAT", Sets("log.format")),
    var("CHM_LOG_LEVEL", Sets("log.level")),
    var("CHM_ANSWERS_COALESCE", Sets("answers.coalesce")),
    var("CHM_ANSWERS_CACHE", Sets("answers.cache")),
    var("CHM_OTLP_ENDPOINT", Sets("telemetry.otlp_endpoint")),
    var("CHM_OTEL_EXPORTER_URL", Sets("telemetry.otlp_endpoint")),
    // ClickHouse
    var("CLICKHOUSE_HOST", Servers(ServerList::Addresses)),
    var("CLICKHOUSE_USER", Servers(ServerList::Users)),
    var("CLICKHOUSE_PASSWORD", Servers(ServerList::Passwords)),
    var("CLICKHOUSE_NAME", Servers(ServerList::Names)),
    var("CLICKHOUSE_MAX_EXECUTION_TIME", Sets("clickhouse.max_execution_time")),
    var("CLICKHOUSE_POOL_SIZE", Sets("clickhouse.pool_size")),
    var("CHM_CALLER_SHARE_PERCENT", Sets("clickhouse.caller_share_percent")),
    var("CHM_HEALTHZ_TIMEOUT_MS", Sets("clickhouse.ping_timeout_ms")),
    var("CLICKHOUSE_POOL_TIMEOUT", Nothing("connections close by themselves when idle")),
    var("CLICKHOUSE_POOL_CLEANUP_INTERVAL", Nothing("connections close by themselves when idle")),
    var("CLICKHOUSE_DATABASE", Nothing("this host writes no tables of its own into ClickHouse")),
    var("EVENTS_TABLE_NAME", Nothing("this host writes no tables of its own into ClickHouse")),
    var("CLICKHOUSE_EXCLUDE_USER_DEFAULT", Sets("plugins.panels-queries.settings.excluded_users")),
    var(
        "CLICKHOUSE_MANAGEMENT_ENABLED",
        NothingToSwitchOn("user management is not part of this version and stays off"),
    ),
    var("CLICKHOUSE_TZ", Nothing("times are UTC unless a request names a time zone")),
    var("CHM_CLOUD_DEMO_HOSTS", NothingAndMatters(CLOUD)),
    // Access
    var("CHM_AUTH_PROVIDER", Sets("auth.provider")),
    var("CHM_PUBLIC_READ", Sets("auth.public_read")),
    var("CHM_API_KEY_SECRET", Sets("auth.api_key_secret")),
    var("CHM_API_KEY_PREVIOUS_SECRET", Sets("auth.api_key_previous_secret")),
    var("CHM_API_KEY_ADMIN_SECRET", Sets("auth.admin_secret")),
    var("CHM_OPERATORS", Sets("auth.operators")),
    var("CHM_DISABLED_FEATURES", DisabledFeatures),
    var("CHM_AUTH_REQUIRED_FEATURES", GuardedFeatures),
    var("CHM_FEATURE_USER_CONNECTIONS_DB", Nothing(STORES)),
    var("CHM_FEATURE_CONVERSATION_DB", Nothing(STORES)),
    var("CHM_FEATURE_PROMETHEUS_ENABLED", Nothing("`/metrics` is always there")),
    var("CHM_FEATURE_POSTGRES_SOURCE", Nothing(AGENT)),
    var("CHM_FEATURE_PEERDB_AGENT", Nothing(AGENT)),
    var("CHM_FEATURE_<ID>_ENABLED", Feature),
    var("CHM_FEATURE_<ID>_ACCESS", Feature),
    var("CHM_FEATURE_<ID>_READ", Feature),
    var("CHM_FEATURE_<ID>_WRITE", Feature),
    var("CHM_TRUSTED_AUTH_SECRET", Sets("plugins.auth-trusted.settings.auth_secret")),
    var("CHM_TRUSTED_ALLOW_INSECURE", Sets("plugins.auth-trusted.settings.allow_insecure")),
    var("CHM_TRUSTED_SHARED_SECRET_HEADER", Sets("plugins.auth-trusted.settings.shared_secret_header")),
    var("CHM_TRUSTED_USER_HEADER", Sets("plugins.auth-trusted.settings.user_header")),
    var("CHM_TRUSTED_EMAIL_HEADER", Sets("plugins.auth-trusted.settings.email_header")),
    var("CHM_TRUSTED_NAME_HEADER", Sets("plugins.auth-trusted.settings.name_header")),
    var("CHM_TRUSTED_AVATAR_HEADER", Sets("plugins.auth-trusted.settings.avatar_header")),
    var("CHM_TRUSTED_GROUPS_HEADER", Sets("plugins.auth-trusted.settings.groups_header")),
    var("CHM_TRUSTED_ROLE_HEADER", Sets("plugins.auth-trusted.settings.role_header")),
    var("CHM_TRUSTED_CUSTOM_HEADERS", Sets("plugins.auth-trusted.settings.custom_headers")),
    var("CHM_TRUSTED_ALLOWED_GROUPS", Sets("plugins.auth-trusted.settings.allowed_groups")),
    var("CHM_TRUSTED_GROUPS_SEPARATOR", Sets("plugins.auth-trusted.settings.separator")),
    var("CHM_PROXY_AUTH_SECRET", Sets("plugins.auth-proxy.settings.auth_secret")),
    var("CHM_PROXY_AUTH_HEADER", Sets("plugins.auth-proxy.settings.auth_header")),
    var("CHM_PROXY_SHARED_SECRET_HEADER", Sets("plugins.auth-proxy.settings.shared_secret_header")),
    var("CHM_CF_ACCESS_TEAM_DOMAIN", SetsAs(Form::Issuer, "issuers.cloudflare.issuer")),
    var("CHM_CF_ACCESS_AUD", Sets("issuers.cloudflare.audiences")),
    var("CHM_CF_ACCESS_COOKIE", Sets("plugins.auth-proxy.settings.cookie")),
    var("CHM_CLERK_ISSUER", SetsAs(Form::Issuer, "issuers.clerk.issuer")),
    var("CLERK_OAUTH_ISSUER", SetsAs(Form::Issuer, "issuers.clerk.issuer")),
    // Of these the first counts.
    var("CHM_CLERK_PUBLISHABLE_KEY", PublishableKey),
    var("CLERK_PUBLISHABLE_KEY", PublishableKey),
    var("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", PublishableKey),
    var("VITE_CLERK_PUBLISHABLE_KEY", PublishableKey),
    var("CLERK_SECRET_KEY", Sets("plugins.auth-clerk.settings.secret_key")),
    var("CLERK_JWT_KEY", SetsAs(Form::Pem, "issuers.clerk.public_key")),
    var("CLERK_API_URL", Sets("endpoints.clerk-api.url")),
    var("CHM_CLERK_AUTHORIZED_PARTIES", Sets("plugins.auth-clerk.settings.authorized_parties")),
    var("CHM_CLERK_ORGANIZATIONS", Sets("plugins.auth-clerk.settings.organizations")),
    var("CHM_CLERK_OAUTH_TOKENS", Sets("plugins.auth-clerk.settings.oauth_tokens")),
    var("CHM_CLERK_OAUTH_AUDIENCES", Sets("plugins.auth-clerk.settings.oauth_audiences")),
    var("CHM_CLERK_OAUTH_CLIENTS", Sets("plugins.auth-clerk.settings.oauth_clients")),
    var("CHM_CLERK_OAUTH_SCOPES", Sets("plugins.auth-clerk.settings.oauth_scopes")),
    var("CHM_CLERK_PUBLIC_READ", ClerkPublicRead),
    var("CLERK_WEBHOOK_SECRET", Nothing(BILLING)),
    var("CLERK_*", Nothing("this host reads other variables of Clerk's only")),
    var("CHM_OIDC_ISSUER", Sets("issuers.oidc.issuer")),
    var("CHM_OIDC_AUDIENCE", Sets("issuers.oidc.audiences")),
    var("CHM_OIDC_JWKS_URL", Sets("issuers.oidc.jwks_url")),
    var("CHM_OIDC_ALGORITHMS", Sets("issuers.oidc.algorithms")),
    var("CHM_OIDC_SUBJECT_CLAIM", Sets("plugins.auth-oidc.settings.subject_claim")),
    var("CHM_OIDC_EMAIL_CLAIM", Sets("plugins.auth-oidc.settings.email_claim")),
    var("CHM_OIDC_NAME_CLAIM", Sets("plugins.auth-oidc.settings.name_claim")),
    var("CHM_OIDC_PICTURE_CLAIM", Sets("plugins.auth-oidc.settings.picture_claim")),
    var("CHM_OIDC_ROLES_CLAIM", Sets("plugins.auth-oidc.settings.roles_claim")),
    var("CHM_OIDC_ALLOWED_GROUPS", Sets("plugins.auth-oidc.settings.allowed_groups")),
    var("VITE_AUTH_PROVIDER", NothingAndMatters(PROVIDER)),
    var("NEXT_PUBLIC_AUTH_PROVIDER", NothingAndMatters(PROVIDER)),
    var("CHM_DEPLOYMENT_MODE", NothingAndMatters(CLOUD)),
    var("VITE_DEPLOYMENT_MODE", NothingAndMatters(CLOUD)),
    var("CHM_CLOUD_MODE", NothingToSwitchOn(CLOUD)),
    var("CHM_CLOUD_D1", Nothing(CLOUD)),
    var("AGENT_API_TOKEN", Sets("auth.agent_token")),
    var("CRON_SECRET", Sets("auth.cron_secret")),
    var("CHM_MCP_PUBLIC", NothingToSwitchOn("the MCP endpoint is not part of this version and would stay closed")),
    var("CHM_DEVICE_LOGIN", NothingToSwitchOn("device login is not part of this version and stays off")),
    var("CHM_DEVICE_LOGIN_SUBJECT", Nothing("device login is not part of this version and stays off")),
    var(
        "CHM_ALLOW_PRIVATE_HOSTS",
        NothingToSwitchOn("users cannot add connections; endpoints of the operator may be private"),
    ),
    var("CHM_USER_CONNECTIONS_ENCRYPTION_KEY", Nothing(STORES)),
    var("CHM_ALLOWED_HOSTS", Sets("edge.allowed_hosts")),
    var("CHM_CORS_ORIGINS", Sets("edge.cors_origins")),
    var("CHM_PUBLIC_ORIGIN", Sets("edge.public_origin")),
    var("CHM_TRUSTED_PROXIES", Sets("edge.trusted_proxies")),
    var("CHM_FORWARDED_HEADER", Sets("edge.forwarded_header")),
    var("CHM_HSTS", Sets("edge.hsts")),
    var("CHM_TLS_CERT_FILE", Sets("tls.cert")),
    var("CHM_TLS_KEY_FILE", Sets("tls.key")),
    var("RATE_LIMIT_API_PER_MIN", Sets("limits.requests_per_minute")),
    var("RATE_LIMIT_AGENT_PER_MIN", Sets("limits.agent_requests_per_minute")),
    var("CHM_ACTIONS_PER_MIN", Sets("limits.actions_per_minute")),
    var("CHM_ACTIONS_CONFIRMATION", Sets("actions.confirmation")),
    var("CHM_FAILED_SIGN_INS_PER_MIN", Sets("limits.failed_sign_ins_per_minute")),
    var("CHM_REQUEST_TIMEOUT_MS", Sets("limits.request_timeout_ms")),
    var("CHM_MAX_CONNECTIONS", Sets("limits.connections")),
    var("RATE_LIMIT_MCP_PER_MIN", NothingAndMatters(RATES)),
    var("RATE_LIMIT_BROWSER_CONN_PER_MIN", NothingAndMatters(RATES)),
    var("RATE_LIMIT_AGENT_GUEST_PER_MIN", NothingAndMatters(RATES)),
    var("CHM_GUEST_AI_REQUESTS_PER_DAY", NothingAndMatters(RATES)),
    // Alerts
    var("HEALTH_ALERT_WEBHOOK_URL", Sets("endpoints.alerts.url")),
    var("HEALTH_ALERT_ENABLED", Nothing(ALERTS)),
    var("HEALTH_ALERT_MIN_SEVERITY", Nothing(ALERTS)),
    var("HEALTH_ALERT_COOLDOWN_MINUTES", Nothing(ALERTS)),
    var("HEALTH_ALERT_*", Nothing(ALERTS)),
    var("HEALTH_THRESHOLD_*", Nothing(ALERTS)),
    var("CHM_HEALTH_SWEEP_ENABLED", Nothing(ALERTS)),
    var("CHM_HEALTH_CONFIG_DIRECTORY", Nothing(ALERTS)),
    var("CHM_WEEKLY_REPORT_HOSTS", Nothing(ALERTS)),
    // Agent and stores
    var(
        "AGENT_ENABLE_CONTROL_TOOLS",
        NothingToSwitchOn("the agent is not part of this version; control tools are off"),
    ),
    var("AGENT_DEBUG", Nothing(AGENT)),
    var("AGENT_JSON_RENDER_PATCH_GUARD_DEBUG", Nothing(AGENT)),
    var("LLM_*", Nothing(AGENT)),
    var("OPENROUTER_*", Nothing(AGENT)),
    var("NVIDIA_API_KEY", Nothing(AGENT)),
    var("NVIDIA_API_BASE", Nothing(AGENT)),
    var("ANYROUTER_*", Nothing(AGENT)),
    var("CHM_AGENT_FIRECRAWL_*", Nothing(AGENT)),
    var("CONVERSATION_STORE_BACKEND", Nothing(STORES)),
    var("INSIGHTS_STORE_BACKEND", Nothing(STORES)),
    var("INSIGHTS_D1", Nothing(STORES)),
    var("AGENTSTATE_*", Nothing(STORES)),
    var("CHM_STATE_CLICKHOUSE_*", Nothing(STORES)),
    var("PEERDB_API_URL", Sets("endpoints.peerdb.url")),
    var("PEERDB_PASSWORD", Peerdb("endpoints.peerdb.headers.authorization")),
    var("PEERDB_FETCH_TIMEOUT_MS", Peerdb("endpoints.peerdb.timeout_ms")),
    var("PEERDB_CACHE_TTL_MS", Sets("plugins.panel-peerdb.settings.cache_ttl_ms")),
    var("PEERDB_CACHE_MAX_ENTRIES", Sets("plugins.panel-peerdb.settings.cache_max_entries")),
    var("PEERDB_*", Nothing(PEERDB)),
    // Everything else that the contract names
    var("CHM_CONFIG_SOURCE", Nothing("panels come from plugins")),
    var("CHM_CONFIG_DIRECTORY", Nothing("panels come from plugins")),
    var("CHM_PACK_REGISTRY_URL", Nothing("panels come from plugins")),
    var("CHM_EDITION", Nothing("there is one edition")),
    var("CHM_LICENSE_KEY", Nothing("there is one edition")),
    var("CHM_TELEMETRY", Nothing(TELEMETRY)),
    var("CHM_TELEMETRY_ENDPOINT", Nothing(TELEMETRY)),
    var("CHM_ANALYTICS_KEY", Nothing(TELEMETRY)),
    var("CHM_ANALYTICS_HOST", Nothing(TELEMETRY)),
    var("CHM_SENTRY_*", Nothing(TELEMETRY)),
    var("CHM_POLAR_*", Nothing(BILLING)),
    var("POLAR_*", Nothing(BILLING)),
    var("CHM_API_KEY", Nothing(CLI)),
    var("CHM_BASE_URL", Nothing(CLI)),
    var("CHM_CONFIG", Nothing(CLI)),
    var("CHM_HOST_ID", Nothing(CLI)),
    var("VITE_*", Nothing(BUILD_TIME)),
    var("NEXT_PUBLIC_*", Nothing(BUILD_TIME)),
    var("DATABASE_URL", Common),
    var("POSTGRES_URL", Common),
    var("POSTGRES_PRISMA_URL", Common),
    var("REDIS_URL", Common),
    var("APP_REFERER", Common),
    var("APP_NAME", Common),
    var("APP_SOURCE", Common),
    var("APP_CATEGORY", Common),
    var("APP_VERSION", Common),
    var("DO_NOT_TRACK", Common),
    var("DEBUG", Common),
    var("NODE_ENV", Common),
    var("CI", Common),
    var("CLOUDFLARE_WORKERS", Common),
    var("CF_PAGES", Common),
    var("MINIFLARE", Common),
];

/// How the name of a variable says which feature, and what of it, it sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeatureVariable {
    /// The feature as it is written, for example `AGENT`.
    pub feature: String,
    /// `enabled` or `access`.
    pub field: &'static str,
}

/// Reads `CHM_FEATURE_<ID>_ENABLED` and `CHM_FEATURE_<ID>_ACCESS`.
pub(super) fn feature_variable(name: &str) -> Option<FeatureVariable> {
    let rest = name.strip_prefix("CHM_FEATURE_")?;
    [("_ENABLED", "enabled"), ("_ACCESS", "access"), ("_READ", "read"), ("_WRITE", "write")].into_iter().find_map(
        |(suffix, field)| {
            let feature = rest.strip_suffix(suffix).filter(|feature| !feature.is_empty())?;
            Some(FeatureVariable { feature: feature.to_owned(), field })
        },
    )
}

/// The names of the variables that set this key.
pub(super) fn that_set(key: &str) -> Vec<&'static str> {
    let sets =
        |variable: &&Variable| matches!(variable.meaning, Sets(path) | SetsAs(_, path) | Peerdb(path) if path == key);
    VARIABLES.iter().filter(sets).map(|variable| variable.name).collect()
}

/// Finds what a name means.
pub(super) fn find(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| match (variable.name.strip_suffix('*'), variable.meaning) {
        (_, Feature) => {
            feature_variable(name).is_some_and(|parsed| variable.name.to_lowercase().ends_with(parsed.field))
        }
        (Some(family), _) => name.len() > family.len() && name.starts_with(family),
        (None, _) => variable.name == name,
    })
}

/// Kubernetes gives every pod variables about each service; a service called `chm` makes some that begin with `CHM_`.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let port_number = name.rsplit_once("_PORT_").is_some_and(|(_, tail)| {
        let (number, protocol) = tail.split_once('_').unwrap_or((tail, ""));
        number.bytes().all(|byte| byte.is_ascii_digit())
            && ["TCP", "UDP", "SCTP"].iter().any(|p| protocol.starts_with(p))
    });
    let service = name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_");
    let port =
        name.ends_with("_PORT") && ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    port_number || service || port
}
