//! Tokens of an issuer: real keys over real HTTP, an issuer that changes its keys, falls ill or lies, and tokens that try tricks.
//! Whatever happens, nobody enters who should not, and nobody else waits.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{Answer, Health, Host, HostBuilder, Issuer, SigningKey, Visit, eventually, now, run};
use crate::keys;

const AUDIENCE: &str = "chm";
const KEY_SECRET: &str = "a-secret-that-signs-keys";
/// Far longer than anything here takes, for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A host whose only provider is this issuer; keys of its own work besides.
fn host(issuer: &Issuer) -> HostBuilder {
    Host::with_bundled()
        .unhurried()
        .env("CHM_AUTH_PROVIDER", "oidc")
        .env("CHM_OIDC_ISSUER", issuer.url())
        .env("CHM_OIDC_AUDIENCE", AUDIENCE)
        .env("CHM_API_KEY_SECRET", KEY_SECRET)
}

async fn status(host: &Host, token: &str) -> u16 {
    Visit::new("a token").bearer(token).ask(host, "/api/v1/hosts").await.status
}

/// Waits until a token lets its bearer in: the issuer's keys arrive in their own time.
async fn becomes_good(host: &Host, token: &str) {
    eventually("the token is good", PATIENCE, async || status(host, token).await == 200).await;
}

#[test]
fn a_signed_token_enters_and_no_other_does() {
    run(async {
        let (rsa, ec) = (SigningKey::rsa("rsa"), SigningKey::ec("ec"));
        let (stranger, weak) = (SigningKey::other_rsa("rsa"), SigningKey::weak_rsa("weak"));
        let issuer = Issuer::start(&[&rsa, &ec, &weak]).await;
        let host = host(&issuer).start().await;
        let claims = issuer.claims(AUDIENCE, "ann");
        becomes_good(&host, &rsa.token(&claims)).await;
        let with = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            claims
        };
        let without = |name: &str| {
            let mut claims = claims.clone();
            claims.as_object_mut().expect("an object").remove(name);
            claims
        };
        let good = rsa.token(&claims);
        let [header, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
        let forged = |header: Value, signature: &str| {
            format!("{}.{body}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(header.to_string()))
        };
        let hs256 = |secret: &str| {
            use hmac::{Hmac, KeyInit, Mac};
            let message = forged(json!({"alg": "HS256", "kid": "rsa"}), "");
            let message = message.trim_end_matches('.');
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
            mac.update(message.as_bytes());
            format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
        };
        let visit = |what: &str, token: String| Visit::new(what).bearer(token);
        let mut visits = vec![
            visit("RSA", good.clone()).enters("ann"),
            visit("EC", ec.token(&claims)).enters("ann"),
            visit("without kid", rsa.token_with(&json!({"alg": "RS256"}), &claims)).enters("ann"),
            visit("for several, us among them", rsa.token(&with("aud", json!(["x", AUDIENCE])))).enters("ann"),
            visit("over for half a minute", rsa.token(&with("exp", json!(now() - 30)))).enters("ann"),
            visit("begins in half a minute", rsa.token(&with("nbf", json!(now() + 30)))).enters("ann"),
            visit("for another", rsa.token(&with("aud", json!("other")))),
            visit("for nobody", rsa.token(&without("aud"))),
            visit("of another issuer", rsa.token(&with("iss", json!("https://evil.example")))),
            visit("of several issuers", rsa.token(&with("iss", json!([issuer.url()])))),
            visit("of no issuer", rsa.token(&without("iss"))),
            visit("over", rsa.token(&with("exp", json!(now() - 120)))),
            visit("never over", rsa.token(&without("exp"))),
            visit("over before time began", rsa.token(&with("exp", json!(-1)))),
            visit("over at a time beyond numbers", rsa.token(&with("exp", json!(1e300)))),
            visit("not yet", rsa.token(&with("nbf", json!(now() + 120)))),
            visit("a stranger's key under a known id", stranger.token(&claims)),
            visit("a stranger's key, no id", stranger.token_with(&json!({"alg": "RS256"}), &claims)),
            visit("a key too weak", weak.token(&claims)),
            visit("ES256 with an RSA key's id", ec.token_with(&json!({"alg": "ES256", "kid": "rsa"}), &claims)),
            visit("RS256 with an EC key's id", rsa.token_with(&json!({"alg": "RS256", "kid": "ec"}), &claims)),
            visit("RS512", forged(json!({"alg": "RS512", "kid": "rsa"}), signature)),
            visit("PS256", forged(json!({"alg": "PS256", "kid": "rsa"}), signature)),
            visit("HS256 with the public key", hs256(SigningKey::rsa_public_pem())),
            visit("HS256 with the key set's entry", hs256(&rsa.public().to_string())),
            visit("HS256 with nothing", hs256("")),
            visit("no signature", format!("{header}.{body}.")),
            visit(
                "another body",
                format!(
                    "{header}.{}.{signature}",
                    BASE64_URL_SAFE_NO_PAD.encode(with("sub", json!("root")).to_string())
                ),
            ),
            visit("two parts", format!("{header}.{body}")),
            visit("four parts", format!("{good}.x")),
            visit("twice", format!("{good}, Bearer {good}")),
            visit("oversized", rsa.token(&with("x", json!("x".repeat(20_000))))),
            Visit::new("in another header").header("x-token", &good),
            Visit::new("without its scheme").header("authorization", &good),
            Visit::new("as a cookie").cookie("token", &good),
            Visit::new("nothing"),
        ];
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            for signature in ["", signature] {
                visits.push(visit(&format!("alg {alg:?}"), forged(json!({"alg": alg, "kid": "rsa"}), signature)));
            }
        }
        for visit in visits {
            visit.to(&host, "oidc").await;
        }
    });
}

#[test]
fn nothing_in_a_token_chooses_where_keys_come_from() {
    run(async {
        let (rsa, stranger) = (SigningKey::rsa("rsa"), SigningKey::other_rsa("rsa"));
        let (issuer, elsewhere) = (Issuer::start(&[&rsa]).await, Issuer::start(&[&stranger]).await);
        let host = host(&issuer).start().await;
        let claims = issuer.claims(AUDIENCE, "ann");
        becomes_good(&host, &rsa.token(&claims)).await;
        let mut headers = vec![
            json!({"jwk": stranger.public()}),
            json!({"kid": "rsa", "jwk": stranger.public()}),
            json!({"kid": "rsa", "jku": elsewhere.keys_url()}),
            json!({"kid": "rsa", "x5u": elsewhere.keys_url()}),
            json!({"kid": "rsa", "x5c": ["MIIB"]}),
            json!({"kid": "rsa", "crit": ["exp"]}),
            json!({"kid": 7}),
            json!({"kid": null}),
            json!({"kid": "k".repeat(6000)}),
        ];
        for kid in
            ["../../../../etc/passwd", "/dev/null", "../keys", "?", "#", "rsa\0", "' OR '1'='1", "%2e%2e/", "RSA", ""]
        {
            headers.push(json!({ "kid": kid }));
        }
        headers.push(json!({"kid": elsewhere.keys_url()}));
        for mut header in headers {
            header["alg"] = json!("RS256");
            assert_eq!(status(&host, &stranger.token_with(&header, &claims)).await, 401, "{header}");
        }
        assert_eq!(elsewhere.paths(), Vec::<String>::new());
        let known = ["/.well-known/openid-configuration", "/keys"];
        assert!(issuer.paths().iter().all(|path| known.contains(&path.as_str())), "{:?}", issuer.paths());
        assert!(issuer.fetches() <= 2, "invented ids made the host ask {} times", issuer.fetches());
        assert_eq!(status(&host, &rsa.token(&claims)).await, 200);
    });
}

#[test]
fn a_new_key_is_taken_up_and_an_old_one_forgotten_while_the_host_runs() {
    run(async {
        let (old, new) = (SigningKey::rsa("2025"), SigningKey::ec("2026"));
        let issuer = Issuer::start(&[&old]).await;
        let host = host(&issuer).start().await;
        let claims = issuer.claims(AUDIENCE, "ann");
        becomes_good(&host, &old.token(&claims)).await;
        assert_eq!(status(&host, &new.token(&claims)).await, 401, "not published yet");
        let asked = issuer.fetches();
        issuer.publish(&[&old, &new]);
        // That one made the host ask; it does not ask again for half a minute, whoever shows up with what.
        for _ in 0..20 {
            assert_eq!(status(&host, &new.token(&claims)).await, 401);
        }
        assert_eq!(issuer.fetches(), asked);
        drop(host);

        issuer.publish(&[&old]);
        let host = self::host(&issuer).start().await;
        becomes_good(&host, &old.token(&claims)).await;
        issuer.publish(&[&new]);
        becomes_good(&host, &new.token(&claims)).await;
        assert_eq!(status(&host, &old.token(&claims)).await, 401, "withdrawn");
    });
}

/// What a claim about a sick issuer needs: a host that knows its keys, and one of the host's own keys.
struct Ward {
    issuer: Issuer,
    host: Host,
    known: String,
    unknown: String,
    key: String,
}

impl Ward {
    async fn new(health: Health) -> Self {
        let (rsa, stranger) = (SigningKey::rsa("rsa"), SigningKey::other_rsa("new"));
        let issuer = Issuer::start(&[&rsa]).await;
        let host = host(&issuer).start().await;
        let claims = issuer.claims(AUDIENCE, "ann");
        let (known, unknown) = (rsa.token(&claims), stranger.token(&claims));
        becomes_good(&host, &known).await;
        issuer.is(health);
        Self { issuer, host, known, unknown, key: keys::valid(KEY_SECRET) }
    }

    /// Who signs in by what needs no issuer now.
    async fn others_enter(&self) {
        assert_eq!(status(&self.host, &self.known).await, 200, "a token whose key is known");
        assert_eq!(status(&self.host, &self.key).await, 200, "a key of the host's own");
    }
}

#[test]
fn a_dead_issuer_shuts_out_only_whom_nobody_knows() {
    run(async {
        for health in [Health::HangsUp, Health::Gone, Health::Failing, Health::Redirects] {
            let ward = Ward::new(health).await;
            let before = ward.issuer.fetches();
            for _ in 0..20 {
                assert_eq!(status(&ward.host, &ward.unknown).await, 401, "{health:?}");
                ward.others_enter().await;
            }
            let asked = ward.issuer.fetches() - before;
            assert!(asked <= 2, "{health:?}: a dead issuer was asked {asked} times");
            assert!(!ward.issuer.paths().contains(&"/elsewhere".to_owned()), "redirects are not followed");
        }
    });
}

#[test]
fn a_host_whose_issuer_is_dead_from_the_start_runs_and_lets_nobody_in_by_it() {
    run(async {
        let rsa = SigningKey::rsa("rsa");
        let issuer = Issuer::start(&[&rsa]).await;
        issuer.is(Health::HangsUp);
        let host = host(&issuer).start().await;
        let token = rsa.token(&issuer.claims(AUDIENCE, "ann"));
        for _ in 0..10 {
            assert_eq!(status(&host, &token).await, 401);
        }
        assert_eq!(status(&host, &keys::valid(KEY_SECRET)).await, 200);
        host.logged("keys cannot be fetched").await;
        issuer.is(Health::Well);
        becomes_good(&host, &token).await;
    });
}

#[test]
fn a_slow_issuer_delays_nobody_else() {
    run(async {
        let ward = Ward::new(Health::Hanging).await;
        // Many at once that only the issuer could vouch for, again and again.
        let crowd = async {
            loop {
                let waiting = (0..40).map(|_| status(&ward.host, &ward.unknown));
                for outcome in futures::future::join_all(waiting).await {
                    assert_eq!(outcome, 401);
                }
            }
        };
        let others = async {
            let mut slowest = Duration::ZERO;
            for _ in 0..50 {
                let began = Instant::now();
                ward.others_enter().await;
                slowest = slowest.max(began.elapsed());
            }
            slowest
        };
        let slowest = tokio::select! {
            () = crowd => unreachable!("it goes on for ever"),
            slowest = others => slowest,
        };
        // The issuer would keep them for five seconds.
        assert!(slowest < Duration::from_millis(4_500), "somebody else waited {slowest:?}");
        assert!(ward.issuer.fetches() <= 4, "asked {} times", ward.issuer.fetches());
    });
}

#[test]
fn a_key_set_of_100_megabytes_is_left_alone_after_the_first() {
    run(async {
        for health in [Health::Huge, Health::Endless] {
            let ward = Ward::new(health).await;
            let before = memory(&ward.host);
            for _ in 0..5 {
                assert_eq!(status(&ward.host, &ward.unknown).await, 401, "{health:?}");
                ward.others_enter().await;
            }
            ward.host.logged("longer than").await;
            // What the connection's buffers hold was sent, too.
            assert!(ward.issuer.sent() < 30 << 20, "{health:?}: the host took {} bytes", ward.issuer.sent());
            let grown = memory(&ward.host).saturating_sub(before);
            assert!(grown < 50 << 20, "{health:?}: the host grew by {grown} bytes");
        }
    });
}

/// Bytes that a host has in memory.
fn memory(host: &Host) -> usize {
    let pages = std::fs::read_to_string(format!("/proc/{}/statm", host.process())).expect("a process");
    let resident = pages.split(' ').nth(1).and_then(|count| count.parse::<usize>().ok()).expect("pages");
    resident * 4096
}

#[test]
fn a_key_in_the_configuration_needs_no_issuer_at_all() {
    run(async {
        let rsa = SigningKey::rsa("rsa");
        let issuer = Issuer::start(&[]).await;
        let pem = SigningKey::rsa_public_pem();
        let host = Host::with_bundled()
            .unhurried()
            .env("CHM_AUTH_PROVIDER", "oidc")
            .config(&format!(
                "[issuers.oidc]\nissuer = \"{}\"\naudiences = [\"x\", \"{AUDIENCE}\"]\npublic_key = \"\"\"\n{pem}\"\"\"",
                issuer.url()
            ))
            .start()
            .await;
        let claims = issuer.claims(AUDIENCE, "ann");
        for (token, expected) in [
            (rsa.token(&claims), 200),
            (rsa.token_with(&json!({"alg": "RS256"}), &claims), 200),
            (rsa.token(&issuer.claims("x", "ann")), 200),
            (rsa.token(&issuer.claims("y", "ann")), 401),
            (SigningKey::other_rsa("rsa").token(&claims), 401),
            (SigningKey::ec("rsa").token(&claims), 401),
        ] {
            assert_eq!(status(&host, &token).await, expected);
        }
        assert_eq!(issuer.paths(), Vec::<String>::new(), "nobody asked the issuer");
    });
}

#[test]
fn an_issuer_that_cannot_work_is_refused_at_start() {
    run(async {
        let pem = SigningKey::rsa_public_pem();
        for (lines, word) in [
            ("public_key = \"RSA\"".to_owned(), "`public_key` is not a public key"),
            (
                format!("jwks_url = \"http://127.0.0.1/keys\"\npublic_key = \"\"\"\n{pem}\"\"\""),
                "`public_key` and `jwks_url` are both set",
            ),
        ] {
            let toml = format!("[issuers.oidc]\nissuer = \"https://i.example\"\naudiences = [\"a\"]\n{lines}");
            let ended = Host::with_bundled().config(&toml).try_start().await.err().expect("a refusal");
            assert!(ended.stderr.contains(word), "{}", ended.stderr);
        }
    });
}

#[test]
fn an_answer_to_a_refused_token_says_nothing_about_it() {
    run(async {
        let issuer = Issuer::start(&[&SigningKey::rsa("rsa")]).await;
        let host = host(&issuer).start().await;
        let token = SigningKey::other_rsa("rsa").token(&issuer.claims(AUDIENCE, "ann"));
        let request = host.request(reqwest::Method::GET, "/api/v1/hosts").bearer_auth(&token);
        let refused = Answer::of(request).await.expect(401);
        assert_eq!(refused.json(), json!({"error": "Authentication required"}));
        assert!(!host.stderr().contains(&token), "the token is in the log");
    });
}
