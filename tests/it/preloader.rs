//! The past of single systems, regions and pilots: wanted, read within zKillboard's budget, known.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rstest::rstest;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use wanderer_kills::domain::{HistoryKey, HistoryKind};
use wanderer_kills::ingest::preloader;
use wanderer_kills::runtime::clock::{SystemClock, TestClock};
use wanderer_kills::simulator::{Simulator, SimulatorConfig};
use wanderer_kills::store::history_wishes::{self, RequestedBy, WishState};
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};
use wanderer_kills::upstream::zkb::rest::ZkbRest;

use crate::support::app::{JITA, TestApp};
use crate::support::binary::ServiceCommand;
use crate::support::postgres::text;
use crate::support::preloading::{Scene, pages, past, start_time};
use crate::support::real_data;
use crate::support::scripted::{Scripted, answer};

/// Longest wait for something that has to come.
const PATIENCE: Duration = Duration::from_mins(1);

const FORGE: HistoryKey = HistoryKey {
    kind: HistoryKind::Region,
    id: 10_000_002,
};

fn jita() -> HistoryKey {
    HistoryKey::system(JITA)
}

async fn app(scene: &Scene) -> TestApp {
    TestApp::serving(scene.tables.database.url(), scene.clock.clone()).await
}

fn paths(scene: &Scene) -> Vec<String> {
    scene.asked().into_iter().map(|(_, path)| path).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_system_is_read_once_and_complete_then() {
    let scene = Scene::new(past(3, 4_000)).await;
    let app = app(&scene).await;
    let path = format!("/api/v1/kills/system/{JITA}?since_hours=48&limit=1000");
    for _ in 0..2 {
        let data = app.get(&path).await.json()["data"].clone();
        assert_eq!(data["cached"], false);
        assert_eq!(
            data["backfill"],
            json!({ "state": "requested", "since": "2026-11-18T12:00:00.000000Z" })
        );
        assert_eq!(data["kills"], json!([]));
    }
    assert!(scene.asked().is_empty(), "an answer waits for nobody");
    let since = start_time() - TimeDelta::hours(48);
    let expected = scene.expected(jita(), since).await;
    assert!(expected.len() > 200, "{} are one page", expected.len());

    assert!(scene.round().await);
    let running = app.get(&path).await.json()["data"].clone();
    assert_eq!(running["backfill"]["state"], "running");
    assert_eq!(running["kills"].as_array().unwrap().len(), 200);
    scene.rounds().await;
    let pages = pages(expected.len());
    let list = |page| format!("/zkb/api/systemID/{JITA}/pastSeconds/172800/page/{page}/");
    assert_eq!(paths(&scene)[0], list(1));
    assert_eq!(scene.asked().len(), pages);
    scene.assert_polite();
    scene.assert_stored(&expected).await;

    let data = app.get(&path).await.json()["data"].clone();
    assert_eq!(data["cached"], true);
    assert_eq!(data["backfill"]["state"], "complete");
    let kills = data["kills"].as_array().unwrap();
    assert_eq!(kills.len(), expected.len());
    assert!(kills.iter().all(|kill| kill["solar_system_name"] == "Jita"));
    assert!(
        kills
            .iter()
            .all(|kill| kill["victim"]["ship_name"].is_string())
    );
    assert_eq!(scene.rounds().await, 0);
    assert_eq!(scene.asked().len(), pages, "what is known is not asked for");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_recent_kills_are_announced_and_once() {
    let scene = Scene::new(past(3, 2_000)).await;
    scene.wish(FORGE, TimeDelta::hours(60)).await;
    scene.rounds().await;
    let day = start_time() - TimeDelta::hours(24);
    let recent = scene.expected(FORGE, day).await.len();
    let all = scene.stored().await.len();
    assert!(recent > 0 && recent < all, "{recent} of {all}");
    let announced = scene.tables.count("SELECT count(*) FROM feed").await;
    assert_eq!(usize::try_from(announced).unwrap(), recent);
    let old = "SELECT count(*) FROM feed f JOIN killmails k USING (killmail_id)
        WHERE k.killmail_time < '2026-11-19 11:59Z'";
    assert_eq!(scene.tables.count(old).await, 0);

    scene.clock.advance(Duration::from_hours(2));
    scene.wish(FORGE, TimeDelta::hours(24)).await;
    assert!(scene.rounds().await > 0);
    let again = scene.tables.count("SELECT count(*) FROM feed").await;
    assert_eq!(again, announced, "nothing is announced twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_it_was() {
    let mut scene = Scene::new(past(2, 4_000)).await;
    scene.wish(FORGE, TimeDelta::hours(48)).await;
    let expected = scene
        .expected(FORGE, start_time() - TimeDelta::hours(48))
        .await;
    assert!(expected.len() > 450, "{}", expected.len());
    assert!(scene.round().await && scene.round().await);
    let row = scene.row(FORGE).await;
    assert_eq!((row.state, row.pages_read), (WishState::Running, 2));
    scene.restart();
    // What came meanwhile pushes everything to later pages.
    scene.simulator.publish(1_500);
    scene.rounds().await;
    scene.assert_stored(&expected).await;
    let mut asked = paths(&scene);
    let total = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), total, "no page is asked for twice");
    let row = scene.row(FORGE).await;
    assert_eq!(row.state, WishState::Complete);
    assert_eq!(
        usize::try_from(row.killmails_new).unwrap(),
        scene.stored().await.len()
    );
    let known = row.known.unwrap();
    assert_eq!(known.from, start_time() - TimeDelta::hours(48));
    assert!(
        known.until < start_time(),
        "what came later is not promised"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_since_is_all_that_is_read_later() {
    let scene = Scene::new(past(2, 500)).await;
    scene.wish(FORGE, TimeDelta::hours(48)).await;
    scene.rounds().await;
    scene.clock.advance(Duration::from_hours(5));
    scene.wish(FORGE, TimeDelta::hours(24)).await;
    scene.rounds().await;
    let last = paths(&scene).pop().unwrap();
    assert!(
        last.contains("/pastSeconds/25200/"),
        "5 h, 5 min and an hour of overlap: {last}"
    );
    let row = scene.row(FORGE).await;
    let known = row.known.unwrap();
    assert_eq!(known.from, start_time() - TimeDelta::hours(48));
    assert!(known.until > start_time() + TimeDelta::hours(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_past_is_read_by_months() {
    let scene = Scene::new(past(60, 60)).await;
    let pilot = HistoryKey {
        kind: HistoryKind::Region,
        ..FORGE
    };
    scene.wish(pilot, TimeDelta::days(40)).await;
    scene.rounds().await;
    let since = start_time() - TimeDelta::days(40);
    let expected = scene.expected(pilot, since).await;
    scene.assert_stored(&expected).await;
    let asked = paths(&scene);
    assert!(
        asked[0].ends_with("/year/2026/month/11/page/1/"),
        "{asked:?}"
    );
    assert!(
        asked.last().unwrap().contains("/year/2026/month/10/"),
        "{asked:?}"
    );
    assert_eq!(scene.row(pilot).await.known.unwrap().from, since);
    scene.assert_polite();
}

#[rstest]
#[case::character(HistoryKind::Character, "victim_character_id")]
#[case::corporation(HistoryKind::Corporation, "victim_corporation_id")]
#[case::alliance(HistoryKind::Alliance, "victim_alliance_id")]
#[tokio::test(flavor = "multi_thread")]
async fn pilots_and_their_groups_have_a_past(#[case] kind: HistoryKind, #[case] column: &str) {
    let scene = Scene::new(past(2, 300)).await;
    scene.wish(FORGE, TimeDelta::hours(60)).await;
    scene.rounds().await;
    let id =
        format!("SELECT {column} FROM killmails WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 1");
    let key = HistoryKey {
        kind,
        id: scene.tables.count(&id).await,
    };
    scene.wish(key, TimeDelta::hours(60)).await;
    scene.rounds().await;
    let expected = scene
        .expected(key, start_time() - TimeDelta::hours(60))
        .await;
    assert!(!expected.is_empty());
    scene.assert_stored(&expected).await;
    assert_eq!(scene.row(key).await.state, WishState::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_of_all_reads_and_another_takes_over() {
    let mut scene = Scene::new(past(1, 50)).await;
    // Real waits, as the loop has them.
    let clock = SystemClock::shared();
    scene.deps.clock = clock.clone();
    let http = HttpClient::new(&HttpSettings::default(), clock.clone()).unwrap();
    scene.deps.zkb = ZkbRest::new(http, scene.simulator.zkb_url());
    let now = clock.now();
    let request = async |key| {
        let pool = &scene.tables.store.pool;
        let from = now - TimeDelta::hours(5);
        let taken = history_wishes::request(pool, key, from, RequestedBy::Api, now).await;
        assert!(taken.unwrap());
    };
    let complete = async |key| {
        let done = async {
            while scene.row(key).await.state != WishState::Complete {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, done).await.unwrap();
    };
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let first_run = tokio::spawn(preloader::run(scene.deps.clone(), first.clone()));
    request(jita()).await;
    complete(jita()).await;
    let second_run = tokio::spawn(preloader::run(scene.deps.clone(), second.clone()));
    first.cancel();
    first_run.await.unwrap().unwrap();
    request(FORGE).await;
    complete(FORGE).await;
    assert_eq!(scene.asked().len(), 2);
    second.cancel();
    second_run.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn real_lists_go_the_same_way() {
    let Some(folder) = real_data::data() else {
        println!("skipped: there are no real killmails");
        return;
    };
    let mut expected = Vec::new();
    let mut pages = Vec::new();
    for file in [
        "zkb-api/killstats-zkb-http.json",
        "zkb-api/elit-kellyl_kills.json.gz",
        "zkb-api/elit-kellyl_losses.json.gz",
    ] {
        let page = String::from_utf8(real_data::read(&folder.join(file)).await).unwrap();
        for document in real_data::documents(page.as_bytes()) {
            expected.push(document["killmail_id"].as_i64().unwrap());
        }
        pages.push(page);
    }
    let mut scene = Scene::new(SimulatorConfig::default()).await;
    let server = Scripted::start(move |number, _| {
        answer(
            "200 OK",
            &[],
            pages.get(number).map_or("[]", String::as_str),
        )
    })
    .await;
    let http = HttpClient::new(&HttpSettings::default(), scene.clock.clone()).unwrap();
    scene.deps.zkb = ZkbRest::new(http, server.url.clone());
    // Each file stands for a system's whole list.
    for system in [JITA, 30_000_144, 30_000_140] {
        scene
            .wish(HistoryKey::system(system), TimeDelta::hours(5))
            .await;
    }
    scene.rounds().await;
    expected.sort_unstable();
    expected.dedup();
    let stored: Vec<i64> = scene.stored().await.into_iter().collect();
    assert_eq!(stored, expected);
    assert_eq!(
        scene
            .tables
            .count("SELECT count(*) FROM dead_letters")
            .await,
        0
    );
    assert_eq!(scene.tables.count("SELECT count(*) FROM feed").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_reads_at_once() {
    let simulator = Simulator::start(SimulatorConfig {
        clock: TestClock::at(Utc::now()),
        ..past(2, 600)
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = crate::support::postgres::database().await;
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_ZKB_URL", simulator.zkb_url())
        .env("WK_ESI_URL", simulator.esi_url());
    let region = FORGE.id.to_string();
    let arguments = [
        "backfill", "--region", &region, "--system", "30000142", "--days", "5",
    ];
    let output = command.run(&arguments).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let stored: i64 = text(database.url(), "SELECT count(*)::text FROM killmails")
        .await
        .unwrap()
        .parse()
        .unwrap();
    let known = "SELECT count(*)::text FROM killmails WHERE solar_system_id = 30000142";
    let known: i64 = text(database.url(), known).await.unwrap().parse().unwrap();
    assert!(stored > 0);
    // Jita lies in the region: its killmails come again.
    let expected = format!(
        "2 of 2 read: {} read = {stored} new + 0 updated + {known} unchanged + 0 dead letters\n",
        stored + known
    );
    assert_eq!(said, expected);

    let nobody = command.run(&["backfill", "--days", "5"]).await;
    assert!(!nobody.status.success());
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(said.contains("at least one of --system"), "{said}");
    simulator.shutdown().await;
}
