//! `reconcile`: days held against what others count.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::backfill::{Display, history};
use crate::ingest::backfill::jobs::JobSources;
use crate::ingest::backfill::{BackfillDeps, Source, Watch};
use crate::ingest::reconcile::{
    self, RECENT_DAYS, ReconcileDeps, ReconcileRequest, Reconciled, Scope,
};
use crate::ingest::resolver::Resolver;
use crate::runtime::clock::{SharedClock, SystemClock};
use crate::runtime::config::{
    BackfillConfig, BackfillSource, DatabaseConfig, IngestConfig, LiveConfig, UpstreamConfig,
};
use crate::service::Database;
use crate::store::day_checks::{DayCheck, Verdict};

/// Hold days against what EVE Ref and zKillboard count, and fetch what lacks.
///
/// A running service does it by itself, every day for the last two weeks and once a week for all days. The exit code
/// is 0 when everything that can be had is stored.
#[derive(Debug, clap::Args)]
pub struct ReconcileCommand {
    /// So many days until yesterday.
    #[arg(long, default_value_t = RECENT_DAYS, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub days: u32,
    /// Every day from the oldest killmail on.
    #[arg(long, conflicts_with = "days")]
    pub all: bool,
    /// Only look: fetch nothing, close nothing, write nothing down.
    #[arg(long)]
    pub dry_run: bool,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// The servers, and who asks them.
    #[command(flatten)]
    pub upstream: UpstreamConfig,
    /// R2Z2, and how fast it may be asked.
    #[command(flatten)]
    pub live: LiveConfig,
    /// The pipeline.
    #[command(flatten)]
    pub ingest: IngestConfig,
    /// How much at once.
    #[command(flatten)]
    pub backfill: BackfillConfig,
}

/// Opens the database (joining the server of a running service), reconciles, and prints what was found.
pub(super) async fn run(
    command: ReconcileCommand,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let sources = sources(&command, &clock)?;
    let request = ReconcileRequest {
        scope: if command.all {
            Scope::All
        } else {
            Scope::Recent(command.days)
        },
        fetch: !command.dry_run,
    };
    let database = Database::open(&command.database).await?;
    let store = database.store.clone();
    let deps = ReconcileDeps {
        backfill: BackfillDeps {
            resolver: Resolver::local(store.clone(), Arc::clone(&clock)),
            store,
            clock: Arc::clone(&clock),
            ingest: command.ingest,
            backfill: command.backfill,
        },
        sources,
        begin_after: reconcile::BEGIN_AFTER,
    };
    let display = Arc::new(Display::new(clock));
    let watch: Arc<dyn Watch> = display.clone();
    let ended = reconcile::reconcile(&deps, request, watch, &shutdown).await;
    display.bar.finish_and_clear();
    let closed = database.close().await;
    print(&ended?)?;
    closed
}

/// Whom to ask. One that may not be asked is left out, with the reason in the summary.
fn sources(command: &ReconcileCommand, clock: &SharedClock) -> anyhow::Result<JobSources> {
    let of = |name: BackfillSource| -> anyhow::Result<Result<Source, String>> {
        let url = match name {
            BackfillSource::Everef => &command.upstream.everef_url,
            BackfillSource::R2z2 => &command.live.r2z2_url,
        };
        match command.upstream.may_ask(url) {
            Err(error) => Ok(Err(error.to_string())),
            Ok(()) => history(name, &command.upstream, &command.live, clock).map(Ok),
        }
    };
    Ok(JobSources {
        everef: of(BackfillSource::Everef)?,
        r2z2: of(BackfillSource::R2z2)?,
    })
}

/// Writes a line per day that is kept and the sum to standard output; an error where something lacks.
fn print(reconciled: &Reconciled) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    write(&mut output, reconciled).context("can't write the report")?;
    let lacking = reconciled.count(Verdict::Lacking);
    anyhow::ensure!(
        lacking == 0,
        "{lacking} days lack killmails that others have; the same command tries them again"
    );
    Ok(())
}

fn write(output: &mut impl Write, reconciled: &Reconciled) -> std::io::Result<()> {
    for (name, reason) in &reconciled.unasked {
        writeln!(output, "{name} was not asked: {reason}")?;
    }
    writeln!(
        output,
        "{:<10} {:>9} {:>9} {:>9}  verdict",
        "day", "here", "EVE Ref", "R2Z2"
    )?;
    let kept = |check: &&DayCheck| check.verdict != Verdict::NotKept;
    for check in reconciled.checks.iter().filter(kept) {
        let count = |count: Option<i64>| count.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let reason = check.reason.as_ref().map(|reason| format!(" ({reason})"));
        writeln!(
            output,
            "{} {:>9} {:>9} {:>9}  {}{}",
            check.day,
            check.own,
            count(check.everef),
            count(check.r2z2),
            check.verdict.as_str(),
            reason.unwrap_or_default()
        )?;
    }
    let sums = Verdict::ALL.into_iter().filter_map(|verdict| {
        let count = reconciled.count(verdict);
        let is_always = matches!(verdict, Verdict::Complete | Verdict::Lacking);
        (count > 0 || is_always).then(|| format!("{count} {}", verdict.as_str()))
    });
    let (days, gaps) = (reconciled.checks.len(), reconciled.gaps);
    writeln!(
        output,
        "{days} days = {}; {}; gaps: {} closed by history, {} closed without it, {} left",
        sums.collect::<Vec<_>>().join(" + "),
        reconciled.documents,
        gaps.read,
        gaps.unavailable,
        gaps.left
    )
}
