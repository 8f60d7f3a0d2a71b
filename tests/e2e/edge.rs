//! What stands in front of the operations: names, origins, addresses, rates, time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Host, run};
use crate::keys::{mint, valid};

const SECRET: &str = "a-secret-for-edge-claims";
const WRITE: &str = "/api/v1/alerts/test";

async fn ask(host: &Host, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = host.request(method, path);
    Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

#[test]
fn a_name_that_is_not_the_hosts_is_answered_with_nothing_but_liveness() {
    run(async {
        let named = Host::with_bundled().env("CHM_ALLOWED_HOSTS", "chm.example.org").start().await;
        let open = Host::with_bundled().start().await;
        for (host, name, status) in [
            (&named, "chm.example.org", 200),
            (&named, "CHM.example.org:443", 200),
            (&named, "chm.example.org.evil.example", 421),
            (&named, "127.0.0.1", 421),
            (&named, "", 421),
            // Nobody signs in here: a page under a name of its own must not read what this one answers.
            (&open, "rebound.example", 421),
            (&open, "localhost", 200),
            (&open, "127.0.0.1:1", 200),
        ] {
            let answer = ask(host, Method::GET, "/api/v1/hosts", &[("host", name)]).await;
            assert!(answer.status == status || (name.is_empty() && answer.status == 400), "{name:?}: {answer}");
            ask(host, Method::GET, "/healthz", &[("host", "rebound.example")]).await.expect(200);
        }
    });
}

#[test]
fn only_pages_of_named_origins_may_read_or_write() {
    run(async {
        let host = Host::with_bundled().env("CHM_CORS_ORIGINS", "https://board.example.org").start().await;
        let body = &json!({});
        for (headers, status) in [
            (&[][..], 200),
            (&[("sec-fetch-site", "same-origin")], 200),
            (&[("sec-fetch-site", "none")], 200),
            (&[("sec-fetch-site", "cross-site")], 403),
            // Browsers add what somebody has typed into their own window.
            (&[("sec-fetch-site", "cross-site"), ("authorization", "Basic eDp5")], 403),
            (&[("sec-fetch-site", "same-site")], 403),
            (&[("origin", "https://evil.example")], 403),
            (&[("origin", "null")], 403),
            (&[("origin", "https://board.example.org.evil.example")], 403),
            (&[("origin", "https://board.example.org"), ("sec-fetch-site", "cross-site")], 200),
        ] {
            let request = host.request(Method::POST, "/api/v1/tools/list_databases").json(body);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, status, "{headers:?}: {answer}");
        }
        for (origin, allowed) in [("https://board.example.org", true), ("https://evil.example", false), ("null", false)]
        {
            for method in [Method::GET, Method::OPTIONS] {
                let preflight = ("access-control-request-method", "GET");
                let answer = ask(&host, method.clone(), "/api/v1/hosts", &[("origin", origin), preflight]).await;
                let expected = if allowed { origin } else { "" };
                assert_eq!(answer.header("access-control-allow-origin"), expected, "{method} {answer}");
                assert!(answer.headers("vary").to_lowercase().contains("origin"), "{method} {answer}");
            }
        }
    });
}

#[test]
fn a_get_that_needs_the_right_to_write_is_for_links_that_somebody_follows() {
    const LINK: [(&str, &str); 3] =
        [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-user", "?1")];
    const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
    run(async {
        let host = Host::with_bundled().env("CHM_CORS_ORIGINS", "https://board.example.org").start().await;
        let followed = [&[CROSS][..], &LINK].concat();
        for (what, headers, status) in [
            ("a program", &[][..], 200),
            ("a page of the host's", &[("sec-fetch-site", "same-origin")], 200),
            ("an address that was typed", &[("sec-fetch-site", "none"), LINK[0], LINK[1], LINK[2]], 200),
            ("a link that somebody followed", &followed, 200),
            ("a page that goes there by itself", &[CROSS, LINK[0], LINK[1]], 403),
            ("an image", &[CROSS, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], 403),
            ("a frame", &[CROSS, LINK[0], ("sec-fetch-dest", "iframe"), LINK[2]], 403),
            ("a page of a neighbour", &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")], 403),
            ("a script", &[("origin", "https://evil.example")], 403),
            ("a script of a named page", &[CROSS, ("origin", "https://board.example.org")], 200),
        ] {
            for path in ["/api/v1/explorer/query?hostId=0&sql=SELECT%201", "/api/v1/explain?hostId=0&query=SELECT%201"]
            {
                for method in [Method::GET, Method::HEAD] {
                    let answer = ask(&host, method, path, headers).await;
                    assert_eq!(answer.status, status, "{what}: {answer}");
                }
            }
            // What only reads is read by whoever may; a page that is not named never sees the answer.
            ask(&host, Method::GET, "/api/v1/hosts", headers).await.expect(200);
        }
    });
}

#[test]
fn a_write_is_json_or_nothing() {
    run(async {
        let host = Host::with_bundled().start().await;
        for (kind, status) in [
            ("application/json", 200),
            ("application/json; charset=utf-8", 200),
            ("text/plain", 415),
            ("application/x-www-form-urlencoded", 415),
            ("multipart/form-data; boundary=x", 415),
            ("application/jsonp", 415),
            ("", 415),
        ] {
            let request =
                host.request(Method::POST, "/api/v1/tools/list_databases").body("{}").header("content-type", kind);
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, status, "{kind:?}: {answer}");
        }
    });
}

#[test]
fn callers_have_their_own_allowance_and_are_told_when_to_come_again() {
    run(async {
        let host = Host::with_bundled()
            .env("RATE_LIMIT_API_PER_MIN", "5")
            .env("CHM_API_KEY_SECRET", SECRET)
            .env("CHM_TRUSTED_PROXIES", "127.0.0.1")
            .start()
            .await;
        let key = |subject: &str| {
            let exp =
                std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs() + 60;
            mint(SECRET, &json!({"sub": subject, "exp": exp}))
        };
        let (ann, bob) = (key("ann"), key("bob"));
        let mut refused = None;
        for _ in 0..10 {
            let answer = ask(&host, Method::GET, "/api/v1/hosts", &[("x-api-key", &ann)]).await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
            answer.expect(200);
        }
        let refused = refused.expect("a refusal");
        refused.error(429, "rate_limited");
        assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|wait| wait > 0), "{refused}");
        // Another address does not help, and another caller is not held up.
        ask(&host, Method::GET, "/api/v1/hosts", &[("x-api-key", &ann), ("x-forwarded-for", "192.0.2.7")])
            .await
            .expect(429);
        ask(&host, Method::GET, "/api/v1/hosts", &[("x-api-key", &bob)]).await.expect(200);
        for _ in 0..20 {
            host.get("/healthz").await.expect(200);
        }
        // Whoever has no credentials at all is counted by address.
        let mut statuses = Vec::new();
        for _ in 0..10 {
            statuses.push(ask(&host, Method::GET, "/api/v1/hosts", &[("x-forwarded-for", "192.0.2.8")]).await.status);
        }
        assert!(statuses.starts_with(&[401]) && statuses.ends_with(&[429]), "{statuses:?}");
    });
}

#[test]
fn guesses_at_every_credential_are_slowed_down_and_one_stale_credential_is_not_a_guess() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_API_KEY_SECRET", SECRET)
            .env("CHM_API_KEY_ADMIN_SECRET", "an-admin-secret-for-claims")
            .env("AGENT_API_TOKEN", "an-agent-token-for-claims")
            .env("CHM_TRUSTED_PROXIES", "127.0.0.1")
            .start()
            .await;
        let bearer = |token: String| ("authorization", format!("Bearer {token}"));
        // Each way in is tried from an address of its own.
        for (address, path, guess) in [
            (
                "192.0.2.1",
                "/api/v1/hosts",
                (|at| ("x-api-key", format!("chm_e30.{at}"))) as fn(usize) -> (&'static str, String),
            ),
            ("192.0.2.2", "/api/v1/audit", |at| ("authorization", format!("Bearer admin-{at}"))),
            ("192.0.2.3", "/api/v1/auth/api-keys", |at| ("authorization", format!("Bearer admin-{at}"))),
        ] {
            let mut statuses = Vec::new();
            for at in 0..40 {
                let (name, value) = guess(at);
                statuses
                    .push(ask(&host, Method::GET, path, &[(name, &value), ("x-forwarded-for", address)]).await.status);
            }
            let first = statuses.iter().position(|status| *status == 429);
            assert!(first.is_some_and(|first| first >= 15), "{path}: {statuses:?}");
            // The right one does not count either, for now; from elsewhere it does.
            let (name, value) = bearer("an-admin-secret-for-claims".to_owned());
            if path != "/api/v1/hosts" {
                for (address, status) in [(address, 429), ("192.0.2.200", 200)] {
                    let headers = [(name, value.as_str()), ("x-forwarded-for", address)];
                    ask(&host, Method::GET, path, &headers).await.expect(status);
                }
            }
        }
        let stale = mint(SECRET, &json!({"sub": "ann", "exp": 1}));
        for _ in 0..60 {
            let headers = [("x-api-key", stale.as_str()), ("x-forwarded-for", "192.0.2.9")];
            ask(&host, Method::GET, "/api/v1/hosts", &headers).await.expect(401);
        }
    });
}

#[test]
fn every_answer_carries_the_headers_that_browsers_need() {
    run(async {
        let host = Host::with_bundled().env("CHM_API_KEY_SECRET", SECRET).start().await;
        let key = valid(SECRET);
        for (path, key, status) in [
            ("/healthz", None, 200),
            ("/api/v1/hosts", None, 401),
            ("/api/v1/hosts", Some(key.as_str()), 200),
            ("/nowhere", None, 404),
            ("/docs", None, 200),
        ] {
            let headers: Vec<(&str, &str)> = key.map(|key| ("x-api-key", key)).into_iter().collect();
            let answer = ask(&host, Method::GET, path, &headers).await.expect(status);
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "strict-origin-when-cross-origin"),
                ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
                ("cross-origin-opener-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), value, "{path} {name}");
            }
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
            assert!(!policy.contains("script-src 'self' 'unsafe-inline'"), "{path}: {policy}");
            let cache = answer.header("cache-control");
            assert!(!cache.contains("public") || path == "/docs", "{path}: {cache}");
        }
    });
}

#[test]
fn a_connection_that_says_nothing_or_never_ends_is_let_go() {
    run(async {
        let host =
            Host::with_bundled().config("[limits]\nheader_timeout_ms = 300\nbody_timeout_ms = 300").start().await;
        let address = host.url().strip_prefix("http://").expect("http").to_owned();
        let body = format!(
            "POST {WRITE} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        );
        for beginning in ["", "GET /api/v1/hosts HTTP/1.1\r\nHost: x\r\nX-Slow: ", body.as_str()] {
            let mut socket = TcpStream::connect(&address).expect("a connection");
            socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
            socket.write_all(beginning.as_bytes()).expect("a beginning");
            let mut answer = Vec::new();
            let ended = socket.read_to_end(&mut answer);
            let kind = ended.as_ref().err().map(std::io::Error::kind);
            assert!(kind != Some(std::io::ErrorKind::WouldBlock), "{beginning:?}: still open after 30 s");
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{beginning:?}: {answer}");
        }
        host.get("/api/v1/hosts").await.expect(200);
    });
}
