//! The contract's table of outcomes (§2.8), whole, and what §1 to §4 say of several credentials at once. What one provider refuses of
//! its own is claimed beside it; spellings of keys are in `key_spellings`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Host, HostBuilder, Signer, Visit, run};
use crate::keys::{self, mint};

/// The one that the contract's vectors are signed with.
pub const SECRET: &str = "test-secret-please-change";
pub const KEYS: (&str, &str) = ("CHM_API_KEY_SECRET", SECRET);
const PROXY_SECRET: &str = "between-proxy-and-host";
const PROOF: (&str, &str) = ("x-chm-proxy-secret", PROXY_SECRET);
const USER: (&str, &str) = ("x-forwarded-user", "ann");
/// An end that no run of these tests sees.
pub const FAR: u64 = 4_000_000_000;

/// Variables of a host, visits to it, and the status of each.
type Situation<'a> = (&'a [(&'a str, &'a str)], Vec<(Visit, u16)>);

pub fn host(variables: &[(&str, &str)]) -> HostBuilder {
    variables.iter().fold(Host::with_bundled().unhurried(), |host, (name, value)| host.env(name, value))
}

fn visit(what: &str, headers: &[(&'static str, &str)]) -> Visit {
    headers.iter().fold(Visit::new(what), |visit, (name, value)| visit.header(name, value))
}

pub fn key(payload: &Value) -> String {
    mint(SECRET, payload)
}

/// A key of somebody, as the peer makes them.
pub fn key_of(subject: &str) -> String {
    key(&json!({"sub": subject, "iat": 1_700_000_000, "exp": FAR}))
}

/// The rows of the table that need no issuer.
fn without_issuers() -> Vec<Situation<'static>> {
    const TRUSTED: (&str, &str) = ("CHM_AUTH_PROVIDER", "trusted");
    const PROXY: (&str, &str) = ("CHM_AUTH_PROVIDER", "proxy");
    const TRUSTED_SECRET: (&str, &str) = ("CHM_TRUSTED_AUTH_SECRET", PROXY_SECRET);
    const INSECURE: (&str, &str) = ("CHM_TRUSTED_ALLOW_INSECURE", "true");
    let good = key_of("cli");
    let nothing = || (Visit::new("nothing"), 401);
    let valid = || (Visit::new("a valid key").bearer(&good), 200);
    let expired = key(&json!({"sub": "cli", "iat": 1_700_000_000, "exp": 1_702_592_000}));
    let group = |group| visit("of a group", &[USER, PROOF, ("x-forwarded-groups", group)]);
    vec![
        (&[], vec![(Visit::new("nothing"), 200)]),
        (
            &[KEYS],
            vec![
                nothing(),
                valid(),
                (Visit::new("an expired key").bearer(expired), 401),
                (
                    Visit::new("a badly signed key").bearer(mint("another-secret", &json!({"sub": "cli", "exp": FAR}))),
                    401,
                ),
            ],
        ),
        (
            &[PROXY, ("CHM_PROXY_AUTH_SECRET", PROXY_SECRET), KEYS],
            vec![
                (visit("the right secret and a user", &[USER, PROOF]), 200),
                (visit("a user only", &[USER]), 401),
                (visit("a wrong secret", &[USER, ("x-chm-proxy-secret", "wrong")]), 401),
                (visit("an empty user", &[PROOF, ("x-forwarded-user", "")]), 401),
                nothing(),
                valid(),
            ],
        ),
        (&[PROXY], vec![(visit("a user and any secret, where none is set", &[USER, PROOF]), 401)]),
        (&[TRUSTED], vec![(visit("any headers, where no gate is configured", &[USER, PROOF]), 401)]),
        (
            &[TRUSTED, TRUSTED_SECRET, KEYS],
            vec![
                (visit("an e-mail address only", &[PROOF, ("x-forwarded-email", "ann@example.org")]), 200),
                nothing(),
                valid(),
            ],
        ),
        (&[TRUSTED, TRUSTED_SECRET, INSECURE], vec![(visit("no secret, for all the flag says", &[USER]), 401)]),
        (&[TRUSTED, INSECURE], vec![(visit("a user", &[USER]), 200)]),
        (
            &[TRUSTED, TRUSTED_SECRET, ("CHM_TRUSTED_ALLOWED_GROUPS", "sre")],
            vec![(group("dev"), 401), (group("sre"), 200), (visit("of no group", &[USER, PROOF]), 401)],
        ),
    ]
}

async fn hold(situations: Vec<Situation<'_>>) {
    for (variables, visits) in situations {
        let host = host(variables).start().await;
        for (visit, status) in visits {
            let answer = visit.ask(&host, "/api/v1/hosts").await;
            assert_eq!(answer.status, status, "{variables:?}, {}: {answer}", visit.what());
            if status == 401 {
                assert_eq!(answer.json(), json!({"error": "Authentication required"}), "{}", visit.what());
            }
        }
    }
}

#[test]
fn the_contracts_table_of_outcomes_holds() {
    run(hold(without_issuers()));
}

#[test]
fn the_contracts_table_of_outcomes_holds_for_tokens_of_issuers() {
    const PAGE: &str = "https://chm.example.org";
    run(async {
        let signer = Signer::start().await;
        let issuer = signer.url();
        let valid = || (Visit::new("a valid key").bearer(key_of("cli")), 200);
        let nothing = |status| (Visit::new("nothing"), status);
        let session = signer.token(json!({"sub": "user_7", "sid": "sess_1", "azp": PAGE, "sts": "active"}));
        let with_session = |status| (Visit::new("a valid session").cookie("__session", &session), status);
        let clerk = [
            ("CHM_AUTH_PROVIDER", "clerk"),
            ("CHM_CLERK_AUTHORIZED_PARTIES", PAGE),
            ("CHM_CLERK_ISSUER", issuer),
            KEYS,
        ];
        let with = |more: (&'static str, &'static str)| [&clerk[..], &[more]].concat();
        let (whole, public) = (with(("CLERK_SECRET_KEY", "sk_test_hunter2")), with(("CHM_CLERK_PUBLIC_READ", "true")));
        let cloudflare = [
            ("CHM_AUTH_PROVIDER", "proxy"),
            ("CHM_CF_ACCESS_TEAM_DOMAIN", issuer),
            ("CHM_CF_ACCESS_AUD", "app-1"),
            KEYS,
        ];
        let ann = json!({"aud": ["app-1"], "sub": "ann"});
        let through = |what: &str, token: &str| Visit::new(what).header("cf-access-jwt-assertion", token);
        let mut through_cloudflare =
            vec![nothing(401), valid(), (through("a valid token", &signer.token(ann.clone())), 200)];
        let bad = signer.bad_tokens(&ann).into_iter().map(|(what, token)| (through(&what, &token), 401));
        through_cloudflare.extend(bad);
        let other = signer.token(json!({"aud": ["app-2"], "sub": "ann"}));
        through_cloudflare.push((through("another audience", &other), 401));
        let oidc = [("CHM_AUTH_PROVIDER", "oidc"), ("CHM_OIDC_ISSUER", issuer), ("CHM_OIDC_AUDIENCE", "app-1"), KEYS];
        let bearer = Visit::new("a token of the issuer").bearer(signer.token(ann.clone()));
        hold(vec![
            (&whole, vec![nothing(401), with_session(200), valid()]),
            (&public, vec![nothing(200), valid()]),
            // Without the secret key.
            (&clerk, vec![nothing(401), with_session(401), valid()]),
            (&cloudflare, through_cloudflare),
            (&oidc, vec![nothing(401), (bearer, 200), valid()]),
        ])
        .await;
    });
}

#[test]
fn a_typing_error_in_the_provider_stops_the_start() {
    run(async {
        for (name, value) in [
            ("CHM_AUTH_PROVIDER", "trusted-proxy"),
            ("CHM_AUTH_PROVIDER", "proxi"),
            ("CHM_AUTH_PROVIDER", "proxy;oidc"),
            ("CHM_AUTH_PROVIDER", "proxy,,trusted"),
            ("CHM_AUTH_PROVIDER", "none,trusted"),
            ("CHM_AUTH_PROVIDER", "trusted,auth-trusted"),
            ("CHM_AUTH_PROVIDER", "true"),
        ] {
            let ended = Host::with_bundled().env(name, value).try_start().await.err();
            let ended = ended.unwrap_or_else(|| panic!("{name}={value} did not stop the start"));
            assert!(!ended.status.success(), "{value}: {ended:?}");
            assert!(ended.stderr.contains(name), "{value}: no `{name}` in {}", ended.stderr);
        }
        // Blank is unset, and so is what nobody set.
        let host = host(&[("CHM_AUTH_PROVIDER", " "), ("CHM_API_KEY_SECRET", "")]).start().await;
        let me = host.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(me.json(), json!({"authenticated": true, "provider": "none", "principal": null}));
    });
}

/// Claims who the host takes a visitor for.
pub async fn claim(host: &Host, visit: &Visit, subject: Option<&str>) {
    let (hosts, me) = (visit.ask(host, "/api/v1/hosts").await, visit.ask(host, "/api/v1/auth/me").await);
    match subject {
        Some(subject) => {
            assert_eq!(hosts.status, 200, "{}: {hosts}", visit.what());
            assert_eq!(me.json()["principal"]["subject"], subject, "{}: {me}", visit.what());
        }
        None => {
            for answer in [hosts, me] {
                assert_eq!(answer.status, 401, "{}: {answer}", visit.what());
                assert_eq!(answer.json(), json!({"error": "Authentication required"}), "{}", visit.what());
                assert_eq!(answer.header("www-authenticate"), "Bearer", "{}", visit.what());
            }
        }
    }
}

#[test]
fn a_wrong_key_does_not_keep_out_whom_the_provider_knows() {
    run(async {
        let variables = [
            ("CHM_AUTH_PROVIDER", "trusted"),
            ("CHM_TRUSTED_AUTH_SECRET", PROXY_SECRET),
            KEYS,
            ("AGENT_API_TOKEN", "the-agents-token"),
        ];
        let host = host(&variables).start().await;
        let ann = |what: &str| visit(what, &[USER, PROOF]);
        for (visit, subject) in [
            (ann("a key that expired").bearer(key(&json!({"sub": "cli", "exp": 1}))), Some("ann")),
            (ann("a key without an end").header("x-api-key", key(&json!({"sub": "cli"}))), Some("ann")),
            (ann("no key, for all it says").bearer("chm_nonsense"), Some("ann")),
            (ann("somebody else's token").bearer("e.y.j"), Some("ann")),
            (ann("a good key: it was asked first").bearer(key_of("cli")), Some("cli")),
            (
                Visit::new("a good key, and a proxy that proves nothing")
                    .header("x-forwarded-user", "ann")
                    .bearer(key_of("cli")),
                Some("cli"),
            ),
            (
                Visit::new("a wrong key, and a proxy that proves nothing")
                    .header("x-forwarded-user", "ann")
                    .bearer("chm_x"),
                None,
            ),
        ] {
            claim(&host, &visit, subject).await;
        }
    });
}

/// Statuses of a reading of `overview`, one of `metrics` and a writing to `tables`.
async fn reach(host: &Host, token: &str) -> [u16; 3] {
    let get = |path| Answer::of(host.request(Method::GET, path).bearer_auth(token));
    let post =
        host.request(Method::POST, "/api/v1/explorer/query").bearer_auth(token).json(&json!({"sql": "SELECT 1"}));
    let answers = [get("/api/v1/hosts").await, get("/metrics").await, Answer::of(post).await];
    for answer in &answers {
        if answer.status == 403 {
            assert_eq!(answer.json()["error"]["code"], "SCOPE_REQUIRED", "{answer}");
        }
    }
    answers.map(|answer| answer.status)
}

#[test]
fn a_scope_opens_its_feature_and_no_other() {
    run(async {
        let host = host(&[KEYS]).start().await;
        for (scopes, statuses) in [
            // The contract's names, in old keys.
            (json!(["read:metrics"]), [403, 200, 403]),
            (json!(["read:metrics", "read:insights", "agent:run", "mcp:access"]), [403, 200, 403]),
            // Ours.
            (json!(["metrics:read"]), [403, 200, 403]),
            (json!(["metrics:write"]), [403, 200, 403]),
            (json!(["tables:read", "overview:read"]), [200, 403, 403]),
            (json!(["tables:write"]), [403, 403, 200]),
            (json!(["*:read"]), [200, 200, 403]),
            (json!(["*:write"]), [200, 200, 200]),
            // What means nothing allows nothing, and an empty list is no word for everything (weakness A4).
            (json!([]), [403, 403, 403]),
            (json!(["read:everything", "tables", "*", "*:*", "TABLES:READ", ""]), [403, 403, 403]),
            (json!(["nonsense", "overview:read"]), [200, 403, 403]),
        ] {
            let token = key(&json!({"sub": "cli", "exp": FAR, "scopes": scopes}));
            assert_eq!(reach(&host, &token).await, statuses, "{scopes}");
        }
        assert_eq!(reach(&host, &key_of("cli")).await, [200; 3], "a key without the word is as old as the contract");
    });
}

#[test]
fn the_agents_token_and_the_cron_secret_open_their_routes_only() {
    run(async {
        const AGENT: &str = "the-agents-own-token";
        const CRON: &str = "the-cron-jobs-secret";
        let variables = [
            ("CHM_AUTH_PROVIDER", "trusted"),
            ("CHM_TRUSTED_AUTH_SECRET", PROXY_SECRET),
            ("AGENT_API_TOKEN", AGENT),
            ("CRON_SECRET", CRON),
        ];
        let host_as_it_is = host(&variables).start().await;
        assert_eq!(reach(&host_as_it_is, AGENT).await, [403; 3], "nothing but the agent");
        let me = Visit::new("the agent").bearer(AGENT).ask(&host_as_it_is, "/api/v1/auth/me").await.expect(200);
        assert_eq!(me.json()["principal"]["subject"], "token:agent");
        let resolved =
            Visit::new("the agent").bearer(AGENT).ask(&host_as_it_is, "/api/v1/config").await.json()["resolved"]
                .clone();
        for (feature, rule) in resolved.as_object().expect("features") {
            // The document is there for everybody.
            let (agents, documents) = (feature == "agent", feature == "docs");
            assert_eq!(
                (rule["read"] == true, rule["write"] == true),
                (agents || documents, agents),
                "{feature}: {rule}"
            );
        }
        assert_eq!(reach(&host_as_it_is, CRON).await, [401; 3], "it counts for the cron routes only");
        for (what, visit) in [
            ("another token", Visit::new("").bearer("the-agents-own-tokem")),
            ("half of it", Visit::new("").bearer("the-agents")),
            ("more than it", Visit::new("").bearer(format!("{AGENT}s"))),
            ("as a key", Visit::new("").header("x-api-key", AGENT)),
            ("the cron secret as a key", Visit::new("").header("x-api-key", CRON)),
            ("as a cookie", Visit::new("").cookie("token", AGENT)),
        ] {
            let answer = visit.ask(&host_as_it_is, "/api/v1/config").await;
            assert_eq!(answer.status, 401, "{what}: {answer}");
        }
        for query in ["token", "secret", "cron_secret"] {
            host_as_it_is.get(&format!("/api/v1/config?{query}={CRON}")).await.expect(401);
        }
        let wider = host(&variables)
            .config("[auth]\nagent_token_scopes = [\"agent:write\", \"tables:write\", \"overview:read\"]");
        assert_eq!(reach(&wider.start().await, AGENT).await, [200, 403, 200]);
    });
}

#[test]
fn what_is_guarded_is_guarded_for_every_method() {
    run(async {
        let host = host(&[KEYS]).start().await;
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
            for path in ["/api/v1/hosts", "/api/v1/explorer/query", "/api/v1/tables/disks", "/api/v1/config"] {
                let method = Method::from_bytes(method.as_bytes()).expect("a method");
                let answer = Answer::of(host.request(method, path)).await;
                assert_eq!(answer.status, 401, "{answer}");
            }
        }
        // With a key the router says which methods there are.
        for (method, path, allowed) in [
            (Method::DELETE, "/api/v1/hosts", "GET, HEAD"),
            (Method::GET, "/api/v1/actions", "POST"),
            (Method::PATCH, "/api/v1/tables/disks", "GET, HEAD"),
        ] {
            let request = host.request(method, path).bearer_auth(keys::valid(SECRET));
            let answer = Answer::of(request).await.expect(405);
            assert_eq!(answer.header("allow"), allowed, "{answer}");
        }
        let request = host.request(Method::HEAD, "/api/v1/hosts").bearer_auth(keys::valid(SECRET));
        Answer::of(request).await.expect(200);
    });
}
