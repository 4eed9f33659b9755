//! A database with many killmails, one every five seconds as on a usual day, and their statistics. Where the server's
//! folder is kept, it is made once.

use anyhow::ensure;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use wanderer_kills::ingest::Announce;
use wanderer_kills::ingest::statistics::{self, Watch};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::simulator::{Generator, Habits};
use wanderer_kills::store::stats::marks;

use super::Options;
use super::corpus::{Running, envelope};
use super::database::{Database, Server};
use super::report::Report;

/// As in history: days are read two at a time.
const PIPELINES: i64 = 2;
/// Seconds between two killmails.
const STEP: i64 = 5;

/// That database.
pub(crate) struct Stored {
    pub(crate) database: Database,
    /// Time of the last killmail.
    pub(crate) newest: DateTime<Utc>,
}

/// Opens it, or makes it.
pub(crate) async fn open(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<Stored> {
    let rows = i64::try_from(options.rows)?;
    let name = format!("stored_{rows}");
    let database = match server.kept(&name).await? {
        Some(database) => database,
        None => make(server, &name, rows, report).await?,
    };
    let connection = database.connect().await?;
    let stored = connection.number("SELECT count(*) FROM killmails").await?;
    ensure!(
        stored == rows,
        "{name} has {stored} killmails of {rows}: an earlier run ended early; drop it"
    );
    let seconds = "SELECT extract(epoch FROM max(killmail_time))::bigint FROM killmails";
    let seconds = connection.number(seconds).await?;
    let newest = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    if marks::count(&database.store.pool).await? > 0 {
        rebuild(&database).await?;
        server.settle().await?;
    }
    Ok(Stored { database, newest })
}

async fn make(
    server: &Server,
    name: &str,
    rows: i64,
    report: &mut Report,
) -> anyhow::Result<Database> {
    let database = server.database(name).await?;
    let clock = SystemClock::shared();
    let first = clock.now() - TimeDelta::seconds(rows * STEP);
    let started = clock.monotonic();
    let parts = (0..PIPELINES).map(|part| {
        let (from, to) = (rows * part / PIPELINES, rows * (part + 1) / PIPELINES);
        fill(&database, first, from, to)
    });
    futures::future::try_join_all(parts).await?;
    let took = clock.monotonic().saturating_sub(started);
    report.add(
        "history from memory, two pipelines",
        f64::from(u32::try_from(rows)?) / took.as_secs_f64(),
        "killmails/s",
    );
    let connection = database.connect().await?;
    for table in ["killmails", "attackers"] {
        let statement = format!("VACUUM ANALYZE {table}");
        connection.client.batch_execute(&statement).await?;
    }
    Ok(database)
}

/// Killmails number `from` to `to`. Ids leave room for the generator's steps of up to three.
async fn fill(database: &Database, first: DateTime<Utc>, from: i64, to: i64) -> anyhow::Result<()> {
    let running = Running::start_for_history(&database.store)?;
    let seed = u64::try_from(from)? + 1;
    let mut generator = Generator::with(seed, 1 + from * 3, Habits::NONE);
    for number in from..to {
        let killmail = generator.at(first + TimeDelta::seconds(number * STEP));
        let envelope = envelope(killmail, &running.clock, Announce::IfRecent);
        running.input.send(envelope).await?;
    }
    running.end().await
}

/// Nobody watches a rebuild.
struct Silent;

impl Watch for Silent {
    fn marked(&self, _days: u64) {}

    fn made(&self, _day: NaiveDate) {}
}

async fn rebuild(database: &Database) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    statistics::rebuild(&database.store, &Silent, &token).await?;
    let connection = database.connect().await?;
    connection.client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}
