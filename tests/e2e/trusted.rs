//! The auth role: the trusted reverse proxy (contract §2.6–2.8), its headers sent by hand. `nginx` has them sent by a real proxy.

use serde_json::json;

use crate::harness::{Answer, Host, Visit, run};
use crate::keys;

const SECRET: &str = "between-proxy-and-host";
const PROOF: &str = "x-chm-proxy-secret";
const USER: &str = "x-forwarded-user";
const GROUPS: &str = "x-forwarded-groups";

/// A visit by way of the proxy.
fn proxied(what: &str) -> Visit {
    Visit::new(what).header(PROOF, SECRET)
}

/// A visit of somebody by way of the proxy.
fn ann(what: &str) -> Visit {
    proxied(what).header(USER, "ann")
}

/// Variables of a host, and visits to it.
type Situation = (&'static [(&'static str, &'static str)], Vec<Visit>);

fn situations() -> Vec<Situation> {
    const SET: (&str, &str) = ("CHM_TRUSTED_AUTH_SECRET", SECRET);
    let direct = |what: &str| Visit::new(what).header(USER, "ann");
    let groups = |what: &str, groups: &str| ann(what).header(GROUPS, groups);
    let as_ann = |roles: &[&str]| json!({"subject": "ann", "roles": roles});
    vec![
        (&[], vec![ann("no gate is configured"), Visit::new("no gate, and nobody")]),
        (
            &[SET],
            vec![
                Visit::new("nothing at all"),
                ann("the right secret and a user").enters("ann"),
                direct("a user alone"),
                direct("a wrong secret").header(PROOF, "between-proxy-and-hosT"),
                direct("the beginning of the secret").header(PROOF, "between-proxy"),
                direct("the secret and more").header(PROOF, "between-proxy-and-host."),
                direct("an empty secret").header(PROOF, ""),
                ann("the secret twice").header(PROOF, SECRET),
                ann("the secret, and a wrong one").header(PROOF, "guess"),
                direct("the secret in another header").header("x-proxy-secret", SECRET),
                Visit::new("the secret as a bearer token").header(USER, "ann").bearer(SECRET),
                Visit::new("the secret as a cookie").header(USER, "ann").cookie("x-chm-proxy-secret", SECRET),
                proxied("a secret without a user"),
                proxied("an empty user").header(USER, ""),
                proxied("a user of blanks").header(USER, "  "),
                proxied("an oversized user").header(USER, "a".repeat(17 << 10)),
                direct("an oversized secret").header(PROOF, SECRET.repeat(1000)),
                ann("a user twice, as HTTP joins them").header(USER, "bob").enters("ann, bob"),
                ann("an empty value before the user's").header("x-forwarded-email", "").enters("ann"),
                proxied("an e-mail address only")
                    .header("x-forwarded-email", "ann@x")
                    .enters_as(json!({"subject": "ann@x", "email": "ann@x"})),
                proxied("UTF-8").header(USER, "Änn 李").enters("Änn 李"),
                proxied("ISO-8859-1").header(USER, b"\xc4nn").enters("Änn"),
                groups("groups in two headers", "sre dev")
                    .header(GROUPS, "SRE,ops")
                    .enters_as(as_ann(&["sre", "dev", "ops"])),
                groups("everything a proxy can say", "sre dev,sre")
                    .header("x-forwarded-email", "ann@x")
                    .header("x-forwarded-preferred-username", "Ännchen B")
                    .header("x-forwarded-avatar", "https://x/a.png")
                    .header("x-forwarded-role", "lead")
                    .enters_as(json!({"subject": "ann", "name": "Ännchen B", "email": "ann@x",
                        "avatarUrl": "https://x/a.png", "roles": ["sre", "dev", "lead"]})),
            ],
        ),
        (
            &[SET, ("CHM_TRUSTED_ALLOW_INSECURE", "true")],
            vec![direct("a secret counts even where insecure is allowed"), ann("with the secret").enters("ann")],
        ),
        (
            &[("CHM_TRUSTED_ALLOW_INSECURE", "true")],
            vec![direct("insecure is allowed").enters("ann"), Visit::new("insecure, and nobody")],
        ),
        (
            &[SET, ("CHM_TRUSTED_ALLOWED_GROUPS", "SRE, admin")],
            vec![
                groups("a matching group, in another spelling", "dev,sre").enters_as(as_ann(&["dev", "sre"])),
                ann("a matching role").header("x-forwarded-role", "Admin").enters_as(as_ann(&["Admin"])),
                groups("no matching group", "dev"),
                groups("the beginning of a group", "sr"),
                groups("an empty group", ","),
                ann("no group at all"),
            ],
        ),
        (
            &[SET, ("CHM_TRUSTED_GROUPS_SEPARATOR", ","), ("CHM_TRUSTED_ALLOWED_GROUPS", "Platform Team")],
            vec![
                groups("a group with a blank in its name", "ops, platform team")
                    .enters_as(as_ann(&["ops", "platform team"])),
                groups("the words of a group's name", "Platform,Team"),
            ],
        ),
        (
            &[
                SET,
                ("CHM_TRUSTED_SHARED_SECRET_HEADER", "X-Gate"),
                ("CHM_TRUSTED_USER_HEADER", "X-Auth-Request-User"),
                ("CHM_TRUSTED_CUSTOM_HEADERS", "team:X-Team, dept:X-Dept, gate:X-Gate"),
            ],
            vec![
                Visit::new("other headers, and claims of one's own; the secret is none of them")
                    .header("x-gate", SECRET)
                    .header("x-auth-request-user", "ann")
                    .header("x-team", "core")
                    .enters_as(json!({"subject": "ann", "custom": {"team": "core"}})),
                ann("the old header names, where others are configured"),
            ],
        ),
        (
            // Each by a variable of its own.
            &[
                SET,
                ("CHM_TRUSTED_USER_HEADER", "X-A"),
                ("CHM_TRUSTED_EMAIL_HEADER", "X-B"),
                ("CHM_TRUSTED_NAME_HEADER", "X-C"),
                ("CHM_TRUSTED_AVATAR_HEADER", "X-D"),
                ("CHM_TRUSTED_GROUPS_HEADER", "X-E"),
                ("CHM_TRUSTED_ROLE_HEADER", "X-F"),
                // Of two pairs with one field the later counts; blanks divide, too.
                ("CHM_TRUSTED_CUSTOM_HEADERS", "team:X-G,dept:X-H team:X-I,,"),
            ],
            vec![
                proxied("every header has another name")
                    .header("x-a", "ann")
                    .header("x-b", "ann@x")
                    .header("x-c", "Ann")
                    .header("x-d", "https://x/a.png")
                    .header("x-e", "sre dev")
                    .header("x-f", "lead")
                    .header("x-g", "early")
                    .header("x-h", "ops")
                    .header("x-i", "core")
                    .enters_as(
                        json!({"subject": "ann", "name": "Ann", "email": "ann@x", "avatarUrl": "https://x/a.png",
                        "roles": ["sre", "dev", "lead"], "custom": {"team": "core", "dept": "ops"}}),
                    ),
                proxied("and the usual names say nothing")
                    .header("x-a", "ann")
                    .header("x-forwarded-email", "boss@x")
                    .header("x-forwarded-preferred-username", "Boss")
                    .header("x-forwarded-avatar", "https://x/b.png")
                    .header(GROUPS, "admin")
                    .header("x-forwarded-role", "admin")
                    .header("x-h", "")
                    .enters("ann"),
                proxied("nor do they name anybody").header("x-forwarded-email", "boss@x").header("x-g", "core"),
            ],
        ),
        (
            // Blank is unset, whatever it is.
            &[
                SET,
                ("CHM_TRUSTED_USER_HEADER", ""),
                ("CHM_TRUSTED_SHARED_SECRET_HEADER", " "),
                ("CHM_TRUSTED_ALLOWED_GROUPS", ""),
                ("CHM_TRUSTED_ALLOW_INSECURE", ""),
            ],
            vec![ann("the defaults hold").enters("ann"), direct("and the secret counts")],
        ),
    ]
}

#[test]
fn the_gate_decides_as_the_contracts_table_says() {
    run(async {
        for (variables, visits) in situations() {
            let mut builder = Host::with_bundled().unhurried().env("CHM_AUTH_PROVIDER", "trusted");
            for (name, value) in variables {
                builder = builder.env(name, value);
            }
            let host = builder.start().await;
            for visit in visits {
                visit.to(&host, "trusted").await;
            }
        }
    });
}

#[test]
fn strangers_cannot_fill_the_log_of_a_host_without_a_gate() {
    run(async {
        let host = Host::with_bundled().unhurried().env("CHM_AUTH_PROVIDER", "trusted").start().await;
        host.logged("the provider `trusted` signs nobody in: set CHM_TRUSTED_AUTH_SECRET").await;
        for _ in 0..100 {
            let answer = ann("a stranger").ask(&host, "/api/v1/hosts").await;
            assert_eq!(answer.status, 401, "{answer}");
        }
        let lines = host.stderr().lines().filter(|line| line.contains("sign-in rejected")).count();
        assert!((1..=40).contains(&lines), "{lines} lines");
    });
}

#[test]
fn who_is_turned_away_by_the_provider_has_no_more_guesses_at_the_hosts_own_tokens() {
    const ADMIN: &str = "reads the audit log";
    run(async {
        let host = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", SECRET)
            .env("CHM_API_KEY_SECRET", "signs")
            .env("CHM_API_KEY_ADMIN_SECRET", ADMIN)
            .env("CHM_FAILED_SIGN_INS_PER_MIN", "5")
            .start()
            .await;
        // The same wrong proof each time: for the provider it is one attempt.
        let guess = |token: String| Visit::new("a guess").header(PROOF, "wrong").header(USER, "ann").bearer(token);
        let mut last = 0;
        for number in 0..20 {
            last = guess(format!("guess {number}")).ask(&host, "/api/v1/audit").await.status;
        }
        assert_eq!(last, 429);
        let answer = guess(ADMIN.to_owned()).ask(&host, "/api/v1/audit").await;
        assert_eq!(answer.status, 429, "{answer}");
    });
}

#[test]
fn who_is_signed_in_stays_so_whoever_else_is_turned_away_behind_the_same_proxy() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", SECRET)
            .env("CHM_TRUSTED_ALLOWED_GROUPS", "sre")
            .env("CHM_FAILED_SIGN_INS_PER_MIN", "5")
            .start()
            .await;
        let member = ann("a member").header(GROUPS, "sre");
        member.ask(&host, "/api/v1/hosts").await.expect(200);
        let mut last = 0;
        for number in 0..20 {
            let stranger = proxied("no member").header(USER, format!("eve{number}"));
            last = stranger.ask(&host, "/api/v1/hosts").await.status;
        }
        assert_eq!(last, 429);
        member.ask(&host, "/api/v1/hosts").await.expect(200);
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
