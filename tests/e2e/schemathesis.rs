//! Schemathesis asks for everything that the served document describes, in ways it allows and in ways it does not: no answer is a
//! server's error or undocumented, and without credentials there is none but that one must sign in.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{Host, HostBuilder, Peerdb, finished, python_with, repository, run};
use crate::keys::mint;

const SECRET: &str = "a-secret-that-signs-keys";
const ADMIN: &str = "the-admins-own-secret";

/// Two hundred panels are one operation behind the document: each is asked a little, and what they share elsewhere thoroughly.
const PANELS: &[&str] = &["--include-tag", "Tables", "--include-tag", "Charts"];
/// Everything else.
const PANELS_LEFT_OUT: &[&str] = &["--exclude-tag", "Tables", "--exclude-tag", "Charts"];

/// A run of it. Deterministic: the same document gives the same requests.
struct Campaign {
    what: &'static str,
    phases: &'static str,
    examples: u32,
    /// Checks that do not fit, beside those that never do.
    without: &'static [&'static str],
    /// Arguments that choose operations.
    chosen: &'static [&'static str],
    /// An `Authorization` header.
    authorization: Option<String>,
    /// A module of checks of our own.
    hooks: Option<&'static str>,
}

impl Campaign {
    fn run(&self, python: &Path, url: &str) {
        // Not positive_data_acceptance: no schema says which SQL, time zones or cursors there are.
        let excluded = [&["positive_data_acceptance"], self.without].concat().join(",");
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(python);
        command
            .args(["-m", "schemathesis.cli", "--no-color", "run", "--checks", "all", "--exclude-checks", &excluded])
            .args(["--phases", self.phases, "--max-examples", &self.examples.to_string()])
            // One worker, so that the order is the same too.
            .args(["--workers", "1", "--generation-deterministic", "--no-shrink", "--continue-on-failure"])
            .args(["--warnings", "off", "--request-timeout", "30"])
            .args(self.chosen)
            .current_dir(folder.path())
            .env("PYTHONPATH", sources())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null());
        if let Some(authorization) = &self.authorization {
            command.arg("--header").arg(format!("Authorization: {authorization}"));
        }
        if let Some(hooks) = self.hooks {
            command.env("SCHEMATHESIS_HOOKS", hooks);
        }
        let said = finished(self.what, command.arg(format!("{url}/openapi.json")));
        assert!(said.contains("No issues found") || said.contains("passed"), "{}: {said}", self.what);
    }
}

fn sources() -> PathBuf {
    repository().join("tests/schemathesis")
}

fn closed() -> HostBuilder {
    Host::with_bundled()
        .unhurried()
        .env("CHM_AUTH_PROVIDER", "trusted")
        .env("CHM_TRUSTED_AUTH_SECRET", "between-proxy-and-host")
        .env("CHM_API_KEY_SECRET", SECRET)
        .env("CHM_API_KEY_ADMIN_SECRET", ADMIN)
        .env("CRON_SECRET", "the-cron-jobs-secret")
}

#[test]
fn nothing_that_the_document_allows_or_forbids_is_answered_otherwise_than_it_says() {
    run(async {
        let python = tokio::task::spawn_blocking(|| python_with(&sources(), "schemathesis")).await.expect("a thread");
        // Without one its operations answer 503, as documented.
        let peerdb = Peerdb::start().await;
        let (closed, open) = (peerdb.known_to(closed()), peerdb.known_to(Host::with_bundled().unhurried()));
        let (closed, open) = (closed.start().await, open.start().await);
        let key = mint(SECRET, &json!({"sub": "cli", "exp": 4_000_000_000_u64}));
        let campaigns = [
            (
                closed.url(),
                Campaign {
                    what: "schemathesis with an API key",
                    phases: "coverage,fuzzing",
                    examples: 2,
                    without: &[],
                    chosen: PANELS_LEFT_OUT,
                    authorization: Some(format!("Bearer {key}")),
                    hooks: None,
                },
            ),
            (
                closed.url(),
                Campaign {
                    what: "schemathesis over the panels",
                    phases: "fuzzing",
                    examples: 2,
                    without: &[],
                    chosen: PANELS,
                    authorization: Some(format!("Bearer {key}")),
                    hooks: None,
                },
            ),
            (
                closed.url(),
                Campaign {
                    what: "schemathesis without credentials, where everybody must sign in",
                    phases: "fuzzing",
                    examples: 3,
                    without: &[],
                    chosen: &[],
                    authorization: None,
                    hooks: Some("closed_host"),
                },
            ),
            (
                open.url(),
                Campaign {
                    what: "schemathesis without credentials, where nobody signs in",
                    phases: "fuzzing",
                    examples: 2,
                    without: &[],
                    // There are no keys without a secret: 503, as documented.
                    chosen: &["--exclude-tag", "Keys"],
                    authorization: None,
                    hooks: None,
                },
            ),
            (
                closed.url(),
                Campaign {
                    what: "schemathesis as an operator",
                    phases: "coverage,fuzzing",
                    examples: 4,
                    // The contract reads a wish for a key leniently (§3.4).
                    without: &["negative_data_rejection"],
                    chosen: &["--include-tag", "Keys", "--include-tag", "Audit"],
                    authorization: Some(format!("Bearer {ADMIN}")),
                    hooks: None,
                },
            ),
        ];
        let runs = campaigns.map(|(url, campaign)| {
            let (python, url) = (python.clone(), url.to_owned());
            tokio::task::spawn_blocking(move || campaign.run(&python, &url))
        });
        for outcome in futures::future::join_all(runs).await {
            // The thread's own words went to whichever claim began the thread.
            if let Err(failure) = outcome {
                let failure = failure.into_panic();
                panic!("{}", failure.downcast_ref::<String>().map_or("a campaign failed", String::as_str));
            }
        }
    });
}
