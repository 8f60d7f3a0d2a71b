//! What an auth provider learns of a request that it may not see: the guest `auth-asks` asks, and signs in the answer.

use serde_json::json;

use crate::harness::{Answer, Host, Issuer, SigningKey, run};

const USERS: &str = "ann:$2y$05$N/CTt6Cbjg8C2Zl4xh8bjuFN4a5iq142er4eA2vtFnOAm9ImZq0oy";
/// `ann:correct horse`.
const ANN: &str = "Basic YW5uOmNvcnJlY3QgaG9yc2U=";

async fn host(issuer: &Issuer) -> Host {
    let url = issuer.url();
    Host::with_bundled()
        .unhurried()
        .guest("auth-asks")
        .env("CHM_AUTH_PROVIDER", "auth-asks")
        .config(&format!(
            r#"
            [plugins.auth-asks]
            settings = {{ users = "{USERS}", ungranted = "hidden" }}
            grants = {{ jwt = ["ours"], secrets = ["users"] }}
            [issuers.ours]
            issuer = "{url}"
            audiences = ["chm"]
            public_key = """
{}"""
            [issuers.ungranted]
            issuer = "{url}"
            audiences = ["*"]
            "#,
            SigningKey::rsa_public_pem()
        ))
        .start()
        .await
}

/// Asks, with these headers, and claims the beginning of the answer.
async fn answers(host: &Host, question: &str, headers: &[(&str, &str)], expected: &str) {
    let mut request = host.request(reqwest::Method::GET, "/api/v1/auth/me").header("x-ask", question);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let me = Answer::of(request).await.expect(200).json();
    let answer = me["principal"]["subject"].as_str().unwrap_or_default();
    assert!(answer.starts_with(expected), "{question} {headers:?}: {answer}, not {expected}");
}

#[test]
fn a_guest_sees_what_is_not_sealed_and_asks_about_the_rest() {
    run(async {
        let issuer = Issuer::start(&[]).await;
        let host = host(&issuer).await;
        let rsa = SigningKey::rsa("any");
        let token = rsa.token(&issuer.claims("chm", "ann"));
        let foreign = rsa.token(&json!({"iss": "https://other.example", "aud": "chm", "exp": 4_000_000_000_u64}));
        let forged = SigningKey::ec("any").token(&issuer.claims("chm", "ann"));
        let bearer = |token: &str| format!("Bearer {token}");
        let (sealed, plain) = (format!("sealed={token}"), format!("other=x; plain={token}"));
        for (question, headers, expected) in [
            (
                "sees",
                &[
                    ("x-plain", "1"),
                    ("x-sealed", "2"),
                    ("x-other", "3"),
                    ("authorization", ANN),
                    ("cookie", "plain=1; sealed=2; other=3"),
                ][..],
                "x-ask x-plain plain",
            ),
            ("configured ours", &[], "true"),
            ("bearer ours", &[], "nothing"),
            ("bearer ours", &[("authorization", ANN)], "nothing"),
            ("bearer ours", &[("authorization", "Bearer")], "nothing"),
            ("bearer ours", &[("authorization", &bearer(&token))], "claims"),
            ("bearer ours", &[("authorization", &bearer(&foreign))], "foreign"),
            ("bearer ours", &[("authorization", &bearer("opaque"))], "foreign"),
            ("bearer ours", &[("authorization", &bearer(&forged))], "invalid"),
            ("header ours X-Sealed", &[("x-sealed", &token)], "claims"),
            ("header ours x-plain", &[("x-plain", &token)], "claims"),
            ("header ours x-sealed", &[("x-sealed", "")], "nothing"),
            ("header ours x-other", &[("x-other", &token)], "denied: the manifest does not name the header `x-other`"),
            ("header ours cookie", &[("cookie", &sealed)], "denied: the manifest does not name the header `cookie`"),
            ("cookie ours sealed", &[("cookie", &sealed)], "claims"),
            ("cookie ours plain", &[("cookie", &plain)], "claims"),
            ("cookie ours Sealed", &[("cookie", &sealed)], "denied: the manifest does not name the cookie `Sealed`"),
            ("cookie ours sealed", &[], "nothing"),
            ("present x-sealed", &[("x-sealed", "1")], "true"),
            ("present X-Plain", &[("x-plain", "1")], "true"),
            ("present x-sealed", &[("x-sealed", "")], "false"),
            ("present x-sealed", &[], "false"),
            ("present x-other", &[("x-other", "1")], "false"),
            ("equals users x-sealed", &[("x-sealed", USERS)], "true"),
            ("equals users x-sealed", &[("x-sealed", ANN)], "false"),
            ("equals users x-other", &[("x-other", USERS)], "false"),
            ("basic users", &[("authorization", ANN)], "user ann"),
            ("basic users", &[("authorization", "Basic YW5uOndyb25n")], "wrong"),
            ("basic users", &[("authorization", &bearer(&token))], "absent"),
            ("basic users", &[], "absent"),
        ] {
            answers(&host, question, headers, expected).await;
        }
        answers(&host, &format!("verify ours {token}"), &[], "claims").await;
    });
}

#[test]
fn what_was_not_granted_is_denied_whatever_the_question() {
    run(async {
        let issuer = Issuer::start(&[]).await;
        let host = host(&issuer).await;
        let token = format!("Bearer {}", SigningKey::rsa("any").token(&issuer.claims("chm", "ann")));
        let headers = [("authorization", token.as_str()), ("x-sealed", "hidden")];
        for question in ["configured ungranted", "verify ungranted a.b.c", "bearer ungranted", "bearer unheard-of"] {
            answers(&host, question, &headers, "denied: jwt `").await;
        }
        for question in ["basic ungranted", "equals ungranted x-sealed", "basic unheard-of"] {
            answers(&host, question, &headers, "denied: secrets `").await;
        }
    });
}
