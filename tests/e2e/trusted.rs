//! The auth role: the trusted reverse proxy (contract §2.6–2.8), its headers sent by hand. `nginx` has them sent by a real proxy.

use serde_json::{Value, json};

use crate::harness::{Answer, Host, run};
use crate::keys;

const SECRET: &str = "between-proxy-and-host";

struct Case {
    what: &'static str,
    variables: &'static [(&'static str, &'static str)],
    headers: &'static [(&'static str, &'static str)],
    /// Present when the caller gets in.
    principal: Option<Value>,
}

fn ann() -> Value {
    json!({"subject": "ann"})
}

fn cases() -> Vec<Case> {
    const GATED: &[(&str, &str)] = &[("CHM_TRUSTED_AUTH_SECRET", SECRET)];
    const INSECURE: &[(&str, &str)] = &[("CHM_TRUSTED_ALLOW_INSECURE", "true")];
    const BOTH: &[(&str, &str)] = &[("CHM_TRUSTED_AUTH_SECRET", SECRET), ("CHM_TRUSTED_ALLOW_INSECURE", "true")];
    const GROUPS: &[(&str, &str)] =
        &[("CHM_TRUSTED_AUTH_SECRET", SECRET), ("CHM_TRUSTED_ALLOWED_GROUPS", "SRE, admin")];
    const RENAMED: &[(&str, &str)] = &[
        ("CHM_TRUSTED_AUTH_SECRET", SECRET),
        ("CHM_TRUSTED_SHARED_SECRET_HEADER", "X-Gate"),
        ("CHM_TRUSTED_USER_HEADER", "X-Auth-Request-User"),
        ("CHM_TRUSTED_CUSTOM_HEADERS", "team:X-Team, dept:X-Dept"),
    ];
    const PROOF: (&str, &str) = ("x-chm-proxy-secret", SECRET);
    const USER: (&str, &str) = ("x-forwarded-user", "ann");
    let case = |what, variables, headers, principal| Case { what, variables, headers, principal };
    vec![
        case("no gate is configured", &[], &[USER, PROOF], None),
        case("the right secret and a user", GATED, &[USER, PROOF], Some(ann())),
        case("a user alone", GATED, &[USER], None),
        case("a wrong secret", GATED, &[USER, ("x-chm-proxy-secret", "between-proxy-and-hosT")], None),
        case("an empty secret", GATED, &[USER, ("x-chm-proxy-secret", "")], None),
        case("the secret twice", GATED, &[USER, PROOF, PROOF], None),
        case("a secret without a user", GATED, &[PROOF], None),
        case("an empty user", GATED, &[PROOF, ("x-forwarded-user", "")], None),
        case(
            "an e-mail address only",
            GATED,
            &[PROOF, ("x-forwarded-email", "ann@x")],
            Some(json!({"subject": "ann@x", "email": "ann@x"})),
        ),
        case("a secret counts even where insecure is allowed", BOTH, &[USER], None),
        case("insecure is allowed", INSECURE, &[USER], Some(ann())),
        case(
            "a matching group, in another spelling",
            GROUPS,
            &[USER, PROOF, ("x-forwarded-groups", "dev,sre")],
            Some(json!({"subject": "ann", "roles": ["dev", "sre"]})),
        ),
        case("no matching group", GROUPS, &[USER, PROOF, ("x-forwarded-groups", "dev")], None),
        case("no group at all", GROUPS, &[USER, PROOF], None),
        case(
            "everything a proxy can say",
            GATED,
            &[
                USER,
                PROOF,
                ("x-forwarded-email", "ann@x"),
                ("x-forwarded-preferred-username", "Ann B"),
                ("x-forwarded-avatar", "https://x/a.png"),
                ("x-forwarded-groups", "sre dev,sre"),
                ("x-forwarded-role", "lead"),
            ],
            Some(json!({"subject": "ann", "name": "Ann B", "email": "ann@x", "avatarUrl": "https://x/a.png",
                "roles": ["sre", "dev", "lead"]})),
        ),
        case(
            "other headers, and claims of one's own",
            RENAMED,
            &[("x-gate", SECRET), ("x-auth-request-user", "ann"), ("x-team", "core")],
            Some(json!({"subject": "ann", "custom": {"team": "core"}})),
        ),
        case("the old header names, where others are configured", RENAMED, &[USER, PROOF], None),
    ]
}

#[test]
fn the_gate_decides_as_the_contracts_table_says() {
    run(async {
        let cases = cases();
        let mut settings: Vec<_> = cases.iter().map(|case| case.variables).collect();
        settings.sort_unstable();
        settings.dedup();
        for variables in settings {
            let mut builder = Host::with_bundled().env("CHM_AUTH_PROVIDER", "trusted");
            for (name, value) in variables {
                builder = builder.env(name, value);
            }
            let host = builder.start().await;
            for case in cases.iter().filter(|case| case.variables == variables) {
                let ask = |path: &str| {
                    let mut request = host.request(reqwest::Method::GET, path);
                    for (name, value) in case.headers {
                        request = request.header(*name, *value);
                    }
                    Answer::of(request)
                };
                let (hosts, me) = (ask("/api/v1/hosts").await, ask("/api/v1/auth/me").await);
                match &case.principal {
                    Some(principal) => {
                        assert_eq!(hosts.status, 200, "{}: {hosts}", case.what);
                        let expected = json!({"authenticated": true, "provider": "trusted", "principal": principal});
                        assert_eq!(me.json(), expected, "{}", case.what);
                    }
                    None => {
                        for answer in [hosts, me] {
                            assert_eq!(answer.status, 401, "{}: {answer}", case.what);
                            assert_eq!(answer.json(), json!({"error": "Authentication required"}), "{}", case.what);
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn a_key_opens_what_the_proxy_guards() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", SECRET)
            .env("CHM_API_KEY_SECRET", "signs")
            .start()
            .await;
        host.get("/api/v1/hosts").await.expect(401);
        let with = |key: String| Answer::of(host.request(reqwest::Method::GET, "/api/v1/hosts").bearer_auth(key));
        with(keys::valid("signs")).await.expect(200);
        with(keys::valid("does not sign")).await.expect(401);
    });
}

#[test]
fn public_reading_leaves_writing_and_guarded_features_to_those_who_signed_in() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", SECRET)
            .env("CHM_PUBLIC_READ", "true")
            .env("CHM_FEATURE_QUERIES_ACCESS", "authenticated")
            .start()
            .await;
        host.get("/api/v1/hosts").await.expect(200);
        let me = host.get("/api/v1/auth/me").await.expect(200).json();
        assert_eq!(me, json!({"authenticated": false, "provider": "trusted", "principal": null}));
        let required = |feature: &str| {
            json!({"error": {"code": "AUTHENTICATION_REQUIRED",
                "message": format!("Feature \"{feature}\" requires authentication.")}})
        };
        let answer = host.get("/api/v1/tables/running-queries").await.expect(401);
        assert_eq!(answer.json(), required("queries"));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        // Writing is nobody's without a sign-in, whatever the feature's access.
        let answer = host.query("SELECT 1").await.expect(401);
        assert_eq!(answer.json(), required("tables"));
        let signed_in = |request: reqwest::RequestBuilder| {
            Answer::of(request.header("x-forwarded-user", "ann").header("x-chm-proxy-secret", SECRET))
        };
        signed_in(host.request(reqwest::Method::GET, "/api/v1/tables/running-queries")).await.expect(200);
        let console = host.request(reqwest::Method::POST, "/api/v1/explorer/query").json(&json!({"sql": "SELECT 1"}));
        signed_in(console).await.expect(200);
    });
}

#[test]
fn no_other_spelling_of_a_path_goes_around_the_guard() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", SECRET)
            .start()
            .await;
        for path in [
            "/api/v1/hosts/",
            "//api/v1/hosts",
            "/api//v1/hosts",
            "/API/v1/hosts",
            "/api/v1%2Fhosts",
            "/%61pi/v1/hosts",
            "/api/v1/./hosts",
            "/api/x/../v1/hosts",
            "/api/v1/hosts;x",
            "/api/v1/hosts%20",
            "/./api/v1/hosts",
        ] {
            // Past the client library, which would make the path plain.
            let answer = raw_get(host.url(), path).await;
            let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
            assert!(matches!(status, 400 | 401 | 404), "{path}: {answer}");
            assert!(!answer.contains("\"data\""), "{path}: {answer}");
        }
    });
}

async fn raw_get(url: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = url.strip_prefix("http://").expect("http");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}
