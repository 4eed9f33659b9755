//! RedisQ's queues, polled by a Python program, by our own RedisQ source, and by hand.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use wanderer_kills::domain::{FeedSequence, Killmail, Zkb};
use wanderer_kills::runtime::clock::{SystemClock, TestClock};
use wanderer_kills::runtime::config::LiveSource;
use wanderer_kills::store::queues;

use crate::support::app::{JITA, PATIENCE, TestApp, killmail, storable};
use crate::support::http::{self, get};
use crate::support::live::{scene, start_time};
use crate::support::postgres::{database, execute, text};
use crate::support::replica::becomes_equal;

/// A client as they were written for RedisQ: prints id, hash and system of so many killmails.
const PYTHON_CLIENT: &str = r#"
import json, sys, urllib.request

listen = sys.argv[1] + "listen.php?queueID=python&ttw=2"
wanted = int(sys.argv[2])
while wanted > 0:
    with urllib.request.urlopen(listen) as answer:
        package = json.load(answer)["package"]
    if package is None:
        continue
    victim = package["killmail"]["victim"]
    print(package["killID"], package["zkb"]["hash"], victim["ship_type_id"])
    wanted -= 1
"#;

fn hashed(id: i64) -> Killmail {
    Killmail {
        hash: Some(format!("{id:040x}").parse().unwrap()),
        ..killmail(id, JITA)
    }
}

/// Waits until a queue is known.
async fn queue_is_there(url: &str) {
    let there = async {
        let query = "SELECT (count(*) > 0)::text FROM redisq_queues";
        while text(url, query).await.unwrap() != "true" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, there).await.unwrap();
}

/// Where a poll leads to.
async fn listen(app: &TestApp, query: &str) -> String {
    let answer = poll(app, query).await;
    assert_eq!(answer.status, 302, "{}", answer.head);
    location(&answer)
}

async fn poll(app: &TestApp, query: &str) -> http::Answer {
    let path = format!("/listen.php?{query}");
    get(app.address(), &path).await.unwrap()
}

fn location(answer: &http::Answer) -> String {
    let header = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    let place = header.unwrap_or_else(|| panic!("{}", answer.head));
    place
        .strip_prefix("/object.php?objectID=")
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_client_gets_each_killmail_once() {
    const KILLMAILS: i64 = 30;
    let app = TestApp::start().await;
    app.append_batch(&[storable(hashed(1))]).await;
    let client = tokio::process::Command::new("python3")
        .args(["-c", PYTHON_CLIENT, app.base_url().as_str()])
        .arg(KILLMAILS.to_string())
        .env("NO_PROXY", "*")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            println!("skipped: python3 can't be started: {error}");
            return;
        }
    };
    queue_is_there(app.database_url()).await;
    let ids: Vec<i64> = (2..2 + KILLMAILS).collect();
    for half in ids.chunks(15) {
        let batch: Vec<_> = half.iter().map(|id| storable(hashed(*id))).collect();
        app.append_batch(&batch).await;
    }
    let output = tokio::time::timeout(PATIENCE, client.wait_with_output());
    let output = output.await.unwrap().unwrap();
    let expected: Vec<String> = ids.iter().map(|id| format!("{id} {id:040x} 587")).collect();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        expected,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_source_replicates_and_finds_its_queue_again() {
    let first = scene(LiveSource::R2z2).await;
    let ingesting = first.follow();
    let app = TestApp::serving(first.database.url(), SystemClock::shared()).await;
    let mut second = scene(LiveSource::Redisq).await;
    second.deps.live.redisq_url = app.base_url();
    second.deps.bodies = None;
    let following = second.follow();
    queue_is_there(app.database_url()).await;
    first.simulator.publish(60);
    let ids = |count: usize| {
        let published = first.simulator.published();
        assert_eq!(published.len(), count);
        published
            .iter()
            .map(|kill| kill.killmail_id)
            .collect::<Vec<_>>()
    };
    first.stores(&ids(60)).await;
    becomes_equal(app.database_url(), second.database.url()).await;
    following.stop().await;

    // Stored while nobody polls and the first is started anew: the queue is kept in its database.
    first.simulator.publish(20);
    first.stores(&ids(80)).await;
    let app = app.restart().await;
    second.deps.live.redisq_url = app.base_url();
    let following = second.follow();
    becomes_equal(app.database_url(), second.database.url()).await;
    assert_eq!(second.count("SELECT count(*) FROM dead_letters").await, 0);
    following.stop().await;
    ingesting.stop().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_waits_for_a_commit_and_a_second_one_is_refused() {
    let app = TestApp::start().await;
    assert_eq!(listen(&app, "queueID=a&ttw=1").await, "null");
    let (first, ()) = tokio::join!(listen(&app, "queueID=a"), async {
        // The first one waits once it reads the feed.
        while app.state.feed.status().readers == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(poll(&app, "queueID=a&ttw=1").await.status, 429);
        assert_eq!(listen(&app, "queueID=b&ttw=1").await, "null");
        app.append([5], JITA).await;
    });
    assert_eq!(first, "1");
    let package = app.get("/object.php?objectID=1").await.json();
    assert_eq!(package["package"]["killID"], 5);
    assert_eq!(package["package"]["zkb"], json!({"attackerCount": 1}));
    assert_eq!(
        package["package"]["killmail"]["victim"]["damage_taken"],
        100
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_went_away_frees_its_queue_and_loses_nothing() {
    let app = TestApp::start().await;
    assert_eq!(listen(&app, "queueID=a&ttw=1").await, "null");
    let mut gone = TcpStream::connect(app.address()).await.unwrap();
    gone.write_all(b"GET /listen.php?queueID=a HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .unwrap();
    let readers = async |number| {
        while app.state.feed.status().readers != number {
            tokio::task::yield_now().await;
        }
    };
    readers(1).await;
    drop(gone);
    // Well before the wait of 10 s is over.
    let freed = tokio::time::timeout(Duration::from_secs(6), readers(0));
    freed.await.unwrap();
    app.append([1], JITA).await;
    assert_eq!(listen(&app, "queueID=a&ttw=1").await, "1");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_never_hand_out_one_killmail_twice() {
    let app = TestApp::start().await;
    let other = TestApp::serving(app.database_url(), SystemClock::shared()).await;
    assert_eq!(listen(&app, "queueID=a&ttw=1").await, "null");
    app.append([1], JITA).await;
    assert!(other.state.feed.wait_for(FeedSequence(1), PATIENCE).await);
    let (here, there) = tokio::join!(
        poll(&app, "queueID=a&ttw=1"),
        poll(&other, "queueID=a&ttw=1")
    );
    let given = [&here, &there]
        .iter()
        .filter(|answer| answer.status == 302 && location(answer) == "1")
        .count();
    assert_eq!(given, 1, "{} {}", here.head, there.head);
    other.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn packages_are_found_by_number_and_nothing_is_null() {
    let app = TestApp::start().await;
    app.append([5], JITA).await;
    let nothing = app.get("/object.php?objectID=null").await;
    assert_eq!(nothing.status, 200);
    assert_eq!(nothing.json(), json!({"package": null}));
    for unknown in ["objectID=2", "objectID=0", "objectID=x", "objectID=", ""] {
        let answer = app.get(&format!("/object.php?{unknown}")).await;
        assert_eq!(answer.status, 404, "{unknown}");
        assert_eq!(answer.json()["code"], "document_not_found");
    }
    app.stop().await;
}

#[rstest]
#[case("", 429)]
#[case("queueID=", 429)]
#[case("queueID=a&filter=npc=true;solo=true,awox=true", 400)]
#[case("queueID=a&filter=npc", 400)]
#[tokio::test]
async fn polls_that_make_no_sense_are_refused(#[case] query: &str, #[case] status: u16) {
    let app = TestApp::start().await;
    let answer = poll(&app, query).await;
    assert_eq!(answer.status, status);
    assert!(answer.json()["detail"].is_string());
    app.stop().await;
}

#[tokio::test]
async fn a_queue_is_remembered_for_three_hours_or_as_long_as_asked() {
    const HOUR: Duration = Duration::from_hours(1);
    let database = database().await;
    let clock = TestClock::at(start_time());
    let app = TestApp::serving(database.url(), clock.clone()).await;
    for query in ["queueID=long&ttw=1", "queueID=short&ttw=1&ttl=3600"] {
        assert_eq!(listen(&app, query).await, "null", "{query}");
    }
    app.append([1], JITA).await;
    clock.advance(HOUR);
    assert_eq!(listen(&app, "queueID=short&ttw=1").await, "null");
    clock.advance(HOUR + Duration::from_mins(59));
    let app = app.restart().await;
    assert_eq!(listen(&app, "queueID=long&ttw=1").await, "1");
    app.append([2], JITA).await;
    clock.advance(HOUR * 3);
    assert_eq!(listen(&app, "queueID=long&ttw=1").await, "null");
    app.append([3], JITA).await;
    assert_eq!(listen(&app, "queueID=long&ttw=1").await, "3");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_moves_no_queue() {
    let app = TestApp::start().await;
    assert_eq!(listen(&app, "queueID=h&ttw=1").await, "null");
    app.append([1], JITA).await;
    let path = "/listen.php?queueID=h&ttw=1";
    let refused = app.request(reqwest::Method::HEAD, path).send().await;
    let refused = refused.unwrap();
    assert_eq!(refused.status(), 405);
    assert_eq!(refused.headers()["allow"], "GET");
    assert_eq!(listen(&app, "queueID=h&ttw=1").await, "1");
}

#[tokio::test]
async fn there_are_only_so_many_queues_and_forgotten_ones_make_room() {
    let app = TestApp::start().await;
    let most = queues::MAX_QUEUES;
    let fill = format!(
        "INSERT INTO redisq_queues SELECT 'q' || n, 0, now(), now(), now() + interval '1 hour' FROM generate_series(1, {most}) AS n"
    );
    execute(app.database_url(), &fill).await.unwrap();
    let refused = poll(&app, "queueID=new&ttw=1").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["code"], "too_many");
    assert_eq!(listen(&app, "queueID=q1&ttw=1").await, "null");
    let forget = "UPDATE redisq_queues SET forget_at = now() WHERE queue_id IN ('q2', 'q3')";
    execute(app.database_url(), forget).await.unwrap();
    assert_eq!(listen(&app, "queueID=new&ttw=1").await, "null");
    let count = "SELECT count(*)::text FROM redisq_queues";
    let left = text(app.database_url(), count).await.unwrap();
    assert_eq!(left, (most - 1).to_string());
    app.stop().await;
}

#[rstest]
#[case("killID=2", &["2", "null"])]
#[case("totalValue>=1000", &["2", "3", "null"])]
#[case("labels=pvp;totalValue<5000", &["2", "null"])]
#[case("killID=1,killID=3", &["1", "3", "null"])]
#[case("item_type_id=3436;killID!=1", &["2", "3", "null"])]
#[case("item_type_id=1", &["null"])]
#[tokio::test]
async fn filters_choose_and_pass_over_the_rest(#[case] filter: &str, #[case] given: &[&str]) {
    let app = TestApp::start().await;
    listen(&app, "queueID=a&ttw=1").await;
    let valued = |id: i64, value: f64| Killmail {
        zkb: Some(Zkb {
            total_value: Some(value),
            labels: Some(vec!["pvp".to_owned()]),
            ..Zkb::default()
        }),
        ..killmail(id, JITA)
    };
    let batch = [killmail(1, JITA), valued(2, 1_000.0), valued(3, 9_000.5)].map(storable);
    app.append_batch(&batch).await;
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let mut seen = Vec::new();
    for _ in given {
        seen.push(listen(&app, &format!("queueID=a&ttw=1&filter={filter}")).await);
    }
    assert_eq!(seen, given);
    // What was passed over is not given later.
    assert_eq!(listen(&app, "queueID=a&ttw=1").await, "null");
    app.stop().await;
}

#[tokio::test]
async fn queues_are_apart_and_updates_are_not_handed_out() {
    let app = TestApp::start().await;
    for queue in ["a", "b"] {
        assert_eq!(
            listen(&app, &format!("queueID={queue}&ttw=1")).await,
            "null"
        );
    }
    app.append([1, 2], JITA).await;
    let mark = "UPDATE feed SET kind = 'updated' WHERE sequence = 1";
    execute(app.database_url(), mark).await.unwrap();
    // Read from the database: the ring holds what was appended.
    let app = app.restart().await;
    let mut seen = BTreeSet::new();
    for queue in ["a", "b"] {
        seen.insert(listen(&app, &format!("queueID={queue}&ttw=1")).await);
    }
    assert_eq!(seen, BTreeSet::from(["2".to_owned()]));
    app.stop().await;
}
