//! Backfills that were asked for: rows of a table, taken one by one by one process of all.
//!
//! The table is the only input. The process that has the duty looks into it now and then, begins the oldest job
//! that has not ended (also one that another process left), writes how far it has come, and stops it when asked to.
//! While there is none, it attaches years that a run has loaded apart and left.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::{BackfillDeps, BackfillRequest, DayRange, Recheck, Report, Source, Watch, loading};
use crate::ingest::dead_letter::chain;
use crate::runtime::config::BackfillSource;
use crate::store::backfill_jobs::{self, BackfillJob, JobEnd, JobProgress};
use crate::store::leader::{Duty, Leadership};
use crate::upstream::http::Attempts;

/// Between two looks for a job, and between two notes of how far one has come.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pauses between two terms, when the database fails.
const BACK_OFF: Attempts = Attempts {
    more: usize::MAX,
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(30),
};

/// Whom jobs may ask; where nobody may be asked, why not.
#[derive(Debug, Clone)]
pub struct JobSources {
    /// EVE Ref's archives.
    pub everef: Result<Source, String>,
    /// R2Z2's history.
    pub r2z2: Result<Source, String>,
}

/// Serves jobs until `token` is cancelled; one under way is left to the next process then. Retry: everything, with
/// growing pauses.
///
/// # Errors
/// None at present: all failures are retried, and those of a job are written down with it.
pub async fn serve(
    deps: BackfillDeps,
    sources: JobSources,
    token: CancellationToken,
) -> anyhow::Result<()> {
    let mut pauses = BACK_OFF.pauses();
    while !token.is_cancelled() {
        let Err(error) = term(&deps, &sources, &token).await else {
            break;
        };
        let pause = pauses.next().unwrap_or(BACK_OFF.longest_pause);
        tracing::warn!(
            error = format!("{error:#}"),
            ?pause,
            "serving backfills failed"
        );
        // The machine's timer: the pause is about the database.
        tokio::select! {
            () = token.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}

/// From the lock to its loss. `Ok` once `token` is cancelled.
async fn term(
    deps: &BackfillDeps,
    sources: &JobSources,
    token: &CancellationToken,
) -> anyhow::Result<()> {
    let waiting = Leadership::acquire(&deps.store, Duty::Backfill);
    let Some(acquired) = token.run_until_cancelled(waiting).await else {
        return Ok(());
    };
    let mut leadership = acquired.context("asking for the lock of backfills")?;
    let stop = token.child_token();
    let mut working = std::pin::pin!(work(deps, sources, &stop));
    let ended = tokio::select! {
        biased;
        error = leadership.lost() => {
            stop.cancel();
            working.await.ok();
            Err(anyhow::Error::new(error).context("the lock of backfills is lost"))
        }
        ended = &mut working => ended,
    };
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the lock of backfills was gone already");
    }
    ended
}

async fn work(
    deps: &BackfillDeps,
    sources: &JobSources,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        let now = deps.clock.now();
        if let Some(job) = backfill_jobs::begin_next(&deps.store.pool, now).await? {
            fill(deps, sources, &job, stop).await?;
        } else {
            let idle = async {
                loading::attach_left(deps).await?;
                tokio::time::sleep(LOOK_EVERY).await;
                anyhow::Ok(())
            };
            stop.run_until_cancelled(Box::pin(idle)).await.transpose()?;
        }
    }
    Ok(())
}

/// Fills one job. It stays `running` where the process stops.
async fn fill(
    deps: &BackfillDeps,
    sources: &JobSources,
    job: &BackfillJob,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let job_id = job.job_id;
    tracing::info!(job_id, source = job.source, from = %job.from_day, to = %job.to_day, "backfill begun");
    let ended = match request(sources, job) {
        Err(reason) => Some(JobEnd::Failed(reason)),
        Ok(_) if job.cancel_requested => Some(JobEnd::Cancelled),
        Ok(request) => watched(deps, job_id, &request, stop).await,
    };
    if let Some(end) = ended {
        tracing::info!(job_id, ?end, "backfill ended");
        backfill_jobs::end(&deps.store.pool, job_id, &end, deps.clock.now()).await?;
    }
    Ok(())
}

/// Runs a backfill, with a note of how far it has come now and then. `None` where the process stops.
async fn watched(
    deps: &BackfillDeps,
    job_id: i64,
    request: &BackfillRequest,
    stop: &CancellationToken,
) -> Option<JobEnd> {
    let cancelled = stop.child_token();
    let counter = Arc::new(Counter::default());
    let mut running = std::pin::pin!(super::run(deps, request, counter.clone(), &cancelled));
    let ended = loop {
        tokio::select! {
            ended = &mut running => break ended,
            () = tokio::time::sleep(LOOK_EVERY) => note(deps, job_id, &counter, &cancelled).await,
        }
    };
    note(deps, job_id, &counter, &cancelled).await;
    match ended {
        _ if stop.is_cancelled() => None,
        Err(error) => Some(JobEnd::Failed(chain(&error))),
        Ok(report) if report.left() > 0 => Some(JobEnd::Cancelled),
        Ok(report) => Some(end(&report)),
    }
}

fn request(sources: &JobSources, job: &BackfillJob) -> Result<BackfillRequest, String> {
    let source = if job.source == BackfillSource::R2z2.as_str() {
        &sources.r2z2
    } else {
        &sources.everef
    };
    let range = DayRange::new(job.from_day, job.to_day).map_err(|error| error.to_string())?;
    Ok(BackfillRequest::new(
        source.clone()?,
        range,
        Recheck::ByCount,
    ))
}

fn end(report: &Report) -> JobEnd {
    match report.failed.first() {
        None => JobEnd::Done,
        Some((day, reason)) => {
            let failed = report.failed.len();
            JobEnd::Failed(format!("{failed} days could not be read; {day}: {reason}"))
        }
    }
}

/// Writes how far it has come, and stops it where somebody wants that. A database that does not answer is asked again
/// the next time.
async fn note(deps: &BackfillDeps, job_id: i64, counter: &Counter, cancelled: &CancellationToken) {
    match backfill_jobs::advance(&deps.store.pool, job_id, counter.progress()).await {
        Ok(true) => cancelled.cancel(),
        Ok(false) => {}
        Err(error) => tracing::debug!(%error, "the progress of a backfill was not written"),
    }
}

/// Counts what a run tells.
#[derive(Debug, Default)]
struct Counter {
    documents: AtomicU64,
    days: Mutex<JobProgress>,
}

impl Counter {
    fn progress(&self) -> JobProgress {
        let days = *self.days.lock().unwrap_or_else(PoisonError::into_inner);
        JobProgress {
            documents: number(self.documents.load(Ordering::Relaxed)),
            ..days
        }
    }
}

impl Watch for Counter {
    fn planned(&self, _days: u64, _killmails: u64) {}

    fn read(&self, documents: u64) {
        self.documents.fetch_add(documents, Ordering::Relaxed);
    }

    fn settled(&self, report: &Report) {
        *self.days.lock().unwrap_or_else(PoisonError::into_inner) = JobProgress {
            days: number(report.days),
            days_settled: number(report.settled()),
            days_failed: i64::try_from(report.failed.len()).unwrap_or(i64::MAX),
            documents: 0,
        };
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
