//! Reconcile: what is stored is held against what others count, and what lacks is fetched.
//!
//! ```text
//! totals of EVE Ref and R2Z2 ─┐
//! killmails by day ───────────┼─► judge ─► settled ──────────────────────────────┐
//! earlier checks ─────────────┘      └───► lacks ─► backfill ─► count ─► judge ──┴─► day_checks
//! gaps left to history ─► R2Z2's files of the days around them ─► closed
//! ```
//!
//! One process of all on a database does it, daily after both have published the day before: for the last two weeks,
//! and once a week for every day. Nothing is ever deleted because somebody counts fewer than before.

mod events;
mod examine;
mod gaps;
mod judge;
mod run;
mod term;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::backfill::jobs::JobSources;
use super::backfill::{BackfillDeps, BackfillError, Report, Watch};
use super::import::Summary;
use crate::runtime::terms;
use crate::store;
use crate::store::day_checks::{DayCheck, Verdict};

pub use gaps::GapsSettled;
pub use run::reconcile;

/// Days of the daily run.
pub const RECENT_DAYS: u32 = 14;
/// Pause before the first run: a service that starts has better things to do.
pub const BEGIN_AFTER: Duration = Duration::from_mins(10);

/// What reconciling works with.
#[derive(Debug, Clone)]
pub struct ReconcileDeps {
    /// How what lacks is fetched.
    pub backfill: BackfillDeps,
    /// Whom to ask.
    pub sources: JobSources,
    /// Pause before the first run of the duty.
    pub begin_after: Duration,
}

/// Which days to look at. The present one is never among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The last days, so many.
    Recent(u32),
    /// Every day from the oldest killmail on.
    All,
}

impl Scope {
    /// The word used in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recent(_) => "recent",
            Self::All => "all",
        }
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReconcileRequest {
    /// Which days.
    pub scope: Scope,
    /// Fetch what lacks, close gaps and write down what was found; otherwise only look.
    pub fetch: bool,
}

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The days, newest first.
    pub checks: Vec<DayCheck>,
    /// What became of the documents that were read.
    pub documents: Summary,
    /// What became of gaps that were left to history.
    pub gaps: GapsSettled,
    /// Who could not be asked, with the reason.
    pub unasked: Vec<(&'static str, String)>,
}

impl Reconciled {
    /// How many days have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let checks = self.checks.iter();
        checks.filter(|check| check.verdict == verdict).count()
    }
}

/// Why it could not be reconciled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// Nobody tells what they count.
    #[error("nobody tells how many killmails a day has: {reasons}")]
    NoTotals {
        /// Who does not, and why.
        reasons: String,
    },
    /// The database refused.
    #[error("counting and comparing days failed")]
    Store(#[from] store::Error),
    /// Fetching what lacks failed as a whole.
    #[error("fetching what lacks failed")]
    Backfill(#[from] BackfillError),
    /// It was stopped.
    #[error("interrupted; what was checked and fetched by then is stored")]
    Stopped,
}

/// Reconciles until `token` is cancelled. Retry: everything, with growing pauses; a run that failed is repeated an hour
/// later.
///
/// # Errors
/// None at present: all failures are retried.
pub async fn run(deps: ReconcileDeps, token: CancellationToken) -> anyhow::Result<()> {
    let clock = Arc::clone(&deps.backfill.clock);
    let begin_at = clock.now() + deps.begin_after;
    let state = (deps, token.clone());
    terms::serve("reconcile", &clock, &token, state, |(deps, token)| {
        Box::pin(term::serve(deps, begin_at, token))
    })
    .await;
    Ok(())
}

/// A watch for runs that nobody looks at.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn planned(&self, _days: u64, _killmails: u64) {}

    fn read(&self, _documents: u64) {}

    fn settled(&self, _report: &Report) {}
}
