//! Polls: pages, long poll, durable offsets, single killmails, what operators look at.

use rstest::rstest;

use super::support::app::{JITA, TestApp, read};

const PERIMETER: i64 = 30_000_144;

fn event_ids(page: &serde_json::Value) -> Vec<i64> {
    page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event_id"].as_i64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_to_the_end_without_hole_or_double() {
    let app = TestApp::start().await;
    app.append(1..=25, JITA).await;
    let (mut cursor, mut seen) = (0, Vec::new());
    loop {
        let answer = app
            .get(&format!("/api/killfeed?after={cursor}&limit=10"))
            .await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, "no-store")
        );
        let page = answer.json();
        seen.extend(event_ids(&page));
        cursor = page["cursor"].as_i64().unwrap();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, (1..=25).collect::<Vec<_>>());
    let empty = app.get(&format!("/api/killfeed?after={cursor}")).await;
    assert_eq!(empty.body, r#"{"events":[],"cursor":25,"has_more":false}"#);
    let first = app.get("/api/killfeed?limit=1").await.json();
    let event = &first["events"][0];
    assert_eq!(event["kind"], "new");
    assert_eq!(event["system_id"], JITA);
    assert_eq!(event["killmail"]["killmail_id"], 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_narrows_and_the_cursor_moves_on() {
    let app = TestApp::start().await;
    app.append(1..=3, JITA).await;
    app.append(4..=5, PERIMETER).await;
    app.append(6..=9, JITA).await;
    let page = app
        .get(&format!("/api/killfeed?systems={PERIMETER}"))
        .await
        .json();
    assert_eq!(event_ids(&page), [4, 5]);
    assert_eq!(page["cursor"], 9);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_wakes_a_long_poll_and_shutdown_ends_one() {
    let app = TestApp::start().await;
    app.append(1..=1, JITA).await;
    let (answer, _) = tokio::join!(app.get("/api/killfeed?after=1&wait=60"), async {
        while app.state.feed.status().readers == 0 {
            tokio::task::yield_now().await;
        }
        app.append(2..=2, JITA).await
    });
    assert_eq!(event_ids(&answer.json()), [2]);
    let waiting = app.request(reqwest::Method::GET, "/api/killfeed?after=2&wait=60");
    let waiting = tokio::spawn(read(waiting));
    while app.state.feed.status().readers == 0 {
        tokio::task::yield_now().await;
    }
    app.stop().await;
    let answer = waiting.await.unwrap();
    assert_eq!(answer.body, r#"{"events":[],"cursor":2,"has_more":false}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_keeps_its_place_over_a_restart() {
    let app = TestApp::start().await;
    app.append(1..=3, JITA).await;
    app.append(4..=4, PERIMETER).await;
    let poll = format!("/api/killfeed?client_id=bot-1&systems[]={JITA}");
    let first = app.get(&poll).await;
    assert_eq!(event_ids(&first.json()), [1, 2, 3]);
    assert!(first.json()["events"][0].get("kind").is_none());
    assert!(first.json().get("cursor").is_none());
    assert_eq!(
        (
            app.get(&poll).await.status,
            app.get(&poll).await.body.as_str()
        ),
        (204, "")
    );

    let app = app.restart().await;
    assert_eq!(app.get(&poll).await.status, 204);
    app.append(5..=6, JITA).await;
    let next = format!("/api/killfeed/next?client_id=bot-1&systems={JITA},{PERIMETER}");
    for expected in [4, 5, 6] {
        let event = app.get(&next).await.json();
        assert_eq!(event["event_id"], expected);
        assert_eq!(event["killmail"]["killmail_id"], expected);
    }
    assert_eq!(app.get(&next).await.status, 204);
    let refused = app.get("/api/killfeed?client_id=bot-1").await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body,
        r#"{"error":"Missing required parameter: systems"}"#
    );
    app.stop().await;
}

#[rstest]
#[case("limit=-1", 400, "bad_parameter")]
#[case("after=abc", 400, "bad_parameter")]
#[case("wait=61", 400, "bad_parameter")]
#[case("systems=Jita", 400, "bad_parameter")]
#[case("sytems=30000142", 400, "unknown_parameter")]
#[case("after=99", 409, "cursor_ahead")]
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_is_explained(
    #[case] query: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    for path in ["/api/killfeed", "/api/killfeed/stream"] {
        if path.ends_with("stream") && !query.starts_with("after") {
            continue;
        }
        let answer = app.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["instance"], path);
        assert_eq!(problem["request_id"], answer.header("x-request-id"));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_cursor_is_told_the_oldest_one() {
    let app = TestApp::start().await;
    app.append(1..=5, JITA).await;
    let mut transaction = app.state.store.pool.begin().await.unwrap();
    let future = "2100-01-01T00:00:00Z".parse().unwrap();
    wanderer_kills::store::feed::prune(&mut transaction, future, 3)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let app = app.restart().await;
    let expired = app.get("/api/killfeed?after=1").await;
    assert_eq!(expired.status, 410);
    assert_eq!(expired.json()["code"], "cursor_expired");
    assert_eq!(expired.json()["oldest"], 3);
    let oldest = app.get("/api/killfeed?after=0").await;
    assert_eq!(event_ids(&oldest.json()), [4, 5]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_killmail_with_and_without_items() {
    let app = TestApp::start().await;
    app.append(7..=7, JITA).await;
    let plain = app.get("/api/killmails/7").await;
    assert_eq!(
        (plain.status, plain.header("content-type")),
        (200, "application/json")
    );
    assert!(plain.json()["victim"].get("items").is_none());
    let full = app.get("/api/killmails/7?include=items").await.json();
    assert_eq!(full["victim"]["items"][0]["item_type_id"], 3_436);
    for (path, status, code) in [
        ("/api/killmails/8", 404, "killmail_not_found"),
        ("/api/killmails/abc", 400, "bad_parameter"),
        ("/api/killmails/0", 400, "bad_parameter"),
        ("/api/killmails/-1", 400, "bad_parameter"),
        ("/api/killmails/7?include=fit", 400, "bad_parameter"),
        ("/api/killmails/7?x=1", 400, "unknown_parameter"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (status, &code.into()),
            "{path}"
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_the_state() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/ping").await.body, "pong");
    for path in ["/health", "/api/health"] {
        let health = app.get(path).await;
        assert_eq!(
            (health.status, &health.json()["healthy"]),
            (200, &true.into())
        );
    }
    assert_eq!(app.get("/metrics").await.body, "# no metrics\n");
    let lost = app.get("/nowhere").await;
    assert_eq!(
        (lost.status, lost.body.as_str()),
        (404, r#"{"error":"Not Found","status":"404"}"#)
    );
    let id = app
        .request(reqwest::Method::HEAD, "/ping")
        .header("x-request-id", "mine");
    let head = read(id).await;
    assert_eq!((head.status, head.header("x-request-id")), (200, "mine"));
    assert_eq!(head.header("access-control-allow-origin"), "*");
    let put = read(app.request(reqwest::Method::PUT, "/api/killfeed")).await;
    assert_eq!(
        (put.status, &put.json()["code"]),
        (405, &"method_not_allowed".into())
    );
    app.stop().await;
}
