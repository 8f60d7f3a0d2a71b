//! Keys.

use chm_store::{EntryFilter, Key, Revocation, Rotation, Store};

use crate::{Place, entry, key};

async fn find(store: &Store, id: &str) -> Key {
    store.key(id).await.unwrap().unwrap()
}

async fn actions(store: &Store) -> Vec<String> {
    let page = store.entries(&EntryFilter::default(), 100, None).await.unwrap();
    page.items.into_iter().map(|entry| entry.entry.action).collect()
}

#[tokio::test]
async fn a_key_comes_back_as_it_was_kept() {
    for place in Place::both().await {
        place.store.insert_key(&key("k1"), &entry("key.mint")).await.unwrap();
        let expected = Key {
            id: "k1".to_owned(),
            subject: "ci".to_owned(),
            scopes: vec!["*:read".to_owned(), "tables:write".to_owned()],
            roles: vec!["sre, \"lead\"".to_owned()],
            created_at: 1000,
            created_by: "ann".to_owned(),
            expires_at: 2000,
            revoked_at: None,
            revoked_by: None,
            last_used_at: None,
            replaced_by: None,
        };
        assert_eq!(place.store.key("k1").await.unwrap(), Some(expected));
        assert_eq!(place.store.key("K1").await.unwrap(), None);
        assert_eq!(place.store.key("k1\0").await.unwrap(), None);
        assert_eq!(actions(&place.store).await, ["key.mint"]);
    }
}

#[tokio::test]
async fn an_id_is_kept_once() {
    for place in Place::both().await {
        place.store.insert_key(&key("k1"), &entry("key.mint")).await.unwrap();
        place.store.insert_key(&key("k1"), &entry("key.mint")).await.unwrap_err();
        assert_eq!(actions(&place.store).await.len(), 1, "the entry of what failed is not kept");
    }
}

#[tokio::test]
async fn keys_are_listed_newest_first_and_page_by_page() {
    for place in Place::both().await {
        for number in 0..7 {
            place.store.insert_key(&key(&format!("k{number}")), &entry("key.mint")).await.unwrap();
        }
        let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, None);
        loop {
            let page = place.store.keys(3, cursor.as_ref()).await.unwrap();
            seen.extend(page.items.into_iter().map(|key| key.id));
            pages += 1;
            // A key that appears meanwhile shifts nothing.
            if pages == 1 {
                place.store.insert_key(&key("k9"), &entry("key.mint")).await.unwrap();
            }
            let Some(next) = page.next else { break };
            cursor = Some(next.to_string().parse().unwrap());
        }
        assert_eq!((seen.join(" ").as_str(), pages), ("k6 k5 k4 k3 k2 k1 k0", 3));
        assert_eq!(place.store.keys(7, None).await.unwrap().items.len(), 7);
    }
}

#[tokio::test]
async fn a_revoked_key_stays_revoked_as_it_was_first() {
    for place in Place::both().await {
        let store = &place.store;
        store.insert_key(&key("k1"), &entry("key.mint")).await.unwrap();
        assert!(find(store, "k1").await.is_live(2000));
        assert!(!find(store, "k1").await.is_live(2001));

        let revoked = store.revoke_key("k1", "bob", 1500, &entry("key.revoke")).await.unwrap();
        assert!(matches!(&revoked, Revocation::Revoked(key) if key.revoked_at == Some(1500)), "{revoked:?}");
        assert!(!find(store, "k1").await.is_live(1499), "whatever another host's clock says");

        let again = store.revoke_key("k1", "eve", 1600, &entry("key.revoke")).await.unwrap();
        assert!(matches!(&again, Revocation::Already(key) if key.revoked_by.as_deref() == Some("bob")), "{again:?}");
        let unknown = store.revoke_key("k2", "bob", 1600, &entry("key.revoke")).await.unwrap();
        assert_eq!(unknown, Revocation::Unknown);
        assert_eq!(actions(store).await, ["key.revoke", "key.mint"], "what changed nothing is no entry");
    }
}

#[tokio::test]
async fn a_rotated_key_ends_at_once_or_after_the_overlap() {
    for place in Place::both().await {
        let store = &place.store;
        for id in ["a1", "b1", "c1"] {
            store.insert_key(&key(id), &entry("key.mint")).await.unwrap();
        }
        for (old, new, overlap, revoked_at, expires_at) in
            [("a1", "a2", 0, Some(1100), 1100), ("b1", "b2", 60, None, 1160), ("c1", "c2", 100_000, None, 2000)]
        {
            let mut successor = key(new);
            (successor.created_at, successor.expires_at) = (1100, 9000);
            let rotated = store.rotate_key(old, &successor, overlap, &entry("key.rotate")).await.unwrap();
            let Rotation::Rotated(key) = rotated else { panic!("{rotated:?}") };
            assert_eq!((key.revoked_at, key.expires_at), (revoked_at, expires_at), "{old}");
            assert_eq!(key.replaced_by.as_deref(), Some(new));
            assert_eq!(find(store, new).await.expires_at, 9000);
        }

        let ended = store.rotate_key("b1", &key("b3"), 0, &entry("key.rotate")).await.unwrap();
        assert!(matches!(ended, Rotation::Ended(key) if key.replaced_by.as_deref() == Some("b2")));
        assert_eq!(store.rotate_key("z1", &key("z2"), 0, &entry("key.rotate")).await.unwrap(), Rotation::Unknown);
        let mut late = key("c3");
        late.created_at = 9001;
        assert!(matches!(store.rotate_key("c2", &late, 0, &entry("key.rotate")).await.unwrap(), Rotation::Ended(_)));
        for id in ["b3", "z2", "c3"] {
            assert_eq!(store.key(id).await.unwrap(), None, "{id}: no successor is left of what did not happen");
        }
    }
}

#[tokio::test]
async fn of_two_rotations_at_once_one_succeeds() {
    for place in Place::both().await {
        place.store.insert_key(&key("k1"), &entry("key.mint")).await.unwrap();
        let attempts = (0..8).map(|number| {
            let store = place.store.clone();
            tokio::spawn(async move {
                let successor = key(&format!("s{number}"));
                store.rotate_key("k1", &successor, 60, &entry("key.rotate")).await.unwrap()
            })
        });
        let mut rotated = 0;
        for attempt in attempts.collect::<Vec<_>>() {
            rotated += usize::from(matches!(attempt.await.unwrap(), Rotation::Rotated(_)));
        }
        assert_eq!(rotated, 1);
        assert_eq!(place.store.keys(100, None).await.unwrap().items.len(), 2);
    }
}

#[tokio::test]
async fn the_latest_use_is_what_is_kept() {
    for place in Place::both().await {
        let store = &place.store;
        for id in ["k1", "k2"] {
            store.insert_key(&key(id), &entry("key.mint")).await.unwrap();
        }
        store.touch_keys(&[]).await.unwrap();
        let uses = |uses: &[(&str, i64)]| uses.iter().map(|(id, time)| ((*id).to_owned(), *time)).collect::<Vec<_>>();
        store.touch_keys(&uses(&[("k2", 1300), ("k1", 1200), ("gone", 1)])).await.unwrap();
        store.touch_keys(&uses(&[("k1", 1100), ("k2", 1400)])).await.unwrap();
        assert_eq!(find(store, "k1").await.last_used_at, Some(1200));
        assert_eq!(find(store, "k2").await.last_used_at, Some(1400));
    }
}

#[tokio::test]
async fn only_keys_that_ended_long_ago_are_removed() {
    for place in Place::both().await {
        let store = &place.store;
        for (id, expires_at) in [("expired", 1499), ("just", 1500), ("revoked", 9000), ("live", 9000)] {
            let mut key = key(id);
            key.expires_at = expires_at;
            store.insert_key(&key, &entry("key.mint")).await.unwrap();
        }
        store.revoke_key("revoked", "bob", 1400, &entry("key.revoke")).await.unwrap();
        let pruned = |count: u64| {
            let mut entry = entry("key.prune");
            entry.details = serde_json::json!({"removed": count});
            entry
        };
        assert_eq!(store.prune_keys(1500, pruned).await.unwrap(), 2);
        let left: Vec<_> = store.keys(10, None).await.unwrap().items.into_iter().map(|key| key.id).collect();
        assert_eq!(left, ["live", "just"]);
        let newest = store.entries(&EntryFilter::default(), 1, None).await.unwrap().items.remove(0);
        assert_eq!(newest.entry.details, serde_json::json!({"removed": 2}));
    }
}

#[tokio::test]
async fn a_key_whose_entry_cannot_be_kept_is_not_kept() {
    for place in Place::both().await {
        place.store.insert_key(&key("k1"), &entry("key.mint")).await.unwrap();
        place.run("ALTER TABLE chm_audit RENAME TO elsewhere").await.unwrap();
        place.store.insert_key(&key("k2"), &entry("key.mint")).await.unwrap_err();
        place.store.revoke_key("k1", "bob", 1500, &entry("key.revoke")).await.unwrap_err();
        place.store.rotate_key("k1", &key("k3"), 0, &entry("key.rotate")).await.unwrap_err();
        place.store.prune_keys(9999, |_| entry("key.prune")).await.unwrap_err();
        let keys = place.store.keys(10, None).await.unwrap().items;
        assert_eq!((keys.len(), keys[0].revoked_at), (1, None));
    }
}
