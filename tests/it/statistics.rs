//! Statistics are what counting gives: after random inserts, updates and re-publications, and while others write.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wanderer_kills::domain::Killmail;
use wanderer_kills::ingest::statistics::{self, Watch};
use wanderer_kills::store::killmails::{self, StorableKillmail};
use wanderer_kills::store::stats::activity::{self, Bucket, Of};
use wanderer_kills::store::stats::{self, Window, marks};
use wanderer_kills::store::{Store, systems};

use crate::statistics_naive::{
    ALLIANCES, CHARACTERS, CONSTELLATIONS, CORPORATIONS, Dice, Naive, Question, REGIONS, SHIPS,
    SYSTEMS, beginning, enrichment, storable,
};
use crate::store_samples::store;
use crate::support::app::TestApp;

struct Silent;

impl Watch for Silent {
    fn marked(&self, _days: u64) {}

    fn made(&self, _day: chrono::NaiveDate) {}
}

async fn write(store: &Store, killmails: &[Killmail], knows_last: bool, by_copy: bool) {
    let enrichment = enrichment(knows_last);
    let batch: Vec<StorableKillmail> = killmails
        .iter()
        .map(|killmail| storable(killmail.clone(), &enrichment))
        .collect();
    let mut transaction = store.pool.begin().await.unwrap();
    let conn = &mut transaction;
    let written = if by_copy {
        killmails::upsert_history(conn, &batch, &enrichment, DateTime::<Utc>::MAX_UTC).await
    } else {
        killmails::upsert(conn, &batch, &enrichment).await
    };
    written.unwrap();
    transaction.commit().await.unwrap();
}

/// The system that nobody knew becomes known.
async fn complete(store: &Store, naive: &mut Naive) {
    let known = enrichment(true);
    let system = (*known.solar_systems[&SYSTEMS]).clone();
    let mut transaction = store.pool.begin().await.unwrap();
    systems::upsert(&mut *transaction, &[system]).await.unwrap();
    let ids: Vec<i64> = naive.killmails.keys().copied().collect();
    killmails::complete(&mut transaction, &ids, &known, &HashSet::new())
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    naive.knows_last = true;
}

async fn settle_all(store: &Store) {
    while statistics::settle(store, Duration::ZERO, Duration::ZERO)
        .await
        .unwrap()
        .is_some()
    {}
    assert_eq!(marks::count(&store.pool).await.unwrap(), 0);
}

/// Some killmails, some of them again with other values.
fn batch(dice: &mut Dice, naive: &Naive, first: i64) -> Vec<Killmail> {
    let mut batch: Vec<Killmail> = (first..first + 40).map(|id| dice.killmail(id)).collect();
    for stored in naive.killmails.values() {
        if dice.one_in(8) {
            batch.push(Killmail {
                zkb: dice.values(),
                ..stored.clone()
            });
        }
    }
    batch
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A random window; no two of a test are the same, so that no answer is an old one.
fn question(dice: &mut Dice) -> Question {
    let from = match dice.up_to(3) {
        1 => beginning(),
        2 => beginning() + TimeDelta::days(dice.up_to(3)),
        _ => beginning() + TimeDelta::seconds(dice.up_to(3 * 86_400)),
    };
    let to = beginning() + TimeDelta::days(3) + TimeDelta::seconds(dice.up_to(4 * 86_400));
    let npc = [None, Some(true), Some(false)][usize::try_from(dice.up_to(3)).unwrap() - 1];
    Question { from, to, npc }
}

fn window(question: Question) -> String {
    let npc = question.npc.map(|npc| format!("&npc={npc}"));
    let (from, to) = (shown(question.from), shown(question.to));
    format!("from={from}&to={to}{}", npc.unwrap_or_default())
}

async fn get(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

async fn check_activity(app: &TestApp, naive: &Naive, dice: &mut Dice) {
    for (kind, ids) in [
        ("everywhere", vec![0]),
        ("system", (1..=SYSTEMS).collect::<Vec<_>>()),
        ("constellation", CONSTELLATIONS.into()),
        ("region", REGIONS.into()),
        ("character", (1..=CHARACTERS).collect()),
        ("corporation", (1..=CORPORATIONS).collect()),
        ("alliance", (1..=ALLIANCES).collect()),
        ("ship_type", (1..=SHIPS).collect()),
    ] {
        for (bucket, hours) in [("hour", 1), ("day", 24)] {
            let asked = question(dice);
            let index = dice.up_to(i64::try_from(ids.len()).unwrap()) - 1;
            let id = ids[usize::try_from(index).unwrap()];
            let named = match kind {
                "everywhere" => String::new(),
                _ => format!("{kind}={id}&"),
            };
            let path = format!(
                "/api/stats/activity?{named}bucket={bucket}&{}",
                window(asked)
            );
            let answer = get(app, &path).await;
            assert_eq!(answer["subject"], kind, "{path}");
            assert_eq!(
                answer["buckets"],
                naive.activity(kind, id, hours, asked),
                "{path}"
            );
        }
    }
}

async fn check_top(app: &TestApp, naive: &Naive, dice: &mut Dice) {
    let scopes = [
        ("", 0),
        ("region", REGIONS[0]),
        ("region", REGIONS[1]),
        ("system", 2),
    ];
    for (name, id) in scopes {
        let place = if name.is_empty() {
            String::new()
        } else {
            format!("&{name}={id}")
        };
        for list in [
            "systems",
            "ships_lost",
            "ships_used",
            "characters",
            "corporations",
            "alliances",
        ] {
            let (asked, limit) = (question(dice), dice.up_to(8));
            let path = format!(
                "/api/stats/top?list={list}&limit={limit}{place}&{}",
                window(asked)
            );
            let mut answer = get(app, &path).await;
            for entry in answer["entries"].as_array_mut().unwrap() {
                entry.as_object_mut().unwrap().remove("name");
            }
            let limit = usize::try_from(limit).unwrap();
            assert_eq!(
                answer["entries"],
                naive.top(list, (name, id), limit, asked),
                "{path}"
            );
        }
        let (asked, limit) = (question(dice), dice.up_to(30));
        let path = format!(
            "/api/stats/top?list=most_valuable&limit={limit}{place}&{}",
            window(asked)
        );
        let answer = get(app, &path).await;
        let valued = answer["killmails"].as_array().unwrap().iter();
        let valued: Vec<(i64, f64)> = valued
            .map(|it| {
                (
                    it["killmail_id"].as_i64().unwrap(),
                    it["total_value"].as_f64().unwrap(),
                )
            })
            .collect();
        let limit = usize::try_from(limit).unwrap();
        assert_eq!(valued, naive.valuable((name, id), limit, asked), "{path}");
    }
}

async fn check_summaries(app: &TestApp, naive: &Naive, dice: &mut Dice) {
    for (kind, ids) in [
        ("character", CHARACTERS),
        ("corporation", CORPORATIONS),
        ("alliance", ALLIANCES),
    ] {
        let asked = question(dice);
        let id = dice.up_to(ids);
        let path = format!("/api/stats/{kind}s/{id}?{}", window(asked));
        let mut answer = get(app, &path).await;
        for side in ["kills", "losses"] {
            let side = answer[side].as_object_mut().unwrap();
            side.remove("solo_share");
            let ships = side["ships"].as_array().unwrap().iter();
            side["ships"] = ships
                .map(|it| json!([it["ship_type_id"], it["killmails"]]))
                .collect();
        }
        let expected = naive.summary(kind, id, asked);
        for member in ["kills", "losses", "active_hours"] {
            assert_eq!(answer[member], expected[member], "{path}");
        }
    }
}

async fn check_related(app: &TestApp, naive: &Naive, dice: &mut Dice) {
    let ids: Vec<i64> = naive.killmails.keys().copied().collect();
    let index = dice.up_to(i64::try_from(ids.len()).unwrap()) - 1;
    let id = ids[usize::try_from(index).unwrap()];
    let minutes = dice.up_to(240);
    let answer = get(app, &format!("/api/stats/related/{id}?minutes={minutes}")).await;
    let found = answer["killmails"].as_array().unwrap().iter();
    let found: Vec<i64> = found
        .map(|it| it["killmail_id"].as_i64().unwrap())
        .collect();
    assert_eq!(found, naive.related(id, minutes));
}

async fn check(app: &TestApp, naive: &Naive, dice: &mut Dice) {
    check_activity(app, naive, dice).await;
    check_top(app, naive, dice).await;
    check_summaries(app, naive, dice).await;
    check_related(app, naive, dice).await;
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_what_counting_gives(#[case] seed: u64) {
    let app = TestApp::start().await;
    let store = app.state.store.clone();
    let (mut dice, mut naive) = (Dice::new(seed), Naive::default());
    for round in 0..6_i64 {
        let batch = batch(&mut dice, &naive, 1 + round * 100);
        write(&store, &batch, naive.knows_last, dice.one_in(2)).await;
        for killmail in batch {
            naive.merge(killmail);
        }
        if round == 3 {
            complete(&store, &mut naive).await;
        }
        check(&app, &naive, &mut dice).await;
        // Some days stay marked.
        for _ in 0..dice.up_to(5) {
            statistics::settle(&store, Duration::ZERO, Duration::ZERO)
                .await
                .unwrap();
        }
        check(&app, &naive, &mut dice).await;
    }
    settle_all(&store).await;
    check(&app, &naive, &mut dice).await;
    let made = statistics::rebuild(&store, &Silent, &CancellationToken::new()).await;
    assert_eq!(made.unwrap(), 6);
    assert_eq!(marks::count(&store.pool).await.unwrap(), 0);
    check(&app, &naive, &mut dice).await;
    app.stop().await;
}

/// What nobody marked is found by a rebuild, and what is gone goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_needs_no_marks() {
    let app = TestApp::start().await;
    let store = app.state.store.clone();
    let (mut dice, mut naive) = (Dice::new(9), Naive::default());
    let killmails = batch(&mut dice, &naive, 1);
    write(&store, &killmails, false, true).await;
    settle_all(&store).await;
    let last_day = beginning() + TimeDelta::days(5);
    for table in ["killmails", "attackers"] {
        let delete = format!("DELETE FROM {table} WHERE killmail_time >= $1");
        sqlx::query(sqlx::AssertSqlSafe(delete))
            .bind(last_day)
            .execute(&store.pool)
            .await
            .unwrap();
    }
    for killmail in killmails {
        if killmail.killmail_time < last_day {
            naive.merge(killmail);
        }
    }
    statistics::rebuild(&store, &Silent, &CancellationToken::new())
        .await
        .unwrap();
    check(&app, &naive, &mut dice).await;
    app.stop().await;
}

/// Killmails of all days by statistics, and by counting, in one moment.
async fn both_counts(store: &Store) -> (i64, i64) {
    let mut transaction = stats::begin(&store.reads.primary().history).await.unwrap();
    let question = stats::Question {
        window: Window {
            from: beginning(),
            to: beginning() + TimeDelta::days(6),
        },
        npc: None,
    };
    let mut told = 0;
    for region in REGIONS {
        let of = Of::Region(region);
        let filled = activity::buckets(&mut transaction, of, question, Bucket::Day).await;
        told += filled
            .unwrap()
            .iter()
            .map(|it| it.tally.killmails)
            .sum::<i64>();
    }
    let counted = sqlx::query_scalar("SELECT count(*) FROM killmails WHERE region_id IS NOT NULL")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    (told, counted)
}

/// Two writers of the same days, the duty, and a reader, all at once.
#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_right_while_others_write() {
    let (_database, store) = store().await;
    let mut dice = Dice::new(7);
    let batches: Vec<Vec<Killmail>> = (0..40)
        .map(|number| {
            (number * 20 + 1..=number * 20 + 20)
                .map(|id| dice.killmail(id))
                .collect()
        })
        .collect();
    let (one, other) = batches.split_at(20);
    let done = CancellationToken::new();
    let writer = |batches: &[Vec<Killmail>]| {
        let (store, batches) = (store.clone(), batches.to_vec());
        async move {
            for batch in batches {
                write(&store, &batch, false, true).await;
            }
        }
    };
    let writing = async {
        tokio::join!(writer(one), writer(other));
        done.cancel();
    };
    let settling = async {
        while !done.is_cancelled() {
            statistics::settle(&store, Duration::ZERO, Duration::ZERO)
                .await
                .unwrap();
        }
    };
    let reading = async {
        let mut reads = 0;
        while !done.is_cancelled() {
            let (told, counted) = both_counts(&store).await;
            assert_eq!(told, counted);
            reads += 1;
        }
        assert!(reads > 0);
    };
    tokio::join!(writing, settling, reading);
    settle_all(&store).await;
    let (told, counted) = both_counts(&store).await;
    assert_eq!(told, counted);
    let known = batches
        .iter()
        .flatten()
        .filter(|it| it.solar_system_id < SYSTEMS);
    assert_eq!(told, i64::try_from(known.count()).unwrap());
}
