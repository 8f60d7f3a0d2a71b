//! The audit log.

use chm_store::{EntryFilter, NewEntry, Outcome};

use crate::{Place, entry};

#[tokio::test]
async fn an_entry_comes_back_as_it_was_appended() {
    for place in Place::both().await {
        let bare = NewEntry {
            outcome: Outcome::Denied,
            actor: chm_store::Actor { kind: "anonymous".to_owned(), subject: None },
            address: None,
            request_id: None,
            target: None,
            details: serde_json::json!({}),
            ..entry("alert.send")
        };
        let mut odd = entry("write");
        odd.actor.subject = Some("añn\0 \u{1f980}'; DROP TABLE chm_audit; --".to_owned());
        for entry in [&entry("key.mint"), &bare, &odd] {
            place.store.append(entry).await.unwrap();
        }
        let found = place.store.entries(&EntryFilter::default(), 10, None).await.unwrap();
        odd.actor.subject = Some("añn\u{fffd} \u{1f980}'; DROP TABLE chm_audit; --".to_owned());
        let kept: Vec<_> = found.items.into_iter().map(|entry| entry.entry).collect();
        assert_eq!(kept, [odd, bare, entry("key.mint")]);
    }
}

#[tokio::test]
async fn entries_are_found_by_time_action_and_subject_page_by_page() {
    for place in Place::both().await {
        for number in 0..20_i64 {
            let mut entry = entry(if number % 2 == 0 { "even" } else { "odd" });
            entry.time = number * 10;
            entry.actor.subject = (number % 5 != 0).then(|| format!("user{}", number % 5));
            place.store.append(&entry).await.unwrap();
        }
        let of = |action: &str, subject: &str| EntryFilter {
            action: (!action.is_empty()).then(|| action.to_owned()),
            subject: (!subject.is_empty()).then(|| subject.to_owned()),
            ..EntryFilter::default()
        };
        let between = |since, until| EntryFilter { since, until, ..EntryFilter::default() };
        for (filter, times) in [
            (of("even", "user1"), vec![160, 60]),
            (of("", "user4"), vec![190, 140, 90, 40]),
            (between(Some(170), None), vec![190, 180, 170]),
            (between(Some(20), Some(40)), vec![30, 20]),
            (between(None, Some(10)), vec![0]),
            (of("neither", ""), vec![]),
        ] {
            for limit in [1, 3, 1000] {
                let (mut seen, mut cursor) = (Vec::new(), None);
                loop {
                    let page = place.store.entries(&filter, limit, cursor.as_ref()).await.unwrap();
                    assert!(page.items.len() <= limit as usize);
                    seen.extend(page.items.into_iter().map(|entry| entry.entry.time));
                    cursor = page.next;
                    if cursor.is_none() {
                        break;
                    }
                }
                assert_eq!(seen, times, "{filter:?} by {limit}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_changes_or_removes_an_entry() {
    for place in Place::both().await {
        place.store.append(&entry("key.mint")).await.unwrap();
        let sqlite = place.database.is_none();
        let own = if sqlite {
            "INSERT OR REPLACE INTO chm_audit (id, time, action, outcome, actor_kind, details) VALUES (1, 1, 'x', 'done', 'x', '{}')"
        } else {
            "TRUNCATE chm_audit"
        };
        for statement in ["UPDATE chm_audit SET action = 'x'", "DELETE FROM chm_audit", own] {
            let error = place.run(statement).await.unwrap_err();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
        let left = place.store.entries(&EntryFilter::default(), 10, None).await.unwrap().items;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].entry, entry("key.mint"));
    }
}
