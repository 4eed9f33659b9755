//! `backfill --from --to`: whole days from EVE Ref's archives or zKillboard's history.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use chrono::{Days, NaiveDate};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::BackfillCommand;
use crate::ingest::backfill::{
    self, BackfillDeps, BackfillRequest, DayRange, Report, Source, Watch,
};
use crate::ingest::resolver::Resolver;
use crate::runtime::clock::{SharedClock, SystemClock};
use crate::runtime::config::BackfillSource;
use crate::service::Database;
use crate::upstream::everef::EveRef;
use crate::upstream::http::{HttpClient, HttpSettings};
use crate::upstream::zkb::history::History;

/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

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
}

/// Opens the database (joining the server of a running service) and fills days.
pub(super) async fn run(
    command: BackfillCommand,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let range = range(&command.days, &clock)?;
    let request = BackfillRequest {
        source: source(&command, &clock)?,
        range,
        recheck: command.days.recheck,
    };
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
    let upstream = &command.upstream;
    let url = match name {
        BackfillSource::Everef => &upstream.everef_url,
        BackfillSource::R2z2 => &command.live.r2z2_url,
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
            let (interval, idle) = (command.live.interval(), command.live.idle());
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

/// Progress of the whole: a bar on a terminal, a log line now and then elsewhere.
struct Display {
    bar: ProgressBar,
    clock: SharedClock,
    logged: Mutex<Logged>,
}

/// What the last log line said, and what came since.
#[derive(Debug, Default)]
struct Logged {
    at: Duration,
    documents: u64,
    since: u64,
}

impl Display {
    fn new(clock: SharedClock) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template =
            "{wide_msg} {human_pos}/{human_len} killmails {bar:20} {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let logged = Logged {
            at: clock.monotonic(),
            ..Logged::default()
        };
        Self {
            bar,
            clock,
            logged: Mutex::new(logged),
        }
    }

    /// Adds to what was read; documents in all and each second since the last line, once per [`LOG_EVERY`].
    fn line(&self, documents: u64) -> Option<(u64, f64)> {
        let now = self.clock.monotonic();
        let mut logged = self.logged.lock().ok()?;
        logged.documents += documents;
        logged.since += documents;
        let passed = now.saturating_sub(logged.at);
        if passed < LOG_EVERY {
            return None;
        }
        let since = u32::try_from(logged.since).unwrap_or(u32::MAX);
        logged.at = now;
        logged.since = 0;
        Some((logged.documents, f64::from(since) / passed.as_secs_f64()))
    }
}

impl Watch for Display {
    fn planned(&self, days: u64, killmails: u64) {
        self.bar.set_length(killmails);
        tracing::info!(days, killmails, "days to ask for");
    }

    fn read(&self, documents: u64) {
        self.bar.inc(documents);
        if self.bar.is_hidden()
            && let Some((documents, per_second)) = self.line(documents)
        {
            let per_second = per_second.round();
            tracing::info!(documents, per_second, "filling days");
        }
    }

    fn settled(&self, report: &Report) {
        let (settled, days) = (report.settled(), report.days);
        self.bar.set_message(format!("{settled} of {days} days"));
    }
}
