//! When the duty runs, and that only one process of all does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::{
    RECENT_DAYS, ReconcileDeps, ReconcileError, ReconcileRequest, Reconciled, Scope, Unwatched,
    events, run,
};
use crate::ingest::dead_letter::chain;
use crate::store::day_checks::Verdict;
use crate::store::leader::{Duty, Leadership};
use crate::store::reconcile_runs::{self, ReconcileRun, RunEnd};

/// The hour (UTC) from which the daily run is due: R2Z2's history of the day before appears after six.
const FROM_HOUR: u32 = 7;
/// Between two runs over all days.
const ALL_EVERY: TimeDelta = TimeDelta::days(7);
/// Pause after a run that failed.
const AGAIN_AFTER: TimeDelta = TimeDelta::hours(1);
/// Between two looks whether a run is due.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// One term: from the lock to its loss. `Ok` once `token` is cancelled.
pub(super) async fn serve(
    deps: &ReconcileDeps,
    begin_at: DateTime<Utc>,
    token: &CancellationToken,
) -> anyhow::Result<()> {
    events::OnDuty(false).emit();
    let waiting = Leadership::acquire(&deps.backfill.store, Duty::Reconcile);
    let Some(acquired) = token.run_until_cancelled(waiting).await else {
        return Ok(());
    };
    let mut leadership = acquired.context("asking for the reconciler's lock")?;
    events::OnDuty(true).emit();
    let stop = token.child_token();
    let mut working = std::pin::pin!(work(deps, begin_at, &stop));
    let ended = tokio::select! {
        biased;
        error = leadership.lost() => {
            stop.cancel();
            working.await.ok();
            Err(anyhow::Error::new(error).context("the reconciler's lock is lost"))
        }
        ended = &mut working => ended,
    };
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the reconciler's lock was gone already");
    }
    events::OnDuty(false).emit();
    ended
}

/// `Ok` once `stop` is cancelled.
async fn work(
    deps: &ReconcileDeps,
    begin_at: DateTime<Utc>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let pool = &deps.backfill.store.pool;
    while !stop.is_cancelled() {
        let now = deps.backfill.clock.now();
        let newest = reconcile_runs::newest(pool, None).await?;
        let newest_of_all = reconcile_runs::newest(pool, Some(Scope::All.as_str())).await?;
        if now >= begin_at
            && let Some(scope) = due(newest.as_ref(), newest_of_all.as_ref(), now)
        {
            one(deps, scope, stop).await?;
        } else {
            // The machine's timer: the clock may jump.
            stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY))
                .await;
        }
    }
    Ok(())
}

/// Which run is due at `now`, if any.
fn due(
    newest: Option<&ReconcileRun>,
    newest_of_all: Option<&ReconcileRun>,
    now: DateTime<Utc>,
) -> Option<Scope> {
    let is_due = match newest {
        None => true,
        Some(run) if run.finished_at.is_none() || run.error.is_some() => {
            now >= run.started_at + AGAIN_AFTER
        }
        Some(run) => {
            let hour = NaiveTime::from_hms_opt(FROM_HOUR, 0, 0).unwrap_or(NaiveTime::MIN);
            let today = now.date_naive().and_time(hour).and_utc();
            now >= today && run.started_at < today
        }
    };
    let all_is_due = newest_of_all.is_none_or(|run| {
        let failed = run.finished_at.is_none() || run.error.is_some();
        failed || now >= run.started_at + ALL_EVERY - TimeDelta::hours(1)
    });
    is_due.then_some(if all_is_due {
        Scope::All
    } else {
        Scope::Recent(RECENT_DAYS)
    })
}

/// One run, written down. An error of the run itself is written down too, and is none of the duty.
async fn one(deps: &ReconcileDeps, scope: Scope, stop: &CancellationToken) -> anyhow::Result<()> {
    let (pool, clock) = (&deps.backfill.store.pool, &deps.backfill.clock);
    let run_id = reconcile_runs::begin(pool, scope.as_str(), clock.now()).await?;
    let request = ReconcileRequest { scope, fetch: true };
    let ended = run::reconcile(deps, request, Arc::new(Unwatched), stop).await;
    if matches!(ended, Err(ReconcileError::Stopped)) {
        return Ok(());
    }
    let error = ended.as_ref().err().map(|error| chain(error));
    events::RunEnded {
        scope: scope.as_str(),
        ended: match (&ended, &error) {
            (Ok(reconciled), _) => Ok(reconciled),
            (Err(_), error) => Err(error.as_deref().unwrap_or_default()),
        },
    }
    .emit();
    let end = RunEnd {
        error,
        ..ended.as_ref().map(end).unwrap_or_default()
    };
    reconcile_runs::end(pool, run_id, &end, clock.now()).await?;
    Ok(())
}

fn end(reconciled: &Reconciled) -> RunEnd {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let gaps = reconciled.gaps;
    RunEnd {
        days: length(reconciled.checks.len()),
        lacking: length(reconciled.count(Verdict::Lacking)),
        stored: number(reconciled.documents.new),
        gaps_closed: number(gaps.read + gaps.unavailable),
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        format!("2026-03-{text}:00Z").parse().unwrap()
    }

    fn ran(started: &str, error: Option<&str>) -> ReconcileRun {
        ReconcileRun {
            run_id: 1,
            scope: "recent".to_owned(),
            started_at: time(started),
            finished_at: Some(time(started)),
            days: 14,
            lacking: 0,
            stored: 0,
            gaps_closed: 0,
            error: error.map(str::to_owned),
        }
    }

    #[test]
    fn daily_from_seven_and_weekly_for_all() {
        let all = ran("02T07:00", None);
        let at = |newest: &ReconcileRun, now| due(Some(newest), Some(&all), time(now));
        let recent = Some(Scope::Recent(RECENT_DAYS));
        assert_eq!(due(None, None, time("02T03:00")), Some(Scope::All));
        assert_eq!(at(&all, "03T06:59"), None);
        assert_eq!(at(&all, "03T07:00"), recent);
        let today = ran("03T07:00", None);
        assert_eq!(at(&today, "03T23:59"), None);
        assert_eq!(at(&today, "05T12:00"), recent);
        assert_eq!(at(&ran("08T07:01", None), "09T07:00"), Some(Scope::All));
    }

    #[test]
    fn a_run_that_failed_is_repeated_an_hour_later() {
        let all = ran("02T07:00", None);
        let failed = ran("03T07:00", Some("503"));
        let at = |newest: &ReconcileRun, now| due(Some(newest), Some(&all), time(now));
        assert_eq!(at(&failed, "03T07:59"), None);
        assert_eq!(at(&failed, "03T08:00"), Some(Scope::Recent(RECENT_DAYS)));
        let died = ReconcileRun {
            finished_at: None,
            ..ran("03T07:00", None)
        };
        assert_eq!(at(&died, "03T08:00"), Some(Scope::Recent(RECENT_DAYS)));
    }
}
