//! The feed as R2Z2's numbered files, read by our own R2Z2 source and by hand.

use rstest::rstest;
use serde_json::json;
use wanderer_kills::domain::{Enrichment, Killmail, Zkb};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::runtime::config::LiveSource;
use wanderer_kills::store::feed;

use crate::support::app::{JITA, TestApp, killmail, storable};
use crate::support::live::{Scene, scene};
use crate::support::replica::{becomes_equal, killmails};

/// Killmails in each round of publishing: more than R2Z2's clients start behind the newest.
const ROUND: usize = 100;

/// Publishes to the first service and waits until it has stored everything.
async fn publish(first: &Scene, count: usize) {
    let ids: Vec<i64> = first
        .simulator
        .publish(count)
        .iter()
        .map(|published| published.killmail_id)
        .collect();
    first.stores(&ids).await;
}

/// A service that follows another one's files from the first number on, without any other source.
async fn replica_of(app: &TestApp) -> Scene {
    let mut second = scene(LiveSource::R2z2).await;
    second.deps.live.r2z2_url = app.base_url();
    second.deps.live.r2z2_start = Some(1);
    second.deps.bodies = None;
    second
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_service_ends_equal_over_updates_and_a_restart_of_the_first() {
    let first = scene(LiveSource::R2z2).await;
    let ingesting = first.follow();
    publish(&first, ROUND).await;
    let url = first.database.url();
    let app = TestApp::serving(url, SystemClock::shared()).await;
    let mut second = replica_of(&app).await;
    let following = second.follow();
    becomes_equal(url, second.database.url()).await;

    // Uploaded again: each new document tells of one.
    for published in first.simulator.published().iter().take(10) {
        assert!(first.simulator.relabel(published.sequence, "ganked"));
    }
    publish(&first, ROUND).await;
    first
        .until("SELECT count(*) FROM feed WHERE kind = 'updated'")
        .await;
    becomes_equal(url, second.database.url()).await;
    let ganked = killmails(second.database.url()).await;
    let ganked = ganked
        .values()
        .filter_map(|killmail| killmail.zkb.as_ref()?.labels.as_ref())
        .filter(|labels| labels.iter().any(|label| label == "ganked"));
    assert!(ganked.count() > 0);

    following.stop().await;
    let app = app.restart().await;
    publish(&first, ROUND).await;
    second.deps.live.r2z2_url = app.base_url();
    let following = second.follow();
    publish(&first, ROUND).await;
    becomes_equal(url, second.database.url()).await;
    assert_eq!(second.count("SELECT count(*) FROM dead_letters").await, 0);
    assert_eq!(second.count("SELECT count(*) FROM source_gaps").await, 0);
    let new = "SELECT count(*) FROM feed WHERE kind = 'new'";
    assert_eq!(second.count(new).await, first.count(new).await);

    following.stop().await;
    ingesting.stop().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killmails_without_hash_values_or_items_are_replicated() {
    let app = TestApp::start().await;
    let bare = Killmail {
        attackers: Vec::new(),
        ..killmail(1, JITA)
    };
    let mut no_items = killmail(2, JITA);
    no_items.victim.items.clear();
    let valued = Killmail {
        hash: Some("0a".repeat(20).parse().unwrap()),
        zkb: Some(Zkb {
            total_value: Some(10_000.01),
            labels: Some(Vec::new()),
            ..Zkb::default()
        }),
        ..killmail(3, JITA)
    };
    let batch = [bare, no_items, valued].map(storable);
    app.append_batch(&batch).await;
    let second = replica_of(&app).await;
    let following = second.follow();
    becomes_equal(app.database_url(), second.database.url()).await;
    following.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn numbers_and_documents_have_r2z2s_shape() {
    let app = TestApp::start().await;
    let empty = app.get("/ephemeral/sequence.json").await;
    assert_eq!((empty.status, empty.json()), (200, json!({"sequence": 0})));
    let valued = Killmail {
        hash: Some("0a".repeat(20).parse().unwrap()),
        zkb: Some(Zkb {
            total_value: Some(10_000.0),
            points: Some(1),
            ..Zkb::default()
        }),
        ..killmail(77, JITA)
    };
    app.append_batch(&[storable(valued), storable(killmail(78, JITA))])
        .await;
    let head = app.get("/ephemeral/sequence.json?again=1").await;
    assert_eq!(head.json(), json!({"sequence": 2}));

    let answer = app.get("/ephemeral/1.json").await;
    let mut document = answer.json();
    let uploaded_at = document["uploaded_at"].take();
    assert!(uploaded_at.as_i64().unwrap() > 1_700_000_000);
    let hash = "0a".repeat(20);
    let expected = json!({
        "killmail_id": 77,
        "hash": hash,
        "esi": {
            "attackers": [{
                "character_id": 90_379_338, "damage_done": 100, "final_blow": true, "security_status": 0.0,
            }],
            "killmail_id": 77,
            "killmail_time": "2026-06-01T12:00:00Z",
            "solar_system_id": JITA,
            "victim": {
                "character_id": 95_465_499,
                "corporation_id": 98_000_001,
                "damage_taken": 100,
                "items": [{ "item_type_id": 3_436, "flag": 87, "singleton": 0, "quantity_dropped": 1 }],
                "ship_type_id": 587,
            },
        },
        "zkb": {
            "hash": hash,
            "totalValue": 10_000.0,
            "points": 1,
            "attackerCount": 1,
            "href": format!("https://esi.evetech.net/killmails/77/{hash}/"),
        },
        "uploaded_at": null,
        "sequence_id": 1,
    });
    assert_eq!(document, expected);
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    let known = app
        .request(reqwest::Method::GET, "/ephemeral/1.json")
        .header("If-None-Match", answer.header("etag"));
    let known = crate::support::app::read(known).await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));

    let without_hash = app.get("/ephemeral/2.json").await.json();
    assert!(without_hash["hash"].is_null());
    assert_eq!(without_hash["zkb"], json!({"attackerCount": 1}));
    app.stop().await;
}

#[rstest]
#[case("/ephemeral/4.json", "document_not_found")]
#[case("/ephemeral/1.json", "document_not_found")]
#[case("/ephemeral/9223372036854775807.json", "document_not_found")]
#[tokio::test]
async fn numbers_that_are_not_there_are_404_and_not_kept_by_caches(
    #[case] path: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    app.append(1..=3, JITA).await;
    let mut transaction = app.state.store.pool.begin().await.unwrap();
    let later = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    assert_eq!(feed::prune(&mut transaction, later, 1).await.unwrap(), 1);
    transaction.commit().await.unwrap();
    let answer = app.get(path).await;
    assert_eq!(answer.status, 404, "{path}");
    assert_eq!(answer.json()["code"], code);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(app.get("/ephemeral/2.json").await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn a_change_has_a_number_of_its_own() {
    let app = TestApp::start().await;
    app.append([1], JITA).await;
    let before = app.get("/ephemeral/1.json").await;
    let changed = Killmail {
        zkb: Some(Zkb {
            points: Some(5),
            ..Zkb::default()
        }),
        ..killmail(1, JITA)
    };
    let mut transaction = app.state.store.pool.begin().await.unwrap();
    wanderer_kills::store::killmails::upsert(
        &mut transaction,
        &[storable(changed.clone())],
        &Enrichment::default(),
    )
    .await
    .unwrap();
    let entry = feed::FeedEntry {
        killmail_id: 1,
        killmail_time: changed.killmail_time,
        solar_system_id: JITA,
        kind: feed::FeedKind::Updated,
    };
    feed::append(&mut transaction, &[entry]).await.unwrap();
    transaction.commit().await.unwrap();
    let after = app.get("/ephemeral/2.json").await.json();
    assert_eq!(after["zkb"]["points"], 5);
    assert!(after.get("sequence_updated").is_none());
    let first = app.get("/ephemeral/1.json").await;
    assert_eq!(first.json()["zkb"], after["zkb"]);
    assert_ne!(first.header("etag"), before.header("etag"));
    app.stop().await;
}
