//! `backfill --from --to`: whole days from EVE Ref's archives or zKillboard's history.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use chrono::{Days, NaiveDate};
use tokio_util::sync::CancellationToken;

use super::{BackfillCommand, Display};
use crate::ingest::backfill::{
    self, BackfillDeps, BackfillRequest, DayRange, Recheck, Report, Source,
};
use crate::ingest::resolver::Resolver;
use crate::runtime::clock::{SharedClock, SystemClock};
use crate::runtime::config::{BackfillSource, LiveConfig, UpstreamConfig};
use crate::service::Database;
use crate::upstream::everef::EveRef;
use crate::upstream::http::{HttpClient, HttpSettings};
use crate::upstream::zkb::history::History;

/// Stores days of history.
///
/// Killed or stopped, the same command goes on where it was; a day that has not changed costs nothing. It may run
/// beside a service on the same database.
#[derive(Debug, Clone, clap::Args)]
pub struct DaysArgs {
    /// First day, UTC.
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "entity")]
    pub from: Option<NaiveDate>,
    /// Last day, UTC [default: yesterday].
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
    pub to: Option<NaiveDate>,
    /// Where the days come from.
    #[arg(long, value_enum, default_value_t)]
    pub source: BackfillSource,
    /// Read the files of this folder, named as on the server, and ask nobody.
    #[arg(long, value_name = "DIR")]
    pub archives: Option<PathBuf>,
    /// Ask for the version of every day, even where the source counts as many killmails as were read.
    #[arg(long)]
    pub recheck: bool,
    /// Read the file of every day again, even where it is still the one that was read: rows may have been lost since.
    #[arg(long, conflicts_with = "recheck")]
    pub afresh: bool,
}

/// Opens the database (joining the server of a running service) and fills days.
pub(super) async fn run(
    command: BackfillCommand,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let range = range(&command.days, &clock)?;
    // Before anything is started or asked; the run looks again, since it may be another day by then.
    backfill::check_kept(range, command.ingest.retention, clock.now())?;
    let recheck = match (command.days.afresh, command.days.recheck) {
        (true, _) => Recheck::Afresh,
        (false, true) => Recheck::ByVersion,
        (false, false) => Recheck::ByCount,
    };
    let request = BackfillRequest::new(source(&command, &clock)?, range, recheck);
    let database = Database::open(&command.database).await?;
    let deps = BackfillDeps {
        store: database.store.clone(),
        clock: Arc::clone(&clock),
        resolver: Resolver::local(database.store.clone(), Arc::clone(&clock)),
        ingest: command.ingest,
        backfill: command.backfill,
    };
    let display = Arc::new(Display::new(clock));
    let ended = backfill::run(&deps, &request, display.clone(), &shutdown).await;
    display.bar.finish_and_clear();
    let closed = database.close().await;
    summarize(&ended?)?;
    closed
}

fn range(arguments: &DaysArgs, clock: &SharedClock) -> anyhow::Result<DayRange> {
    let from = arguments
        .from
        .context("--from is missing: the first day to fill")?;
    let yesterday = clock.now().date_naive().checked_sub_days(Days::new(1));
    let to = arguments.to.or(yesterday).unwrap_or(from);
    Ok(DayRange::new(from, to)?)
}

fn source(command: &BackfillCommand, clock: &SharedClock) -> anyhow::Result<Source> {
    let name = command.days.source;
    if let Some(folder) = &command.days.archives {
        let shown = folder.display();
        anyhow::ensure!(folder.is_dir(), "--archives is {shown}, which is no folder");
        return Ok(Source::folder(name, folder.clone()));
    }
    history(name, &command.upstream, &command.live, clock)
}

/// The server of a source.
///
/// # Errors
/// When it may not be asked.
pub(in crate::cli) fn history(
    name: BackfillSource,
    upstream: &UpstreamConfig,
    live: &LiveConfig,
    clock: &SharedClock,
) -> anyhow::Result<Source> {
    let url = match name {
        BackfillSource::Everef => &upstream.everef_url,
        BackfillSource::R2z2 => &live.r2z2_url,
    };
    upstream.may_ask(url)?;
    let settings = HttpSettings {
        user_agent: upstream.user_agent(),
        longest_stall: Some(upstream.timeout()),
        ..HttpSettings::default()
    };
    let http = HttpClient::new(&settings, Arc::clone(clock))?;
    Ok(match name {
        BackfillSource::Everef => Source::everef(EveRef::new(http, url.clone())),
        BackfillSource::R2z2 => {
            let (interval, idle) = (live.interval(), live.idle());
            Source::history(History::new(http, url.clone(), interval, idle))
        }
    })
}

/// Writes the numbers to standard output; an error where something is left to do.
fn summarize(report: &Report) -> anyhow::Result<()> {
    let mut output = std::io::stdout();
    for shrunk in &report.shrunk {
        let (day, documents, before) = (shrunk.day, shrunk.documents, shrunk.before);
        writeln!(
            output,
            "{day} has {documents} documents now, {before} before: nothing was deleted"
        )
        .context("can't write the summary")?;
    }
    writeln!(output, "{report}").context("can't write the summary")?;
    let failures: Vec<String> = (report.failed.iter())
        .map(|(day, reason)| format!("{day}: {reason}"))
        .collect();
    let left = report.left();
    anyhow::ensure!(
        failures.is_empty(),
        "{} days could not be read; the same command tries them again: {}",
        failures.len(),
        failures.join("; ")
    );
    anyhow::ensure!(
        left == 0,
        "stopped with {left} days left; the same command goes on with them"
    );
    Ok(())
}
