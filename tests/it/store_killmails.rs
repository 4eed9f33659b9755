//! Killmails: idempotent writes, what a later source changes, and what it never does.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;
use wanderer_kills::domain::{Enrichment, Item, Killmail, Zkb, wire};
use wanderer_kills::store::items::Items;
use wanderer_kills::store::killmails::{self, Change, StorableKillmail};
use wanderer_kills::store::{Store, names};

use crate::store_samples::{bare, enrichment, killmail, storable, store, time, upsert, zkb};

/// The stored killmail, read back from document and items.
async fn read_back(store: &Store, id: i64) -> Killmail {
    let stored = killmails::get(&store.pool, id, true)
        .await
        .unwrap()
        .unwrap();
    wire::read(&stored.document, stored.items.as_deref()).unwrap()
}

async fn number(store: &Store, query: &'static str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(&store.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn every_fact_comes_back() {
    let (_database, store) = store().await;
    let killmail = killmail(7);
    assert_eq!(upsert(&store, vec![killmail.clone()]).await, [Change::New]);
    assert_eq!(read_back(&store, 7).await, killmail);
    let without_items = killmails::get(&store.pool, 7, false).await.unwrap();
    assert_eq!(without_items.unwrap().items, None);
    assert!(
        killmails::get(&store.pool, 8, true)
            .await
            .unwrap()
            .is_none()
    );
    let known = killmails::known(&store.pool, &[6, 7, 8]).await.unwrap();
    assert_eq!(known, [7]);
}

#[tokio::test]
async fn columns_hold_what_is_filtered_on() {
    let (_database, store) = store().await;
    upsert(&store, vec![killmail(7)]).await;
    let row = sqlx::query("SELECT to_jsonb(k)::text FROM killmails k")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    let row: serde_json::Value = serde_json::from_str(row.get(0)).unwrap();
    for (column, value) in [
        ("region_id", serde_json::json!(10_000_002)),
        ("constellation_id", serde_json::json!(20_000_020)),
        ("ship_group_id", serde_json::json!(25)),
        ("security_status", serde_json::json!(0.945_913)),
        ("final_blow_character_id", serde_json::json!(90_000_001)),
        ("attacker_count", serde_json::json!(2)),
        ("labels", serde_json::json!(["loc:highsec", "solo"])),
        ("total_droppable_value", serde_json::json!(75.25)),
        ("position_x", serde_json::json!(-107_303_387_231.25)),
        ("war_id", serde_json::json!(700_001)),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
    let ordinals: Vec<i32> =
        sqlx::query_scalar("SELECT ordinal FROM attackers ORDER BY damage_done")
            .fetch_all(&store.pool)
            .await
            .unwrap();
    assert_eq!(ordinals, [0, 1]);
}

#[tokio::test]
async fn items_are_rows_with_their_container() {
    let (_database, store) = store().await;
    upsert(&store, vec![killmail(7)]).await;
    let rows: Vec<(i32, Option<i32>, i64, Option<i64>)> = sqlx::query_as(
        "SELECT item_index, parent_index, item_type_id, quantity_destroyed FROM killmail_items ORDER BY item_index",
    )
    .fetch_all(&store.pool)
    .await
    .unwrap();
    let expected = [
        (1, None, 3467, None),
        (2, Some(1), 34, Some(1000)),
        (3, None, 2410, Some(1)),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn stacks_without_a_container_are_the_same_rows() {
    let (_database, store) = store().await;
    let stack = |flag, dropped, destroyed| Item {
        item_type_id: 2410,
        flag,
        singleton: 2,
        quantity_dropped: dropped,
        quantity_destroyed: destroyed,
        items: Vec::new(),
    };
    let items = vec![stack(27, Some(7), None), stack(0, None, Some(78_836_000))];
    let [inserted, copied] = [7, 8].map(|id| {
        let mut it = killmail(id);
        it.victim.items.clone_from(&items);
        it
    });
    upsert(&store, vec![inserted]).await;
    let mut conn = store.pool.acquire().await.unwrap();
    killmails::upsert_history(
        &mut conn,
        &[storable(copied)],
        &enrichment(),
        DateTime::<Utc>::MAX_UTC,
    )
    .await
    .unwrap();
    for id in [7, 8] {
        let rows: Vec<serde_json::Value> = sqlx::query_scalar(
            "SELECT to_jsonb(i) - 'killmail_time' FROM killmail_items AS i
             WHERE killmail_id = $1 ORDER BY item_index",
        )
        .bind(id)
        .fetch_all(&store.pool)
        .await
        .unwrap();
        let row = |index: i32, flag: i64, dropped: Option<i64>, destroyed: Option<i64>| {
            serde_json::json!({
                "killmail_id": id, "item_index": index, "parent_index": null, "item_type_id": 2410, "flag": flag,
                "singleton": 2, "quantity_dropped": dropped, "quantity_destroyed": destroyed,
            })
        };
        let expected = [row(1, 27, Some(7), None), row(2, 0, None, Some(78_836_000))];
        assert_eq!(rows, expected);
        let stored = killmails::get(&store.pool, id, true)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.items, Some(Items(wire::items(&items))));
    }
}

#[tokio::test]
async fn rows_of_before_are_served_and_packed_when_they_change() {
    let (_database, store) = store().await;
    let first = killmail(7);
    upsert(&store, vec![first.clone()]).await;
    let packed = killmails::get(&store.pool, 7, true).await.unwrap().unwrap();
    sqlx::query("UPDATE killmails SET document = $1, packed_document = NULL, items = $2::jsonb, item_stacks = NULL")
        .bind(&packed.document)
        .bind(packed.items.as_deref())
        .execute(&store.pool)
        .await
        .unwrap();
    let plain = killmails::get(&store.pool, 7, true).await.unwrap().unwrap();
    assert_eq!(plain.document, packed.document);
    assert_eq!(
        upsert(&store, vec![first.clone()]).await,
        [Change::Unchanged]
    );
    let later = Zkb {
        total_value: Some(999.75),
        ..Zkb::default()
    };
    let again = Killmail {
        zkb: Some(later),
        ..first
    };
    assert_eq!(upsert(&store, vec![again]).await, [Change::Updated]);
    let changed = killmails::get(&store.pool, 7, true).await.unwrap().unwrap();
    assert!(changed.document.contains("999.75"), "{}", changed.document);
    assert_eq!(changed.items, plain.items);
    let left =
        "SELECT count(*) FROM killmails WHERE document IS NOT NULL OR packed_document IS NULL";
    assert_eq!(number(&store, left).await, 0);
}

#[tokio::test]
async fn the_same_again_changes_nothing() {
    let (_database, store) = store().await;
    let batch: Vec<Killmail> = (1..=50).rev().map(killmail).collect();
    assert_eq!(upsert(&store, batch.clone()).await, vec![Change::New; 50]);
    let version = "SELECT sum(xmin::text::bigint)::bigint FROM killmails";
    let before = number(&store, version).await;
    assert_eq!(
        upsert(&store, batch.clone()).await,
        vec![Change::Unchanged; 50]
    );
    // Without values it is still the same killmail.
    let bare = batch.iter().map(bare).collect();
    assert_eq!(upsert(&store, bare).await, vec![Change::Unchanged; 50]);
    assert_eq!(number(&store, version).await, before);
    assert_eq!(number(&store, "SELECT count(*) FROM attackers").await, 100);
}

#[tokio::test]
async fn later_values_replace_and_absent_ones_stay() {
    let (_database, store) = store().await;
    let first = killmail(7);
    upsert(&store, vec![first.clone()]).await;
    let later = Zkb {
        total_value: Some(999.75),
        labels: Some(vec!["ganked".to_owned()]),
        ..Zkb::default()
    };
    let again = Killmail {
        zkb: Some(later),
        hash: None,
        ..first.clone()
    };
    assert_eq!(upsert(&store, vec![again]).await, [Change::Updated]);
    let merged = Zkb {
        total_value: Some(999.75),
        labels: Some(vec!["ganked".to_owned()]),
        ..zkb()
    };
    let expected = Killmail {
        zkb: Some(merged),
        ..first
    };
    assert_eq!(read_back(&store, 7).await, expected);
    let total: f64 =
        sqlx::query_scalar("SELECT total_value FROM killmails WHERE labels = '{ganked}'")
            .fetch_one(&store.pool)
            .await
            .unwrap();
    assert!((total - 999.75).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_bare_killmail_gets_hash_and_values_later() {
    let (_database, store) = store().await;
    let full = killmail(7);
    upsert(&store, vec![bare(&full)]).await;
    assert_eq!(read_back(&store, 7).await, bare(&full));
    let only_hash = Killmail {
        hash: full.hash,
        ..bare(&full)
    };
    assert_eq!(upsert(&store, vec![only_hash]).await, [Change::Updated]);
    assert_eq!(upsert(&store, vec![full.clone()]).await, [Change::Updated]);
    assert_eq!(read_back(&store, 7).await, full);
    let other_hash = Killmail {
        hash: Some("f".repeat(40).parse().unwrap()),
        ..full.clone()
    };
    assert_eq!(upsert(&store, vec![other_hash]).await, [Change::Unchanged]);
}

#[tokio::test]
async fn the_first_body_wins() {
    let (_database, store) = store().await;
    let first = killmail(7);
    upsert(&store, vec![first.clone()]).await;
    let mut edited = Killmail {
        solar_system_id: 30_002_187,
        ..first.clone()
    };
    edited.attackers.clear();
    edited.victim.items.clear();
    assert_eq!(
        upsert(&store, vec![edited.clone()]).await,
        [Change::Unchanged]
    );
    edited.zkb = Some(Zkb {
        points: Some(77),
        ..zkb()
    });
    assert_eq!(
        upsert(&store, vec![edited.clone()]).await,
        [Change::Updated]
    );
    let expected = Killmail {
        zkb: edited.zkb,
        ..first
    };
    assert_eq!(read_back(&store, 7).await, expected);
}

#[tokio::test]
async fn another_time_is_a_conflict() {
    let (_database, store) = store().await;
    let first = killmail(7);
    upsert(&store, vec![first.clone()]).await;
    let mut moved = first.clone();
    moved.killmail_time += TimeDelta::days(400);
    let batch = [killmail(8), moved, first.clone()];
    // Ids within a batch are unique: the conflicting one comes alone.
    let changes = upsert(&store, batch[..2].to_vec()).await;
    assert_eq!(changes, [Change::New, Change::Conflict]);
    assert_eq!(read_back(&store, 7).await, first);
    assert_eq!(number(&store, "SELECT count(*) FROM killmails").await, 2);
}

#[tokio::test]
async fn any_year_and_any_text_is_stored() {
    let (_database, store) = store().await;
    let times = [
        "1999-12-31T23:59:59Z",
        "2003-01-01T00:00:00Z",
        "2009-12-31T23:59:59Z",
        "2010-01-01T00:00:00Z",
        "2099-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
    ];
    let batch: Vec<Killmail> = (1..)
        .zip(times)
        .map(|(id, at)| Killmail {
            killmail_time: time(at),
            zkb: Some(Zkb {
                labels: Some(vec!["a\0b".to_owned(), String::new()]),
                ..Zkb::default()
            }),
            ..killmail(id)
        })
        .collect();
    assert_eq!(upsert(&store, batch.clone()).await, vec![Change::New; 6]);
    assert_eq!(upsert(&store, batch).await, vec![Change::Unchanged; 6]);
    let labels = "SELECT count(*) FROM killmails WHERE labels = '{ab}'";
    assert_eq!(number(&store, labels).await, 6);
}

#[tokio::test]
async fn an_update_keeps_names_that_the_caller_lacks() {
    let (_database, store) = store().await;
    upsert(&store, vec![killmail(7)]).await;
    let known: Vec<_> = enrichment()
        .names
        .iter()
        .map(|(key, name)| (*key, (**name).clone()))
        .collect();
    names::upsert(&store.pool, &known).await.unwrap();
    let mut again = killmail(7);
    again.zkb = Some(Zkb {
        points: Some(9),
        ..zkb()
    });
    let nameless = StorableKillmail {
        pending_names: true,
        document: wire::document(&again, &Enrichment::default()),
        killmail: again,
    };
    let mut conn = store.pool.acquire().await.unwrap();
    let changes = killmails::upsert(&mut conn, &[nameless], &Enrichment::default())
        .await
        .unwrap();
    assert_eq!(changes, [Change::Updated]);
    let stored = killmails::get(&store.pool, 7, false)
        .await
        .unwrap()
        .unwrap();
    assert!(
        stored.document.contains("Aino Pilot"),
        "{}",
        stored.document
    );
    assert!(
        stored.document.contains("\"points\":9"),
        "{}",
        stored.document
    );
}

#[tokio::test]
async fn concurrent_writers_of_one_batch_store_it_once() {
    let (_database, store) = store().await;
    let forth: Vec<Killmail> = (1..=200).map(killmail).collect();
    let back: Vec<Killmail> = forth.iter().rev().cloned().collect();
    let (a, b, c) = tokio::join!(
        upsert(&store, forth.clone()),
        upsert(&store, back),
        upsert(&store, forth)
    );
    let new = [a, b, c]
        .concat()
        .into_iter()
        .filter(|change| *change == Change::New)
        .count();
    assert_eq!(new, 200);
    assert_eq!(number(&store, "SELECT count(*) FROM killmails").await, 200);
    assert_eq!(number(&store, "SELECT count(*) FROM attackers").await, 400);
}

#[tokio::test]
async fn concurrent_writers_create_a_year_once() {
    let (_database, store) = store().await;
    let of = |id: i64| Killmail {
        killmail_time: time("2012-06-01T00:00:00Z"),
        ..killmail(id)
    };
    let (a, b, c, d) = tokio::join!(
        upsert(&store, vec![of(1)]),
        upsert(&store, vec![of(2)]),
        upsert(&store, vec![of(3)]),
        upsert(&store, vec![of(4)])
    );
    assert_eq!([a, b, c, d].concat(), vec![Change::New; 4]);
    assert_eq!(
        number(&store, "SELECT count(*) FROM killmails_2012").await,
        4
    );
}

#[tokio::test]
async fn a_rolled_back_year_is_created_again() {
    let (_database, store) = store().await;
    let old = Killmail {
        killmail_time: time("2011-06-01T00:00:00Z"),
        ..killmail(1)
    };
    let mut transaction = store.pool.begin().await.unwrap();
    killmails::upsert(&mut transaction, &[storable(old.clone())], &enrichment())
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(upsert(&store, vec![old]).await, [Change::New]);
}
