//! The auth role: Cloudflare Access, or a header of a reverse proxy that knows a secret (contract §2.5 and §2.8).

use serde_json::json;

use crate::harness::{Host, HostBuilder, Signer, Visit, now, run};

const SECRET: &str = "between-proxy-and-host";
const PROOF: &str = "x-chm-proxy-secret";
const USER: &str = "x-forwarded-user";

fn host() -> HostBuilder {
    Host::with_bundled().unhurried().env("CHM_AUTH_PROVIDER", "proxy")
}

/// A visit of somebody by way of the proxy.
fn ann(what: &str) -> Visit {
    Visit::new(what).header(PROOF, SECRET).header(USER, "ann@example.org")
}

/// Variables of a host, and visits to it.
type Situation = (&'static [(&'static str, &'static str)], Vec<Visit>);

fn situations() -> Vec<Situation> {
    const SET: (&str, &str) = ("CHM_PROXY_AUTH_SECRET", SECRET);
    let direct = |what: &str| Visit::new(what).header(USER, "ann@example.org");
    vec![
        (
            &[],
            vec![
                ann("no secret is set: a user and any secret"),
                direct("no secret is set: a user"),
                Visit::new("nothing"),
            ],
        ),
        (
            &[SET],
            vec![
                ann("the right secret and a user").enters("ann@example.org"),
                direct("a user alone"),
                direct("a wrong secret").header(PROOF, "between-proxy-and-hosT"),
                direct("the beginning of the secret").header(PROOF, "between"),
                direct("an empty secret").header(PROOF, ""),
                ann("the secret twice").header(PROOF, SECRET),
                direct("the secret as a bearer token").bearer(SECRET),
                Visit::new("a secret without a user").header(PROOF, SECRET),
                Visit::new("an empty user").header(PROOF, SECRET).header(USER, ""),
                Visit::new("an oversized user").header(PROOF, SECRET).header(USER, "a".repeat(17 << 10)),
                direct("an oversized secret").header(PROOF, SECRET.repeat(1000)),
                ann("a user twice, as HTTP joins them").header(USER, "bob").enters("ann@example.org, bob"),
                Visit::new("UTF-8").header(PROOF, SECRET).header(USER, "Änn 李").enters("Änn 李"),
                Visit::new("ISO-8859-1").header(PROOF, SECRET).header(USER, b"\xc4nn").enters("Änn"),
                ann("groups say nothing here").header("x-forwarded-groups", "sre").enters("ann@example.org"),
                Visit::new("Cloudflare's header, where Cloudflare is not configured")
                    .header("cf-access-jwt-assertion", "e.y.j"),
            ],
        ),
        (
            &[SET, ("CHM_PROXY_SHARED_SECRET_HEADER", "X-Gate"), ("CHM_PROXY_AUTH_HEADER", "X-Auth-Request-User")],
            vec![
                Visit::new("other headers").header("x-gate", SECRET).header("x-auth-request-user", "ann").enters("ann"),
                ann("the old names, where others are configured"),
            ],
        ),
        (
            // Blank is unset, whatever it is (weaknesses A18).
            &[
                SET,
                ("CHM_PROXY_SHARED_SECRET_HEADER", ""),
                ("CHM_PROXY_AUTH_HEADER", " "),
                ("CHM_CF_ACCESS_TEAM_DOMAIN", ""),
                ("CHM_CF_ACCESS_AUD", ""),
            ],
            vec![ann("the default names hold").enters("ann@example.org"), direct("a user alone, by default names")],
        ),
    ]
}

#[test]
fn the_trusted_header_decides_as_the_contracts_table_says() {
    run(async {
        for (variables, visits) in situations() {
            let mut builder = host();
            for (name, value) in variables {
                builder = builder.env(name, value);
            }
            let host = builder.start().await;
            for visit in visits {
                visit.to(&host, "proxy").await;
            }
        }
    });
}

#[test]
fn half_of_cloudflare_access_stops_the_start_and_names_the_other_half() {
    run(async {
        for (name, value, missing) in [
            ("CHM_CF_ACCESS_TEAM_DOMAIN", "https://acme.cloudflareaccess.com", "CHM_CF_ACCESS_AUD"),
            ("CHM_CF_ACCESS_AUD", "tag", "CHM_CF_ACCESS_TEAM_DOMAIN"),
        ] {
            let Err(ended) = host().env(name, value).try_start().await else { panic!("started with {name} alone") };
            assert!(ended.stderr.contains(missing), "{}", ended.stderr);
        }
    });
}

const TOKEN: &str = "cf-access-jwt-assertion";

/// A visit by way of Cloudflare Access.
fn through(what: impl Into<String>, token: &str) -> Visit {
    Visit::new(what).header(TOKEN, token)
}

fn with_cloudflare(signer: &Signer) -> HostBuilder {
    host().env("CHM_CF_ACCESS_TEAM_DOMAIN", &format!("{}/", signer.url())).env("CHM_CF_ACCESS_AUD", "app-1,app-2")
}

#[test]
fn a_token_of_cloudflare_access_signs_in_and_a_wrong_one_does_not() {
    run(async {
        let signer = Signer::start().await;
        let host = with_cloudflare(&signer).start().await;
        let ann = json!({"aud": ["app-1"], "email": "ann@x", "sub": "7"});
        let by_email = json!({"subject": "ann@x", "email": "ann@x"});
        let token = |claims| signer.token(claims);
        for visit in [
            through("a person", &token(ann.clone())).enters_as(by_email.clone()),
            through("the other audience, as a text", &token(json!({"aud": "app-2", "sub": "7"}))).enters("7"),
            through("one audience of several", &token(json!({"aud": ["x", "app-2"], "sub": "7"}))).enters("7"),
            through("a service", &token(json!({"aud": ["app-1"], "sub": "", "common_name": "robot.access"})))
                .enters("robot.access"),
            through(
                "a clock that is half a minute late",
                &token(json!({"aud": "app-1", "sub": "7", "exp": now() - 30})),
            )
            .enters("7"),
            through("nobody", &token(json!({"aud": ["app-1"]}))),
            through("another audience", &token(json!({"aud": ["app-3"], "sub": "7"}))),
            through("no audience", &token(json!({"sub": "7"}))),
            Visit::new("nothing"),
            Visit::new("an empty token").header(TOKEN, ""),
            Visit::new("the cookie, which is off").cookie("CF_Authorization", token(ann.clone())),
            Visit::new("the token as a bearer").bearer(token(ann.clone())),
            through("the token in two headers", &token(ann.clone())).header(TOKEN, token(ann.clone())),
            Visit::new("a user without Cloudflare").header(USER, "ann"),
        ] {
            visit.to(&host, "proxy").await;
        }
        for (what, token) in signer.bad_tokens(&ann) {
            through(what, &token).to(&host, "proxy").await;
        }
        let asked = signer.asked();
        assert!(asked.iter().all(|path| path == "/cdn-cgi/access/certs"), "{asked:?}");
    });
}

#[test]
fn the_cookie_of_cloudflare_access_counts_where_it_is_enabled() {
    run(async {
        let signer = Signer::start().await;
        let host = with_cloudflare(&signer).env("CHM_CF_ACCESS_COOKIE", "true").start().await;
        let ann = json!({"aud": ["app-1"], "sub": "ann"});
        let good = signer.token(ann.clone());
        Visit::new("the cookie").cookie("CF_Authorization", &good).enters("ann").to(&host, "proxy").await;
        let both = through("both", &signer.token(json!({"aud": "app-1", "sub": "bob"})));
        both.cookie("CF_Authorization", &good).enters("bob").to(&host, "proxy").await;
        Visit::new("another spelling").cookie("cf_authorization", &good).to(&host, "proxy").await;
        through("a bad header and a good cookie", "e.y.j").cookie("CF_Authorization", &good).to(&host, "proxy").await;
        for (what, token) in signer.bad_tokens(&ann).into_iter().filter(|(_, token)| !token.contains(',')) {
            Visit::new(what).cookie("CF_Authorization", token).to(&host, "proxy").await;
        }
    });
}

#[test]
fn either_way_in_is_enough_and_a_dead_cloudflare_leaves_the_other_open() {
    run(async {
        let signer = Signer::start().await;
        let host = with_cloudflare(&signer).env("CHM_PROXY_AUTH_SECRET", SECRET).start().await;
        let good = signer.token(json!({"aud": "app-1", "sub": "7"}));
        through("a token", &good).enters("7").to(&host, "proxy").await;
        ann("a trusted header").enters("ann@example.org").to(&host, "proxy").await;
        ann("a trusted header and a bad token")
            .header(TOKEN, "e.y.j")
            .enters("ann@example.org")
            .to(&host, "proxy")
            .await;
        through("a bad token and a wrong secret", "e.y.j")
            .header(PROOF, "x")
            .header(USER, "ann")
            .to(&host, "proxy")
            .await;
        through("a good token and a wrong secret", &good).header(PROOF, "x").enters("7").to(&host, "proxy").await;

        let gone = Signer::start().await;
        let good = gone.token(json!({"aud": "app-1", "sub": "7"}));
        let builder =
            with_cloudflare(&gone).env("CHM_PROXY_AUTH_SECRET", SECRET).env("CHM_FAILED_SIGN_INS_PER_MIN", "5");
        let others: Vec<_> = (0..10).map(|id| gone.token(json!({"aud": "app-1", "sub": id.to_string()}))).collect();
        drop(gone);
        let host = builder.start().await;
        through("a token, and no keys to be had", &good).to(&host, "proxy").await;
        for token in &others {
            through("somebody else's, who guesses at nothing either", token).to(&host, "proxy").await;
        }
        ann("a trusted header and that token").header(TOKEN, &good).enters("ann@example.org").to(&host, "proxy").await;
    });
}
