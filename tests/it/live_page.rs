//! The page of kills at `/`: what is served, and how it works in a real browser against the real binary.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use wanderer_kills::domain::Killmail;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use crate::support::app::{JITA, TestApp, killmail, storable};
use crate::support::binary::ServiceCommand;
use crate::support::browser::Browser;
use crate::support::following::{following, publish, stored};
use crate::support::http::get;

/// Killmails published at a time.
const ROUND: usize = 20;
/// The simulator has a second kill in a system by then.
const MOST_EVENTS: usize = 1000;
/// Most kills that the page shows, and more than that.
const SHOWN: usize = 200;
const MANY: usize = 230;

/// Widths and heights of a desk, a phone, and the narrowest that accessibility asks for.
const DESK: (u32, u32) = (1280, 960);
const PHONE: (u32, u32) = (390, 844);
const NARROWEST: (u32, u32) = (320, 640);

#[tokio::test(flavor = "multi_thread")]
async fn it_loads_files_of_this_service_alone() {
    let app = TestApp::start().await;
    let page = app.get("/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert_eq!(
        policy,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut wanted = BTreeSet::new();
    let mut seen = BTreeSet::new();
    loaded_by("", &page.body, &mut wanted);
    while let Some(file) = wanted.pop_first() {
        let asset = app.get(&format!("/{file}")).await;
        assert_eq!(asset.status, 200, "{file}");
        assert_eq!(asset.header("content-security-policy"), policy, "{file}");
        assert_eq!(asset.header("x-content-type-options"), "nosniff", "{file}");
        assert!(!asset.body.contains("innerHTML"), "{file}");
        seen.insert(file.clone());
        loaded_by("live/", &asset.body, &mut wanted);
        wanted.retain(|file| !seen.contains(file));
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
    app.stop().await;
}

/// Files that a text loads; scripts and styles inside of it are refused, as the policy would.
fn loaded_by(folder: &str, text: &str, found: &mut BTreeSet<String>) {
    assert!(!text.contains("<script>") && !text.contains("<style") && !text.contains("style=\""));
    for begin in [
        "src=\"",
        "<link rel=\"stylesheet\" href=\"",
        "<link rel=\"icon\" href=\"",
        "from \"./",
    ] {
        for rest in text.split(begin).skip(1) {
            let file = rest.split('"').next().unwrap();
            found.insert(format!("{folder}{file}"));
        }
    }
}

/// A service that follows the simulator and knows its types and systems.
struct Scene {
    simulator: Simulator,
    command: ServiceCommand,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::with(SimulatorConfig::default()).await
    }

    /// Its kills are spread over most of a day.
    async fn of_a_day() -> Self {
        Self::with(SimulatorConfig {
            start_time: Some(chrono::Utc::now() - chrono::TimeDelta::hours(21)),
            pace: Duration::from_mins(30),
            ..SimulatorConfig::default()
        })
        .await
    }

    async fn with(config: SimulatorConfig) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        let folder = crate::support::postgres::data_dir();
        let command = following(&simulator, folder.path())
            .env("WK_SHIP_TYPES_URL", simulator.ship_types_url());
        // Before the first killmail, so that no name of a ship or place comes later.
        let loaded = command.run(&["ship-types", "update"]).await;
        assert!(loaded.status.success(), "{loaded:?}");
        Self {
            simulator,
            command,
            _folder: folder,
        }
    }

    async fn killmail(&self, id: i64) -> Value {
        let path = format!("/api/killmails/{id}");
        get(self.command.listen(), &path).await.unwrap().json()
    }
}

fn ids(answer: &Value) -> Vec<i64> {
    let ids = answer["ids"].as_array().unwrap();
    ids.iter().map(|id| id.as_i64().unwrap()).collect()
}

/// The pictures go where build products are; continuous integration keeps them from there.
fn picture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-page");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_sees_kills_arrive_and_goes_on_after_a_restart() {
    let scene = Scene::new().await;
    let service = scene.command.start().await;
    let mut all = publish(&scene.simulator, ROUND);
    stored(scene.command.listen(), i64::try_from(ROUND).unwrap()).await;
    let Some(mut browser) = Browser::start(scene.command.listen()).await else {
        return;
    };
    browser.open("/").await;
    let shown = ids(&browser.sees(&all).await);
    assert_eq!(shown.len(), ROUND, "history, and nothing twice");

    all.extend(publish(&scene.simulator, ROUND));
    let shown = ids(&browser.sees(&all).await);
    assert_eq!(shown.len(), all.len());
    assert_eq!(shown, newest_first(&scene, &shown).await);
    told_in_full(&scene, &mut browser, shown[0]).await;
    browser.has_no_problems().await;

    service.kill().await;
    browser.reaches("connection", "waiting").await;
    browser.expects_a_lost_connection().await;
    all.extend(publish(&scene.simulator, ROUND));
    let service = scene.command.start().await;
    all.extend(publish(&scene.simulator, ROUND));
    let shown = ids(&browser.sees(&all).await);
    assert_eq!(shown.len(), all.len(), "no gap, and nothing twice");
    browser.reaches("connection", "live").await;
    browser.expects_a_lost_connection().await;

    publish(&scene.simulator, MANY);
    browser.shows_so_many(SHOWN).await;
    browser.has_no_problems().await;
    assert_eq!(service.terminate().await, Some(0));
}

/// The same kills in the order in which the page has to show them.
async fn newest_first(scene: &Scene, shown: &[i64]) -> Vec<i64> {
    let mut killmails = Vec::new();
    for id in shown {
        let killmail = scene.killmail(*id).await;
        killmails.push((killmail["kill_time"].as_str().unwrap().to_owned(), *id));
    }
    killmails.sort();
    killmails.into_iter().rev().map(|(_, id)| id).collect()
}

/// The page says of a kill what the service does.
async fn told_in_full(scene: &Scene, browser: &mut Browser, id: i64) {
    let killmail = scene.killmail(id).await;
    let shown = browser.kill(id).await;
    let text = |name: &str| shown[name].as_str().unwrap().to_owned();
    let has = |name: &str, word: &Value| {
        // What the service does not know it leaves out.
        let word = word.as_str().unwrap_or_default();
        assert!(text(name).contains(word), "{name}: {shown} lacks {word}");
    };
    assert!(killmail["solar_system_name"].is_string(), "{killmail}");
    has("place", &killmail["solar_system_name"]);
    has("place", &killmail["region_name"]);
    has("ship", &killmail["victim"]["ship_name"]);
    has("victim", &killmail["victim"]["corporation_ticker"]);
    let attackers = killmail["attackers"].as_array().unwrap();
    let last = attackers
        .iter()
        .find(|attacker| attacker["final_blow"] == true);
    has("blow", &last.unwrap_or(&attackers[0])["ship_name"]);
    assert!(text("value").ends_with("ISK"), "{shown}");
    assert!(text("age").ends_with(" ago"), "{shown}");
    assert_eq!(text("href"), format!("https://zkillboard.com/kill/{id}/"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_alone_filters_and_pauses() {
    let scene = Scene::new().await;
    let service = scene.command.start().await;
    let all = publish(&scene.simulator, 3 * ROUND);
    stored(scene.command.listen(), i64::try_from(all.len()).unwrap()).await;
    let Some(mut browser) = Browser::start(scene.command.listen()).await else {
        return;
    };
    browser.open("/").await;
    browser.sees(&all).await;
    let skipped = browser.push("skip", json!({})).await;
    assert_eq!(
        skipped,
        json!({ "first": "Skip to the kills", "then": "kills-title" })
    );

    let chosen = scene.killmail(all[0]).await;
    let system = chosen["solar_system_name"].as_str().unwrap();
    let applied = browser
        .type_in(json!({ "system": system.to_lowercase(), "value": "0.01m" }))
        .await;
    let query = format!("?systems={}&min_value=10000", chosen["solar_system_id"]);
    assert!(
        applied["address"].as_str().unwrap().ends_with(&query),
        "{applied}"
    );
    browser.reaches("connection", "live").await;
    let expected = selected(&scene, &query).await;
    browser.shows_exactly(&expected).await;
    browser
        .says("#activity-subject", &format!("All kills in {system}"))
        .await;

    let mut events = all.len();
    let more = loop {
        events += publish(&scene.simulator, ROUND).len();
        stored(scene.command.listen(), i64::try_from(events).unwrap()).await;
        let more = selected(&scene, &query).await;
        if more.len() > expected.len() {
            break more;
        }
        assert!(events < MOST_EVENTS, "no other kill in {system}");
    };
    browser.shows_exactly(&more).await;

    // The address alone selects the same.
    browser.open(&format!("/{query}")).await;
    browser.shows_exactly(&more).await;

    let wrong = browser
        .type_in(json!({ "system": "Nowhere", "value": "much" }))
        .await;
    assert_eq!(wrong["focus"], "system");
    browser
        .says("#system-error", "“Nowhere” is not among the names")
        .await;
    browser.says("#value-error", "“much” is no amount").await;
    browser.shows_exactly(&more).await;
    let cleared = browser.type_in(json!({ "system": "", "value": "" })).await;
    assert!(
        cleared["address"].as_str().unwrap().ends_with('/'),
        "{cleared}"
    );
    browser
        .says("#activity-subject", "All kills everywhere")
        .await;

    let paused = browser.push("press", json!({ "id": "pause" })).await;
    assert_eq!(paused, json!({ "text": "Paused", "pressed": "true" }));
    let late = publish(&scene.simulator, 1);
    browser.says("#pause", "waiting").await;
    let resumed = browser.push("press", json!({ "id": "pause" })).await;
    assert_eq!(resumed, json!({ "text": "Pause", "pressed": "false" }));
    browser.sees(&late).await;
    browser.has_no_problems().await;
    assert_eq!(service.terminate().await, Some(0));
}

/// What the service itself selects.
async fn selected(scene: &Scene, query: &str) -> Vec<i64> {
    let path = format!("/api/killmails{query}&limit=100");
    let answer = get(scene.command.listen(), &path).await.unwrap().json();
    let killmails = answer["killmails"].as_array().unwrap();
    killmails
        .iter()
        .map(|killmail| killmail["killmail_id"].as_i64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reads_well_in_the_dark_on_a_phone_and_aloud() {
    let scene = Scene::of_a_day().await;
    let service = scene.command.start().await;
    let all = publish(&scene.simulator, 2 * ROUND);
    stored(scene.command.listen(), i64::try_from(all.len()).unwrap()).await;
    let Some(mut browser) = Browser::start(scene.command.listen()).await else {
        return;
    };
    browser.open("/").await;
    browser.sees(&all).await;
    browser.reaches("service", "good").await;
    browser.reaches("source", "good").await;
    let charts = browser.push("charts", json!({})).await;
    let labels = charts["labels"].as_array().unwrap();
    let total = format!("Kills by the hour: {} in all", all.len());
    assert!(labels[0].as_str().unwrap().starts_with(&total), "{charts}");
    assert!(
        labels[1].as_str().unwrap().starts_with("ISK by the hour: "),
        "{charts}"
    );
    assert_eq!(charts["bars"], 2 * charts["rows"].as_i64().unwrap());

    let mut grounds = BTreeSet::new();
    for scheme in ["light", "dark"] {
        for (name, size) in [("desk", DESK), ("phone", PHONE), ("narrowest", NARROWEST)] {
            let look = browser.look(size, scheme).await;
            assert_eq!(look["sideways"], 0, "{name} can be scrolled to the side");
            grounds.insert(look["ground"].to_string());
            browser.is_accessible(name, scheme).await;
            browser
                .picture(&picture(&format!("{name}-{scheme}.png")))
                .await;
        }
    }
    assert_eq!(grounds.len(), 2, "{grounds:?}");
    browser.has_no_problems().await;
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_others_chose_stay_text() {
    let app = TestApp::start().await;
    let Some(mut browser) = Browser::start(app.address()).await else {
        return;
    };
    browser.open("/").await;
    let name = "<img src=x onerror=alert(1)>";
    let mut killmail = storable(Killmail {
        killmail_time: chrono::Utc::now(),
        ..killmail(1, JITA)
    });
    let named = format!("\"victim\":{{\"character_name\":\"{name}\",");
    killmail.document = killmail.document.replace("\"victim\":{", &named);
    app.append_batch(&[killmail]).await;
    browser.sees(&[1]).await;
    let shown = browser.kill(1).await;
    assert_eq!(shown["victim"], name);
    browser.has_no_problems().await;
    app.stop().await;
}
