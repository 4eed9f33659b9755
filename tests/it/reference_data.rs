//! Reference data from the simulator into a real database.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use url::Url;
use wanderer_kills::ingest::reference_data::{
    Outcome, ReferenceDataDeps, Report, keep_fresh, load,
};
use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::simulator::{Edition, Simulator, SimulatorConfig, catalog};
use wanderer_kills::store::reference_data::{Written, last_loads};
use wanderer_kills::store::{Store, ship_types, systems};
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};
use wanderer_kills::upstream::static_data::StaticDataClient;

use crate::store_samples::{store, time};
use crate::support::postgres::{execute, text};

const NOW: &str = "2026-11-24T12:00:00Z";

async fn simulator() -> Simulator {
    Simulator::start(SimulatorConfig::default()).await.unwrap()
}

fn http() -> HttpClient {
    let clock = TestClock::at(time(NOW));
    HttpClient::new(&HttpSettings::default(), clock).unwrap()
}

fn client(url: Url) -> StaticDataClient {
    StaticDataClient::new(http(), url)
}

async fn fetch_and_load(store: &Store, url: Url) -> Report {
    let data = client(url).fetch(None).await.unwrap().unwrap();
    load(store, &data, false, time(NOW)).await.unwrap()
}

/// New, changed and refused tables of a report.
fn outcomes(report: &Report) -> Vec<(&'static str, i64, i64, bool)> {
    report
        .tables
        .iter()
        .map(|it| match it.outcome {
            Outcome::Stored(Written { new, changed }) => (it.table.as_str(), new, changed, false),
            Outcome::Refused { .. } => (it.table.as_str(), 0, 0, true),
        })
        .collect()
}

async fn versions_of_rows(pool: &PgPool) -> String {
    sqlx::query_scalar(
        "SELECT coalesce(string_agg(xmin::text, ',' ORDER BY type_id), '') FROM ship_types",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn every_layout_of_an_origin_is_loaded_once() {
    let simulator = simulator().await;
    let base = simulator.ship_types_url();
    let zip = "tranquility/eve-online-static-data-3650286-jsonl.zip";
    for (path, places_with_class) in [
        ("", true),
        (zip, true),
        ("dump/latest/", false),
        ("dump/latest/csv/", false),
    ] {
        let (_database, store) = store().await;
        let url = base.join(path).unwrap();
        let report = fetch_and_load(&store, url.clone()).await;
        let types = catalog::ship_types();
        let first = outcomes(&report);
        assert_eq!(
            first[0],
            ("ship_types", i64::try_from(types.len()).unwrap(), 0, false),
            "{path}"
        );
        let ids: Vec<i64> = types.iter().map(|it| it.type_id).collect();
        let mut stored = ship_types::load(&store.pool, &ids).await.unwrap();
        stored.sort_by_key(|it| it.type_id);
        assert_eq!(stored, types, "{path}");
        let mut places = catalog::solar_systems();
        let ids: Vec<i64> = places.iter().map(|it| it.solar_system_id).collect();
        let mut stored = systems::load(&store.pool, &ids).await.unwrap();
        stored.sort_by_key(|it| it.solar_system_id);
        places.sort_by_key(|it| it.solar_system_id);
        if !places_with_class {
            for it in &mut places {
                it.wormhole_class = None;
            }
        }
        assert_eq!(stored, places, "{path}");

        let before = versions_of_rows(&store.pool).await;
        let again = fetch_and_load(&store, url).await;
        assert!(
            outcomes(&again)
                .iter()
                .all(|(_, new, changed, refused)| *new == 0 && *changed == 0 && !refused)
        );
        assert_eq!(
            versions_of_rows(&store.pool).await,
            before,
            "{path}: a repeat writes nothing"
        );
    }
}

#[tokio::test]
async fn an_unchanged_origin_sends_nothing() {
    let simulator = simulator().await;
    let base = simulator.ship_types_url();
    let zip = "tranquility/eve-online-static-data-3650286-jsonl.zip";
    for path in ["", zip, "dump/latest/csv/"] {
        let client = client(base.join(path).unwrap());
        let data = client.fetch(None).await.unwrap().unwrap();
        let version = data.version.unwrap();
        assert_eq!(client.fetch(Some(&version)).await.unwrap(), None, "{path}");
        assert!(
            client.fetch(Some("\"older\"")).await.unwrap().is_some(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_shrunken_table_is_refused_and_the_old_one_kept() {
    let simulator = simulator().await;
    let (database, store) = store().await;
    fetch_and_load(&store, simulator.ship_types_url()).await;
    let before = versions_of_rows(&store.pool).await;
    let shrunken = Edition {
        build: 3_650_287,
        percent: 80,
        cut: None,
    };
    simulator.offer(shrunken);
    let report = fetch_and_load(&store, simulator.ship_types_url()).await;
    let refused: Vec<_> = outcomes(&report)
        .into_iter()
        .map(|it| (it.0, it.3))
        .collect();
    assert_eq!(
        refused,
        [
            ("ship_types", true),
            ("solar_systems", true),
            ("names", false)
        ]
    );
    let sentence = &report.refusals()[0];
    let all = catalog::ship_types().len();
    assert!(
        sentence.contains(&format!(
            "it has {} rows, the last load had {all}",
            all * 80 / 100
        )),
        "{sentence}"
    );
    assert_eq!(versions_of_rows(&store.pool).await, before);
    let builds = "SELECT string_agg(version, ' ' ORDER BY subject) FROM reference_data";
    assert_eq!(
        text(database.url(), builds).await.unwrap(),
        "3650287 3650286 3650286"
    );

    let data = client(simulator.ship_types_url())
        .fetch(None)
        .await
        .unwrap()
        .unwrap();
    let forced = load(&store, &data, true, time(NOW)).await.unwrap();
    assert!(forced.refusals().is_empty());
    let kept = text(database.url(), "SELECT count(*)::text FROM ship_types")
        .await
        .unwrap();
    assert_eq!(kept, all.to_string(), "rows that are no longer there stay");
}

#[tokio::test]
async fn a_file_that_breaks_off_is_refused_with_its_name() {
    let simulator = simulator().await;
    let zip = "eve-online-static-data-3650286-jsonl.zip";
    for (path, file) in [
        ("", zip),
        ("dump/latest/csv/", "invGroups.csv"),
        ("dump/latest/", "invTypes.csv"),
    ] {
        simulator.offer(Edition {
            cut: Some(file.to_owned()),
            ..Edition::default()
        });
        let url = simulator.ship_types_url().join(path).unwrap();
        let error = client(url).fetch(None).await.unwrap_err();
        assert!(!error.is_transient());
        assert!(error.to_string().starts_with(file), "{error}");
    }
    let nowhere = simulator.ship_types_url().join("elsewhere/").unwrap();
    let error = client(nowhere).fetch(None).await.unwrap_err().to_string();
    assert!(
        error.contains("has no static data: none of tranquility/latest.jsonl, invTypes.csv"),
        "{error}"
    );
}

#[tokio::test]
async fn what_becomes_known_is_no_longer_unresolved() {
    let simulator = simulator().await;
    let (database, store) = store().await;
    let unresolved = "INSERT INTO unresolved_ids (kind, id, reason) VALUES ('ship_type', 587, 'x'), \
        ('ship_type', 99999999, 'x'), ('solar_system', 30000142, 'x'), ('character', 587, 'x'), ('faction', 500001, 'x')";
    execute(database.url(), unresolved).await.unwrap();
    execute(
        database.url(),
        "INSERT INTO names (kind, id, name, ticker) VALUES ('faction', 500001, 'Old', 'KEEP')",
    )
    .await
    .unwrap();
    fetch_and_load(&store, simulator.ship_types_url()).await;
    let left = "SELECT string_agg(kind || ' ' || id, ', ' ORDER BY kind, id) FROM unresolved_ids";
    assert_eq!(
        text(database.url(), left).await.unwrap(),
        "character 587, ship_type 99999999"
    );
    let faction = "SELECT name || ' ' || ticker FROM names WHERE kind = 'faction' AND id = 500001";
    let faction = text(database.url(), faction).await.unwrap();
    assert!(
        !faction.starts_with("Old") && faction.ends_with(" KEEP"),
        "{faction}"
    );
}

/// Waits until the version of all tables is `version`.
async fn wait_for_version(store: &Store, version: &str) {
    let loaded = async {
        loop {
            let loads = last_loads(&store.pool).await.unwrap();
            if loads.len() == 3
                && loads
                    .iter()
                    .all(|it| it.version.as_deref() == Some(version))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), loaded)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_build_is_loaded_and_a_restart_does_not_ask_again() {
    let simulator = simulator().await;
    let (database, store) = store().await;
    let deps = |clock: Arc<TestClock>| ReferenceDataDeps {
        store: store.clone(),
        clock,
        http: http(),
        origin: simulator.ship_types_url(),
    };
    let token = CancellationToken::new();
    // The test clock passes six hours whenever it is slept on.
    let running = tokio::spawn(keep_fresh(deps(TestClock::at(time(NOW))), token.clone()));
    wait_for_version(&store, "3650286").await;
    simulator.offer(Edition {
        build: 3_650_287,
        ..Edition::default()
    });
    wait_for_version(&store, "3650287").await;
    token.cancel();
    running.await.unwrap();

    let zips = "/ship-types/tranquility/eve-online";
    assert_eq!(
        simulator.request_count(zips),
        2,
        "each build is downloaded once"
    );

    let recent = "UPDATE reference_data SET checked_at = '2026-11-24T11:00:00Z'";
    execute(database.url(), recent).await.unwrap();
    let clock = TestClock::at(time(NOW));
    let token = CancellationToken::new();
    let running = tokio::spawn(keep_fresh(deps(clock.clone()), token.clone()));
    let slept = async {
        while clock.sleeps().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), slept)
        .await
        .unwrap();
    token.cancel();
    running.await.unwrap();
    assert_eq!(clock.sleeps()[0], Duration::from_hours(5));
}
