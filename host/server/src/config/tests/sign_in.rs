//! What the variables of the bundled auth providers come to.

use chm_access::Posture;
use chm_manifest::SettingValue;

use super::*;

/// `clerk.example.com`.
const KEY: &str = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k";
const CLERK: &[(&str, &str)] = &[
    ("CHM_AUTH_PROVIDER", "clerk"),
    ("CHM_CLERK_PUBLISHABLE_KEY", KEY),
    ("CLERK_SECRET_KEY", "sk_live_hunter2"),
    ("CHM_PUBLIC_ORIGIN", "https://chm.example.org"),
];

fn with<'a>(pairs: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_new = |name: &str| more.iter().all(|(other, _)| *other != name);
    pairs.iter().filter(|(name, _)| is_new(name)).chain(more).copied().collect()
}

fn without<'a>(pairs: &[(&'a str, &'a str)], gone: &str) -> Vec<(&'a str, &'a str)> {
    pairs.iter().filter(|(name, _)| *name != gone).copied().collect()
}

fn setting(loaded: &Loaded, plugin: &str, name: &str) -> Option<SettingValue> {
    loaded.config.plugins.get(plugin)?.settings.get(name).cloned()
}

#[test]
fn cloudflare_access_needs_both_variables_and_gets_the_rest_by_itself() {
    let both = [
        ("CHM_AUTH_PROVIDER", "proxy"),
        ("CHM_CF_ACCESS_TEAM_DOMAIN", "https://acme.cloudflareaccess.com/"),
        ("CHM_CF_ACCESS_AUD", "tag-1, tag-2"),
    ];
    let loaded = load(&both).unwrap();
    let issuer = &loaded.config.issuers["cloudflare"];
    assert_eq!(issuer.issuer, "https://acme.cloudflareaccess.com");
    let keys = issuer.jwks_url.as_ref().unwrap().expose().as_str();
    assert_eq!(keys, "https://acme.cloudflareaccess.com/cdn-cgi/access/certs");
    assert_eq!((issuer.audiences.join(" "), issuer.algorithms.join(" ")), ("tag-1 tag-2".into(), "RS256".into()));
    assert_eq!(loaded.warnings, []);

    for (gone, key, name) in [
        ("CHM_CF_ACCESS_AUD", "issuers.cloudflare.audiences", "CHM_CF_ACCESS_AUD"),
        ("CHM_CF_ACCESS_TEAM_DOMAIN", "issuers.cloudflare.issuer", "CHM_CF_ACCESS_TEAM_DOMAIN"),
    ] {
        let [problem] = problems(&without(&both, gone)).try_into().unwrap();
        assert!(problem.starts_with(&format!("`{key}` is missing")) && problem.ends_with(name), "{problem}");
    }
    let bare = with(&both, &[("CHM_CF_ACCESS_TEAM_DOMAIN", "acme.cloudflareaccess.com")]);
    assert!(problems(&bare)[0].contains("expected an http or https address"));
}

#[test]
fn a_file_may_say_otherwise_than_what_follows_by_itself() {
    let file = File::new(
        "chm.toml",
        "[issuers.cloudflare]\nissuer = \"https://acme.example\"\naudiences = [\"a\"]\njwks_url = \"http://keys/\"\nalgorithms = [\"ES256\"]\n\
         [issuers.clerk]\nissuer = \"https://clerk.example\"\naudiences = [\"chm\"]\n\
         [plugins.auth-clerk.settings]\nauthorized_parties = [\"https://a\"]\nsecret_key = \"sk\"\n\
         [endpoints.clerk-api]\nurl = \"http://proxy/clerk\"\n",
    );
    let loaded = file.load(&[("CHM_PUBLIC_ORIGIN", "https://b.example"), ("CHM_CLERK_PUBLISHABLE_KEY", KEY)]).unwrap();
    let (cloudflare, clerk) = (&loaded.config.issuers["cloudflare"], &loaded.config.issuers["clerk"]);
    assert_eq!(cloudflare.jwks_url.as_ref().unwrap().expose().as_str(), "http://keys/");
    assert_eq!(cloudflare.algorithms, ["ES256"]);
    assert_eq!((clerk.issuer.as_str(), clerk.audiences.join(" ").as_str()), ("https://clerk.example", "chm"));
    assert_eq!(
        setting(&loaded, "auth-clerk", "authorized_parties"),
        Some(SettingValue::List(vec!["https://a".into()]))
    );
    let api = &loaded.config.endpoints["clerk-api"];
    assert_eq!((api.url.expose().as_str(), api.timeout_ms), ("http://proxy/clerk", 5000));
    assert_eq!(api.headers["authorization"].expose(), "Bearer sk");
}

#[test]
fn clerk_is_set_up_by_the_variables_that_its_users_have() {
    let loaded = load(CLERK).unwrap();
    let issuer = &loaded.config.issuers["clerk"];
    assert_eq!(issuer.issuer, "https://clerk.example.com");
    let keys = issuer.jwks_url.as_ref().unwrap().expose().as_str();
    assert_eq!(keys, "https://clerk.example.com/.well-known/jwks.json");
    assert_eq!((issuer.audiences.join(" "), issuer.algorithms.join(" ")), ("*".into(), "RS256".into()));
    let api = &loaded.config.endpoints["clerk-api"];
    assert_eq!((api.url.expose().as_str(), api.timeout_ms), ("https://api.clerk.com/", 5000));
    assert_eq!(api.headers["authorization"].expose(), "Bearer sk_live_hunter2");
    let limits = &loaded.config.plugins.get("auth-clerk").unwrap().limits;
    assert!(limits.wall_ms.unwrap() > api.timeout_ms, "the plugin must outlive its question");
    assert_eq!(
        setting(&loaded, "auth-clerk", "authorized_parties"),
        Some(SettingValue::List(vec!["https://chm.example.org".into()]))
    );
    assert_eq!(loaded.warnings, []);
    assert_eq!(origin(&loaded, "issuers.clerk.issuer"), "environment variable CHM_CLERK_PUBLISHABLE_KEY");
    for text in [loaded.render(), format!("{loaded:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn clerks_issuer_is_what_the_strongest_variable_says() {
    let other = "pk_test_YS5iLmNvJA==";
    for (more, issuer) in [
        (&[("CLERK_PUBLISHABLE_KEY", other)][..], "https://clerk.example.com"),
        (&[("VITE_CLERK_PUBLISHABLE_KEY", other)], "https://clerk.example.com"),
        (&[("CLERK_OAUTH_ISSUER", "https://x.example//")], "https://x.example"),
        (&[("CHM_CLERK_ISSUER", "http://127.0.0.1:9")], "http://127.0.0.1:9"),
        (&[("CHM_CLERK_PUBLISHABLE_KEY", " "), ("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", other)], "https://a.b.co"),
    ] {
        assert_eq!(load(&with(CLERK, more)).unwrap().config.issuers["clerk"].issuer, issuer, "{more:?}");
    }
    let two = with(CLERK, &[("CLERK_OAUTH_ISSUER", "https://x.example"), ("CHM_CLERK_ISSUER", "https://y.example")]);
    assert!(problems(&two)[0].contains("different values"));
    let secret = with(CLERK, &[("CHM_CLERK_PUBLISHABLE_KEY", "sk_live_hunter2")]);
    let [problem] = problems(&secret).try_into().unwrap();
    assert!(problem.contains("a publishable key of Clerk") && !problem.contains("hunter2"), "{problem}");
    let unchosen = load(&with(CLERK, &[("CHM_AUTH_PROVIDER", "trusted"), ("CLERK_SECRET_KEY", "")])).unwrap();
    assert!(unchosen.config.issuers.is_empty(), "no keys are fetched for a provider that nobody chose");
}

#[test]
fn a_public_key_of_clerk_stands_in_for_the_secret_one() {
    let key = "-----BEGIN PUBLIC KEY-----\\nAA==\\n-----END PUBLIC KEY-----";
    let loaded = load(&with(CLERK, &[("CLERK_JWT_KEY", key), ("CLERK_SECRET_KEY", "")])).unwrap();
    let issuer = &loaded.config.issuers["clerk"];
    assert_eq!(origin(&loaded, "issuers.clerk.public_key"), "environment variable CLERK_JWT_KEY");
    assert!(issuer.jwks_url.is_none(), "nothing is fetched");
    assert_eq!(setting(&loaded, "auth-clerk", "networkless"), Some(SettingValue::Boolean(true)));
    assert!(!loaded.config.endpoints.contains_key("clerk-api"));
    assert_eq!(loaded.warnings, []);
}

#[test]
fn public_reading_of_clerk_counts_with_clerk_only() {
    for (providers, value, posture, warnings) in [
        ("clerk", "true", Posture::PublicRead, 0),
        ("proxy,Clerk", "1", Posture::PublicRead, 0),
        ("clerk", "off", Posture::Closed, 0),
        ("auth-clerk", "true", Posture::PublicRead, 0),
        ("proxy", "true", Posture::Closed, 1),
        ("proxy", "false", Posture::Closed, 0),
    ] {
        let more = [
            ("CHM_AUTH_PROVIDER", providers),
            ("CHM_CLERK_PUBLIC_READ", value),
            ("CHM_PROXY_AUTH_SECRET", "s3cret"),
            ("CLERK_SECRET_KEY", if providers == "proxy" { "" } else { "sk" }),
        ];
        let loaded = load(&with(CLERK, &more)).unwrap();
        assert_eq!(loaded.config.posture(), posture, "{providers} {value}");
        let said: Vec<_> = loaded.warnings.iter().filter(|warning| warning.text.contains("PUBLIC_READ")).collect();
        assert_eq!(said.len(), warnings, "{providers} {value}: {said:?}");
    }
    let junk = problems(&with(CLERK, &[("CHM_CLERK_PUBLIC_READ", "maybe")]));
    assert!(junk[0].contains("CHM_CLERK_PUBLIC_READ: found `maybe`, expected a boolean"), "{junk:?}");
    let both = problems(&with(CLERK, &[("CHM_CLERK_PUBLIC_READ", "on"), ("CHM_PUBLIC_READ", "off")]));
    assert!(both[0].contains("different values"), "{both:?}");
}

#[test]
fn a_provider_that_signs_nobody_in_is_warned_of() {
    for (pairs, expected) in [
        (&[("CHM_AUTH_PROVIDER", "trusted")][..], "`trusted` signs nobody in: set CHM_TRUSTED_AUTH_SECRET"),
        (&[("CHM_AUTH_PROVIDER", "trusted"), ("CHM_TRUSTED_ALLOW_INSECURE", "1")], "can be anybody"),
        (&[("CHM_AUTH_PROVIDER", "proxy")], "`proxy` signs nobody in"),
        (&without(CLERK, "CHM_CLERK_PUBLISHABLE_KEY"), "set CHM_CLERK_PUBLISHABLE_KEY or CHM_CLERK_ISSUER"),
        (&without(CLERK, "CLERK_SECRET_KEY"), "set CLERK_SECRET_KEY or CLERK_JWT_KEY"),
        (&without(CLERK, "CHM_PUBLIC_ORIGIN"), "set CHM_PUBLIC_ORIGIN or CHM_CLERK_AUTHORIZED_PARTIES"),
        (&[("CHM_PROXY_AUTH_SECRET", "s3cret")], "`proxy` is not among the providers"),
        (&[("CHM_TRUSTED_AUTH_SECRET", "s3cret")], "`trusted` is not among the providers"),
        (&[("CLERK_SECRET_KEY", "sk")], "`clerk` is not among the providers"),
    ] {
        let warnings = load(pairs).unwrap().warnings;
        let found = warnings.iter().find(|warning| warning.text.contains(expected));
        assert!(found.is_some_and(|warning| warning.security), "{pairs:?}: {warnings:?}");
    }
    for pairs in [
        &[("CHM_AUTH_PROVIDER", "trusted"), ("CHM_TRUSTED_AUTH_SECRET", "s3cret")][..],
        &[("CHM_AUTH_PROVIDER", "proxy"), ("CHM_PROXY_AUTH_SECRET", "s3cret")],
    ] {
        assert_eq!(load(pairs).unwrap().warnings, []);
    }
}

#[test]
fn the_header_of_the_secret_says_nothing_else() {
    let trusted =
        |name, header| [("CHM_AUTH_PROVIDER", "trusted"), ("CHM_TRUSTED_AUTH_SECRET", "s3cret"), (name, header)];
    for (pairs, other) in [
        (trusted("CHM_TRUSTED_SHARED_SECRET_HEADER", "x-forwarded-USER"), "CHM_TRUSTED_USER_HEADER"),
        (trusted("CHM_TRUSTED_SHARED_SECRET_HEADER", "X-Forwarded-Groups"), "CHM_TRUSTED_GROUPS_HEADER"),
        (trusted("CHM_TRUSTED_ROLE_HEADER", "X-Chm-Proxy-Secret"), "CHM_TRUSTED_ROLE_HEADER"),
        (
            [
                ("CHM_AUTH_PROVIDER", "proxy"),
                ("CHM_PROXY_AUTH_HEADER", "X-Me"),
                ("CHM_PROXY_SHARED_SECRET_HEADER", "x-me"),
            ],
            "CHM_PROXY_AUTH_HEADER",
        ),
    ] {
        let [problem] = problems(&pairs).try_into().unwrap();
        assert!(problem.contains("SHARED_SECRET_HEADER)") && problem.contains(other), "{problem}");
        assert!(problem.contains("name the same header"), "{problem}");
        assert!(load(&pairs[1..]).is_ok(), "nobody asks a provider that nobody chose: {pairs:?}");
    }
    assert!(load(&trusted("CHM_TRUSTED_SHARED_SECRET_HEADER", "X-Secret")).is_ok());
}

#[test]
fn oidc_needs_an_issuer_and_an_audience() {
    let whole = [
        ("CHM_AUTH_PROVIDER", "oidc"),
        ("CHM_OIDC_ISSUER", "https://auth.example.org/application/o/chm/"),
        ("CHM_OIDC_AUDIENCE", "chm,other"),
        ("CHM_OIDC_ALGORITHMS", "ES256"),
        ("CHM_OIDC_ROLES_CLAIM", "realm_access.roles"),
    ];
    let loaded = load(&whole).unwrap();
    let issuer = &loaded.config.issuers["oidc"];
    assert_eq!(issuer.issuer, "https://auth.example.org/application/o/chm/", "to the letter: tokens have it so");
    assert_eq!((issuer.audiences.join(" "), issuer.algorithms.join(" ")), ("chm other".into(), "ES256".into()));
    assert!(issuer.jwks_url.is_none(), "discovered");
    assert_eq!(loaded.warnings, []);
    assert!(problems(&without(&whole, "CHM_OIDC_AUDIENCE"))[0].contains("CHM_OIDC_AUDIENCE"));
    assert!(problems(&without(&whole, "CHM_OIDC_ISSUER"))[0].contains("CHM_OIDC_ISSUER"));
    assert!(problems(&[("CHM_AUTH_PROVIDER", "oidc")])[0].contains("needs an issuer: set CHM_OIDC_ISSUER"));
}
