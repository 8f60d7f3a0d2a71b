//! The contract's table of outcomes (§2.8), whole, and what §1 to §4 refuse: credentials in other places, spellings and numbers.
//! What one provider or the keys refuse of their own is claimed beside them.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Host, HostBuilder, Visit, run};
use crate::keys::{self, mint};

/// The one that the contract's vectors are signed with.
const SECRET: &str = "test-secret-please-change";
const KEYS: (&str, &str) = ("CHM_API_KEY_SECRET", SECRET);
const PROXY_SECRET: &str = "between-proxy-and-host";
const PROOF: (&str, &str) = ("x-chm-proxy-secret", PROXY_SECRET);
const USER: (&str, &str) = ("x-forwarded-user", "ann");
/// An end that no run of these tests sees.
const FAR: u64 = 4_000_000_000;

/// Variables of a host, visits to it, and the status of each.
type Situation = (&'static [(&'static str, &'static str)], Vec<(Visit, u16)>);

fn host(variables: &[(&str, &str)]) -> HostBuilder {
    variables.iter().fold(Host::with_bundled().unhurried(), |host, (name, value)| host.env(name, value))
}

fn visit(what: &str, headers: &[(&'static str, &str)]) -> Visit {
    headers.iter().fold(Visit::new(what), |visit, (name, value)| visit.header(name, value))
}

fn key(payload: &Value) -> String {
    mint(SECRET, payload)
}

/// A key of somebody, as the peer makes them.
fn key_of(subject: &str) -> String {
    key(&json!({"sub": subject, "iat": 1_700_000_000, "exp": FAR}))
}

/// Signs any bytes as a payload, in any alphabet.
fn signed(payload: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(payload.as_bytes());
    format!("chm_{payload}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn the_table() -> Vec<Situation> {
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

#[test]
fn the_contracts_table_of_outcomes_holds() {
    run(async {
        for (variables, visits) in the_table() {
            let host = host(variables).start().await;
            for (visit, status) in visits {
                let answer = visit.ask(&host, "/api/v1/hosts").await;
                assert_eq!(answer.status, status, "{variables:?}, {}: {answer}", visit.what());
                if status == 401 {
                    assert_eq!(answer.json(), json!({"error": "Authentication required"}), "{}", visit.what());
                }
            }
        }
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

/// Keys in every place and spelling that a request has room for, and whom they let in.
fn places() -> Vec<(Visit, Option<&'static str>)> {
    let (cli, bot) = (key_of("cli"), key_of("bot"));
    let wrong = mint("another-secret", &json!({"sub": "cli", "exp": FAR}));
    let raw = |what: &str, value: &str| Visit::new(what).header("authorization", value);
    let (front, back) = cli.split_at(20);
    let mut visits = vec![
        // §1.4
        (raw("as the contract writes it", &format!("Bearer {cli}")), Some("cli")),
        (raw("small letters", &format!("bearer {cli}")), Some("cli")),
        (raw("capitals, blanks and tabs", &format!("BEARER \t  {cli}")), Some("cli")),
        (raw("blanks behind it", &format!("Bearer {cli}  ")), Some("cli")),
        (raw("no scheme", &cli), None),
        (raw("no blank behind the scheme", &format!("Bearer{cli}")), None),
        (raw("another scheme", &format!("Basic {cli}")), None),
        (raw("a colon behind the scheme", &format!("Bearer: {cli}")), None),
        (raw("two schemes", &format!("Bearer Bearer {cli}")), None),
        (raw("a blank inside the key", &format!("Bearer {front} {back}")), None),
        (raw("in quotes", &format!("Bearer \"{cli}\"")), None),
        (raw("a comma behind it", &format!("Bearer {cli},")), None),
        (raw("the scheme alone", "Bearer"), None),
        (raw("the scheme and blanks", "Bearer   "), None),
        (raw("an empty value", ""), None),
        (raw("a prefix in capitals", &format!("Bearer {}", cli.replace("chm_", "CHM_"))), None),
        (raw("no prefix", &format!("Bearer {}", cli.trim_start_matches("chm_"))), None),
        (raw("the prefix alone", "Bearer chm_"), None),
        (raw("the prefix and a dot", "Bearer chm_."), None),
        (Visit::new("letters that are no ASCII").header("authorization", format!("Bearer {cli}ä")), None),
        (
            Visit::new("bytes that are no text")
                .header("authorization", [b"Bearer chm_\xff\xfe.", cli.as_bytes()].concat()),
            None,
        ),
        // Twice is one value, joined; that is no key.
        (Visit::new("the same header twice").bearer(&cli).bearer(&cli), None),
        (Visit::new("twice, the first of them good").bearer(&cli).bearer(&wrong), None),
        (Visit::new("its own header twice").header("x-api-key", &cli).header("x-api-key", &cli), None),
        // Its own header, and which of two counts.
        (Visit::new("its own header").header("x-api-key", &cli), Some("cli")),
        (Visit::new("its own header, empty").header("x-api-key", ""), None),
        (Visit::new("its own header, with a scheme").header("x-api-key", format!("Bearer {cli}")), None),
        (Visit::new("both are good: its own header counts").header("x-api-key", &bot).bearer(&cli), Some("bot")),
        (Visit::new("a wrong key does not stop a good one").header("x-api-key", &wrong).bearer(&cli), Some("cli")),
        (Visit::new("nor behind it").header("x-api-key", &bot).bearer(&wrong), Some("bot")),
        (Visit::new("a foreign token in its own header").header("x-api-key", "e.y.j").bearer(&cli), Some("cli")),
        (Visit::new("two wrong ones").header("x-api-key", &wrong).bearer(&wrong), None),
        // Everywhere else.
        (Visit::new("a cookie").cookie("__session", &cli), None),
        (Visit::new("Cloudflare's cookie").cookie("CF_Authorization", &cli), None),
        (Visit::new("a cookie of the header's name").cookie("authorization", format!("Bearer {cli}")), None),
        (Visit::new("the proxy's header").header("x-forwarded-authorization", format!("Bearer {cli}")), None),
        (Visit::new("for a proxy").header("proxy-authorization", format!("Bearer {cli}")), None),
        (Visit::new("Cloudflare's header").header("cf-access-jwt-assertion", &cli), None),
        // Headers of providers that nobody chose.
        (visit("a user", &[USER]), None),
        (visit("a user with the key secret", &[USER, ("x-chm-proxy-secret", SECRET)]), None),
    ];
    for (what, length) in [("more than a key may be", 5 << 10), ("more than a credential may be", 17 << 10)] {
        let long = key(&json!({"sub": "cli", "exp": FAR, "scopes": ["*:write"], "filler": "f".repeat(length)}));
        visits.push((Visit::new(what).bearer(&long), None));
        visits.push((Visit::new(what).header("x-api-key", &long), None));
    }
    visits
}

#[test]
fn a_key_counts_in_its_two_places_and_in_one_spelling() {
    run(async {
        let host = host(&[KEYS]).start().await;
        for (visit, subject) in places() {
            claim(&host, &visit, subject).await;
        }
        for query in [
            "authorization=Bearer%20KEY",
            "api_key=KEY",
            "apiKey=KEY",
            "x-api-key=KEY",
            "access_token=KEY",
            "token=KEY",
        ] {
            let query = query.replace("KEY", &key_of("cli"));
            host.get(&format!("/api/v1/tables?{query}")).await.expect(401);
        }
        // More than the server reads of any header: refused by whoever notices first, and nobody gets in.
        let huge = Visit::new("more than a request's head may be").bearer(format!("chm_{}", "a".repeat(70 << 10)));
        let answer = huge.ask(&host, "/api/v1/hosts").await;
        assert!([401, 431].contains(&answer.status), "{answer}");
        host.get("/healthz").await.expect(200);
    });
}

/// Claims who the host takes a visitor for.
async fn claim(host: &Host, visit: &Visit, subject: Option<&str>) {
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
fn of_the_contracts_vectors_the_first_needs_a_time_and_the_second_is_no_key() {
    run(async {
        const FIRST: &str = "chm_eyJzdWIiOiJjbGkiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMjU5MjAwMH0.Gc7klmBreYRNq6UTC40AebBOqYc2NG9ouv2SyKFg6M8";
        const SECOND: &str = "chm_eyJzdWIiOiJuby1leHAifQ.8wtJCFP7iUPsQUTaOPIFZNDmIiBp64fIK67hHLuHw6E";
        // What signs here is what signed them.
        assert_eq!(signed(&BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"cli","iat":1700000000,"exp":1702592000}"#)), FIRST);
        assert_eq!(signed(&BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"no-exp"}"#)), SECOND);
        let encoded = |payload: &str| BASE64_URL_SAFE_NO_PAD.encode(payload);
        let payload = format!(r#"{{"sub":"cli","iat":1700000000,"exp":{FAR}}}"#);
        let in_time = signed(&encoded(&payload));
        let (body, signature) = in_time.split_once('.').expect("two parts");
        let other_alphabet = encoded(r#"{"sub":"cli?>?>","exp":4000000000}"#);
        assert!(other_alphabet.contains(['-', '_']), "{other_alphabet}");
        let host = host(&[KEYS]).start().await;
        for (what, token, subject) in [
            ("the first, as it is", FIRST.to_owned(), None),
            ("the first, with a time to come", in_time.clone(), Some("cli")),
            ("the second", SECOND.to_owned(), None),
            ("a third part", format!("{in_time}.{signature}"), None),
            ("a dot at the end", format!("{in_time}."), None),
            ("no signature", format!("{body}."), None),
            ("a signature cut short", in_time[..in_time.len() - 2].to_owned(), None),
            ("padding", format!("{in_time}="), None),
            (
                "a signature in the other alphabet",
                format!("{body}.{}", signature.replace('-', "+").replace('_', "/") + "+/"),
                None,
            ),
            ("a payload with padding, rightly signed", signed(&BASE64_URL_SAFE.encode(&payload)), None),
            (
                "a payload in the other alphabet, rightly signed",
                signed(&BASE64_STANDARD.encode(r#"{"sub":"cli?>?>","exp":4000000000}"#)),
                None,
            ),
            ("the same in the right one", signed(&other_alphabet), Some("cli?>?>")),
            ("the first's signature under another payload", format!("{body}.{}", &FIRST[FIRST.len() - 43..]), None),
            ("an end that is a text", signed(&encoded(r#"{"sub":"cli","exp":"4000000000"}"#)), None),
            ("an end with a fraction", signed(&encoded(r#"{"sub":"cli","exp":4000000000.5}"#)), None),
            ("an end that is nothing", signed(&encoded(r#"{"sub":"cli","exp":null}"#)), None),
            ("an end before the epoch", signed(&encoded(r#"{"sub":"cli","exp":-1}"#)), None),
            ("an end too large to count", signed(&encoded(r#"{"sub":"cli","exp":99999999999999999999}"#)), None),
            ("two ends", signed(&encoded(r#"{"sub":"cli","exp":1,"exp":4000000000}"#)), None),
            ("no subject", signed(&encoded(r#"{"exp":4000000000}"#)), None),
            ("a blank subject", signed(&encoded(r#"{"sub":" ","exp":4000000000}"#)), None),
            ("a subject that is a number", signed(&encoded(r#"{"sub":1,"exp":4000000000}"#)), None),
            ("a list", signed(&encoded(r#"["cli",4000000000]"#)), None),
            ("no JSON", signed(&encoded("cli")), None),
            ("scopes that are a text", signed(&encoded(r#"{"sub":"cli","exp":4000000000,"scopes":"*:write"}"#)), None),
        ] {
            claim(&host, &Visit::new(what).bearer(&token), subject).await;
        }
    });
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
        // A key is nobody's secret twice over: what is asked with it is asked for with the same gate.
        let request = host.request(Method::HEAD, "/api/v1/hosts").bearer_auth(keys::valid(SECRET));
        assert_ne!(Answer::of(request).await.status, 401);
    });
}
