//! Days of history: planned, fetched and stored, several at once.
//!
//! ```text
//! totals, what is remembered ─► plan ─► fetch (2 at once) ─► read into a pipeline (2 days at once) ─► mark done
//!                                         ▲                           │ damaged
//!                                         └────── a few times ◄───────┘
//! ```
//!
//! A day is all or nothing only in its mark: its killmails are committed in batches as they are read, and the mark
//! follows the last of them. A run that is killed leaves days without a mark; the next run reads those again, and
//! what is stored of them already is cheap to recognise. Nothing is ever deleted because a file has less than before.
//!
//! A year that has no killmails yet is loaded apart and seen once all of its days are settled; where a run ends before
//! that, once the next one has ended, or a service has no other backfill to do.

mod day;
mod events;
pub mod jobs;
mod loading;
mod plan;
mod report;
mod request;
mod run;
mod source;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use tokio_util::sync::CancellationToken;

use super::resolver::Resolver;
use crate::runtime::clock::SharedClock;
use crate::runtime::config::{BackfillConfig, IngestConfig};
use crate::store::{self, Store};

pub use plan::{DayRange, MAX_DAYS, RangeError, Recheck};
pub use report::{Report, ShrunkDay};
pub use request::{BackfillRequest, check_kept};
pub use source::{Source, SourceError};

/// What a backfill works with.
#[derive(Debug, Clone)]
pub struct BackfillDeps {
    /// Where it writes.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// What ids mean: only what memory and tables know is used, nobody is asked.
    pub resolver: Resolver,
    /// How young a kill must be to be announced.
    pub ingest: IngestConfig,
    /// How much at once.
    pub backfill: BackfillConfig,
}

/// Why a backfill ended before all days were tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackfillError {
    /// The source can't tell what it has.
    #[error("can't learn which days {source_name} has")]
    Totals {
        /// Which source.
        source_name: &'static str,
        /// Why not.
        #[source]
        source: SourceError,
    },
    /// The range begins before the time that is kept.
    #[error(
        "from is {from}, but WK_RETENTION_DAYS={days} keeps nothing before {horizon}: allowed is a first day from then on",
        horizon = horizon.date_naive()
    )]
    NotKept {
        /// The first day.
        from: NaiveDate,
        /// How many days are kept.
        days: u32,
        /// When what is kept begins.
        horizon: DateTime<Utc>,
    },
    /// The database refused.
    #[error("the backfill's bookkeeping failed")]
    Store(#[from] store::Error),
    /// A pipeline failed.
    #[error("the pipeline failed on {day}: {reason}")]
    Pipeline {
        /// At which day.
        day: NaiveDate,
        /// Its error.
        reason: String,
    },
    /// A task of the backfill broke.
    #[error("a task of the backfill broke")]
    Broken(#[from] tokio::task::JoinError),
}

/// Told how a backfill goes on. Has to return at once.
pub trait Watch: Send + Sync {
    /// So many days will be asked for, which should have so many killmails where the source counts them.
    fn planned(&self, days: u64, killmails: u64);
    /// So many more documents were read.
    fn read(&self, documents: u64);
    /// Something became of one more day.
    fn settled(&self, report: &Report);
}

/// Fills days until all are settled or `stop` is cancelled; then the batches under way are committed, and the
/// report has days left.
///
/// Retry: a server that fails is asked again for some minutes, a damaged file is fetched twice more; a day that
/// fails for good is reported, its reason kept, and the others go on. A database that is away is waited for.
///
/// # Errors
/// See [`BackfillError`]; what was stored by then stays.
pub async fn run(
    deps: &BackfillDeps,
    request: &BackfillRequest,
    watch: Arc<dyn Watch>,
    stop: &CancellationToken,
) -> Result<Report, BackfillError> {
    let run = Box::pin(run::Run::begin(deps, request, watch, stop)).await?;
    Box::pin(run.drive()).await
}
