//! The event streams of WandererKills, by the numbers of its compatibility checks.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use wanderer_kills::api::Limits;
use wanderer_kills::domain::{Killmail, Zkb};
use wanderer_kills::store::feed::{FeedEntry, FeedKind};

use super::support::app::{JITA, TestApp, killmail, storable};
use super::support::served::RealApp;
use super::support::sse::Blocks;

const PLAIN: &str = "/api/v1/kills/stream";
const ENHANCED: &str = "/api/v1/kills/stream/enhanced";
const PERIMETER: i64 = 30_000_144;
/// A keep-alive is due after ten seconds.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

fn quick() -> Limits {
    Limits {
        keep_alive: Duration::from_millis(50),
        heartbeat: Duration::from_millis(50),
        ..Limits::default()
    }
}

fn recent(id: i64, system: i64) -> Killmail {
    Killmail {
        killmail_time: Utc::now() - TimeDelta::minutes(5),
        ..killmail(id, system)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_28_the_plain_stream() {
    let app = RealApp::start().await;
    let mut stream = Blocks::open(&app, PLAIN, None).await;
    assert_eq!(
        stream.header("content-type"),
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(stream.header("cache-control"), "no-cache");
    assert_eq!(stream.next().await.unwrap().text, "retry: 2000");
    let keep_alive = tokio::time::timeout(LONGEST_SILENCE, stream.next()).await;
    assert_eq!(keep_alive.unwrap().unwrap().text, ": ping");
    let last = app.append(1..=1, JITA).await;
    let event = stream.event().await;
    assert_eq!((event.event.as_str(), event.id), ("", Some(last)));
    assert_eq!(event.killmail_id(), 1);
    assert_eq!(event.json()["system_id"], JITA);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_28_parameters_are_validated() {
    let app = RealApp::start().await;
    for (query, message) in [
        (
            "system_ids=abc",
            "Invalid system_ids: 'abc' is not a valid integer",
        ),
        (
            "character_ids=1,x",
            "Invalid character_ids: 'x' is not a valid integer",
        ),
        ("min_value=-1", "min_value must be non-negative, got -1.0"),
        (
            "preload_days=x",
            "Invalid preload_days: 'x' is not a valid integer",
        ),
    ] {
        for path in [PLAIN, ENHANCED] {
            let answer = app.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, 400);
            assert_eq!(
                answer.json(),
                json!({ "error": {
                    "domain": "validation",
                    "type": "invalid_format",
                    "message": message,
                    "details": null,
                    "retryable": false,
                } })
            );
        }
    }
    let ids: Vec<String> = (1..=101).map(|id| id.to_string()).collect();
    let answer = app
        .get(&format!("{PLAIN}?system_ids={}", ids.join(",")))
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json()["error"]["message"],
        "Too many system_ids specified (max 100)"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_filter() {
    let app = TestApp::start().await;
    let query = "system_ids=30000142&character_ids=77&min_value=1000";
    let mut plain = Blocks::open(&app, &format!("{PLAIN}?{query}"), None).await;
    let mut enhanced = Blocks::open(&app, &format!("{ENHANCED}?{query}"), None).await;
    assert_eq!(enhanced.event().await.event, "connected");
    let worth = |mut one: Killmail, value: f64| {
        one.zkb = Some(Zkb {
            total_value: Some(value),
            ..Zkb::default()
        });
        one
    };
    let pilot = |mut one: Killmail| {
        one.attackers[0].character_id = Some(77);
        one
    };
    let batch = [
        worth(recent(1, PERIMETER), 1e9),
        worth(recent(2, JITA), 999.0),
        recent(3, JITA),
        worth(recent(4, JITA), 1000.0),
        worth(pilot(recent(5, PERIMETER)), 10.0),
        worth(pilot(recent(6, PERIMETER)), 1e6),
        worth(pilot(recent(7, JITA)), 1e6),
    ];
    app.append_batch(&batch.map(storable)).await;
    for stream in [&mut plain, &mut enhanced] {
        for expected in [4, 6, 7] {
            assert_eq!(stream.event().await.killmail_id(), expected);
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_on_behind_its_last_event() {
    let app = TestApp::start().await;
    app.append(1..=5, JITA).await;
    for path in [PLAIN, ENHANCED] {
        let path = format!("{path}?preload_days=90");
        let mut stream = Blocks::open(&app, &path, Some(3)).await;
        let mut events = Vec::new();
        while events.len() < 2 {
            let event = stream.event().await;
            if ["", "killmail"].contains(&event.event.as_str()) {
                events.push((event.id.unwrap(), event.killmail_id()));
            } else {
                assert_eq!(event.event, "connected");
            }
        }
        assert_eq!(events, [(4, 4), (5, 5)]);
    }
    for (id, status, kind) in [("x", 400, "invalid_format"), ("99", 409, "cursor_ahead")] {
        for path in [PLAIN, ENHANCED] {
            let answer = Blocks::refused(&app, path, id).await;
            assert_eq!(answer.status, status, "{}", answer.body);
            assert_eq!(answer.json()["error"]["type"], kind);
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_killmails_are_not_pushed_again() {
    let app = TestApp::start().await;
    let mut plain = Blocks::open(&app, PLAIN, None).await;
    app.append(1..=1, JITA).await;
    let one = killmail(1, JITA);
    let mut transaction = app.state.store.pool.begin().await.unwrap();
    let updated = FeedEntry {
        killmail_id: 1,
        killmail_time: one.killmail_time,
        solar_system_id: JITA,
        kind: FeedKind::Updated,
    };
    wanderer_kills::store::feed::append(&mut transaction, &[updated])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    app.append(2..=2, JITA).await;
    assert_eq!(plain.event().await.id, Some(1));
    assert_eq!(plain.event().await.id, Some(3));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_client_learns_how_far_it_is() {
    let app = TestApp::with_limits(quick()).await;
    let mut stream = Blocks::open(&app, &format!("{PLAIN}?system_ids=1"), None).await;
    let last = app.append(1..=3, JITA).await;
    loop {
        let block = stream.next().await.unwrap();
        if block.text == format!("id: {last}") {
            break;
        }
    }
    assert_eq!(stream.next().await.unwrap().text, ": ping");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_house_refuses_streams_in_their_own_words() {
    let limits = Limits {
        streams: 1,
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    let mut first = Blocks::open(&app, PLAIN, None).await;
    assert_eq!(first.next().await.unwrap().text, "retry: 2000");
    for path in [PLAIN, ENHANCED] {
        let full = app.get(path).await;
        assert_eq!((full.status, full.header("retry-after")), (503, "30"));
        assert_eq!(
            full.json(),
            json!({ "error": {
                "type": "connection_limit_reached",
                "message": "Too many active SSE connections",
            } })
        );
    }
    drop(first);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_the_streams() {
    let app = TestApp::start().await;
    let mut plain = Blocks::open(&app, PLAIN, None).await;
    let mut enhanced = Blocks::open(&app, ENHANCED, None).await;
    assert_eq!(plain.next().await.unwrap().text, "retry: 2000");
    assert_eq!(enhanced.event().await.event, "connected");
    let (plain, enhanced, _) = tokio::join!(plain.next(), enhanced.next(), app.stop());
    assert_eq!((plain, enhanced), (None, None));
}
