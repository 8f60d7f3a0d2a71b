//! Actions: shown before they are done, done once by who was shown them, and refused in words otherwise.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{
    Answer, CLUSTER, Host, HostBuilder, PATIENCE, READER, STRICT, client, cluster, engine, eventually, old_server, run,
};
use crate::key_management::{ask, minted};

const SECRET: &str = "a-secret-that-signs-keys";
const PATH: &str = "/api/v1/actions";
const GRANTED: &str = "[plugins.panel-actions.grants]\ncontrol = [\"kill-query\", \"optimize-table\"]";

/// A host that may stop queries and merge parts.
fn granted() -> HostBuilder {
    Host::with_bundled().config(GRANTED).env("CHM_ACTIONS_PER_MIN", "1000")
}

/// The same, for people with keys.
fn with_keys() -> HostBuilder {
    granted().unhurried().env("CHM_API_KEY_SECRET", SECRET)
}

/// A query that goes on until somebody stops it.
struct Victim {
    id: String,
    server: String,
    user: (String, String),
    query: JoinHandle<String>,
}

impl Victim {
    /// Runs on the shared engine, as another user than the host's.
    async fn of(id: &str, user: (&str, &str)) -> Self {
        Self::saying(id, user, "a victim").await
    }

    async fn saying(id: &str, user: (&str, &str), word: &str) -> Self {
        let sql = format!("SELECT '{word}', count() FROM system.numbers WHERE NOT ignore(sleepEachRow(0.02))");
        Self::on(&engine().await.url(), id, user, &sql, "&log_comment=of-a-test").await
    }

    async fn on(server: &str, id: &str, (user, password): (&str, &str), sql: &str, settings: &str) -> Self {
        let url = format!("{server}/?query_id={id}&max_block_size=1{settings}");
        let request = client().post(url).basic_auth(user, Some(password)).body(sql.to_owned());
        // Nothing but somebody who stops it ends it, however long a claim takes to come to that.
        let request = request.timeout(Duration::MAX);
        let query = tokio::spawn(async move { request.send().await.expect("an answer").text().await.expect("a text") });
        let user = (user.to_owned(), password.to_owned());
        let victim = Self { id: id.to_owned(), server: server.to_owned(), user, query };
        eventually("the victim runs", PATIENCE, async || victim.runs().await).await;
        victim
    }

    /// Asks its server, as its user.
    async fn ask(&self, sql: &str) -> String {
        let (user, password) = &self.user;
        let request = client().post(&self.server).basic_auth(user, Some(password)).body(sql.to_owned());
        request.send().await.expect("an answer").text().await.expect("a text").trim_end().to_owned()
    }

    async fn listed(&self, condition: &str) -> String {
        let all = format!("SELECT count() FROM system.processes WHERE query_id = '{}'", self.id);
        self.ask(&format!("{all}{condition}")).await
    }

    async fn runs(&self) -> bool {
        self.listed(" AND is_cancelled = 0").await == "1"
    }

    fn kill(&self) -> Value {
        json!({"action": "killQuery", "params": {"queryId": self.id}})
    }

    /// Claims that it was stopped.
    async fn ends_stopped(mut self) {
        let answer =
            tokio::time::timeout(Duration::from_secs(20), &mut self.query).await.expect("an end").expect("a task");
        assert!(answer.contains("394"), "{answer}");
        eventually("it is gone", Duration::from_secs(10), async || self.listed("").await == "0").await;
    }

    /// Stops it past the host, as its own user may.
    async fn end(self) {
        self.ask(&format!("KILL QUERY WHERE query_id = '{}' ASYNC", self.id)).await;
        self.ends_stopped().await;
    }
}

fn with(body: &Value, field: &str, value: impl Into<Value>) -> Value {
    let mut body = body.clone();
    body[field] = value.into();
    body
}

fn confirmation(answer: &Answer) -> String {
    let body = answer.json();
    let shown = if body["success"] == true { &body["data"] } else { &body["error"]["details"] };
    shown["confirmation"].as_str().unwrap_or_else(|| panic!("no confirmation: {answer}")).to_owned()
}

#[test]
fn a_query_is_shown_and_then_stopped() {
    run(async {
        let host = granted().start().await;
        let victim = Victim::of("actions-shown", READER).await;
        let kill = victim.kill();

        let dry = host.post(PATH, &with(&kill, "dryRun", true)).await.expect(200);
        let data = dry.json()["data"].clone();
        assert_eq!(data["expiresIn"], 60, "{dry}");
        let target = &data["targets"][0];
        assert_eq!((&target["user"], &target["queryId"]), (&json!(READER.0), &json!(victim.id)), "{dry}");
        assert!(target["query"].as_str().is_some_and(|query| query.contains("sleepEachRow")), "{dry}");
        assert!(target["elapsedSeconds"].is_number() && target["memoryBytes"].is_i64(), "{dry}");
        assert!(data["summary"].as_str().is_some_and(|summary| summary.contains(READER.0)), "{dry}");

        let asked = host.post(PATH, &kill).await;
        let said = asked.error(428, "confirmation_required");
        assert!(said.contains("Nothing has happened") && said.contains(&victim.id), "{said}");
        assert_eq!(asked.json()["error"]["details"]["targets"][0]["user"], READER.0);
        assert!(victim.runs().await, "nothing has happened");

        let sent = with(&kill, "confirmation", confirmation(&dry));
        let done = host.post(PATH, &sent).await.expect(200);
        assert!(!done.header("x-request-id").is_empty());
        let body = done.json();
        assert_eq!((&body["success"], &body["data"]["queries"]), (&json!(true), &json!(1)), "{done}");
        assert!(body["message"].as_str().is_some_and(|message| message.contains(&victim.id)), "{done}");
        let id = victim.id.clone();
        victim.ends_stopped().await;

        let said = host.post(PATH, &sent).await.error(400, "validation_error");
        assert!(said.contains("used already"), "{said}");
        let said = host.post(PATH, &with(&kill, "dryRun", true)).await.error(404, "table_not_found");
        assert!(said.contains(&id) && said.contains("has ended"), "{said}");
    });
}

#[test]
fn a_confirmation_is_worth_nothing_to_others_for_other_things_and_later() {
    run(async {
        let host = with_keys().config("[actions]\nconfirmation_seconds = 1800").start().await;
        let (ann, _) = minted(&host, SECRET, json!({"label": "ann"})).await;
        let (bob, _) = minted(&host, SECRET, json!({"label": "bob"})).await;
        let victim = Victim::of("actions-bound", READER).await;
        let other = Victim::of("actions-bound-other", READER).await;
        let post = async |token: &str, body: &Value| ask(&host, Method::POST, PATH, token, Some(body.clone())).await;
        let token = confirmation(&post(&ann, &with(&victim.kill(), "dryRun", true)).await.expect(200));

        let optimize = json!({"action": "optimizeTable", "params": {"table": "e2e.kept"}, "confirmation": token});
        let (begin, end) = token.split_at(token.len() / 2);
        let changed = format!("{begin}{}{end}", if end.starts_with('A') { "B" } else { "A" });
        for (who, body) in [
            (&bob, with(&victim.kill(), "confirmation", token.clone())),
            (&ann, with(&other.kill(), "confirmation", token.clone())),
            (&ann, optimize),
            (&ann, with(&victim.kill(), "confirmation", changed)),
            (&ann, with(&victim.kill(), "confirmation", "")),
        ] {
            let answer = post(who, &body).await;
            let said = answer.error(400, "validation_error");
            assert!(said.contains("`confirmation`") && said.contains("ask again"), "{said}");
            assert_eq!(answer.json()["error"]["details"]["field"], "confirmation");
        }
        assert!(victim.runs().await && other.runs().await, "nothing has happened");

        let hasty = granted().config("[actions]\nconfirmation_seconds = 1").start().await;
        let token_of_a_second = confirmation(&hasty.post(PATH, &victim.kill()).await);
        // Of another process, whoever asks.
        let foreign = with(&victim.kill(), "confirmation", token.clone());
        assert!(hasty.post(PATH, &foreign).await.error(400, "validation_error").contains("restarted"));
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let late = with(&victim.kill(), "confirmation", token_of_a_second);
        assert!(hasty.post(PATH, &late).await.error(400, "validation_error").contains("expired"));
        assert!(victim.runs().await, "nothing has happened");

        post(&ann, &with(&victim.kill(), "confirmation", token)).await.expect(200);
        victim.ends_stopped().await;
        other.end().await;
    });
}

#[test]
fn another_query_under_the_same_id_is_not_what_was_confirmed() {
    run(async {
        let host = granted().start().await;
        let first = Victim::saying("actions-changed", READER, "the first").await;
        let kill = first.kill();
        let token = confirmation(&host.post(PATH, &kill).await);
        first.end().await;
        let second = Victim::saying("actions-changed", READER, "the second").await;
        let answer = host.post(PATH, &with(&kill, "confirmation", token)).await;
        let said = answer.error(409, "changed");
        assert!(said.contains("nothing has happened"), "{said}");
        let shown = answer.json()["error"]["details"]["targets"][0]["query"].to_string();
        assert!(shown.contains("the second"), "{answer}");
        assert!(second.runs().await, "nothing has happened");
        host.post(PATH, &with(&kill, "confirmation", confirmation(&answer))).await.expect(200);
        second.ends_stopped().await;
    });
}

#[test]
fn without_grant_right_or_sign_in_nothing_happens() {
    run(async {
        let engine = engine().await;
        let victim = Victim::of("actions-refused", engine.administrator()).await;
        let kill = victim.kill();
        let settings = json!({"action": "querySettings", "params": {"queryId": victim.id}});

        let ungranted = Host::with_bundled().start().await;
        for body in [kill.clone(), with(&kill, "dryRun", true), with(&kill, "confirmation", "x")] {
            let said = ungranted.post(PATH, &body).await.error(403, "permission_error");
            assert!(said.contains("[plugins.panel-actions.grants] control = [\"kill-query\"]"), "{said}");
        }
        ungranted.post(PATH, &settings).await.expect(200);
        let half =
            Host::with_bundled().config("[plugins.panel-actions.grants]\ncontrol = [\"kill-query\"]").start().await;
        let optimize = json!({"action": "optimizeTable", "params": {"table": "e2e.kept"}});
        let said = half.post(PATH, &optimize).await.error(403, "permission_error");
        assert!(said.contains("control = [\"kill-query\", \"optimize-table\"]"), "{said}");
        let plugins = half.get("/api/v1/plugins").await.rows();
        let actions =
            plugins.iter().find(|plugin| plugin["id"] == "panel-actions").expect("the plugin")["actions"].clone();
        let listed: Vec<String> = actions
            .as_array()
            .expect("actions")
            .iter()
            .map(|action| format!("{} {} {}", action["name"], action["effect"], action["refusal"].is_string()))
            .collect();
        let expected = [
            "\"killQuery\" \"changes\" false",
            "\"optimizeTable\" \"changes\" true",
            "\"querySettings\" \"reads\" false",
        ];
        assert_eq!(listed, expected);

        let disabled = granted().env("CHM_FEATURE_ACTIONS_ENABLED", "false").start().await;
        let answer = disabled.post(PATH, &kill).await.expect(404);
        assert_eq!(answer.json()["error"]["code"], "FEATURE_DISABLED");
        let absent = granted().config("[plugins.panel-actions]\nenabled = false").start().await;
        let said = absent.post(PATH, &kill).await.error(404, "table_not_found");
        assert!(said.contains("panel-actions") && said.contains("/api/v1/plugins"), "{said}");

        let closed = with_keys().start().await;
        let (reader, _) = minted(&closed, SECRET, json!({"label": "reader", "scopes": ["*:read"]})).await;
        closed.post(PATH, &kill).await.expect(401);
        let answer = ask(&closed, Method::POST, PATH, &reader, Some(kill.clone())).await.expect(403);
        assert_eq!(answer.json()["error"]["code"], "SCOPE_REQUIRED");
        let answer = ask(&closed, Method::POST, PATH, &reader, Some(settings)).await.expect(403);
        assert_eq!(answer.json()["error"]["code"], "SCOPE_REQUIRED");

        for (user, word) in [(READER, "GRANT KILL QUERY ON *.* TO reader"), (STRICT, "profile without `readonly`")] {
            let unprivileged = granted().watches_as(user).await.start().await;
            let token = confirmation(&unprivileged.post(PATH, &kill).await);
            let said =
                unprivileged.post(PATH, &with(&kill, "confirmation", token)).await.error(403, "permission_error");
            assert!(said.contains(word), "{said}");
        }
        let unprivileged = granted().watches_as(STRICT).await.start().await;
        let token = confirmation(&unprivileged.post(PATH, &optimize).await);
        let said =
            unprivileged.post(PATH, &with(&optimize, "confirmation", token)).await.error(403, "permission_error");
        assert!(said.contains("profile without `readonly`, and GRANT OPTIMIZE ON e2e.kept TO strict"), "{said}");
        assert!(victim.runs().await, "nothing has happened");
        victim.end().await;
    });
}

#[test]
fn a_table_of_several_parts_is_merged_and_what_has_none_is_refused() {
    run(async {
        let (host, engine) = (granted().start().await, engine().await);
        engine.ask("CREATE TABLE e2e.`to merge` (n UInt32) ENGINE = MergeTree ORDER BY n").await;
        engine.ask("CREATE VIEW e2e.of_a_view AS SELECT 1").await;
        for n in 0..3 {
            engine.ask(&format!("INSERT INTO e2e.`to merge` VALUES ({n})")).await;
        }
        let parts = "SELECT count() FROM system.parts WHERE active AND database = 'e2e' AND table = 'to merge'";
        let optimize = |table: &str| json!({"action": "optimizeTable", "params": {"table": table}});
        let wanted = optimize("e2e.`to merge`");
        let shown = host.post(PATH, &wanted).await;
        let target = shown.json()["error"]["details"]["targets"][0].clone();
        assert_eq!(
            (&target["engine"], &target["activeParts"], &target["rows"]),
            (&json!("MergeTree"), &json!(3), &json!(3))
        );
        assert_eq!(engine.ask(parts).await, "3", "nothing has happened");
        let done = host.post(PATH, &with(&wanted, "confirmation", confirmation(&shown))).await.expect(200);
        assert_eq!(engine.ask(parts).await, "1", "{done}");
        assert_eq!(done.json()["data"]["activeParts"], 1, "{done}");

        for (table, status, word) in [
            ("e2e.of_a_view", 400, "View"),
            ("e2e.no_such_table", 404, "e2e.no_such_table"),
            ("e2e.kept FINAL", 400, "`table`"),
            ("e2e.kept; DROP TABLE e2e.kept", 400, "`table`"),
            ("a.b.c", 400, "`table`"),
            (&"x".repeat(257), 400, "256"),
            ("", 400, "`table`"),
        ] {
            let answer = host.post(PATH, &with(&optimize(table), "dryRun", true)).await;
            let word_of_error = if status == 400 { "validation_error" } else { "table_not_found" };
            let said = answer.error(status, word_of_error);
            assert!(said.contains(word), "{table}: {said}");
        }
    });
}

#[test]
fn the_settings_of_a_query_are_shown_at_once() {
    run(async {
        let host = granted().start().await;
        let victim = Victim::of("actions-settings", READER).await;
        let body = json!({"action": "querySettings", "params": {"queryId": victim.id}});
        let answer = host.post(PATH, &body).await.expect(200);
        let settings = &answer.json()["data"]["settings"];
        assert_eq!(
            (&settings["max_block_size"], &settings["log_comment"]),
            (&json!("1"), &json!("of-a-test")),
            "{answer}"
        );
        for (field, value) in [("dryRun", json!(true)), ("confirmation", json!("x"))] {
            let said = host.post(PATH, &with(&body, field, value)).await.error(400, "validation_error");
            assert!(said.contains(field) && said.contains("only looks"), "{said}");
        }
        victim.end().await;
    });
}

#[test]
fn what_was_asked_for_shown_refused_and_done_is_in_the_audit_log() {
    run(async {
        let host = with_keys().start().await;
        let (ann, _) = minted(&host, SECRET, json!({"label": "ann"})).await;
        let victim = Victim::of("actions-audit", READER).await;
        let post = async |body: &Value| ask(&host, Method::POST, PATH, &ann, Some(body.clone())).await;
        let token = confirmation(&post(&victim.kill()).await);
        post(&with(&victim.kill(), "confirmation", "x")).await.expect(400);
        post(&with(&victim.kill(), "confirmation", token)).await.expect(200);
        let id = victim.id.clone();
        victim.ends_stopped().await;
        let log = ask(&host, Method::GET, "/api/v1/audit?limit=100&subject=ann", SECRET, None).await.expect(200).json();
        let entries = log["data"].as_array().expect("entries");
        let seen: Vec<_> =
            entries.iter().rev().map(|entry| format!("{} {}", entry["action"], entry["outcome"])).collect();
        let expected = [
            r#""action.preview" "done""#,
            r#""action.run" "denied""#,
            r#""control.kill-query" "done""#,
            r#""action.run" "done""#,
        ];
        assert_eq!(seen, expected, "{log}");
        let done = &entries[0];
        assert_eq!((&done["target"], &done["actor"]["subject"]), (&json!("killQuery"), &json!("ann")));
        let details = &done["details"];
        assert_eq!(
            (&details["host"], &details["plugin"], &details["confirmation"]),
            (&json!(0), &json!("panel-actions"), &json!("given"))
        );
        assert_eq!((&details["parameters"]["queryId"], &details["targets"][0]["user"]), (&json!(id), &json!(READER.0)));
        assert!(
            details["message"].is_string() && done["requestId"].is_string() && done["address"] == "127.0.0.1",
            "{done}"
        );
        assert!(
            entries[2]["details"]["error"].as_str().is_some_and(|error| error.contains("confirmation")),
            "{}",
            entries[2]
        );
    });
}

#[test]
fn changes_have_a_rate_of_their_own_and_looks_have_not() {
    run(async {
        let host = with_keys().env("CHM_ACTIONS_PER_MIN", "2").start().await;
        let (ann, _) = minted(&host, SECRET, json!({"label": "ann"})).await;
        let (bob, _) = minted(&host, SECRET, json!({"label": "bob"})).await;
        let optimize = json!({"action": "optimizeTable", "params": {"table": "e2e.kept"}});
        let change = async |token: &str| {
            let shown = ask(&host, Method::POST, PATH, token, Some(optimize.clone())).await;
            let body = with(&optimize, "confirmation", confirmation(&shown));
            ask(&host, Method::POST, PATH, token, Some(body)).await
        };
        for _ in 0..2 {
            change(&ann).await.expect(200);
        }
        let answer = change(&ann).await;
        let said = answer.error(429, "rate_limited");
        assert!(said.contains("limits.actions_per_minute") && said.contains("nothing has happened"), "{said}");
        let wait: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=30).contains(&wait), "{wait}");
        change(&bob).await.expect(200);
    });
}

#[test]
fn where_confirmations_are_optional_a_bare_body_is_enough() {
    run(async {
        let host = granted().env("CHM_ACTIONS_CONFIRMATION", "optional").start().await;
        let victim = Victim::of("actions-optional", READER).await;
        let kill = victim.kill();
        host.post(PATH, &with(&kill, "dryRun", true)).await.expect(200);
        host.post(PATH, &with(&kill, "confirmation", "x")).await.error(400, "validation_error");
        assert!(victim.runs().await, "nothing has happened");
        let done = host.post(&format!("{PATH}?hostId=0"), &kill).await.expect(200).json();
        assert!(done["success"] == true && done["message"].is_string(), "{done}");
        victim.ends_stopped().await;
    });
}

#[test]
fn wrong_requests_are_refused_and_name_what_is_wrong() {
    run(async {
        let host = granted().start().await;
        for (body, status, word) in [
            (json!({"action": "kilQuery", "params": {"queryId": "x"}}), 404, "killQuery"),
            (json!({"action": "killQuery"}), 400, "queryId"),
            (json!({"action": "killQuery", "params": {}}), 400, "queryId"),
            (json!({"action": "killQuery", "params": {"queryId": ""}}), 400, "queryId"),
            (json!({"action": "killQuery", "params": {"queryId": 7}}), 400, "queryId"),
            (json!({"action": "killQuery", "params": {"queryId": "x".repeat(513)}}), 400, "queryId"),
            (json!({"action": "killQuery", "params": {"queryid": "x"}}), 400, "queryId"),
            (json!({"action": "killQuery", "params": {"queryId": "x", "force": true}}), 400, "force"),
            (json!({"action": "killQuery", "params": []}), 400, "params"),
            (json!({"action": "killQuery", "params": {"queryId": "x"}, "dryrun": true}), 400, "dryRun"),
            (
                json!({"action": "killQuery", "params": {"queryId": "x"}, "dryRun": true, "confirmation": "y"}),
                400,
                "confirmation",
            ),
            (json!({"params": {"queryId": "x"}}), 400, "action"),
            (json!({"action": "querySettings", "params": {"queryId": "no-such-query"}}), 404, "no-such-query"),
        ] {
            let answer = host.post(PATH, &body).await;
            let said = answer.error(status, if status == 404 { "table_not_found" } else { "validation_error" });
            assert!(said.contains(word), "{body}: {said}");
        }
        let body = json!({"action": "killQuery", "params": {"queryId": "x"}});
        host.post(&format!("{PATH}?hostId=99"), &body).await.error(400, "validation_error");
        host.post(&format!("{PATH}?hostId=x"), &body).await.error(400, "validation_error");
        // As a form of another site's page would send it.
        let plain = host.request(Method::POST, PATH).header("content-type", "text/plain").body(body.to_string());
        Answer::of(plain).await.expect(415);
    });
}

#[test]
fn a_part_of_a_distributed_query_is_stopped_where_the_whole_was_started() {
    run(async {
        let pair = cluster().await;
        let (first, second) = (pair.first.administrator(), pair.second.administrator());
        let sql = format!(
            "SELECT count() FROM clusterAllReplicas({CLUSTER}, system.numbers) WHERE NOT ignore(sleepEachRow(0.02))"
        );
        let victim = Victim::on(&pair.first.url(), "actions-whole", first, &sql, "").await;
        let parts = "SELECT groupArray(query_id) FROM system.processes \
                     WHERE initial_query_id = 'actions-whole' AND NOT is_initial_query FORMAT JSONCompact";
        let part = async || {
            let found: Value = serde_json::from_str(&pair.second.ask(parts).await).expect("JSON");
            found["data"][0][0][0].as_str().map(str::to_owned)
        };
        eventually("its part runs", PATIENCE, async || part().await.is_some()).await;
        let part = part().await.expect("its part");
        let kill = json!({"action": "killQuery", "params": {"queryId": part}});

        let alone = granted().watches(&pair.second.url(), second).start().await;
        let said = alone.post(PATH, &kill).await.error(404, "table_not_found");
        assert!(said.contains("`actions-whole`") && said.contains("127.0.0.1"), "{said}");
        assert!(victim.runs().await, "nothing has happened");

        let join = |one: &str, other: &str| format!("{one},{other}");
        let (user, password) = (join(first.0, second.0), join(first.1, second.1));
        let both = granted().watches(&join(&pair.first.url(), &pair.second.url()), (&user, &password)).start().await;
        let path = format!("{PATH}?hostId=1");
        let shown = both.post(&path, &kill).await;
        let said = shown.error(428, "confirmation_required");
        assert!(said.contains("of which the named one is a part"), "{said}");
        let target = &shown.json()["error"]["details"]["targets"][0];
        assert_eq!((&target["hostId"], &target["queryId"]), (&json!(0), &json!("actions-whole")), "{shown}");
        both.post(&path, &with(&kill, "confirmation", confirmation(&shown))).await.expect(200);
        victim.ends_stopped().await;
        let left = "SELECT count() FROM system.processes WHERE initial_query_id = 'actions-whole'";
        eventually("its part is gone", Duration::from_secs(20), async || pair.second.ask(left).await == "0").await;
    });
}

#[test]
fn an_old_server_does_all_of_it() {
    run(async {
        let old = old_server().await;
        let host = granted().watches(&old.url(), old.user()).start().await;
        let sql = "SELECT count() FROM system.numbers WHERE NOT ignore(sleepEachRow(0.02))";
        let victim = Victim::on(&old.url(), "actions-old", ("default", ""), sql, "&max_threads=3").await;
        let settings = json!({"action": "querySettings", "params": {"queryId": victim.id}});
        let shown = host.post(PATH, &settings).await.expect(200);
        assert_eq!(shown.json()["data"]["settings"]["max_threads"], "3", "{shown}");
        let kill = victim.kill();
        let shown = host.post(PATH, &kill).await;
        assert!(shown.error(428, "confirmation_required").contains("`default`"), "{shown}");
        host.post(PATH, &with(&kill, "confirmation", confirmation(&shown))).await.expect(200);
        victim.ends_stopped().await;

        old.ask("CREATE TABLE e2e.to_merge (n UInt32) ENGINE = MergeTree ORDER BY n").await;
        for n in 0..3 {
            old.ask(&format!("INSERT INTO e2e.to_merge VALUES ({n})")).await;
        }
        let optimize = json!({"action": "optimizeTable", "params": {"table": "e2e.to_merge"}});
        let shown = host.post(PATH, &optimize).await;
        assert_eq!(shown.json()["error"]["details"]["targets"][0]["activeParts"], 3, "{shown}");
        let done = host.post(PATH, &with(&optimize, "confirmation", confirmation(&shown))).await.expect(200);
        assert_eq!(done.json()["data"]["activeParts"], 1, "{done}");
        let strict = granted().watches(&old.url(), old.strict_user()).start().await;
        let shown = strict.post(PATH, &optimize).await;
        let said = strict.post(PATH, &with(&optimize, "confirmation", confirmation(&shown))).await;
        let said = said.error(403, "permission_error");
        assert!(said.contains("readonly"), "{said}");
    });
}
