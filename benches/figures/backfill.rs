//! Killmails per second from archives on disk into the database, beside plain COPY of the same rows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use tokio_util::sync::CancellationToken;
use wanderer_kills::ingest::backfill::{
    self, BackfillDeps, BackfillRequest, DayRange, Recheck, Report as Filled, Source, Watch,
};
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::runtime::config::{BackfillConfig, BackfillSource, IngestConfig};
use wanderer_kills::simulator::Archives;

use super::Options;
use super::database::{Database, Server};
use super::ingest::{copy_in, take_out};
use super::report::{Aim, Report};

/// Nobody watches.
#[derive(Debug)]
struct Unwatched;

impl Watch for Unwatched {
    fn planned(&self, _days: u64, _killmails: u64) {}
    fn read(&self, _documents: u64) {}
    fn settled(&self, _report: &Filled) {}
}

/// Archives are written first; then days are filled into an empty database, taken out, and copied in again.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default();
    let per_day = u32::try_from(options.killmails)?;
    let archives = Archives::even(first, options.days, per_day);
    let number = f64::from(per_day) * f64::from(u32::try_from(options.days)?);
    let folder = tempfile::tempdir()?;
    generate(&archives, number, report)?;
    write(&archives, folder.path(), number, report)?;

    let database = server.database("backfill").await?;
    let to = first + Days::new(u64::try_from(options.days)? - 1);
    let source = Source::folder(BackfillSource::Everef, folder.path().to_owned());
    let request = BackfillRequest::new(source, DayRange::new(first, to)?, Recheck::ByCount);
    server.settle().await?;
    let (filled, took) = fill(&database, options, &request).await?;
    anyhow::ensure!(filled.documents.new == filled.documents.read, "{filled}");
    report.aim(
        "backfill from archives on disk",
        number / took.as_secs_f64(),
        "killmails/s",
        Aim::AtLeast(8_000.0),
    );

    let connection = database.connect().await?;
    let rows = take_out(&connection, 0).await?;
    server.settle().await?;
    let clock = SystemClock::shared();
    let started = clock.monotonic();
    copy_in(&connection, &rows).await?;
    let copy = clock.monotonic().saturating_sub(started);
    report.add(
        "plain COPY of the same rows",
        number / copy.as_secs_f64(),
        "killmails/s",
    );
    report.add(
        "backfill to COPY on one connection",
        copy.as_secs_f64() / took.as_secs_f64(),
        "×",
    );
    // The planner was told that all rows are gone, and would not hear of these for a minute.
    (connection.client)
        .batch_execute("ANALYZE killmails, attackers")
        .await?;
    let again = BackfillRequest {
        recheck: Recheck::ByVersion,
        ..request
    };
    for entry in std::fs::read_dir(folder.path())? {
        // Another version with the same content.
        let file = std::fs::File::options().write(true).open(entry?.path())?;
        file.set_modified(std::time::UNIX_EPOCH)?;
    }
    let (filled, took) = fill(&database, options, &again).await?;
    anyhow::ensure!(
        filled.documents.unchanged == filled.documents.read,
        "{filled}"
    );
    report.add(
        "the same days again",
        number / took.as_secs_f64(),
        "killmails/s",
    );
    Ok(())
}

/// What the simulator needs without packing.
fn generate(archives: &Archives, number: f64, report: &mut Report) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let started = clock.monotonic();
    let mut attackers = 0;
    for day in archives.first.iter_days().take(archives.sizes.len()) {
        let size = archives.size(day).unwrap_or_default();
        attackers += archives
            .killmails(day, size)
            .map(|it| it.attackers.len())
            .sum::<usize>();
    }
    anyhow::ensure!(attackers > 0, "killmails have attackers");
    let took = clock.monotonic().saturating_sub(started);
    report.add(
        "simulator: killmails made",
        number / took.as_secs_f64(),
        "killmails/s",
    );
    Ok(())
}

fn write(
    archives: &Archives,
    folder: &Path,
    number: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let started = clock.monotonic();
    let mut bytes = 0;
    for day in archives.first.iter_days().take(archives.sizes.len()) {
        let archive = archives.archive(day, archives.size(day).unwrap_or_default())?;
        bytes += archive.len();
        std::fs::write(folder.join(format!("killmails-{day}.tar.bz2")), archive)?;
    }
    let took = clock.monotonic().saturating_sub(started);
    report.add(
        "simulator: killmails made and packed",
        number / took.as_secs_f64(),
        "killmails/s",
    );
    report.add(
        "packed bytes per killmail",
        f64::from(u32::try_from(bytes)?) / number,
        "B",
    );
    Ok(())
}

async fn fill(
    database: &Database,
    options: &Options,
    request: &BackfillRequest,
) -> anyhow::Result<(Filled, Duration)> {
    let clock = SystemClock::shared();
    let defaults = BackfillConfig::default();
    let deps = BackfillDeps {
        store: database.store.clone(),
        clock: clock.clone(),
        resolver: Resolver::local(database.store.clone(), clock.clone()),
        ingest: IngestConfig::default(),
        backfill: BackfillConfig {
            backfill_batch_size: options.batch_size.unwrap_or(defaults.backfill_batch_size),
            backfill_days_at_once: options
                .days_at_once
                .unwrap_or(defaults.backfill_days_at_once),
        },
    };
    let started = clock.monotonic();
    let stop = CancellationToken::new();
    let filled = backfill::run(&deps, request, Arc::new(Unwatched), &stop).await?;
    Ok((filled, clock.monotonic().saturating_sub(started)))
}
