//! The stand-in upstream speaks the protocols, fails on demand, and notices impolite clients.

#![expect(
    clippy::disallowed_methods,
    reason = "the simulator is asked with a bare client, not with the service's own"
)]

use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::{Value, json};
use url::Url;
use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::simulator::{Fault, FaultPlan, FaultRule, Simulator, SimulatorConfig};

fn start_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 1, 12, 0, 0).unwrap()
}

fn config() -> SimulatorConfig {
    SimulatorConfig {
        start_time: Some(start_time()),
        clock: TestClock::at(start_time()),
        ..SimulatorConfig::default()
    }
}

async fn started(config: SimulatorConfig) -> Simulator {
    Simulator::start(config).await.unwrap()
}

fn client(redirects: redirect::Policy) -> Client {
    // A second installation in the same process is refused, and may be.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().redirect(redirects).build().unwrap()
}

async fn get(url: Url) -> Response {
    let client = client(redirect::Policy::none());
    client.get(url).send().await.unwrap()
}

async fn body(url: Url) -> Value {
    let text = get(url).await.text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

fn document(simulator: &Simulator, sequence: i64) -> Url {
    let path = format!("ephemeral/{sequence}.json");
    simulator.r2z2_url().join(&path).unwrap()
}

#[tokio::test]
async fn r2z2_has_a_document_per_number() {
    let simulator = started(config()).await;
    let published = simulator.publish(3);
    let second = &published[1];
    let found = body(document(&simulator, second.sequence)).await;
    assert_eq!(found["sequence_id"], second.sequence);
    assert_eq!(found["killmail_id"], second.killmail_id);
    assert_eq!(found["esi"]["killmail_id"], second.killmail_id);
    assert_eq!(found["zkb"]["hash"], found["hash"]);
    let beyond = get(document(&simulator, second.sequence + 2)).await;
    assert_eq!(beyond.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sequence_json_lags() {
    let simulator = started(config()).await;
    let published = simulator.publish(100);
    let url = simulator
        .r2z2_url()
        .join("ephemeral/sequence.json")
        .unwrap();
    let shown = body(url).await["sequence"].as_i64().unwrap();
    let last = published.last().unwrap().sequence;
    assert!(shown < last && shown >= last - 51, "{shown} of {last}");
}

#[tokio::test]
async fn history_and_archives_have_the_same_days() {
    let simulator = started(SimulatorConfig {
        history_days: 2,
        history_per_day: 20,
        ..config()
    })
    .await;
    let hashes = simulator.r2z2_url().join("history/20261031.json").unwrap();
    let bodies = simulator
        .r2z2_url()
        .join("history/raw/20261031.json")
        .unwrap();
    assert_eq!(body(hashes).await.as_object().unwrap().len(), 20);
    assert_eq!(body(bodies).await.as_object().unwrap().len(), 20);
    let totals = simulator
        .everef_url()
        .join("killmails/totals.json")
        .unwrap();
    assert_eq!(body(totals).await["20261030"], 20);
    let path = "killmails/2026/killmails-2026-10-31.tar.bz2";
    let archive = get(simulator.everef_url().join(path).unwrap()).await;
    let tag = archive.headers()["etag"].clone();
    assert!(archive.bytes().await.unwrap().starts_with(b"BZh"));
    let again = client(redirect::Policy::none())
        .get(simulator.everef_url().join(path).unwrap())
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn redisq_redirects_to_packages() {
    let simulator = started(SimulatorConfig {
        longest_poll: Duration::from_millis(50),
        ..config()
    })
    .await;
    let listen = simulator.redisq_url().join("listen.php?queueID=a").unwrap();
    let follow = client(redirect::Policy::default());
    let ask = async || {
        let text = follow.get(listen.clone()).send().await.unwrap();
        serde_json::from_str::<Value>(&text.text().await.unwrap()).unwrap()
    };
    assert_eq!(ask().await, json!({"package": null}));
    let published = simulator.publish(2);
    assert_eq!(ask().await["package"]["killID"], published[0].killmail_id);
    assert_eq!(ask().await["package"]["killID"], published[1].killmail_id);
    let nameless = simulator.redisq_url().join("listen.php").unwrap();
    assert_eq!(get(nameless).await.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn zkillboard_pages_and_complains() {
    let simulator = started(SimulatorConfig {
        pace: Duration::ZERO,
        ..config()
    })
    .await;
    let published = simulator.publish(4_000);
    let list = async |path: &str| body(simulator.zkb_url().join(path).unwrap()).await;
    let one = list(&format!("api/killID/{}/", published[0].killmail_id)).await;
    assert_eq!(one[0]["killmail_id"], published[0].killmail_id);
    assert!(one[0]["zkb"]["totalValue"].is_number());
    let mut ids = Vec::new();
    for page in 1.. {
        let path = format!("api/pastSeconds/604800/systemID/30000142/page/{page}/");
        let killmails = list(&path).await;
        let killmails = killmails.as_array().unwrap();
        assert!(killmails.len() <= 200);
        assert!(
            killmails
                .iter()
                .all(|it| it["solar_system_id"] == 30_000_142)
        );
        ids.extend(
            killmails
                .iter()
                .map(|it| it["killmail_id"].as_i64().unwrap()),
        );
        if killmails.len() < 200 {
            break;
        }
    }
    assert!(ids.len() > 200, "{} killmails are one page", ids.len());
    assert!(ids.is_sorted_by(|newer, older| newer > older));
    assert!(list("api/pastSeconds/604800/").await["error"].is_string());
    assert!(list("api/limit/5/").await["error"].is_string());
    assert_eq!(list("api/killID/1/").await, json!([]));
    let slashless = get(simulator.zkb_url().join("api/killID/1").unwrap()).await;
    assert_eq!(slashless.status(), StatusCode::OK);
    assert!(slashless.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn esi_spends_tokens_and_refuses() {
    let simulator = started(SimulatorConfig {
        esi_tokens: 8,
        ..config()
    })
    .await;
    let published = simulator.publish(1).remove(0);
    let hash = published.hash.unwrap();
    let path = format!("killmails/{}/{hash}", published.killmail_id);
    let url = simulator.esi_url().join(&path).unwrap();
    let first = get(url.clone()).await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()["x-ratelimit-limit"], "8/15m");
    assert_eq!(first.headers()["x-ratelimit-remaining"], "6");
    assert_eq!(get(url.clone()).await.status(), StatusCode::OK);
    let refused = get(url).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn one_bad_id_poisons_a_batch_of_names() {
    let simulator = started(config()).await;
    let url = simulator.esi_url().join("universe/names").unwrap();
    let ask = async |ids: Value| {
        let client = client(redirect::Policy::none());
        client.post(url.clone()).json(&ids).send().await.unwrap()
    };
    let right = ask(json!([500_001, 30_000_142, 98_600_001])).await;
    assert_eq!(right.status(), StatusCode::OK);
    assert_eq!(
        ask(json!([500_001, 7])).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn both_csv_formats_are_there() {
    let simulator = started(config()).await;
    let old = simulator
        .ship_types_url()
        .join("dump/latest/invTypes.csv")
        .unwrap();
    let old = get(old).await.text().await.unwrap();
    assert!(old.starts_with("typeID,groupID,typeName"));
    assert!(old.contains("None"));
    let new = simulator
        .ship_types_url()
        .join("dump/latest/csv/invTypes.csv")
        .unwrap();
    let new = get(new).await.bytes().await.unwrap();
    assert!(new.starts_with(b"\xef\xbb\xbf\"typeID\",\"groupID\""));
}

#[tokio::test]
async fn faults_come_and_go() {
    let simulator = started(config()).await;
    let sequence = simulator.publish(1)[0].sequence;
    let status = async || get(document(&simulator, sequence)).await.status();
    simulator.fault(FaultRule::sequence(
        sequence,
        Fault::NotFoundGhost { for_requests: 2 },
    ));
    assert_eq!(status().await, StatusCode::NOT_FOUND);
    assert_eq!(status().await, StatusCode::NOT_FOUND);
    assert_eq!(status().await, StatusCode::OK);
    simulator.fault(FaultRule::path("/r2z2/*", Fault::ServerError(502)).times(1));
    assert_eq!(status().await, StatusCode::BAD_GATEWAY);
    assert_eq!(status().await, StatusCode::OK);
    simulator.fault(FaultRule::sequence(sequence, Fault::NullBody).times(1));
    let empty = body(document(&simulator, sequence)).await;
    assert!(empty["esi"].is_null() && empty["zkb"].is_object());
    simulator.fault(FaultRule::sequence(sequence, Fault::TruncatedJson).times(1));
    let cut = get(document(&simulator, sequence))
        .await
        .text()
        .await
        .unwrap();
    assert!(serde_json::from_str::<Value>(&cut).is_err() && !cut.is_empty());
    let before = body(document(&simulator, sequence)).await["killmail_id"].clone();
    simulator.fault(FaultRule::sequence(sequence, Fault::ReusedNumber));
    let after = body(document(&simulator, sequence)).await["killmail_id"].clone();
    assert_ne!(before, after);
}

#[tokio::test]
async fn random_faults_let_everything_through_in_the_end() {
    let simulator = started(SimulatorConfig {
        faults: Some(FaultPlan::random(7, 0.6)),
        ..config()
    })
    .await;
    for published in simulator.publish(20) {
        let url = document(&simulator, published.sequence);
        let mut got = false;
        for _ in 0..=FaultPlan::IN_A_ROW {
            let client = client(redirect::Policy::none());
            let Ok(response) = client.get(url.clone()).send().await else {
                continue;
            };
            let text = response.text().await.unwrap_or_default();
            let found = serde_json::from_str::<Value>(&text).unwrap_or_default();
            got |= found["esi"]["killmail_id"] == published.killmail_id;
        }
        assert!(got, "{published:?}");
    }
    assert!(simulator.requests().iter().any(|it| it.fault.is_some()));
}

#[tokio::test]
async fn impolite_clients_are_noticed() {
    let clock = TestClock::at(start_time());
    let simulator = started(SimulatorConfig {
        clock: clock.clone(),
        ..config()
    })
    .await;
    let missing = document(&simulator, 1);
    get(missing.clone()).await;
    clock.advance(Duration::from_secs(6));
    get(missing.clone()).await;
    assert_eq!(simulator.violations(), []);
    clock.advance(Duration::from_secs(5));
    get(missing).await;
    assert_eq!(simulator.violations()[0].rule, "pause_after_404");
    assert_eq!(simulator.request_count("/r2z2/"), 3);
}

#[tokio::test]
async fn a_restart_with_the_same_seed_gives_the_same_killmails() {
    let first = started(config()).await;
    let second = started(config()).await;
    assert_eq!(first.publish(50), second.publish(50));
    assert_eq!(first.published(), second.published());
    let other = started(SimulatorConfig {
        seed: 2,
        ..config()
    })
    .await;
    assert_ne!(first.published(), other.publish(50));
    first.shutdown().await;
    let url = first.base_url();
    assert!(
        client(redirect::Policy::none())
            .get(url)
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn it_can_be_steered_by_http() {
    let simulator = started(config()).await;
    let client = client(redirect::Policy::none());
    let at = |path: &str| simulator.base_url().join(path).unwrap();
    let published = client
        .post(at("simulator/publish?count=2"))
        .send()
        .await
        .unwrap();
    let published: Value = serde_json::from_str(&published.text().await.unwrap()).unwrap();
    assert_eq!(published.as_array().unwrap().len(), 2);
    let rule = json!({"path": "/esi/*", "times": 1, "fault": {"stall": 5}});
    let added = client
        .post(at("simulator/faults"))
        .json(&rule)
        .send()
        .await
        .unwrap();
    assert_eq!(added.status(), StatusCode::NO_CONTENT);
    let status = body(at("simulator/status")).await;
    assert_eq!(status["killmails"], 2);
    assert_eq!(status["faults"][0]["fault"]["stall"], 5);
}

#[tokio::test]
async fn recorded_killmails_come_in_their_order() {
    let source = started(config()).await;
    let mut lines = String::new();
    for published in source.publish(3) {
        let text = get(document(&source, published.sequence))
            .await
            .text()
            .await;
        lines.push_str(&text.unwrap());
        lines.push('\n');
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killmails.jsonl");
    std::fs::write(&path, lines).unwrap();
    let replay = started(SimulatorConfig {
        recorded: Some(path.clone()),
        ..config()
    })
    .await;
    assert_eq!(replay.publish(3), source.published());
    std::fs::write(&path, "{}").unwrap();
    let empty = SimulatorConfig {
        recorded: Some(path),
        ..config()
    };
    assert!(Simulator::start(empty).await.is_err());
}
