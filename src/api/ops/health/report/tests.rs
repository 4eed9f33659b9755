use std::time::Duration;

use chrono::TimeDelta;
use rstest::rstest;

use super::*;
use crate::api::probe::LiveObstacle;
use crate::domain::FeedSequence;

const LOOKED: i64 = 1_780_000_060;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn source(updated_at: DateTime<Utc>) -> SourceStatus {
    SourceStatus {
        source: "r2z2".into(),
        position: Some(7),
        updated_at,
        open_gaps: 2,
    }
}

fn seen(head: i64, sources: Vec<SourceStatus>) -> Seen {
    Seen {
        log: Bounds {
            floor: FeedSequence(0),
            head: FeedSequence(head),
        },
        ingest: IngestStatus {
            sources,
            dead_letters: 0,
            newest_killmail: None,
        },
        work: WorkStatus {
            has_reference_data: true,
            pending_documents: 3,
            webhooks: WebhookCounts::default(),
        },
    }
}

fn feed(now: DateTime<Utc>) -> Status {
    Status {
        head: FeedSequence(10),
        floor: FeedSequence(0),
        ring_events: 10,
        ring_bytes: 1,
        readers: 3,
        listening: true,
        last_look: Some(now),
        look_every: Duration::from_secs(1),
    }
}

fn following(last_answer: DateTime<Utc>) -> LiveStanding {
    LiveStanding {
        source: "r2z2",
        obstacle: None,
        last_answer: Some(last_answer),
    }
}

fn well(now: DateTime<Utc>) -> Standing {
    Standing {
        feed: feed(now),
        live: Some(following(now)),
        esi: Some(true),
        replica: None,
        disk: Some(Space {
            free: 1 << 40,
            total: 1 << 41,
        }),
    }
}

/// The status in one word, which is also what decides about health.
fn word(seen: Option<&Seen>, standing: &Standing, now: DateTime<Utc>) -> String {
    let (healthy, body) = report(seen, standing, now);
    let word = body["status"].as_str().unwrap().to_owned();
    assert_eq!(
        (healthy, &body["healthy"]),
        (word != "error", &json!(healthy))
    );
    word
}

#[test]
fn a_tail_that_does_not_look_is_an_error() {
    let seen = seen(10, vec![]);
    for (seconds, expected) in [(-100, "ok"), (0, "ok"), (32, "ok"), (33, "error")] {
        let now = at(LOOKED + seconds);
        let standing = Standing {
            feed: feed(at(LOOKED)),
            ..well(now)
        };
        assert_eq!(
            word(Some(&seen), &standing, now),
            expected,
            "{seconds} s after"
        );
    }
    let never = Status {
        last_look: None,
        ..feed(at(LOOKED))
    };
    assert!(!is_looking(&never, DateTime::<Utc>::MIN_UTC));
}

#[test]
fn the_database_decides_and_lag_degrades() {
    let now = at(LOOKED);
    assert_eq!(word(None, &well(now), now), "error");
    assert_eq!(word(Some(&seen(10, vec![])), &well(now), now), "ok");
    assert_eq!(
        word(Some(&seen(5_000, vec![])), &well(now), now),
        "degraded"
    );
}

#[test]
fn a_live_source_that_is_left_alone_is_an_error() {
    let now = at(LOOKED);
    let obstacle = LiveObstacle {
        reason: "banned",
        until: at(LOOKED + 3_540),
    };
    let standing = Standing {
        live: Some(LiveStanding {
            obstacle: Some(obstacle),
            ..following(now)
        }),
        ..well(now)
    };
    let (healthy, body) = report(Some(&seen(10, vec![])), &standing, now);
    let ingest = &body["details"]["ingest"];
    assert_eq!((healthy, &body["status"]), (false, &json!("error")));
    assert_eq!(
        (&ingest["healthy"], &ingest["reason"], &ingest["until"]),
        (
            &json!(false),
            &json!("banned"),
            &json!("2026-05-28T21:26:40.000000Z")
        )
    );
}

#[rstest]
#[case::usual("2026-11-20T08:46:00Z", "2026-11-20T09:00:00Z", "ok", None)]
#[case::silent(
    "2026-11-20T08:44:00Z",
    "2026-11-20T09:00:00Z",
    "degraded",
    Some("stale")
)]
#[case::in_the_downtime("2026-11-20T10:58:00Z", "2026-11-20T11:29:00Z", "ok", None)]
#[case::just_after_it("2026-11-20T10:58:00Z", "2026-11-20T11:42:00Z", "ok", None)]
#[case::long_after_it(
    "2026-11-20T10:58:00Z",
    "2026-11-20T11:44:00Z",
    "degraded",
    Some("stale")
)]
fn silence_is_stale_but_for_the_downtime(
    #[case] moved: &str,
    #[case] now: &str,
    #[case] status: &str,
    #[case] reason: Option<&str>,
) {
    let now = now.parse().unwrap();
    let seen = seen(10, vec![source(moved.parse().unwrap())]);
    let standing = well(now);
    assert_eq!(word(Some(&seen), &standing, now), status);
    let (_, body) = report(Some(&seen), &standing, now);
    assert_eq!(body["details"]["ingest"]["reason"], json!(reason));
    // Where another process follows it, it is the same; where nobody does, it is nothing.
    let elsewhere = LiveStanding {
        last_answer: None,
        ..following(now)
    };
    let live = Some(elsewhere);
    assert_eq!(
        word(Some(&seen), &Standing { live, ..well(now) }, now),
        status
    );
    let live = None;
    assert_eq!(
        word(Some(&seen), &Standing { live, ..well(now) }, now),
        "ok"
    );
}

#[test]
fn a_follower_that_asks_nothing_is_stuck() {
    let now = at(LOOKED);
    let seen = seen(10, vec![source(now)]);
    for (minutes, expected) in [(60, "ok"), (61, "error")] {
        let live = Some(following(now - TimeDelta::minutes(minutes)));
        let standing = Standing { live, ..well(now) };
        assert_eq!(word(Some(&seen), &standing, now), expected, "{minutes} min");
    }
}

#[test]
fn who_has_read_nothing_yet_has_time() {
    let now = at(LOOKED);
    let unread = SourceStatus {
        position: None,
        ..source(now - TimeDelta::days(1))
    };
    assert_eq!(word(Some(&seen(10, vec![unread])), &well(now), now), "ok");
}

#[rstest]
#[case::loaded("2026-11-20T09:00:00Z", true, Some(true), "ok")]
#[case::unasked("2026-11-20T09:00:00Z", true, None, "ok")]
#[case::unloaded("2026-11-20T09:00:00Z", false, Some(true), "degraded")]
#[case::away("2026-11-20T09:00:00Z", true, Some(false), "degraded")]
#[case::downtime("2026-11-20T11:01:00Z", true, Some(false), "ok")]
fn enrichment_degrades(
    #[case] now: &str,
    #[case] loaded: bool,
    #[case] esi: Option<bool>,
    #[case] status: &str,
) {
    let now = now.parse().unwrap();
    let mut seen = seen(10, vec![]);
    seen.work.has_reference_data = loaded;
    assert_eq!(
        word(Some(&seen), &Standing { esi, ..well(now) }, now),
        status
    );
}

#[test]
fn webhooks_that_lag_degrade_and_paused_ones_do_not() {
    let now = at(LOOKED);
    let mut seen = seen(10, vec![]);
    seen.work.webhooks = WebhookCounts {
        active: 1,
        retrying: 1,
        paused: 7,
        furthest_back: Some(9),
    };
    assert_eq!(word(Some(&seen), &well(now), now), "ok");
    seen.work.webhooks.furthest_back = Some(9 - FEED_LAG_DEGRADED);
    assert_eq!(word(Some(&seen), &well(now), now), "degraded");
}

#[rstest]
#[case(LITTLE_DISK_BYTES, "ok")]
#[case(LITTLE_DISK_BYTES - 1, "degraded")]
#[case(LEAST_DISK_BYTES, "degraded")]
#[case(LEAST_DISK_BYTES - 1, "error")]
fn a_full_disk_is_an_error(#[case] free: u64, #[case] status: &str) {
    let now = at(LOOKED);
    let disk = Some(Space {
        free,
        total: 1 << 41,
    });
    let standing = Standing { disk, ..well(now) };
    assert_eq!(word(Some(&seen(10, vec![])), &standing, now), status);
}

#[test]
fn the_shape_is_the_one_that_monitors_know() {
    let now = at(LOOKED + 1);
    let seen = seen(12, vec![source(at(1_780_000_000))]);
    let standing = Standing {
        feed: feed(at(LOOKED)),
        ..well(now)
    };
    let (_, body) = report(Some(&seen), &standing, now);
    insta::assert_json_snapshot!(body, @r#"
    {
      "details": {
        "database": {
          "healthy": true
        },
        "disk": {
          "free_bytes": 1099511627776,
          "healthy": true,
          "total_bytes": 2199023255552
        },
        "enrichment": {
          "asks_esi": true,
          "healthy": true,
          "pending_documents": 3,
          "reason": null
        },
        "feed": {
          "floor": 0,
          "head": 10,
          "healthy": true,
          "lag_events": 2,
          "last_look": "2026-05-28T20:27:40.000000Z",
          "listening": true,
          "readers": 3
        },
        "ingest": {
          "dead_letters": 0,
          "follows": true,
          "healthy": true,
          "newest_killmail": null,
          "reason": null,
          "source": "r2z2",
          "sources": [
            {
              "age_seconds": 61,
              "open_gaps": 2,
              "position": 7,
              "source": "r2z2",
              "updated_at": "2026-05-28T20:26:40.000000Z"
            }
          ],
          "until": null
        },
        "replica": null,
        "webhooks": {
          "active": 0,
          "healthy": true,
          "lag_events": 0,
          "paused": 0,
          "retrying": 0
        }
      },
      "healthy": true,
      "status": "ok",
      "timestamp": "2026-05-28T20:27:41.000000Z"
    }
    "#);
}

#[test]
fn a_replica_that_is_left_alone_degrades() {
    let now = at(LOOKED);
    let seen = seen(10, vec![]);
    for (replica, expected) in [
        (None, "ok"),
        (Some(Some(FeedSequence(9))), "ok"),
        (Some(None), "degraded"),
    ] {
        let standing = Standing {
            replica: replica.map(|head| Replica { head }),
            ..well(now)
        };
        assert_eq!(word(Some(&seen), &standing, now), expected, "{replica:?}");
    }
}
