//! API keys (contract §3), minted here as any other program could.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::harness::{Answer, Host, run};

const SECRET: &str = "a-secret-that-signs-keys";

/// Signs a payload.
pub fn mint(secret: &str, payload: &serde_json::Value) -> String {
    let payload = BASE64_URL_SAFE_NO_PAD.encode(payload.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(payload.as_bytes());
    format!("chm_{payload}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// A key that is good for an hour.
pub fn valid(secret: &str) -> String {
    mint(secret, &json!({"sub": "cli", "iat": now(), "exp": now() + 3600}))
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs()
}

#[test]
fn a_probe_is_answered_without_asking_the_auth_plugin() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", "between-proxy-and-host")
            .env("CHM_API_KEY_SECRET", SECRET)
            .start()
            .await;
        let calls = async || {
            let request = host.request(reqwest::Method::GET, "/api/v1/plugins").bearer_auth(valid(SECRET));
            let plugins = Answer::of(request).await.expect(200).rows();
            plugins.into_iter().find(|plugin| plugin["id"] == "auth-trusted").expect("the plugin")["calls"].clone()
        };
        let before = calls().await;
        for path in ["/healthz", "/api/health", "/api/version"] {
            host.get(path).await.expect(200);
        }
        assert_eq!(calls().await, before);
        host.get("/api/v1/hosts").await.expect(401);
        assert_ne!(calls().await, before);
    });
}

#[test]
fn a_key_is_the_only_way_in_when_there_is_a_secret_and_no_provider() {
    run(async {
        let host = Host::with_bundled().env("CHM_API_KEY_SECRET", SECRET).start().await;
        let bearer = |key: &str| format!("Bearer {key}");
        let good = valid(SECRET);
        let mut forged = good.clone();
        forged.pop();
        let cases = [
            ("nothing", None, 401),
            ("a valid key", Some(("authorization", bearer(&good))), 200),
            ("a valid key in its own header", Some(("x-api-key", good.clone())), 200),
            ("the word in any spelling", Some(("authorization", format!("bEARER   {good}"))), 200),
            ("no scheme", Some(("authorization", good.clone())), 401),
            ("another scheme", Some(("authorization", format!("Basic {good}"))), 401),
            ("a damaged signature", Some(("authorization", bearer(&forged))), 401),
            ("another secret", Some(("authorization", bearer(&valid("another secret")))), 401),
            ("the secret itself, which has keys made and opens nothing", Some(("authorization", bearer(SECRET))), 403),
            (
                "expired",
                Some((
                    "authorization",
                    bearer(&mint(SECRET, &json!({"sub": "cli", "iat": 1_700_000_000, "exp": 1_702_592_000}))),
                )),
                401,
            ),
            ("without an end", Some(("authorization", bearer(&mint(SECRET, &json!({"sub": "no-exp"}))))), 401),
        ];
        for (what, header, status) in cases {
            let mut request = host.request(reqwest::Method::GET, "/api/v1/hosts");
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, status, "{what}: {answer}");
            if status == 401 {
                assert_eq!(answer.json(), json!({"error": "Authentication required"}), "{what}");
            }
        }
        // The vectors of the contract were signed with this secret; both are too old or endless.
        let host = Host::with_bundled().env("CHM_API_KEY_SECRET", "test-secret-please-change").start().await;
        for key in [
            "chm_eyJzdWIiOiJjbGkiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMjU5MjAwMH0.Gc7klmBreYRNq6UTC40AebBOqYc2NG9ouv2SyKFg6M8",
            "chm_eyJzdWIiOiJuby1leHAifQ.8wtJCFP7iUPsQUTaOPIFZNDmIiBp64fIK67hHLuHw6E",
        ] {
            let request = host.request(reqwest::Method::GET, "/api/v1/hosts").bearer_auth(key);
            Answer::of(request).await.expect(401);
        }
        // Probes need no key.
        for path in ["/healthz", "/api/health", "/api/version"] {
            host.get(path).await.expect(200);
        }
    });
}

#[test]
fn a_key_holder_is_known_by_the_keys_subject() {
    run(async {
        let host = Host::with_bundled().env("CHM_API_KEY_SECRET", SECRET).start().await;
        let request = host.request(reqwest::Method::GET, "/api/v1/auth/me").bearer_auth(valid(SECRET));
        let answer = Answer::of(request).await.expect(200);
        assert_eq!(answer.json()["principal"]["subject"], "cli", "{answer}");
        assert_eq!(answer.header("cache-control"), "no-store");
    });
}
