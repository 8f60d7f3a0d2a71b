//! The auth role: bearer tokens of an OpenID Connect issuer, and providers in a chain.

use serde_json::{Value, json};

use crate::harness::{Host, HostBuilder, Signer, Visit, run};

fn host(signer: &Signer) -> HostBuilder {
    Host::with_bundled()
        .unhurried()
        .env("CHM_AUTH_PROVIDER", "oidc")
        .env("CHM_OIDC_ISSUER", signer.url())
        .env("CHM_OIDC_AUDIENCE", "chm,chm-cli")
}

fn ann() -> Value {
    json!({"aud": "chm", "sub": "ann"})
}

/// Ann's claims and more.
fn and(more: Value) -> Value {
    let mut claims = ann();
    for (name, value) in more.as_object().expect("claims") {
        claims[name.as_str()] = value.clone();
    }
    claims
}

#[test]
fn a_bearer_token_signs_in_and_a_wrong_one_does_not() {
    run(async {
        let signer = Signer::start().await;
        let host = host(&signer).start().await;
        let bearer = |what: &str, claims: Value| Visit::new(what).bearer(signer.token(claims));
        for visit in [
            Visit::new("nothing"),
            bearer("a subject", ann()).enters("ann"),
            bearer("the other audience", and(json!({"aud": ["x", "chm-cli"]}))).enters("ann"),
            bearer(
                "everything",
                and(json!({"email": "ann@x", "email_verified": true, "name": "Änn", "picture": "https://x/a.png",
                    "groups": ["sre", "Platform Team"]})),
            )
            .enters_as(json!({"subject": "ann", "name": "Änn", "email": "ann@x", "avatarUrl": "https://x/a.png",
                "roles": ["sre", "Platform Team"]})),
            bearer("an address that nobody verified", and(json!({"email": "boss@x", "email_verified": false})))
                .enters("ann"),
            bearer("another audience", and(json!({"aud": "other"}))),
            bearer("no audience", and(json!({"aud": null}))),
            bearer("nobody", and(json!({"sub": ""}))),
            bearer("a number as subject", and(json!({"sub": 7}))),
            Visit::new("another scheme").header("authorization", format!("Basic {}", signer.token(ann()))),
            Visit::new("the bare token").header("authorization", signer.token(ann())),
            Visit::new("two headers").bearer(signer.token(ann())).bearer(signer.token(ann())),
            Visit::new("a cookie").cookie("__session", signer.token(ann())),
            Visit::new("an opaque token").bearer("opaque"),
            Visit::new("not ASCII").header("authorization", "Bearer ÄÖÜ"),
        ] {
            visit.to(&host, "oidc").await;
        }
        for (what, token) in signer.bad_tokens(&ann()) {
            Visit::new(what).bearer(&token).to(&host, "oidc").await;
        }
        assert_eq!(signer.asked(), ["/.well-known/openid-configuration", "/keys"], "discovered once");
        assert!(!host.stderr().contains(&signer.token(ann())[..60]), "a token in the log");
    });
}

#[test]
fn roles_and_subjects_are_where_the_operator_says() {
    run(async {
        let signer = Signer::start().await;
        let host = host(&signer)
            .env("CHM_OIDC_JWKS_URL", &format!("{}/keys", signer.url()))
            .env("CHM_OIDC_ROLES_CLAIM", "realm_access.roles,https://example.org/roles")
            .env("CHM_OIDC_SUBJECT_CLAIM", "preferred_username")
            .env("CHM_OIDC_ALLOWED_GROUPS", "SRE,Platform Team")
            .start()
            .await;
        let as_ann = |roles: Value| json!({"subject": "ann.b", "roles": roles});
        let bearer = |what: &str, more: Value| {
            let mut claims = and(more);
            claims["preferred_username"] = "ann.b".into();
            Visit::new(what).bearer(signer.token(claims))
        };
        for visit in [
            bearer("as Keycloak has it", json!({"realm_access": {"roles": ["sre", "dev"]}}))
                .enters_as(as_ann(json!(["sre", "dev"]))),
            bearer("an address as a name", json!({"https://example.org/roles": ["platform team"]}))
                .enters_as(as_ann(json!(["platform team"]))),
            bearer("the wrong group", json!({"realm_access": {"roles": ["dev"]}})),
            bearer("a group in a claim that does not count", json!({"groups": ["sre"]})),
            bearer("no groups", json!({})),
            Visit::new("no name").bearer(signer.token(and(json!({"realm_access": {"roles": ["sre"]}})))),
        ] {
            visit.to(&host, "oidc").await;
        }
        assert_eq!(signer.asked(), ["/keys"]);
    });
}

#[test]
fn a_dead_issuer_lets_nobody_in() {
    run(async {
        let signer = Signer::start().await;
        let token = signer.token(ann());
        let builder = host(&signer);
        drop(signer);
        let host = builder.start().await;
        Visit::new("a good token, and no keys to be had").bearer(&token).to(&host, "oidc").await;
        host.get("/healthz").await.expect(200);
    });
}

#[test]
fn a_provider_without_an_issuer_stops_the_start() {
    run(async {
        let builder = Host::with_bundled().env("CHM_AUTH_PROVIDER", "oidc");
        let Err(ended) = builder.try_start().await else { panic!("started without an issuer") };
        assert!(ended.stderr.contains("set CHM_OIDC_ISSUER and CHM_OIDC_AUDIENCE"), "{}", ended.stderr);
    });
}

#[test]
fn providers_in_a_chain_are_asked_in_order_and_who_is_turned_away_is_turned_away() {
    run(async {
        const SECRET: &str = "between-proxy-and-host";
        const CHAIN: &str = "proxy,oidc,trusted";
        let signer = Signer::start().await;
        let stranger = Signer::start().await;
        let host = host(&signer)
            .env("CHM_AUTH_PROVIDER", CHAIN)
            .env("CHM_PROXY_AUTH_SECRET", SECRET)
            .env("CHM_TRUSTED_AUTH_SECRET", "another-secret")
            .env("CHM_TRUSTED_SHARED_SECRET_HEADER", "X-Gate")
            .env("CHM_TRUSTED_USER_HEADER", "X-Person")
            .start()
            .await;
        let token = signer.token(ann());
        let expired = signer.token(and(json!({"exp": 1})));
        let proxied = |what: &str, secret: &str| {
            Visit::new(what).header("x-chm-proxy-secret", secret).header("x-forwarded-user", "bob")
        };
        let trusted = |visit: Visit| visit.header("x-gate", "another-secret").header("x-person", "cleo");
        proxied("the first", SECRET).enters("bob").to(&host, CHAIN).await;
        Visit::new("the second").bearer(&token).enters("ann").to(&host, CHAIN).await;
        trusted(Visit::new("the third")).enters("cleo").to(&host, CHAIN).await;
        proxied("the first of two", SECRET).bearer(&token).enters("bob").to(&host, CHAIN).await;
        trusted(Visit::new("a token of somebody else's is left to others").bearer(stranger.token(ann())))
            .enters("cleo")
            .to(&host, CHAIN)
            .await;
        proxied("turned away by the first", "guess").bearer(&token).to(&host, CHAIN).await;
        trusted(Visit::new("turned away by the second").bearer(&expired)).to(&host, CHAIN).await;
        Visit::new("nothing").to(&host, CHAIN).await;
    });
}
