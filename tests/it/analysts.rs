//! SQL for analysts: the questions of docs/sql.md as a read-only role, and what such a role may and may not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use serde_json::Value as Json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use wanderer_kills::domain::{Enrichment, wire};
use wanderer_kills::ingest::statistics;
use wanderer_kills::simulator::{FIRST_KILLMAIL_ID, Generator, Habits, catalog};
use wanderer_kills::store::analysts::{self, Analyst};
use wanderer_kills::store::killmails::{self, StorableKillmail};
use wanderer_kills::store::{Store, names, ship_types, systems};

use crate::store_samples::{killmail, store, time, upsert};
use crate::support::postgres::execute;

/// Rows that a plan may throw away for each that it returns; sums return what they have added up.
const WASTE: f64 = 50.0;

async fn run(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(conn)
        .await
        .map(|_| ())
}

/// The SQLSTATE of a refusal.
pub(crate) async fn refused(conn: &mut PgConnection, sql: &str) -> String {
    let error = run(conn, sql).await.expect_err(sql);
    let answer = error.as_database_error().expect("the database's answer");
    answer.code().unwrap().into_owned()
}

fn analyst(name: &str) -> Analyst {
    Analyst {
        name: name.to_owned(),
        password: "p'a ss".into(),
        statement_timeout_s: 1,
        connections: 3,
    }
}

async fn connect(store: &Store, analyst: &Analyst) -> Result<PgConnection, sqlx::Error> {
    let options: PgConnectOptions = store.url.expose_secret().parse().unwrap();
    options
        .username(&analyst.name)
        .password(analyst.password.expose_secret())
        .connect()
        .await
}

pub(crate) async fn created(store: &Store, name: &str) -> (Analyst, PgConnection) {
    let analyst = analyst(name);
    let mut conn = store.pool.acquire().await.unwrap();
    analysts::create(&mut conn, &analyst).await.unwrap();
    let connection = connect(store, &analyst).await.unwrap();
    (analyst, connection)
}

#[tokio::test]
async fn an_analyst_reads_killmails_and_nothing_else() {
    let (_database, store) = store().await;
    upsert(&store, vec![killmail(1)]).await;
    let (_, mut conn) = created(&store, "analyst_reads").await;
    for readable in ["kills", "attackers", "items"] {
        let count = format!("SELECT count(*) FROM analytics.{readable}");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(count))
            .fetch_one(&mut conn)
            .await
            .unwrap();
        assert!(count > 0, "{readable}");
    }
    for table in ["names", "ship_types", "solar_systems", "backfill_days"] {
        run(&mut conn, &format!("SELECT * FROM {table}"))
            .await
            .unwrap();
    }
    for secret in [
        "subscriptions",
        "webhook_deliveries",
        "killfeed_clients",
        "dead_letters",
        "feed",
        "redisq_queues",
    ] {
        let state = refused(&mut conn, &format!("SELECT * FROM {secret}")).await;
        assert_eq!(state, "42501", "{secret}");
    }
    let write = "INSERT INTO names (kind, id, name) VALUES ('character', 1, 'x')";
    assert_eq!(refused(&mut conn, write).await, "25006");
    run(&mut conn, "SET default_transaction_read_only = off")
        .await
        .unwrap();
    assert_eq!(refused(&mut conn, write).await, "42501");
    let delete = "DELETE FROM killmails";
    assert_eq!(refused(&mut conn, delete).await, "42501");
    assert_eq!(
        refused(&mut conn, "CREATE TABLE public.mine ()").await,
        "42501"
    );
    assert_eq!(refused(&mut conn, "SELECT pg_sleep(60)").await, "57014");
}

#[tokio::test]
async fn what_is_made_later_is_readable_too() {
    let (_database, store) = store().await;
    let (_, mut conn) = created(&store, "analyst_later").await;
    let url = store.url.expose_secret();
    execute(
        url,
        "SELECT ensure_year_partitions(ARRAY[2031]);
         CREATE VIEW analytics.of_later AS SELECT 1 AS one",
    )
    .await
    .unwrap();
    let mut of_2031 = killmail(7);
    of_2031.killmail_time = time("2031-05-05T00:00:00Z");
    upsert(&store, vec![of_2031]).await;
    let seen: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM analytics.kills JOIN analytics.of_later ON true
         WHERE killmail_time >= '2031-01-01'",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn only_roles_that_were_made_here_are_dropped() {
    let (_database, store) = store().await;
    let (analyst, connection) = created(&store, "analyst_gone").await;
    drop(connection);
    let mut conn = store.pool.acquire().await.unwrap();
    analysts::create(&mut conn, &analyst).await.unwrap_err();
    assert!(analysts::drop(&mut conn, &analyst.name).await.unwrap());
    connect(&store, &analyst).await.unwrap_err();
    for other in ["analyst_gone", "wanderer_kills", "postgres"] {
        assert!(!analysts::drop(&mut conn, other).await.unwrap(), "{other}");
    }
}

fn world() -> Enrichment {
    let mut enrichment = Enrichment::default();
    for (key, name) in catalog::names() {
        enrichment.names.insert(key, Arc::new(name));
    }
    for it in catalog::ship_types() {
        enrichment.ship_types.insert(it.type_id, Arc::new(it));
    }
    for it in catalog::solar_systems() {
        enrichment
            .solar_systems
            .insert(it.solar_system_id, Arc::new(it));
    }
    enrichment
}

/// 3,000 killmails of October 2026, whose days are counted, and a thousand of each of the three years before.
pub(crate) async fn fill(store: &Store) {
    let enrichment = world();
    let mut conn = store.pool.acquire().await.unwrap();
    names::upsert(&mut *conn, &catalog::names()).await.unwrap();
    ship_types::upsert(&mut *conn, &catalog::ship_types())
        .await
        .unwrap();
    systems::upsert(&mut *conn, &catalog::solar_systems())
        .await
        .unwrap();
    let mut generator = Generator::with(1, FIRST_KILLMAIL_ID, Habits::NONE);
    let spans: [(DateTime<Utc>, i32, i64); 2] = [
        (time("2026-10-01T00:00:00Z"), 3_000, 14),
        (time("2023-01-01T00:00:00Z"), 3_000, 524),
    ];
    for (start, number, minutes) in spans {
        let all: Vec<StorableKillmail> = (0..number)
            .map(|n| {
                let at = start + TimeDelta::minutes(minutes) * n;
                let killmail = generator.at(at);
                StorableKillmail {
                    document: wire::document(&killmail, &enrichment),
                    killmail,
                    pending_names: false,
                }
            })
            .collect();
        for batch in all.chunks(500) {
            killmails::upsert(&mut conn, batch, &enrichment)
                .await
                .unwrap();
        }
    }
    run(
        &mut conn,
        "DELETE FROM statistics_marks WHERE day < '2026-10-01'",
    )
    .await
    .unwrap();
    while statistics::settle(store, Duration::ZERO, Duration::ZERO)
        .await
        .unwrap()
        .is_some()
    {}
    run(
        &mut conn,
        "ANALYZE killmails; ANALYZE attackers; ANALYZE names; ANALYZE ship_types; ANALYZE solar_systems;
         ANALYZE statistics_days",
    )
    .await
    .unwrap();
}

fn questions() -> Vec<(String, String)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sql.md");
    let page = std::fs::read_to_string(page).unwrap();
    let parts = page.split("\n### ").skip(1);
    let question = |part: &str| {
        let (title, rest) = part.split_once('\n').unwrap();
        let (_, sql) = rest.split_once("```sql\n").unwrap();
        let (sql, _) = sql.split_once(";\n```").unwrap();
        (title.to_owned(), sql.to_owned())
    };
    let questions: Vec<_> = parts.map(question).collect();
    assert_eq!(page.matches("```sql").count(), questions.len());
    questions
}

/// What a plan did.
#[derive(Debug, Default)]
struct Work {
    /// Years that were read, beside look-ups of one killmail by its id.
    years: BTreeSet<String>,
    delivered: f64,
    thrown_away: f64,
    sums_up: bool,
}

impl Work {
    fn add(&mut self, node: &Json) {
        let number = |key: &str| node[key].as_f64().unwrap_or_default();
        let loops = number("Actual Loops");
        self.sums_up |= node["Node Type"] == "Aggregate";
        let mut removed = 0.0;
        for key in ["Rows Removed by Filter", "Rows Removed by Index Recheck"] {
            removed += number(key) * loops;
        }
        self.thrown_away += removed;
        if let Some(relation) = node["Relation Name"].as_str() {
            let rows = number("Actual Rows") * loops;
            self.delivered += rows;
            let condition = node["Index Cond"].as_str().unwrap_or_default();
            let by_id = condition.contains("killmail_id = ");
            let year = relation.rsplit('_').next().unwrap_or_default();
            if loops > 0.0 && !by_id && rows + removed > 0.0 && year.parse::<i32>().is_ok() {
                self.years.insert(year.to_owned());
            }
        }
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.add(child);
        }
    }
}

#[tokio::test]
async fn every_question_has_an_answer_and_a_good_plan() {
    let (_database, store) = store().await;
    fill(&store).await;
    let (_, mut conn) = created(&store, "analyst_asks").await;
    let questions = questions();
    assert_eq!(questions.len(), 16);
    let mut wrong = Vec::new();
    for (title, sql) in questions {
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {sql}");
        let plan: Json = sqlx::query_scalar(AssertSqlSafe(explain))
            .fetch_one(&mut conn)
            .await
            .unwrap_or_else(|error| panic!("{title}: {error}"));
        let plan = &plan[0]["Plan"];
        let mut work = Work::default();
        work.add(plan);
        let returned = plan["Actual Rows"].as_f64().unwrap();
        let wanted = if work.sums_up {
            returned.max(work.delivered)
        } else {
            returned
        };
        if returned < 1.0 || work.years.len() > 1 || work.thrown_away > WASTE * wanted {
            wrong.push(format!("{title}: {returned} rows, {work:?}\n{plan:#}"));
        }
    }
    let busiest: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT character_id, count(*) FROM attackers WHERE killmail_time >= '2026-10-01' AND character_id IS NOT NULL
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert!(wrong.is_empty(), "{}\n{busiest:?}", wrong.join("\n"));
}
