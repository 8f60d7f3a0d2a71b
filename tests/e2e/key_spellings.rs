//! API keys in every place, spelling and form that a request has room for (contract §1.4 and §3).

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use crate::harness::{Visit, run};
use crate::keys::mint;
use crate::outcomes::{FAR, KEYS, SECRET, claim, host, key, key_of};

/// Signs any bytes as a payload, in any alphabet.
fn signed(payload: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(payload.as_bytes());
    format!("chm_{payload}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
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
        (
            Visit::new("a blank that is none of HTTP's")
                .header("authorization", [b"Bearer\xa0", cli.as_bytes()].concat()),
            None,
        ),
        (raw("another one, before the scheme", &format!("\u{2003}Bearer {cli}")), None),
        (Visit::new("before a key in its own header").header("x-api-key", format!("\u{a0}{cli}")), None),
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
        (Visit::new("a user").header("x-forwarded-user", "ann"), None),
        (
            Visit::new("a user with the key secret")
                .header("x-forwarded-user", "ann")
                .header("x-chm-proxy-secret", SECRET),
            None,
        ),
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
