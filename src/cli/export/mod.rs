//! `export`: killmails of whole days as Parquet, NDJSON or CSV.
//!
//! One day after the other, each as it was at one moment: a transaction that sees one snapshot finds the day's places
//! page by page and reads the documents in chunks. So memory is bounded by a chunk, and for Parquet by a day's row group.

mod display;
mod filter;
mod parquet;
mod target;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use clap::ValueEnum;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::domain::table::Table;
use crate::ingest::backfill::DayRange;
use crate::runtime::clock::{SharedClock, SystemClock};
use crate::runtime::config::DatabaseConfig;
use crate::service::Database;
use crate::store::killmails::query::{self, HistoricalQuery, Place};
use display::Display;
use target::Target;
use writer::Writer;

/// Longest time of one statement: a page of a filter that fits nothing walks through a whole day.
const STATEMENT_LIMIT: Duration = Duration::from_mins(5);
/// Places that are found at once, a few bytes each.
const PAGE: i64 = 5_000;
/// Killmails whose documents are asked for at once.
const CHUNK: usize = 500;
/// Bytes of documents and items that are held at once; a chunk of usual ones has less.
const CHUNK_BYTES: usize = 8 << 20;

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Parquet, one row group a day.
    Parquet,
    /// The canonical documents, one a line.
    Ndjson,
    /// A table, as the historical query has it.
    Csv,
}

/// Which rows a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rows {
    /// One a killmail.
    Killmails,
    /// One an attacker.
    Attackers,
    /// One a stack of items.
    Items,
}

impl From<Rows> for Table {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Killmails => Self::Killmails,
            Rows::Attackers => Self::Attackers,
            Rows::Items => Self::Items,
        }
    }
}

/// Write killmails of whole days to a file, the oldest first.
#[derive(Debug, clap::Args)]
pub struct ExportCommand {
    /// The form of the file.
    #[arg(long, value_enum)]
    pub format: Format,
    /// First day, UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: NaiveDate,
    /// Last day, UTC [default: yesterday].
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<NaiveDate>,
    /// The file, which appears when it is complete; - for standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// Which rows, for Parquet and CSV [default: killmails].
    #[arg(long, value_enum)]
    pub table: Option<Rows>,
    /// With `victim.items`, for NDJSON.
    #[arg(long)]
    pub items: bool,
    /// Which killmails.
    #[command(flatten)]
    pub filter: filter::FilterArgs,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
}

impl ExportCommand {
    fn check(&self) -> anyhow::Result<()> {
        let is_table = self.format != Format::Ndjson;
        anyhow::ensure!(
            is_table || self.table.is_none(),
            "--table is for Parquet and CSV; documents have everything"
        );
        anyhow::ensure!(
            !(is_table && self.items),
            "--items is for NDJSON; elsewhere items are a table of their own: --table items"
        );
        Ok(())
    }

    fn writer(&self) -> anyhow::Result<Writer> {
        let target = Target::open(&self.output)?;
        let table = self.table.map_or(Table::Killmails, Table::from);
        match self.format {
            Format::Ndjson => Ok(Writer::ndjson(target, self.items)),
            Format::Csv => Writer::csv(target, table),
            Format::Parquet => Writer::parquet(target, table),
        }
    }

    fn days(&self, clock: &SharedClock) -> anyhow::Result<DayRange> {
        let yesterday = clock.now().date_naive().checked_sub_days(Days::new(1));
        let to = self.to.or(yesterday).unwrap_or(self.from);
        Ok(DayRange::new(self.from, to)?)
    }
}

/// Opens the database (joining the server of a running service) and writes the file.
pub(super) async fn run(command: ExportCommand, shutdown: CancellationToken) -> anyhow::Result<()> {
    command.check()?;
    let clock = SystemClock::shared();
    let days = command.days(&clock)?;
    let query = command.filter.query()?;
    let database = Database::open(&command.database).await?;
    let reads = &database.store.reads;
    let exported = async {
        reads.trust(reads.look().await.and_then(Result::ok));
        let export = Export {
            pool: reads.any().await.history.clone(),
            query,
            writer: command.writer()?,
            summary: Summary::default(),
        };
        // A file that is not complete goes with its writer.
        shutdown
            .run_until_cancelled(export.all(days, clock))
            .await
            .unwrap_or_else(|| Err(anyhow::anyhow!("interrupted; no file was written")))
    }
    .await;
    let closed = database.close().await;
    let summary = exported?;
    if Target::is_stdout(&command.output) {
        tracing::info!("{summary}");
    } else {
        super::say(&summary.to_string());
    }
    closed
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Summary {
    with: u64,
    without: u64,
    killmails: u64,
    rows: usize,
    bytes: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            with,
            without,
            killmails,
            rows,
            bytes,
        } = self;
        let days = with + without;
        write!(
            formatter,
            "{days} days = {with} with killmails + {without} without; {killmails} killmails, {rows} rows, {bytes} bytes"
        )
    }
}

/// The work of one command.
struct Export {
    pool: PgPool,
    query: HistoricalQuery,
    writer: Writer,
    summary: Summary,
}

impl Export {
    async fn all(mut self, days: DayRange, clock: SharedClock) -> anyhow::Result<Summary> {
        // Not the pool's: an interruption closes it at once, where the pool would wait for its statement.
        let mut conn = self.pool.acquire().await?.detach();
        let mut display = Display::new(days, clock);
        for day in days
            .first()
            .iter_days()
            .take_while(|day| *day <= days.last())
        {
            let killmails = self
                .day(&mut conn, day)
                .await
                .with_context(|| format!("exporting {day}"))?;
            self.summary.killmails += killmails;
            if killmails > 0 {
                self.summary.with += 1;
            } else {
                self.summary.without += 1;
            }
            display.settled(day, self.summary.killmails);
        }
        display.finish();
        self.summary.bytes = self.writer.finish()?.complete()?;
        Ok(self.summary)
    }

    /// Writes a day; how many killmails it has.
    async fn day(&mut self, conn: &mut sqlx::PgConnection, day: NaiveDate) -> anyhow::Result<u64> {
        let query = HistoricalQuery {
            from: Some(midnight(day)),
            to: day.succ_opt().map(midnight),
            ..self.query.clone()
        };
        let mut transaction = query::begin_snapshot(conn, STATEMENT_LIMIT).await?;
        let (mut killmails, mut after) = (0, None);
        loop {
            let places = query::places(&mut transaction, &query, after, PAGE).await?;
            killmails += self.page(&mut transaction, &places).await?;
            after = places.last().copied();
            if i64::try_from(places.len()).is_ok_and(|found| found < PAGE) {
                break;
            }
        }
        transaction.rollback().await?;
        self.writer.end_day()?;
        Ok(killmails)
    }

    async fn page(
        &mut self,
        conn: &mut sqlx::PgConnection,
        places: &[Place],
    ) -> anyhow::Result<u64> {
        let with_items = self.writer.needs_items();
        let (mut waiting, mut written) = (places, 0);
        while !waiting.is_empty() {
            let (asked, _) = waiting.split_at(waiting.len().min(CHUNK));
            let killmails = query::documents(conn, asked, with_items, CHUNK_BYTES).await?;
            // Within one snapshot, every place has its killmail; they end early where they are large.
            anyhow::ensure!(
                !killmails.is_empty(),
                "killmails went away while they were read"
            );
            for killmail in &killmails {
                self.summary.rows += self.writer.killmail(killmail)?;
                written += 1;
            }
            (_, waiting) = waiting.split_at(killmails.len().min(waiting.len()));
        }
        Ok(written)
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
