//! What the provider answers, by configuration and request.

#![allow(clippy::expect_used, clippy::panic)]

use auth_trusted::Trusted;
use chm_plugin::auth::{Principal, RequestHead, Verdict};
use chm_plugin::testing::FakeHost;
use chm_plugin::{AuthProvider, Failure};

/// A host with the manifest's defaults, which has granted the secret but not set it.
fn host() -> FakeHost {
    FakeHost::new()
        .unset_secret("auth_secret")
        .setting("allow_insecure", "false")
        .setting("shared_secret_header", "X-Chm-Proxy-Secret")
        .setting("user_header", "X-Forwarded-User")
        .setting("email_header", "X-Forwarded-Email")
        .setting("name_header", "X-Forwarded-Preferred-Username")
        .setting("avatar_header", "X-Forwarded-Avatar")
        .setting("groups_header", "X-Forwarded-Groups")
        .setting("role_header", "X-Forwarded-Role")
}

fn open() -> FakeHost {
    host().setting("allow_insecure", "true")
}

fn head(headers: &[(&str, &str)]) -> RequestHead {
    headers.iter().fold(RequestHead::new("GET", "/api/v1/hosts"), |head, (name, value)| head.with_header(name, value))
}

fn verdict(headers: &[(&str, &str)]) -> Verdict {
    Trusted::authenticate(head(headers)).expect("a verdict")
}

fn person(headers: &[(&str, &str)]) -> Principal {
    match verdict(headers) {
        Verdict::Authenticated(person) => person,
        other => panic!("not authenticated: {other:?}"),
    }
}

fn is_rejected(headers: &[(&str, &str)]) -> bool {
    matches!(verdict(headers), Verdict::Rejected(_))
}

const ANN: (&str, &str) = ("x-forwarded-user", "ann");

#[test]
fn the_secret_lets_the_headers_speak() {
    let _ = host().secret("auth_secret", "s3cret").request_header("x-chm-proxy-secret", "s3cret");
    assert_eq!(person(&[ANN]).subject, "ann");
}

#[test]
fn a_wrong_or_missing_secret_is_final_even_where_insecure_is_allowed() {
    for insecure in ["true", "false"] {
        let fake = host().secret("auth_secret", "s3cret").setting("allow_insecure", insecure);
        assert!(is_rejected(&[ANN]), "no secret at all, allow_insecure = {insecure}");
        let fake = fake.request_header("x-chm-proxy-secret", "s3cret, s3cret");
        assert!(is_rejected(&[ANN]), "a doubled header");
        assert!(fake.lines().is_empty(), "the host logs rejections, with a limit");
    }
}

#[test]
fn without_a_gate_nobody_enters_and_the_reason_says_what_to_do() {
    let fake = host();
    match verdict(&[ANN]) {
        Verdict::Rejected(why) => assert!(why.starts_with("nobody can sign in: set auth_secret"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(verdict(&[]), Verdict::NoCredentials);
    assert!(fake.lines().is_empty(), "a line per request would flood the log; the host writes reasons with a limit");
}

#[test]
fn a_wrong_secret_is_a_credential_even_without_a_name() {
    let fake = host().secret("auth_secret", "s3cret");
    assert_eq!(verdict(&[]), Verdict::NoCredentials);
    let fake = fake.request_header("x-chm-proxy-secret", "guess");
    assert!(is_rejected(&[]));
    let _ = fake.request_header("x-chm-proxy-secret", "s3cret");
    assert_eq!(verdict(&[]), Verdict::NoCredentials, "the proxy let somebody pass whom it does not know");
}

#[test]
fn a_secret_that_was_not_granted_fails_closed() {
    let _ = FakeHost::new().setting("allow_insecure", "true").setting("user_header", "X-Forwarded-User");
    assert!(matches!(Trusted::authenticate(head(&[ANN])), Err(Failure::Denied(_))));
}

#[test]
fn a_request_that_names_nobody_has_no_credentials() {
    let _ = open();
    for headers in [&[][..], &[("x-forwarded-user", "")], &[("x-forwarded-groups", "sre")]] {
        assert_eq!(verdict(headers), Verdict::NoCredentials, "{headers:?}");
    }
}

#[test]
fn the_email_is_the_subject_of_people_without_a_user_name() {
    let _ = open();
    let person = person(&[("x-forwarded-user", ""), ("x-forwarded-email", "ann@example.org")]);
    assert_eq!(person.subject, "ann@example.org");
    assert_eq!(person.email.as_deref(), Some("ann@example.org"));
}

#[test]
fn the_headers_make_the_whole_person() {
    let _ = open().setting("custom_headers", "team:X-Team,dept:X-Dept team:X-Crew broken :X-No gone:");
    let ann = person(&[
        ANN,
        ("x-forwarded-email", "ann@example.org"),
        ("x-forwarded-preferred-username", "Änn"),
        ("x-forwarded-avatar", "https://example.org/ann.png"),
        ("x-forwarded-groups", "sre,  ops\tsre,,SRE"),
        ("x-forwarded-role", "on call,ops"),
        ("x-team", "old"),
        ("x-crew", "core"),
        ("x-dept", ""),
    ]);
    assert_eq!(ann.name.as_deref(), Some("Änn"));
    assert_eq!(ann.avatar_url.as_deref(), Some("https://example.org/ann.png"));
    assert_eq!(ann.roles, ["sre", "ops", "on", "call"], "of two spellings of one group the first stays");
    assert_eq!(ann.claim("team"), Some("core"), "the later header of one field counts");
    assert_eq!(ann.custom.len(), 1, "a claim needs a header that is present and not empty");
}

#[test]
fn the_operator_may_name_other_headers() {
    let _ = open().setting("user_header", "X-Auth-Request-User").setting("groups_header", "");
    let bob = person(&[("x-auth-request-user", "bob"), ANN, ("x-forwarded-groups", "sre")]);
    assert_eq!(bob.subject, "bob");
    assert!(bob.roles.is_empty());
}

#[test]
fn the_group_gate_admits_members_in_any_spelling() {
    let cases = [
        (None, "", true),
        (Some(""), "", true),
        (Some("sre,admin"), "SRE", true),
        (Some("sre admin"), "Admin", true),
        (Some("SRE"), "dev,sre", true),
        (Some("sre"), "dev", false),
        (Some("sre"), "", false),
        (Some("sre"), "sre-readonly", false),
        (Some(","), "sre", false),
    ];
    for (allowed, groups, enters) in cases {
        let fake = open();
        if let Some(allowed) = allowed {
            let _ = fake.setting("allowed_groups", allowed);
        }
        let headers = [ANN, ("x-forwarded-groups", groups)];
        assert_eq!(is_rejected(&headers), !enters, "{allowed:?} {groups:?}");
        assert_eq!(matches!(verdict(&headers), Verdict::Authenticated(_)), enters, "{allowed:?} {groups:?}");
    }
}

#[test]
fn a_separator_of_ones_own_keeps_names_with_blanks_whole() {
    /// The separator, the header, the allowed groups, the person's roles, whether that person enters.
    type Case = (Option<&'static str>, &'static str, Option<&'static str>, &'static [&'static str], bool);
    let cases: [Case; 9] = [
        (None, "Team A, ops", Some("team a"), &["Team", "A", "ops"], true),
        (Some(","), "Team A, ops,", Some("team a"), &["Team A", "ops"], true),
        (Some(","), "Team A, ops", Some("Team"), &["Team A", "ops"], false),
        (Some(","), "Team A, ops", Some("dev,OPS"), &["Team A", "ops"], true),
        (Some(","), "Straße, STRASSE", None, &["Straße", "STRASSE"], true),
        (Some("|"), "a,b|c d|| ", Some("c d"), &["a,b", "c d"], true),
        (Some("|"), "a|b", Some("x|b"), &["a", "b"], true),
        (Some(";"), "ÄRZTE;ärzte", Some("ärzte"), &["ÄRZTE"], true),
        (Some(";"), "", Some("a"), &[], false),
    ];
    for (separator, groups, allowed, roles, enters) in cases {
        let fake = open();
        for (name, value) in [("separator", separator), ("allowed_groups", allowed)] {
            if let Some(value) = value {
                let _ = fake.setting(name, value);
            }
        }
        let headers = [ANN, ("x-forwarded-groups", groups)];
        match verdict(&headers) {
            Verdict::Authenticated(person) => assert!(enters && person.roles == roles, "{groups}: {person:?}"),
            other => assert!(!enters, "{groups}: {other:?}"),
        }
    }
}
