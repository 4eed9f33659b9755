//! `/api/stats`: shapes, names, refusals, and one computation for many who ask.

use std::num::NonZeroUsize;

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use wanderer_kills::api::Limits;
use wanderer_kills::domain::{Attacker, EntityKind, Killmail, Victim, Zkb};
use wanderer_kills::store::killmails;

use crate::store_samples::{enrichment, time};
use crate::support::app::{JITA, TestApp, storable};
use crate::support::binary::ServiceCommand;
use crate::support::postgres::text;

/// A frigate of alliance 99000002 that alliance 99000001 destroyed, and one the other way round.
async fn fight(app: &TestApp) {
    let of = |alliance: i64, character: i64| Attacker {
        character_id: Some(character),
        corporation_id: Some(alliance - 1_000_000),
        alliance_id: Some(alliance),
        ship_type_id: Some(587),
        final_blow: true,
        ..Attacker::default()
    };
    let lost =
        |id: i64, victim: &Attacker, attackers: Vec<Attacker>, value: Option<f64>| Killmail {
            killmail_id: id,
            hash: None,
            killmail_time: time("2026-01-31T18:00:00Z") + TimeDelta::minutes(id),
            solar_system_id: JITA,
            moon_id: None,
            war_id: None,
            victim: Victim {
                character_id: victim.character_id,
                corporation_id: victim.corporation_id,
                alliance_id: victim.alliance_id,
                ship_type_id: Some(587),
                ..Victim::default()
            },
            attackers,
            zkb: Some(Zkb {
                total_value: value,
                solo: Some(id == 1),
                ..Zkb::default()
            }),
        };
    let (red, blue) = (of(99_000_001, 90_000_001), of(99_000_002, 91_000_001));
    let batch: Vec<_> = [
        lost(1, &blue, vec![red.clone()], Some(1_500_000.25)),
        lost(2, &blue, vec![red.clone(), red.clone()], None),
        lost(3, &red, vec![blue.clone()], Some(2_000_000.5)),
    ]
    .map(storable)
    .into();
    let store = &app.state.store;
    let mut transaction = store.pool.begin().await.unwrap();
    killmails::upsert(&mut transaction, &batch, &enrichment())
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let kind = EntityKind::Alliance.as_str();
    let names = format!(
        "INSERT INTO names (kind, id, name) VALUES ('{kind}', 99000001, 'Red'), ('{kind}', 99000002, 'Blue');
         INSERT INTO ship_types VALUES (587, 'Rifter', 25, 'Frigate', 6, 'Ship', true)"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(names))
        .execute(&store.pool)
        .await
        .unwrap();
}

async fn json(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

const DAY: &str = "from=2026-01-31T18:00:00Z&to=2026-01-31T20:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn activity_tells_every_bucket() {
    let app = TestApp::start().await;
    fight(&app).await;
    let found = json(
        &app,
        &format!("/api/stats/activity?alliance=99000001&{DAY}"),
    )
    .await;
    insta::assert_json_snapshot!(found);
    let found = json(
        &app,
        &format!("/api/stats/activity?region=10000002&bucket=day&{DAY}"),
    )
    .await;
    insta::assert_json_snapshot!(found);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_top_has_names() {
    let app = TestApp::start().await;
    fight(&app).await;
    for list in ["ships_used", "alliances", "most_valuable"] {
        let path = format!("/api/stats/top?list={list}&region=10000002&{DAY}");
        insta::assert_json_snapshot!(list, json(&app, &path).await);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_tells_both_sides() {
    let app = TestApp::start().await;
    fight(&app).await;
    let found = json(&app, &format!("/api/stats/alliances/99000001?{DAY}")).await;
    insta::assert_json_snapshot!(found);
    let nobody = json(&app, &format!("/api/stats/characters/1?{DAY}")).await;
    assert_eq!(nobody["kills"]["killmails"], 0);
    assert_eq!(nobody["name"], Value::Null);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_battle_has_sides() {
    let app = TestApp::start().await;
    fight(&app).await;
    insta::assert_json_snapshot!(json(&app, "/api/stats/related/2?minutes=10").await);
    let missing = app.get("/api/stats/related/77").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["code"], "killmail_not_found");
    app.stop().await;
}

#[rstest]
#[case("activity?system=0", "system", "a whole number of at least 1")]
#[case("activity?system=1&region=2", "region", "absent where another")]
#[case("activity?system=1&bucket=week", "bucket", "hour, day")]
#[case(
    "activity?system=1&from=2026-01-01&to=2026-03-01",
    "from",
    "at most 31 days"
)]
#[case(
    "activity?system=1&from=2026-03-01&to=2026-01-01",
    "from",
    "a time before to"
)]
#[case("activity?system=1&from=soon", "from", "a date such as")]
#[case("activity?system=1&npc=maybe", "npc", "true, false")]
#[case("activity?systems=1&system=1", "systems", "not a parameter")]
#[case("top", "list", "systems, ships_lost, ships_used")]
#[case("top?list=systems&limit=101", "limit", "from 1 to 100")]
#[case("top?list=systems&region=1&system=1", "system", "absent where region")]
#[case("top?list=systems&from=2020-01-01", "from", "at most 366 days")]
#[case("characters/none", "id", "a whole number of at least 1")]
#[case("corporations/1?npc=maybe", "npc", "true, false")]
#[case("related/1?minutes=241", "minutes", "from 1 to 240")]
#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_are_named(
    #[case] path: &str,
    #[case] parameter: &str,
    #[case] detail: &str,
) {
    let app = TestApp::start().await;
    let answer = app.get(&format!("/api/stats/{path}")).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    let problem = answer.json();
    assert_eq!(problem["parameter"], parameter);
    let told = problem["detail"].as_str().unwrap();
    assert!(told.contains(detail), "{told}");
    app.stop().await;
}

/// The answer that was computed is told again, and those who ask together wait for one computation: there is
/// room for no second one.
#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_the_same_cost_one_computation() {
    let limits = Limits {
        queries: NonZeroUsize::MIN.get(),
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    fight(&app).await;
    let path = format!("/api/stats/top?list=characters&{DAY}");
    let asked = (0..16).map(|_| app.get(&path));
    let answers = futures::future::join_all(asked).await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    // Nothing to compute: the table may be gone.
    sqlx::query("ALTER TABLE statistics_days RENAME TO elsewhere")
        .execute(&app.state.store.pool)
        .await
        .unwrap();
    assert_eq!(app.get(&path).await.status, 200);
    let other = app.get("/api/stats/top?list=characters").await;
    assert_eq!(other.json()["code"], "internal");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_told_what_to_narrow() {
    let app = TestApp::with_query_timeout(200).await;
    fight(&app).await;
    // Whoever reads the marks waits for this lock longer than it may.
    let mut transaction = app.state.store.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE statistics_marks IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let answer = app.get("/api/stats/top?list=systems").await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let told = json!(
        "the query takes longer than 0.2 s: bring from and to closer together, or add region or system"
    );
    assert_eq!(answer.json()["detail"], told);
    drop(transaction);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_rebuilds() {
    let app = TestApp::start().await;
    fight(&app).await;
    let database = app.stop().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(folder.path()).env("DATABASE_URL", database.url());
    let ended = command.run(&["stats", "rebuild"]).await;
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert_eq!(told, "statistics of 1 days made, 0 left to the service\n");
    let rows = "SELECT count(*)::text FROM statistics_days";
    // One of each kind.
    assert_eq!(text(database.url(), rows).await.unwrap(), "6");
}
