//! The alert-sink role: from the API through the outbox and the plugin to a receiver.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Host, Receiver, Reply, eventually, run};

#[test]
fn an_alert_reaches_the_receiver_with_everything_in_it() {
    run(async {
        let receiver = Receiver::open().await;
        let host = Host::with_bundled()
            .env("HEALTH_ALERT_WEBHOOK_URL", &format!("{}/hook?token=of-the-operator", receiver.url()))
            .env("CLICKHOUSE_NAME", "production")
            .start()
            .await;
        let body = json!({"severity": "critical", "title": "Disk", "label": "91% used", "hostId": 0});
        let answer = host.post("/api/v1/alerts/test", &body).await.expect(200);
        assert_eq!(answer.json()["data"], json!([{"sink": "alert-webhook", "state": "delivered"}]), "{answer}");
        let [seen] = receiver.seen().try_into().expect("one request");
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/hook?token=of-the-operator"));
        assert_eq!(seen.header("content-type"), "application/json");
        let alert: serde_json::Value = serde_json::from_slice(&seen.body).expect("JSON");
        assert_eq!(alert["severity"], "critical");
        assert_eq!(alert["title"], "Disk");
        assert_eq!(alert["label"], "91% used");
        assert_eq!(alert["host"], json!({"id": 0, "label": "production"}));
        assert_eq!(alert["text"], "[CRITICAL] Disk — 91% used (host production)");
        assert!(!host.stderr().contains("of-the-operator"), "the address is in the log");
    });
}

#[test]
fn an_alert_waits_as_long_as_the_receiver_asks_and_is_delivered_once() {
    run(async {
        let receiver = Receiver::start(|_, count| match count {
            0 => Reply::status(503).header("Retry-After", "2"),
            _ => Reply::status(204),
        })
        .await;
        let host = Host::with_bundled().env("HEALTH_ALERT_WEBHOOK_URL", receiver.url()).start().await;
        let sent = Instant::now();
        let answer = host.post("/api/v1/alerts/test", &json!({})).await.expect(200);
        let delivery = &answer.json()["data"][0];
        assert_eq!(delivery["state"], "waiting", "{answer}");
        assert!(delivery["reason"].as_str().is_some_and(|reason| reason.contains("503")), "{answer}");
        assert!(delivery["retryInMs"].as_u64().is_some_and(|pause| pause >= 2000), "{answer}");
        eventually("the second attempt", Duration::from_secs(15), async || receiver.seen().len() >= 2).await;
        assert!(sent.elapsed() >= Duration::from_secs(2), "too early: {:?}", sent.elapsed());
        let text = host.get("/metrics").await.expect(200).text();
        assert!(text.contains("chm_plugin_call_duration_seconds_count{") && text.contains("alert-sink"), "{text}");
        // Delivered: nothing more comes.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(receiver.seen().len(), 2);
    });
}

#[test]
fn an_answer_that_no_retry_can_mend_is_final() {
    run(async {
        let receiver = Receiver::start(|_, _| Reply::status(302).header("Location", "http://127.0.0.1:1/")).await;
        let host = Host::with_bundled().env("HEALTH_ALERT_WEBHOOK_URL", receiver.url()).start().await;
        let answer = host.post("/api/v1/alerts/test", &json!({})).await.expect(200);
        let delivery = &answer.json()["data"][0];
        assert_eq!(delivery["state"], "failed", "{answer}");
        assert!(delivery["reason"].as_str().is_some_and(|reason| reason.contains("redirect")), "{answer}");
        assert_eq!(receiver.seen().len(), 1);
    });
}

#[test]
fn a_sink_that_breaks_holds_up_no_other_sink() {
    run(async {
        let receiver = Receiver::open().await;
        let host = Host::with_bundled()
            .guest("misbehaves")
            .config("[plugins.misbehaves.grants]\nclickhouse = { hosts = \"all\" }")
            .env("HEALTH_ALERT_WEBHOOK_URL", receiver.url())
            .start()
            .await;
        let host = &host;
        let send = |title: &str, sink: Option<&str>| {
            let mut body = json!({"title": title});
            if let Some(sink) = sink {
                body["sink"] = json!(sink);
            }
            async move { host.post("/api/v1/alerts/test", &body).await.expect(200).json()["data"].clone() }
        };
        let never = send("never", Some("misbehaves")).await;
        assert_eq!(never, json!([{"sink": "misbehaves", "state": "failed", "reason": "not at all"}]));
        let both = send("trap", None).await;
        let of =
            |sink: &str| both.as_array().and_then(|all| all.iter().find(|one| one["sink"] == sink)).expect("a sink");
        assert_eq!(of("alert-webhook")["state"], "delivered", "{both}");
        assert_eq!(of("misbehaves")["state"], "waiting", "{both}");
        assert!(of("misbehaves")["reason"].as_str().is_some_and(|reason| reason.contains("trapped")), "{both}");
        // While the trapped one waits, the other goes on.
        let next = send("next", Some("alert-webhook")).await;
        assert_eq!(next[0]["state"], "delivered", "{next}");
        assert_eq!(receiver.seen().len(), 2);
    });
}

#[test]
fn a_bad_test_alert_is_refused_with_the_fields_name() {
    run(async {
        let host = crate::harness::shared().await;
        for (body, word) in [
            (json!({"severity": "loud"}), "severity"),
            (json!({"title": ""}), "title"),
            (json!({"colour": "red"}), "colour"),
            (json!({"sink": "nobody"}), "nobody"),
            (json!({"hostId": 99}), "hostId"),
            (json!({"hostId": -1}), "hostId"),
        ] {
            let message = host.post("/api/v1/alerts/test", &body).await.error(400, "validation_error");
            assert!(message.contains(word), "{body}: {message}");
        }
    });
}
