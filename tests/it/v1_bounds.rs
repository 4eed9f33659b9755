//! Limits and manners of WandererKills' REST interface: pages, sizes, bodies, what clients take.

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use wanderer_kills::domain::Killmail;
use wanderer_kills::store::killmails::StorableKillmail;

use super::support::app::{JITA, TestApp, killmail, read, storable};

const PERIMETER: i64 = 30_000_144;

/// A killmail of an hour ago.
fn recent(id: i64) -> Killmail {
    Killmail {
        killmail_time: Utc::now() - TimeDelta::hours(1),
        ..killmail(id, JITA)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_comes_in_order_over_several_pages() {
    let app = TestApp::start().await;
    let batch: Vec<StorableKillmail> = (1..=1_100)
        .map(|id| {
            let mut one = recent(id);
            // Ties in time are ordered by id.
            one.killmail_time -= TimeDelta::seconds(id / 10);
            storable(one)
        })
        .collect();
    for some in batch.chunks(250) {
        app.append_batch(some).await;
    }
    let answer = app
        .get(&format!("/api/v1/kills/system/{JITA}?limit=1000"))
        .await;
    let body = answer.json();
    let kills = body["data"]["kills"].as_array().unwrap();
    let got: Vec<i64> = kills
        .iter()
        .map(|kill| kill["killmail_id"].as_i64().unwrap())
        .collect();
    let mut expected: Vec<i64> = (1..=1_100).collect();
    expected.sort_by_key(|id| (id / 10, -id));
    expected.truncate(1_000);
    assert_eq!(got, expected);
    app.stop().await;
}

#[rstest]
#[case("text/html", 406)]
#[case("application/xml, text/*", 406)]
#[case("*/*", 200)]
#[case("text/html, */*;q=0.1", 200)]
#[case("application/json", 200)]
#[tokio::test(flavor = "multi_thread")]
async fn only_json_is_served(#[case] accept: &str, #[case] status: u16) {
    let app = TestApp::start().await;
    let path = format!("/api/v1/kills/count/{JITA}");
    let answer = read(app.request(Method::GET, &path).header("accept", accept)).await;
    assert_eq!(answer.status, status);
    if status == 406 {
        let body = json!({ "error": "Not Acceptable", "status": "406" });
        assert_eq!(answer.json(), body);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_can_not_be_read() {
    let app = TestApp::start().await;
    let path = "/api/v1/kills/systems";
    let send = async |body: String| {
        let request = app.request(Method::POST, path);
        read(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await
    };
    let malformed = send("{\"system_ids\":".into()).await;
    assert_eq!(malformed.status, 400);
    let body = json!({ "error": "Bad Request", "status": "400" });
    assert_eq!(malformed.json(), body);
    let large = send(" ".repeat(8 * 1024 * 1024 + 1)).await;
    assert_eq!(large.status, 413);
    assert_eq!(
        large.json(),
        json!({ "error": "Payload Too Large", "status": "413" })
    );
    // More than the other interfaces take.
    let spaces = " ".repeat(100 * 1024);
    assert_eq!(
        send(format!("{{\"system_ids\":[1]{spaces}}}")).await.status,
        200
    );
    assert_eq!(app.get("/ping").await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_a_body() {
    let app = TestApp::start().await;
    let path = format!("/api/v1/kills/count/{JITA}");
    let answer = read(app.request(Method::HEAD, &path)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_a_largest_size_and_says_when_it_is_cut() {
    let app = TestApp::start().await;
    let mut fight = recent(1);
    let attacker = fight.attackers[0].clone();
    fight.attackers = vec![attacker; 50_000];
    let batch: Vec<StorableKillmail> = (1..=5)
        .map(|id| {
            storable(Killmail {
                killmail_id: id,
                ..fight.clone()
            })
        })
        .collect();
    for one in batch.chunks(1) {
        app.append_batch(one).await;
    }
    let answer = app.get(&format!("/api/v1/kills/system/{JITA}")).await;
    assert!(
        answer.body.len() < 17 * 1024 * 1024,
        "{}",
        answer.body.len()
    );
    let body = answer.json();
    assert_eq!(body["data"]["truncated"], true);
    let count = body["data"]["kills"].as_array().unwrap().len();
    assert!((1..5).contains(&count), "{count}");
    let body = json!({ "system_ids": [JITA, PERIMETER] });
    let request = app.request(Method::POST, "/api/v1/kills/systems");
    let bulk = read(request.json(&body)).await.json();
    assert_eq!(bulk["data"]["truncated"], true);
    assert_eq!(bulk["data"]["systems_kills"]["30000144"], json!([]));
    app.stop().await;
}
