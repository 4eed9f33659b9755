//! `GET /api/killmails`: pages, forms, refusals, streams.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wanderer_kills::api::Limits;
use wanderer_kills::domain::{Killmail, Zkb};
use wanderer_kills::runtime::config::ApiConfig;
use wanderer_kills::store::killmails::StorableKillmail;

use super::support::app::{Answer, JITA, PATIENCE, TestApp, killmail, read, storable};
use super::support::postgres::execute;

const PERIMETER: i64 = 30_000_144;

const TOKEN: &str = "an-operators-token";

fn with_token() -> ApiConfig {
    ApiConfig {
        admin_token: Some(TOKEN.into()),
        ..ApiConfig::default()
    }
}

/// Killmails a minute apart, each with a value.
fn history(ids: impl IntoIterator<Item = i64>) -> Vec<StorableKillmail> {
    ids.into_iter()
        .map(|id| {
            let made = killmail(id, if id % 2 == 0 { JITA } else { PERIMETER });
            storable(Killmail {
                killmail_time: made.killmail_time + TimeDelta::minutes(id),
                war_id: (id % 10 == 0).then_some(7),
                zkb: Some(Zkb {
                    total_value: Some(1_000_000.5),
                    labels: Some(vec!["=danger".to_owned(), "solo".to_owned()]),
                    ..Zkb::default()
                }),
                ..made
            })
        })
        .collect()
}

fn ids(page: &Value) -> Vec<i64> {
    let killmails = page["killmails"].as_array().unwrap();
    let id = |killmail: &Value| killmail["killmail_id"].as_i64().unwrap();
    killmails.iter().map(id).collect()
}

async fn get_as(app: &TestApp, path: &str, accept: &str) -> Answer {
    let request = app.request(reqwest::Method::GET, path);
    read(request.header("accept", accept)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_through_history_both_ways() {
    let app = TestApp::start().await;
    app.append_batch(&history(1..=25)).await;
    for (order, expected) in [
        ("newest", (1..=25).rev().collect::<Vec<i64>>()),
        ("oldest", (1..=25).collect()),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = app
                .get(&format!("/api/killmails?order={order}&limit=10{cursor}"))
                .await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), "application/json");
            let page = answer.json();
            seen.extend(ids(&page));
            if page["has_more"] == false {
                assert_eq!(page["cursor"], Value::Null);
                break;
            }
            assert_eq!(answer.header("x-next-cursor"), page["cursor"]);
            cursor = format!("&cursor={}", page["cursor"].as_str().unwrap());
        }
        assert_eq!(seen, expected);
    }
    let nothing = app.get("/api/killmails?systems=1").await;
    assert_eq!(
        nothing.body,
        r#"{"killmails":[],"cursor":null,"has_more":false}"#
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_times_and_wars_narrow() {
    let app = TestApp::start().await;
    app.append_batch(&history(1..=40)).await;
    for (query, expected) in [
        ("systems=30000142&limit=3", vec![40, 38, 36]),
        ("from=2026-06-01T12:38:00Z", vec![40, 39, 38]),
        (
            "from=2026-06-01T12:38:00Z&to=2026-06-01T12:40:00Z",
            vec![39, 38],
        ),
        ("to=2026-06-02&order=oldest&limit=2", vec![1, 2]),
        ("to=2026-06-01", vec![]),
        ("wars=7,8", vec![40, 30, 20, 10]),
        ("wars=7&systems=30000144", vec![]),
        ("character_id=90379338&role=attacker&limit=1", vec![40]),
        ("character_id=90379338&role=victim", vec![]),
        ("labels=solo&min_value=1000000.5&limit=1", vec![40]),
        ("min_value=1000001", vec![]),
        ("systems=1&ship_type_id=587&match=any&limit=2", vec![40, 39]),
    ] {
        let answer = app.get(&format!("/api/killmails?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        assert_eq!(ids(&answer.json()), expected, "{query}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_the_stored_ones_and_items_come_when_asked_for() {
    let app = TestApp::start().await;
    app.append(1..=2, JITA).await;
    let one = app.get("/api/killmails/2").await.body;
    let page = app.get("/api/killmails?limit=1").await.body;
    assert!(
        page.starts_with(&format!("{{\"killmails\":[{one}],\"cursor\":\"")),
        "{page}"
    );
    let page = app.get("/api/killmails?limit=1&include=items").await.json();
    assert_eq!(
        page["killmails"][0]["victim"]["items"][0]["item_type_id"],
        3_436
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_parameter_is_named_with_what_is_allowed() {
    let app = TestApp::start().await;
    app.append_batch(&history(1..=3)).await;
    let page = app.get("/api/killmails?limit=1").await.json();
    let cursor = page["cursor"].as_str().unwrap();
    let mut edited = cursor.to_owned();
    edited.replace_range(
        3..5,
        if cursor.get(3..5) == Some("zz") {
            "yy"
        } else {
            "zz"
        },
    );
    let many: Vec<String> = (1..=1_001).map(|id: i64| id.to_string()).collect();
    let queries = [
        ("limit", "limit=0".to_owned()),
        ("limit", "limit=1001".to_owned()),
        ("limit", "limit=all".to_owned()),
        ("limit", "limit=1&limit=2".to_owned()),
        ("order", "order=random".to_owned()),
        ("include", "include=fittings".to_owned()),
        ("cursor", "cursor=17".to_owned()),
        ("cursor", format!("cursor={edited}")),
        ("cursor", format!("cursor={cursor}&order=oldest")),
        ("from", "from=yesterday".to_owned()),
        ("from", "from=2026-1-1".to_owned()),
        ("to", "to=2026-13-01".to_owned()),
        ("to", "to=12026-01-01T00:00:00Z".to_owned()),
        ("from", "from=2026-02-01&to=2026-01-01".to_owned()),
        ("from", "from=2026-02-01&to=2026-02-01".to_owned()),
        ("wars", "wars=0".to_owned()),
        ("systems", "systems=Jita".to_owned()),
        ("systems", format!("systems={}", many.join(","))),
        ("wars", format!("wars={}", many.join(","))),
        ("role", "role=loser".to_owned()),
        ("match", "match=some".to_owned()),
        ("min_value", "min_value=-1".to_owned()),
        ("security", "security=low".to_owned()),
        ("labels", "labels=a%00b".to_owned()),
        ("npc", "npc=maybe".to_owned()),
    ];
    for (field, query) in queries {
        let answer = app.get(&format!("/api/killmails?{query}")).await;
        let problem = answer.json();
        assert_eq!(
            (answer.status, &problem["code"]),
            (400, &Value::from("bad_parameter")),
            "{query}"
        );
        assert_eq!(problem["parameter"], field, "{query}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.starts_with(field) && detail.contains(", allowed is "),
            "{detail}"
        );
    }
    let unknown = app.get("/api/killmails?sytems=1").await.json();
    assert_eq!(unknown["code"], "unknown_parameter");
    let table = get_as(&app, "/api/killmails?include=items", "text/csv").await;
    assert_eq!(
        (table.status, &table.json()["parameter"]),
        (400, &Value::from("include"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_lines_have_their_shape() {
    let app = TestApp::start().await;
    app.append_batch(&history(1..=3)).await;
    let lines = get_as(&app, "/api/killmails?limit=2", "application/x-ndjson").await;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    let read: Vec<Value> = lines
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&read[0]["killmail_id"], &read[1]["killmail_id"]),
        (&3.into(), &2.into())
    );
    let cursor = lines.header("x-next-cursor").to_owned();
    let path = format!("/api/killmails?limit=2&cursor={cursor}");
    let table = get_as(&app, &path, "text/csv, application/json;q=0.5").await;
    assert_eq!(
        table.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(table.header("vary"), "accept");
    let mut reader = csv::Reader::from_reader(table.body.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let field = |name: &str| {
        let index = header.iter().position(|column| column == name).unwrap();
        rows[0].get(index).unwrap()
    };
    assert_eq!((rows.len(), field("killmail_id")), (1, "1"));
    assert_eq!(field("killmail_time"), "2026-06-01T12:01:00Z");
    assert_eq!(field("final_blow_character_id"), "90379338");
    assert_eq!(field("total_value"), "1000000.5");
    assert_eq!(field("labels"), "'=danger solo");
    assert!(!table.headers.contains_key("x-next-cursor"));
    let refused = get_as(&app, "/api/killmails", "image/png").await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (406, &Value::from("not_acceptable"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_at_once_is_for_operators() {
    let app = TestApp::with_config(with_token(), Limits::default()).await;
    app.append_batch(&history(1..=1_150)).await;
    let path = "/api/killmails?limit=all&order=oldest";
    let refused = get_as(&app, path, "application/x-ndjson").await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (401, &Value::from("not_admin"))
    );
    let lines = app
        .request(reqwest::Method::GET, path)
        .header("accept", "application/x-ndjson")
        .bearer_auth(TOKEN);
    let lines = read(lines).await;
    let read_ids: Vec<i64> = (lines.body.lines())
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["killmail_id"]
                .as_i64()
                .unwrap()
        })
        .collect();
    assert_eq!(read_ids, (1..=1_150).collect::<Vec<_>>());
    let table = app
        .request(reqwest::Method::GET, path)
        .header("accept", "text/csv")
        .bearer_auth(TOKEN);
    assert_eq!(read(table).await.body.lines().count(), 1_151);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_many_chunks_is_one_json_document() {
    let app = TestApp::start().await;
    app.append_batch(&history(1..=450)).await;
    let page = app.get("/api/killmails?limit=449").await.json();
    assert_eq!(ids(&page), (2..=450).rev().collect::<Vec<i64>>());
    assert_eq!(page["has_more"], true);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_query_is_told_what_to_narrow() {
    let app = TestApp::with_query_timeout(50).await;
    let mut holder = PgConnection::connect(app.database_url()).await.unwrap();
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE killmails IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let answer = app.get("/api/killmails?labels=solo&from=2026-01-01").await;
    lock.rollback().await.unwrap();
    let problem = answer.json();
    assert_eq!(
        (answer.status, &problem["code"]),
        (422, &Value::from("query_too_broad"))
    );
    assert_eq!(
        problem["detail"],
        "the query takes longer than 0.05 s: add to, or add systems, constellations or regions, \
         or add characters, corporations or alliances"
    );
    assert_eq!(app.get("/api/killmails?labels=solo").await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_cap_queries_are_told_to_come_again() {
    let limits = Limits {
        queries: 0,
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    let answer = app.get("/api/killmails").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    assert_eq!(answer.json()["code"], "too_many_queries");
    app.stop().await;
}

/// Killmails with documents of 20 kB.
async fn append_large(app: &TestApp, ids: impl Iterator<Item = i64>) {
    let large: Vec<StorableKillmail> = history(ids)
        .into_iter()
        .map(|one| {
            let labels = Some(vec!["x".repeat(20_000)]);
            storable(Killmail {
                zkb: Some(Zkb {
                    labels,
                    ..Zkb::default()
                }),
                ..one.killmail
            })
        })
        .collect();
    app.append_batch(&large).await;
}

/// A request for everything, of which the head has been read.
async fn export(app: &TestApp) -> TcpStream {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let request = format!(
        "GET /api/killmails?limit=all&order=oldest HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n\
         Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 1_000];
    stream.read_exact(&mut head).await.unwrap();
    assert!(head.starts_with(b"HTTP/1.1 200"));
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_pauses_holds_no_connection_and_nothing_is_read_ahead() {
    let app = TestApp::with_config(with_token(), Limits::default()).await;
    append_large(&app, 1..=1_300).await;
    let mut stream = export(&app).await;
    // Once the sockets' buffers are full the server waits; then no connection is in use.
    let pool = &app.state.store.reads.primary().history;
    let idle = || async {
        for _ in 0..20 {
            if pool.num_idle() < usize::try_from(pool.size()).unwrap() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    };
    tokio::time::timeout(PATIENCE, async { while !idle().await {} })
        .await
        .unwrap();
    // What is stored now lies behind what was read, so it comes as well.
    append_large(&app, 1_301..=1_310).await;
    let mut body = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut body))
        .await
        .unwrap()
        .unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("\"killmail_id\":1310,"));
    assert!(body.ends_with("\r\n0\r\n\r\n"), "the stream ends in order");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_gives_its_place_back() {
    let limits = Limits {
        queries: 1,
        ..Limits::default()
    };
    let app = TestApp::with_config(with_token(), limits).await;
    append_large(&app, 1..=1_300).await;
    let stream = export(&app).await;
    assert_eq!(app.get("/api/killmails?limit=1").await.status, 503);
    drop(stream);
    tokio::time::timeout(PATIENCE, async {
        while app.get("/api/killmails?limit=1").await.status != 200 {}
    })
    .await
    .unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_fails_midway_breaks_off() {
    let app = TestApp::with_config(with_token(), Limits::default()).await;
    append_large(&app, 1..=1_300).await;
    let mut stream = export(&app).await;
    execute(
        app.database_url(),
        "ALTER TABLE killmails RENAME TO elsewhere",
    )
    .await
    .unwrap();
    let mut body = Vec::new();
    // The connection may end by a reset.
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut body));
    drop(read.await.unwrap());
    assert!(
        !body.ends_with(b"\r\n0\r\n\r\n"),
        "it must not look complete"
    );
    app.stop().await;
}
