//! Days to fill, and the command that does.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::time::Duration;

use chrono::{Days, NaiveDate, Utc};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::process::{Child, Command};
use wanderer_kills::domain::{Killmail, Parsed, Zkb, parse, wire};
use wanderer_kills::simulator::{Archives, Simulator, SimulatorConfig, render};
use wanderer_kills::store::document::Document;
use wanderer_kills::store::items::Items;

use crate::support::postgres::{self, TestDatabase};

/// Any one wait ends by then, or the test fails; three real days take long in a debug build on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(10);

/// A database, days to fill it with, and the command that does.
pub(crate) struct Bench {
    pub(crate) database: TestDatabase,
    pub(crate) pool: PgPool,
    pub(crate) simulator: Simulator,
    pub(crate) days: Vec<NaiveDate>,
}

impl Bench {
    /// Days until yesterday.
    pub(crate) async fn start(days: usize, per_day: u32) -> Self {
        let today = Utc::now().date_naive();
        let first = today - Days::new(u64::try_from(days).unwrap());
        Self::start_at(first, days, per_day).await
    }

    pub(crate) async fn start_at(first: NaiveDate, days: usize, per_day: u32) -> Self {
        Self::of(Archives::even(first, days, per_day)).await
    }

    /// The days of these archives.
    pub(crate) async fn of(archives: Archives) -> Self {
        let database = postgres::database().await;
        let simulator = Simulator::start(SimulatorConfig {
            archives: Some(archives.clone()),
            ..SimulatorConfig::default()
        })
        .await
        .unwrap();
        Self {
            pool: PgPool::connect(database.url()).await.unwrap(),
            database,
            simulator,
            days: (archives.first.iter_days())
                .take(archives.sizes.len())
                .collect(),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.database.url(), self.days[0]);
        command
            .args(["--to", &self.days.last().unwrap().to_string()])
            .args(arguments)
            .env("WK_EVEREF_URL", self.simulator.everef_url().as_str())
            .env("WK_R2Z2_URL", self.simulator.r2z2_url().as_str());
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        ended(self.command(arguments)).await
    }

    /// Everything that the days have now, as EVE Ref tells it.
    pub(crate) fn expected(&self) -> BTreeMap<i64, Killmail> {
        let days = self.days.iter();
        days.flat_map(|day| self.simulator.archived(*day))
            .map(|killmail| (killmail.killmail_id, as_told(&killmail)))
            .collect()
    }

    pub(crate) async fn stored(&self) -> BTreeMap<i64, Killmail> {
        stored(&self.pool).await
    }

    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub(crate) fn archives_asked_for(&self) -> usize {
        self.simulator.request_count("/everef/killmails/2")
    }
}

pub(crate) struct Ran {
    pub(crate) succeeded: bool,
    /// What it wrote to standard output.
    pub(crate) said: String,
    /// What it wrote to its log.
    pub(crate) log: String,
}

pub(crate) fn command(url: &str, from: NaiveDate) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wanderer-kills"));
    command
        .args(["backfill", "--from", &from.to_string()])
        .env("DATABASE_URL", url)
        .env("WK_LOG", "warn")
        .env("WK_BACKFILL_BATCH_SIZE", "20")
        .env("WK_R2Z2_INTERVAL_MS", "1")
        .env("WK_R2Z2_IDLE_MS", "20")
        .env_remove("WK_CONTACT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

pub(crate) async fn ended(mut command: Command) -> Ran {
    let output = tokio::time::timeout(LIMIT, command.output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("the command ended").unwrap();
    Ran {
        succeeded: status.success(),
        said: String::from_utf8(stdout).unwrap(),
        log: String::from_utf8(stderr).unwrap(),
    }
}

/// A killmail as it comes out of EVE Ref's entry: without zKillboard's values.
fn as_told(killmail: &Killmail) -> Killmail {
    let entry = render::everef(killmail).to_string();
    match parse(entry.as_bytes()).unwrap() {
        Parsed::Killmail(killmail) => *killmail,
        Parsed::Reference(_) | Parsed::Nothing => panic!("no killmail: {entry}"),
    }
}

async fn stored(pool: &PgPool) -> BTreeMap<i64, Killmail> {
    let rows: Vec<(i64, Document, Option<Items>, Option<String>)> =
        sqlx::query_as(
            "select killmail_id, coalesce(packed_document, convert_to(document, 'UTF8')),
             coalesce(array_send(item_stacks), convert_to(items::text, 'UTF8')), hash from killmails",
        )
            .fetch_all(pool)
            .await
            .unwrap();
    rows.into_iter()
        .map(|(id, document, items, hash)| {
            let mut killmail = wire::read(&document.0, items.as_deref()).unwrap();
            assert_eq!(killmail.hash.map(|it| it.to_string()), hash);
            killmail.zkb = killmail.zkb.filter(|zkb| *zkb != Zkb::default());
            (id, killmail)
        })
        .collect()
}

/// Killmails that are stored, those of years that are loaded apart included; fewer while one is being attached.
pub(crate) async fn written(pool: &PgPool) -> i64 {
    let mut count = 0;
    for table in tables(pool).await {
        let query = AssertSqlSafe(format!("select count(*) from {table}"));
        let rows: Result<i64, _> = sqlx::query_scalar(query).fetch_one(pool).await;
        count += rows.unwrap_or_default();
    }
    count
}

/// The tables that killmails are written to.
async fn tables(pool: &PgPool) -> Vec<String> {
    let apart: Vec<String> = sqlx::query_scalar(
        "select oid::regnamespace::text from pg_namespace where nspname ~ '^loading_[0-9]{4}$'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let apart = apart.iter().map(|schema| format!("{schema}.killmails"));
    apart.chain(["killmails".to_owned()]).collect()
}

/// Waits until so many killmails are stored, or the process has ended.
pub(crate) async fn reached(pool: &PgPool, child: &mut Child, target: i64) -> bool {
    let waiting = async {
        loop {
            if written(pool).await >= target {
                return child.try_wait().unwrap().is_none();
            }
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting)
        .await
        .expect("it goes on")
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
