//! The auth role: session tokens and OAuth tokens of Clerk (contract §2.4, §2.8 and §5.2), against stand-ins for its instance and
//! its API.

use serde_json::{Value, json};

use crate::harness::{Answer, Host, HostBuilder, Receiver, Reply, Seen, Signer, Visit, run};
use crate::keys;

const PAGE: &str = "https://chm.example.org";
const SECRET: &str = "sk_test_hunter2";
const VERIFY: &str = "/oauth_applications/access_tokens/verify";

fn host() -> HostBuilder {
    Host::with_bundled().unhurried().env("CHM_AUTH_PROVIDER", "clerk").env("CHM_CLERK_AUTHORIZED_PARTIES", PAGE)
}

/// Clerk's word on a good token.
fn good() -> Value {
    json!({"object": "clerk_idp_oauth_access_token", "id": "oat_1", "client_id": "client_1", "subject": "user_7",
        "scopes": ["email", "profile"], "revoked": false, "revocation_reason": null, "expired": false,
        "expiration": 4_000_000_000_u64, "created_at": 1_700_000_000, "updated_at": 1_700_000_000})
}

fn but(field: &str, value: Value) -> Value {
    let mut answer = good();
    answer[field] = value;
    answer
}

/// Answers as Clerk's API does, by what the token says.
async fn clerk_api() -> Receiver {
    Receiver::start(|seen: &Seen, _| {
        if seen.path != VERIFY || seen.method != "POST" || seen.header("authorization") != format!("Bearer {SECRET}") {
            return Reply::status(401);
        }
        let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        let (status, answer) = match body["access_token"].as_str().unwrap_or_default() {
            "oat_good" => (200, good()),
            "oat_for_us" => (200, but("aud", format!("{PAGE}/api/mcp").into())),
            "oat_for_others" => (200, but("aud", "https://other.example.org/api/mcp".into())),
            "oat_revoked" => (200, but("revoked", true.into())),
            "oat_expired" => (200, but("expired", true.into())),
            "oat_ended" => (200, but("expiration", 1_700_000_000.into())),
            "oat_inactive" => (200, json!({"active": false})),
            "oat_of_nobody" => (200, but("subject", Value::Null)),
            "oat_nonsense" => (200, json!("yes")),
            "oat_elsewhere" => (302, good()),
            "oat_limited" => (429, good()),
            "oat_outage" => (503, good()),
            "oat_long_answer" => (200, but("padding", "x".repeat(2 << 20).into())),
            _ => (404, json!({"errors": [{"code": "resource_not_found"}]})),
        };
        Reply { body: answer.to_string(), ..Reply::status(status) }.header("location", "/elsewhere")
    })
    .await
}

/// An instance whose tokens nobody here has; OAuth tokens need none.
fn with_api(api: &Receiver) -> HostBuilder {
    host()
        .env("CLERK_SECRET_KEY", SECRET)
        .env("CLERK_API_URL", api.url())
        .env("CHM_CLERK_ISSUER", "https://clerk.invalid")
}

/// The person behind the good tokens.
fn ann() -> Value {
    json!({"subject": "user_7", "custom": {"oauth_client": "client_1", "oauth_scopes": "email profile"}})
}

fn with_instance(signer: &Signer) -> HostBuilder {
    host().env("CHM_CLERK_ISSUER", &format!("{}/", signer.url())).env("CLERK_SECRET_KEY", SECRET)
}

#[test]
fn a_session_token_signs_in_and_a_wrong_one_does_not() {
    run(async {
        let signer = Signer::start().await;
        let host = with_instance(&signer).start().await;
        let session = |azp: &str| json!({"sub": "user_7", "sid": "sess_1", "azp": azp, "sts": "active"});
        let good = signer.token(session(PAGE));
        let cookie = |what: &str, token: &str| Visit::new(what).cookie("__session", token);
        for visit in [
            Visit::new("nothing"),
            cookie("the cookie", &good).enters("user_7"),
            Visit::new("a bearer token").bearer(&good).enters("user_7"),
            Visit::new("another spelling of bearer")
                .header("authorization", format!("bEARER   {good}"))
                .enters("user_7"),
            cookie("a cookie among others", &format!("{good}; theme=dark")).enters("user_7"),
            Visit::new("a header of its own, as HTTP/2 sends cookies")
                .cookie("theme", "dark")
                .cookie("__session", &good)
                .enters("user_7"),
            Visit::new("a neighbour's cookie in another language")
                .cookie("name", format!("José; __session={good}"))
                .enters("user_7"),
            cookie("twice: the first counts", &format!("{good}; __session=e.y.j")).enters("user_7"),
            cookie("twice, and the first is bad", &format!("e.y.j; __session={good}")),
            Visit::new("another spelling").cookie("%5F_session", &good),
            cookie("in quotes", &format!("\"{good}\"")),
            cookie("a token that no page asked for", &signer.token(json!({"sub": "user_7"}))).enters("user_7"),
            cookie(
                "a token for somebody's API (`aud`)",
                &signer.token(json!({"sub": "user_7", "azp": PAGE, "aud": "x"})),
            )
            .enters("user_7"),
            cookie("another page", &signer.token(session("https://evil.example.org"))),
            cookie("our page without TLS", &signer.token(session("http://chm.example.org"))),
            cookie("a page that begins like ours", &signer.token(session("https://chm.example.org.evil.org"))),
            cookie("a pending session", &signer.token(json!({"sub": "user_7", "azp": PAGE, "sts": "pending"}))),
            cookie("nobody", &signer.token(json!({"azp": PAGE}))),
            cookie("an empty cookie", ""),
            cookie("a good cookie and a bad bearer token", &good).bearer("e.y.j"),
            cookie("a good cookie and Basic", &good).header("authorization", "Basic YTpi").enters("user_7"),
            Visit::new("another cookie").cookie("session", &good),
            Visit::new("a header").header("__session", &good),
            Visit::new("an API key").header("x-api-key", &good),
        ] {
            visit.to(&host, "clerk").await;
        }
        for (what, token) in signer.bad_tokens(&session(PAGE)) {
            Visit::new(format!("bearer: {what}")).bearer(&token).to(&host, "clerk").await;
            if !token.contains(',') {
                Visit::new(format!("cookie: {what}")).cookie("__session", &token).to(&host, "clerk").await;
            }
        }
        let asked = signer.asked();
        assert!(asked.iter().all(|path| path == "/.well-known/jwks.json"), "{asked:?}");
    });
}

#[test]
fn the_public_origin_is_the_authorised_party_where_no_other_is_named() {
    run(async {
        let signer = Signer::start().await;
        let token = |azp: &str| signer.token(json!({"sub": "user_7", "azp": azp}));
        let by_origin = with_instance(&signer).env("CHM_CLERK_AUTHORIZED_PARTIES", "").env("CHM_PUBLIC_ORIGIN", PAGE);
        let host = by_origin.start().await;
        Visit::new("our page").cookie("__session", token(PAGE)).enters("user_7").to(&host, "clerk").await;
        Visit::new("another").cookie("__session", token("https://x.example")).to(&host, "clerk").await;

        let host = with_instance(&signer).env("CHM_CLERK_AUTHORIZED_PARTIES", "").start().await;
        host.logged("signs no browser in: set CHM_PUBLIC_ORIGIN or CHM_CLERK_AUTHORIZED_PARTIES").await;
        Visit::new("no page is authorised").cookie("__session", token(PAGE)).to(&host, "clerk").await;
        Visit::new("nor is the host's own").cookie("__session", token(host.url())).to(&host, "clerk").await;
        host.logged("no origin is authorised: set authorized_parties").await;
    });
}

#[test]
fn without_the_secret_key_no_session_counts_unless_a_public_key_stands_in() {
    run(async {
        let signer = Signer::start().await;
        let good = signer.token(json!({"sub": "user_7", "azp": PAGE}));
        // As environment files have it, on one line.
        let pem = signer.public_key().replace('\n', "\\n");
        let networkless = host().env("CHM_CLERK_ISSUER", signer.url()).env("CLERK_JWT_KEY", &pem).start().await;
        Visit::new("a good cookie").cookie("__session", &good).enters("user_7").to(&networkless, "clerk").await;
        for (what, token) in signer.bad_tokens(&json!({"sub": "user_7", "azp": PAGE})) {
            Visit::new(what).bearer(&token).to(&networkless, "clerk").await;
        }
        assert!(signer.asked().is_empty(), "nothing is fetched: {:?}", signer.asked());

        let without = host().env("CHM_CLERK_ISSUER", signer.url()).start().await;
        Visit::new("a good cookie").cookie("__session", &good).to(&without, "clerk").await;
        without.logged("set secret_key (CLERK_SECRET_KEY), or public_key of [issuers.clerk] (CLERK_JWT_KEY)").await;
    });
}

#[test]
fn a_dead_instance_lets_nobody_in() {
    run(async {
        let signer = Signer::start().await;
        let good = signer.token(json!({"sub": "user_7", "azp": PAGE}));
        let builder = with_instance(&signer);
        drop(signer);
        let host = builder.start().await;
        Visit::new("a good cookie, and no keys to be had").cookie("__session", &good).to(&host, "clerk").await;
    });
}

#[test]
fn oauth_tokens_are_worth_what_clerks_api_says() {
    run(async {
        let api = clerk_api().await;
        let host = with_api(&api).start().await;
        for token in ["oat_good", "oat_for_us"] {
            Visit::new(token).bearer(token).enters_as(ann()).to(&host, "clerk").await;
        }
        for token in [
            "oat_for_others",
            "oat_revoked",
            "oat_expired",
            "oat_ended",
            "oat_inactive",
            "oat_of_nobody",
            "oat_nonsense",
            "oat_elsewhere",
            "oat_limited",
            "oat_long_answer",
            "oat_unknown",
            "oat_",
            // The last one: after an outage nobody is asked for a while.
            "oat_outage",
        ] {
            Visit::new(token).bearer(token).to(&host, "clerk").await;
        }
        Visit::new("a token in the cookie").cookie("__session", "oat_good").to(&host, "clerk").await;
        Visit::new("a token as an API key").header("x-api-key", "oat_good").to(&host, "clerk").await;
        Visit::new("a token of another scheme").header("authorization", "Basic oat_good").to(&host, "clerk").await;
        let elsewhere = api.seen().into_iter().find(|seen| seen.path != VERIFY);
        assert!(elsewhere.is_none(), "redirects are not followed: {elsewhere:?}");
        assert!(!host.stderr().contains("oat_good") && !host.stderr().contains("hunter2"), "secrets in the log");
    });
}

#[test]
fn clerk_is_asked_once_for_a_good_token_and_never_for_tokens_of_others() {
    run(async {
        let api = clerk_api().await;
        let host = with_api(&api).env("CHM_API_KEY_SECRET", "signs-for-this-claim").start().await;
        for _ in 0..3 {
            Visit::new("a good token").bearer("oat_good").enters_as(ann()).to(&host, "clerk").await;
        }
        assert_eq!(api.seen().len(), 1, "six requests");
        for token in [
            keys::valid("signs for another"),
            "a-secret-of-somebody".to_owned(),
            "eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned(),
            "oat_a.b.c".to_owned(),
            format!("oat_{}", "x".repeat(1000)),
            format!("oat_{}", "x".repeat(17 << 10)),
            "OAT_good".to_owned(),
        ] {
            Visit::new(&token).bearer(&token).to(&host, "clerk").await;
        }
        let visit = Visit::new("two tokens").bearer("oat_good").bearer("oat_good");
        visit.to(&host, "clerk").await;
        // The host knows this one, and nobody else should.
        let operator = Visit::new("the secret that signs keys").bearer("signs-for-this-claim");
        assert_ne!(operator.ask(&host, "/api/v1/hosts").await.status, 200);
        assert_eq!(api.seen().len(), 1, "what is no token of Clerk's was sent to Clerk");
    });
}

#[test]
fn an_api_that_is_down_lets_nobody_in_and_holds_nobody_up() {
    run(async {
        let api = clerk_api().await;
        let host = with_api(&api).start().await;
        drop(api);
        for _ in 0..2 {
            Visit::new("a good token, and nobody to ask").bearer("oat_good").to(&host, "clerk").await;
        }
        host.get("/healthz").await.expect(200);
        host.logged("Clerk's API cannot be reached").await;
    });
}

#[test]
fn a_clerk_that_is_not_set_up_signs_nobody_in_and_says_so() {
    run(async {
        let host = host().start().await;
        host.logged("the provider `clerk` signs nobody in: set CHM_CLERK_PUBLISHABLE_KEY").await;
        host.logged("the provider `clerk` signs nobody in: set CLERK_SECRET_KEY").await;
        Visit::new("nothing").to(&host, "clerk").await;
        Visit::new("a bearer token").bearer("oat_good").to(&host, "clerk").await;
        Visit::new("a cookie").cookie("__session", "e.y.j").to(&host, "clerk").await;
    });
}

#[test]
fn public_reading_needs_clerk_among_the_providers() {
    run(async {
        let readable = host().env("CHM_CLERK_PUBLIC_READ", "true").start().await;
        readable.get("/api/v1/hosts").await.expect(200);
        readable.query("SELECT 1").await.expect(401);
        // A page that is open to all is open to those whose session has ended, too.
        let visit = Visit::new("a cookie of nobody").cookie("__session", "e.y.j");
        assert_eq!(visit.ask(&readable, "/api/v1/hosts").await.status, 200);

        let closed = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "proxy")
            .env("CHM_PROXY_AUTH_SECRET", "s3cret")
            .env("CHM_CLERK_PUBLIC_READ", "true")
            .start()
            .await;
        closed.get("/api/v1/hosts").await.expect(401);
        closed.logged("CHM_CLERK_PUBLIC_READ means nothing here").await;
    });
}

#[test]
fn a_key_opens_what_clerk_guards() {
    run(async {
        let host = host().env("CHM_API_KEY_SECRET", "signs-for-this-claim").start().await;
        let with = |key: String| Answer::of(host.request(reqwest::Method::GET, "/api/v1/hosts").bearer_auth(key));
        with(keys::valid("signs-for-this-claim")).await.expect(200);
        with(keys::valid("signs for another")).await.expect(401);
    });
}
