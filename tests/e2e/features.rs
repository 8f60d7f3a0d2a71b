//! Law 1: nothing is ungated.

use std::collections::BTreeSet;

use chm_access::Feature;
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::harness::{Answer, Credentials, Host, Operation, gate_code, run, shared};
use crate::keys::mint;

/// They say nothing but that this process lives, and which version it is.
const EXEMPT: [&str; 3] = ["/healthz", "/api/health", "/api/version"];
/// They describe the caller to himself.
const ABOUT_THE_CALLER: [&str; 2] = ["/api/v1/auth/me", "/api/v1/config"];
/// Each item behind them has an operation of its own in the document, with its own feature.
const BY_ITEM: [&str; 9] = [
    "/api/v1/charts/{name}",
    "/api/v1/cluster-counts/{key}",
    "/api/v1/data",
    "/api/v1/health/checks",
    "/api/v1/menu-counts",
    "/api/v1/menu-counts/{key}",
    "/api/v1/tables/{name}",
    "/api/v1/tables/{name}/filter-options",
    "/api/v1/tools/{name}",
];
/// They ask for an operator, or for a secret of their own, whatever the matrix says.
const BESIDE_THE_MATRIX: [(&str, &str); 7] = [
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/auth/api-keys"),
    ("DELETE", "/api/v1/auth/api-keys/{id}"),
    ("POST", "/api/v1/auth/api-keys/{id}/rotate"),
    ("POST", "/api/v1/auth/api-key"),
    ("GET", "/api/cron/retention-prune"),
    ("POST", "/api/cron/retention-prune"),
];

/// Nobody's.
static NOTHING: Credentials = Credentials::new();

#[test]
fn every_operation_names_its_feature() {
    run(async {
        let known: BTreeSet<&str> = Feature::ALL.iter().map(|feature| feature.name()).collect();
        let (mut listed, mut beside) = (BTreeSet::new(), 0);
        for operation in Operation::of(shared().await).await {
            let path = operation.path.as_str();
            if [&EXEMPT[..], &ABOUT_THE_CALLER, &BY_ITEM].concat().contains(&path) {
                assert!(operation.kind.is_empty(), "{path} is listed as exempt and names a right");
                listed.insert(operation.path.clone());
            } else if BESIDE_THE_MATRIX.contains(&(operation.method.as_str(), path)) {
                assert!(!operation.is_gated() && !operation.feature.is_empty(), "{operation:?}");
                beside += 1;
            } else {
                assert!(known.contains(operation.feature.as_str()), "{path}: feature {:?}", operation.feature);
                assert!(["read", "write"].contains(&operation.kind.as_str()), "{path}: operation {:?}", operation.kind);
            }
        }
        assert_eq!(listed.len(), EXEMPT.len() + ABOUT_THE_CALLER.len() + BY_ITEM.len());
        assert_eq!(beside, BESIDE_THE_MATRIX.len());
    });
}

#[test]
fn turning_a_feature_off_closes_everything_under_it_and_nothing_else() {
    run(async {
        let operations = &Operation::of(shared().await).await;
        let closed: Vec<usize> = stream::iter(Feature::ALL)
            .map(|feature| async move {
                let variable = format!("CHM_FEATURE_{}_ENABLED", feature.name().to_uppercase());
                let host = Host::with_bundled().env(&variable, "false").start().await;
                walk(&host, feature.name(), operations).await
            })
            .buffer_unordered(4)
            .collect()
            .await;
        assert_eq!(closed.len(), 19);
        let gated = operations.iter().filter(|operation| operation.is_gated()).count();
        assert_eq!(closed.iter().sum::<usize>(), gated, "each operation is closed by exactly one feature");
    });
}

/// Returns how many operations were closed.
async fn walk(host: &Host, feature: &str, operations: &[Operation]) -> usize {
    let disabled =
        json!({"error": {"code": "FEATURE_DISABLED", "message": format!("Feature \"{feature}\" is disabled.")}});
    let answers = join_all(operations.iter().map(|operation| operation.probe(host, &NOTHING))).await;
    let mut closed = 0;
    for (operation, answer) in operations.iter().zip(answers) {
        if operation.feature == feature {
            assert_eq!(answer.status, 404, "{feature} is off: {answer}");
            assert_eq!(answer.json(), disabled, "{feature} is off: {}", answer.what);
            closed += 1;
        } else {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            assert_ne!(body["error"]["code"], "FEATURE_DISABLED", "{feature} is off: {answer}");
            assert!(!operation.is_gated() || answer.status != 401 && answer.status < 500, "{feature} is off: {answer}");
        }
    }
    closed
}

#[test]
fn without_credentials_a_closed_host_answers_nothing_but_that_it_lives_and_its_document() {
    run(async {
        let host = Host::with_bundled()
            .unhurried()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", "proves-the-proxy")
            .env("CHM_API_KEY_SECRET", "a-secret-that-signs-keys")
            .env("CRON_SECRET", "the-cron-jobs-secret")
            .start()
            .await;
        for operation in Operation::of(shared().await).await {
            let answer = operation.probe(&host, &NOTHING).await;
            if EXEMPT.contains(&operation.path.as_str()) || operation.feature == "docs" {
                assert_eq!(answer.status, 200, "{answer}");
            } else {
                assert_eq!(answer.status, 401, "{answer}");
                assert_eq!(answer.header("www-authenticate"), "Bearer", "{answer}");
                assert_eq!(answer.header("cache-control"), "no-store", "{answer}");
                let has_words = operation.feature.contains("credential of its own");
                let expected = json!({"error": "Authentication required"});
                assert!(has_words || answer.json() == expected, "{answer}");
            }
        }
    });
}

#[test]
fn a_feature_that_asks_for_a_sign_in_asks_for_it_everywhere() {
    run(async {
        let all: Vec<&str> = Feature::ALL.iter().map(|feature| feature.name()).collect();
        let host = Host::with_bundled()
            .unhurried()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", "proves-the-proxy")
            .env("CHM_PUBLIC_READ", "true")
            .env("CHM_AUTH_REQUIRED_FEATURES", &all.join(","))
            .start()
            .await;
        for operation in Operation::of(shared().await).await.iter().filter(|operation| operation.is_gated()) {
            let answer = operation.probe(&host, &NOTHING).await;
            let message = format!("Feature \"{}\" requires authentication.", operation.feature);
            assert_eq!(answer.status, 401, "{answer}");
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{answer}");
            let expected = json!({"error": {"code": "AUTHENTICATION_REQUIRED", "message": message}});
            assert_eq!(answer.json(), expected, "{}", answer.what);
        }
        let tables = host.get("/api/v1/tables/absent").await;
        assert_eq!(
            tables.json()["error"]["details"]["availableTables"],
            "",
            "what may not be read is not listed: {tables}"
        );
        let signed_in = host.request(reqwest::Method::GET, "/api/v1/tables/disks");
        let signed_in = signed_in.header("X-Forwarded-User", "ann").header("X-Chm-Proxy-Secret", "proves-the-proxy");
        Answer::of(signed_in).await.expect(200);
    });
}

/// Credentials of somebody with a role.
fn of_role(role: &str) -> Credentials {
    vec![("x-forwarded-user", "ann".to_owned()), ("x-forwarded-groups", role.to_owned())]
}

#[test]
fn a_role_opens_what_is_under_its_feature_and_nothing_else() {
    run(async {
        let operations = &Operation::of(shared().await).await;
        let mut builder = Host::with_bundled()
            .unhurried()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_ALLOW_INSECURE", "true");
        for feature in Feature::ALL {
            let variable = format!("CHM_FEATURE_{}_ACCESS", feature.name().to_uppercase());
            builder = builder.env(&variable, &format!("role:for-{}", feature.name()));
        }
        let host = &builder.start().await;
        let opened: Vec<usize> = stream::iter(Feature::ALL)
            .map(|feature| {
                opens(host, operations, feature.name(), of_role(&format!("for-{}", feature.name())), "ROLE_REQUIRED")
            })
            .buffer_unordered(2)
            .collect()
            .await;
        let gated = operations.iter().filter(|operation| operation.is_gated()).count();
        assert_eq!(opened.iter().sum::<usize>(), gated, "each operation is opened by exactly one role");
        assert_eq!(opens(host, operations, "nothing", of_role("for-nothing"), "ROLE_REQUIRED").await, 0);
    });
}

#[test]
fn a_scope_opens_what_is_under_its_feature_and_nothing_else() {
    run(async {
        const SECRET: &str = "a-secret-that-signs-keys";
        let operations = &Operation::of(shared().await).await;
        // The document is there for everybody, unless its feature asks for more.
        let host = Host::with_bundled()
            .unhurried()
            .env("CHM_API_KEY_SECRET", SECRET)
            .env("CHM_AUTH_REQUIRED_FEATURES", "docs");
        let host = &host.start().await;
        let holder = |scope: &str| {
            let key = mint(SECRET, &json!({"sub": "cli", "exp": 4_000_000_000_u64, "scopes": [scope]}));
            vec![("authorization", format!("Bearer {key}"))]
        };
        let opened: Vec<usize> = stream::iter(Feature::ALL)
            .map(|feature| {
                opens(host, operations, feature.name(), holder(&format!("{}:write", feature.name())), "SCOPE_REQUIRED")
            })
            .buffer_unordered(2)
            .collect()
            .await;
        let gated = operations.iter().filter(|operation| operation.is_gated()).count();
        assert_eq!(opened.iter().sum::<usize>(), gated, "each operation is opened by exactly one scope");
        let reading = operations.iter().filter(|operation| operation.is_gated() && operation.kind == "read").count();
        let mut read = 0;
        for operation in operations.iter().filter(|operation| operation.is_gated()) {
            let code = gate_code(&operation.probe(host, &holder("*:read")).await);
            assert_eq!(code, (operation.kind == "write").then_some("SCOPE_REQUIRED"), "{operation:?}");
            read += usize::from(code.is_none());
        }
        assert_eq!(read, reading);
    });
}

/// Claims that these credentials open the operations of one feature, and that all others are refused with `code`. Returns how many
/// were opened.
async fn opens(host: &Host, operations: &[Operation], feature: &str, credentials: Credentials, code: &str) -> usize {
    let mut opened = 0;
    for operation in operations.iter().filter(|operation| operation.is_gated()) {
        let answer = operation.probe(host, &credentials).await;
        if operation.feature == feature {
            assert_eq!(gate_code(&answer), None, "{feature}: {answer}");
            assert!(answer.status != 401 && answer.status < 500, "{feature}: {answer}");
            opened += 1;
        } else {
            assert_eq!(gate_code(&answer), Some(code), "{feature}: {answer}");
        }
    }
    opened
}

#[test]
fn what_is_closed_is_not_listed_either() {
    run(async {
        let host = Host::with_bundled().env("CHM_DISABLED_FEATURES", "queries, operations").start().await;
        let tools = host.get("/api/v1/tools").await.expect(200).rows();
        assert!(!tools.is_empty() && tools.iter().all(|tool| tool["feature"] != "queries"), "{tools:?}");
        let answer = host.get("/api/v1/tables/nothing-of-that-name").await;
        answer.error(404, "table_not_found");
        let listed = answer.json()["error"]["details"]["availableTables"].as_str().unwrap_or_default().to_owned();
        let names: Vec<&str> = listed.split(", ").collect();
        assert!(names.contains(&"disks") || names.contains(&"settings"), "{listed}");
        assert!(!names.contains(&"running-queries") && !names.contains(&"merges"), "{listed}");
        let resolved = host.get("/api/v1/config").await.expect(200).json()["resolved"].clone();
        assert_eq!(resolved["queries"]["enabled"], false);
        assert_eq!(resolved["tables"]["enabled"], true);
        // A feature's own variable wins over the list.
        let host = Host::with_bundled()
            .env("CHM_DISABLED_FEATURES", "queries")
            .env("CHM_FEATURE_QUERIES_ENABLED", "true")
            .start()
            .await;
        host.get("/api/v1/tables/running-queries").await.expect(200);
    });
}

#[test]
fn a_plugins_own_feature_needs_a_sign_in_until_the_operator_says_otherwise() {
    run(async {
        let builder = || {
            Host::with_bundled()
                .guest("misbehaves")
                .config("[plugins.misbehaves.grants]\nclickhouse = { hosts = \"all\" }")
                .env("CHM_AUTH_PROVIDER", "trusted")
                .env("CHM_TRUSTED_ALLOW_INSECURE", "true")
                .env("CHM_PUBLIC_READ", "true")
        };
        let path = "/api/v1/tables/misbehaves.own-feature";
        let host = builder().start().await;
        let answer = host.get(path).await.expect(401);
        assert_eq!(answer.json()["error"]["code"], "AUTHENTICATION_REQUIRED", "{answer}");
        let signed_in = host.request(reqwest::Method::GET, path).header("X-Forwarded-User", "ann");
        Answer::of(signed_in).await.expect(200);
        let open = builder().config("[features.misbehaves]\naccess = \"public\"").start().await;
        open.get(path).await.expect(200);
        let off = builder().config("[features.misbehaves]\nenabled = false").start().await;
        let answer = off.get(path).await.expect(404);
        assert_eq!(answer.json()["error"]["code"], "FEATURE_DISABLED", "{answer}");
    });
}
