//! The enhanced event stream of WandererKills: the past, the present, and the seam between them.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use wanderer_kills::api::Limits;
use wanderer_kills::domain::Killmail;

use super::support::app::{JITA, TestApp, killmail, storable};
use super::support::sse::{Block, Blocks};

const PATH: &str = "/api/v1/kills/stream/enhanced";
const PERIMETER: i64 = 30_000_144;

fn recent(id: i64, system: i64) -> Killmail {
    Killmail {
        killmail_time: Utc::now() - TimeDelta::minutes(5),
        ..killmail(id, system)
    }
}

/// The next event that is no heartbeat; the heartbeats before it are of this mode.
async fn after_heartbeats(stream: &mut Blocks, mode: &str) -> Block {
    loop {
        let event = stream.event().await;
        if event.event != "heartbeat" {
            return event;
        }
        assert_eq!(event.json()["mode"], mode);
    }
}

fn ids(batch: &Value) -> Vec<i64> {
    let kills = batch["kills"].as_array().unwrap();
    assert_eq!(batch["count"], kills.len());
    kills
        .iter()
        .map(|kill| kill["killmail_id"].as_i64().unwrap())
        .collect()
}

/// 121 killmails in Jita, the first of them too old, and one elsewhere. Returns the feed's head.
async fn fill(app: &TestApp) -> i64 {
    let mut old = recent(1, JITA);
    old.killmail_time -= TimeDelta::days(3);
    let mut batch = vec![storable(old)];
    batch.extend((2..=121).map(|id| storable(recent(id, JITA))));
    batch.push(storable(recent(500, PERIMETER)));
    app.append_batch(&batch).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_comes_first() {
    let app = TestApp::start().await;
    let head = fill(&app).await;
    let path = format!("{PATH}?system_ids=30000142&preload_days=2");
    let mut stream = Blocks::open(&app, &path, None).await;
    assert_eq!(stream.header("x-accel-buffering"), "no");
    let connected = stream.event().await;
    assert_eq!(
        (connected.event.as_str(), connected.id),
        ("connected", None)
    );
    let body = connected.json();
    assert_eq!(body["status"], "connected");
    assert_eq!(
        body["filters"],
        json!({
            "system_ids": [JITA],
            "character_ids": [],
            "min_value": null,
            "preload_days": 2,
        })
    );
    let mut seen = Vec::new();
    for (number, count) in [(1, 50), (2, 50), (3, 20)] {
        let batch = stream.event().await;
        assert_eq!((batch.event.as_str(), batch.id), ("batch", None));
        let batch = batch.json();
        assert_eq!(
            (
                &batch["count"],
                &batch["batch_number"],
                &batch["total_batches"]
            ),
            (&json!(count), &json!(number), &json!(3))
        );
        seen.extend(ids(&batch));
    }
    seen.sort_unstable();
    assert_eq!(seen, (2..=121).collect::<Vec<_>>());
    let transition = stream.event().await;
    assert_eq!(
        (transition.event.as_str(), transition.id),
        ("transition", Some(head))
    );
    let transition = transition.json();
    assert_eq!(transition["status"], "historical_complete");
    assert_eq!(transition["total_historical"], 120);
    assert_eq!(transition.get("truncated"), None);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_tell_the_mode_and_the_cursor() {
    let app = TestApp::with_limits(Limits {
        heartbeat: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let head = fill(&app).await;
    let mut stream = Blocks::open(&app, &format!("{PATH}?preload_days=1"), None).await;
    for expected in ["connected", "batch", "batch", "batch", "transition"] {
        let event = after_heartbeats(&mut stream, "historical").await;
        assert_eq!(event.event, expected);
    }
    let heartbeat = stream.event().await;
    assert_eq!(
        (heartbeat.event.as_str(), heartbeat.id),
        ("heartbeat", Some(head))
    );
    assert_eq!(heartbeat.json()["mode"], "realtime");
    let last = app.append(1_000..=1_000, JITA).await;
    let kill = after_heartbeats(&mut stream, "realtime").await;
    assert_eq!((kill.event.as_str(), kill.id), ("killmail", Some(last)));
    assert_eq!(kill.killmail_id(), 1_000);
    app.stop().await;
}

#[rstest]
#[case("character_ids=77")]
#[case("system_ids=30000142&character_ids=77")]
#[case("")]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_at_the_seam(#[case] query: &str) {
    const BEFORE: i64 = 1_000;
    const DURING: i64 = 400;
    let app = TestApp::start().await;
    let kill = |id: i64| {
        let mut one = recent(id, JITA);
        // Newer and older than what is there: they land before and behind the page that is being read.
        one.killmail_time -= TimeDelta::seconds((id * 37) % 5_000);
        let pilot = if id % 2 == 0 {
            &mut one.victim.character_id
        } else {
            &mut one.attackers[0].character_id
        };
        *pilot = Some(77);
        storable(one)
    };
    for ids in (1..=BEFORE).collect::<Vec<_>>().chunks(250) {
        let batch: Vec<_> = ids.iter().copied().map(kill).collect();
        app.append_batch(&batch).await;
    }
    let path = format!("{PATH}?{query}&preload_days=7");
    let mut stream = Blocks::open(&app, &path, None).await;
    let arriving = async {
        for ids in (BEFORE + 1..=BEFORE + DURING).collect::<Vec<_>>().chunks(4) {
            let batch: Vec<_> = ids.iter().copied().map(kill).collect();
            app.append_batch(&batch).await;
        }
    };
    let reading = async {
        let mut seen = Vec::new();
        let mut historical = 0;
        while seen.len() < usize::try_from(BEFORE + DURING).unwrap() {
            let event = stream.event().await;
            match event.event.as_str() {
                "batch" => {
                    let batch = ids(&event.json());
                    historical += batch.len();
                    seen.extend(batch);
                }
                "transition" => assert_eq!(event.json()["total_historical"], historical),
                "killmail" => seen.push(event.killmail_id()),
                "connected" | "heartbeat" => {}
                other => panic!("{other}: {}", event.data),
            }
        }
        seen
    };
    let ((), mut seen) = tokio::join!(arriving, reading);
    // Whatever was doubled would come before this one.
    app.append_batch(&[kill(9_999)]).await;
    loop {
        let event = stream.event().await;
        if event.event == "killmail" {
            assert_eq!(event.killmail_id(), 9_999);
            break;
        }
        assert!(["transition", "heartbeat"].contains(&event.event.as_str()));
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=BEFORE + DURING).collect::<Vec<_>>());
    app.stop().await;
}
