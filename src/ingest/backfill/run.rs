//! A run: what is fetched, what is read, and what became of each day.

mod books;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub(super) use self::books::patiently;
use super::day::{self, DayRead};
use super::events::{DayFailed, DayOutcome, DaysSettled};
use super::loading::{self, Years};
use super::plan::{Plan, Task};
use super::request::{check_kept, totals};
use super::source::{DayContent, Fetched};
use super::{BackfillDeps, BackfillError, BackfillRequest, Report, SourceError, Watch};
use crate::ingest::dead_letter::chain;
use crate::ingest::import::ImportError;
use crate::store::backfill_days::{self, DayLocks};

/// Files fetched or waiting to be read: what the politest of the servers allows, and enough that reading never
/// waits for a line that is faster than the database.
const FETCHED_AHEAD: usize = 2;
/// A file that arrives damaged is fetched so often in all: it may just have been rewritten.
const TRIES: u32 = 3;
/// Pause before a damaged file is fetched again, times the tries so far.
const DAMAGED_PAUSE: Duration = Duration::from_secs(1);

/// A file that was asked for.
type Asked = (Task, Result<Fetched, SourceError>);

/// One run over a range of days. The only task that keeps the books.
pub(super) struct Run<'a> {
    deps: &'a BackfillDeps,
    request: &'a BackfillRequest,
    watch: Arc<dyn Watch>,
    stop: &'a CancellationToken,
    locks: DayLocks,
    years: Option<Years>,
    owner: String,
    waiting: VecDeque<Task>,
    fetching: JoinSet<Asked>,
    ready: VecDeque<(Task, Box<DayContent>)>,
    reading: JoinSet<DayRead>,
    report: Report,
}

impl<'a> Run<'a> {
    /// Learns what there is, and plans.
    pub(super) async fn begin(
        deps: &'a BackfillDeps,
        request: &'a BackfillRequest,
        watch: Arc<dyn Watch>,
        stop: &'a CancellationToken,
    ) -> Result<Self, BackfillError> {
        let (source_name, range) = (request.source.name(), request.range);
        check_kept(range, deps.ingest.retention, deps.clock.now())?;
        let totals = totals(request, stop).await?;
        let load =
            || backfill_days::load(&deps.store.pool, source_name, range.first(), range.last());
        let stored = patiently(&deps.clock, load).await?;
        let locks = DayLocks::open(&deps.store).await?;
        let plan = Plan::of(
            (range, request.only.as_ref()),
            stored,
            &totals,
            request.recheck,
        );
        let years = patiently(&deps.clock, || Years::begin(deps, &plan.tasks)).await?;
        let asked = u64::try_from(plan.tasks.len()).unwrap_or(u64::MAX);
        watch.planned(asked, plan.expected());
        let (unchanged, absent) = (plan.unchanged, plan.absent);
        let run = Self {
            deps,
            request,
            watch,
            stop,
            locks,
            years,
            owner: format!("process {}", std::process::id()),
            waiting: plan.tasks.into(),
            fetching: JoinSet::new(),
            ready: VecDeque::new(),
            reading: JoinSet::new(),
            report: Report {
                days: asked + unchanged + absent,
                unchanged,
                absent,
                ..Report::default()
            },
        };
        run.count(DayOutcome::Unchanged, unchanged);
        run.count(DayOutcome::Absent, absent);
        run.watch.settled(&run.report);
        Ok(run)
    }

    /// Fetches and reads until nothing is left, or what is under way when asked to stop has ended.
    pub(super) async fn drive(mut self) -> Result<Report, BackfillError> {
        let mut stopped = false;
        loop {
            if !stopped {
                self.start_fetches().await?;
                self.start_readings().await?;
            }
            if self.fetching.is_empty() && self.reading.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled(), if !stopped => {
                    stopped = true;
                    self.ready.clear();
                    self.fetching.shutdown().await;
                }
                Some(read) = self.reading.join_next() => self.settle_read(read).await?,
                Some(asked) = self.fetching.join_next() => self.settle_asked(asked).await?,
            }
        }
        // A connection that is gone has given its locks up.
        self.locks.close().await.ok();
        drop(self.years);
        if !stopped {
            patiently(&self.deps.clock, || loading::attach_left(self.deps)).await?;
        }
        Ok(self.report)
    }

    async fn start_fetches(&mut self) -> Result<(), BackfillError> {
        while self.fetching.len() + self.ready.len() < FETCHED_AHEAD {
            let Some(task) = self.waiting.pop_front() else {
                break;
            };
            let source = self.request.source.clone();
            if !self.locks.take(source.name(), task.day).await? {
                self.report.busy += 1;
                self.watch.settled(&self.report);
                self.need_no_more(task.day).await?;
                continue;
            }
            let clock = self.deps.clock.clone();
            self.fetching.spawn(async move {
                if task.tries > 0 {
                    clock.sleep(DAMAGED_PAUSE * task.tries).await;
                }
                let fetched = source.fetch(task.day, task.known.as_ref()).await;
                (task, fetched)
            });
        }
        Ok(())
    }

    async fn start_readings(&mut self) -> Result<(), BackfillError> {
        while self.reading.len() < self.deps.backfill.backfill_days_at_once.get() {
            let Some(ready) = self.ready.pop_front() else {
                break;
            };
            let day = ready.0.day;
            let (pool, now) = (&self.deps.store.pool, self.deps.clock.now());
            let (source, owner) = (self.request.source.name(), &self.owner);
            let begin = || backfill_days::begin(pool, source, day, owner, now);
            patiently(&self.deps.clock, begin).await?;
            self.reading.spawn(day::read(
                self.deps.clone(),
                self.request.source.envelope_name(),
                ready,
                Arc::clone(&self.watch),
                self.stop.clone(),
            ));
        }
        Ok(())
    }

    async fn settle_asked(&mut self, asked: Result<Asked, JoinError>) -> Result<(), BackfillError> {
        let (task, fetched) = asked?;
        let day = task.day;
        match fetched {
            Ok(Fetched::Content(content)) => {
                self.ready.push_back((task, content));
                return Ok(());
            }
            Ok(Fetched::Unchanged) => {
                self.verify(day).await?;
                self.report.unchanged += 1;
                self.count(DayOutcome::Unchanged, 1);
            }
            Ok(Fetched::Missing) => {
                self.leave(day).await?;
                self.report.absent += 1;
                self.count(DayOutcome::Absent, 1);
            }
            Err(error) => self.fail(day, &chain(&error)).await?,
        }
        self.end(day).await
    }

    async fn settle_read(&mut self, read: Result<DayRead, JoinError>) -> Result<(), BackfillError> {
        let read = read?;
        let day = read.task.day;
        if let Err(error) = read.pipeline {
            let reason = format!("{error:#}");
            self.fail(day, &reason).await?;
            return Err(BackfillError::Pipeline { day, reason });
        }
        self.report.documents += read.report.summary;
        match &read.report.error {
            None => self.fill(&read).await?,
            Some(ImportError::Interrupted { .. }) => self.leave(day).await?,
            Some(error) => {
                let reason = chain(error);
                let again = self.request.source.is_remote()
                    && read.task.tries + 1 < TRIES
                    && !self.stop.is_cancelled();
                if again {
                    let source = self.request.source.name();
                    DayFailed {
                        source,
                        day,
                        reason: &reason,
                        again,
                    }
                    .emit();
                    self.locks.release(source, day).await?;
                    self.waiting.push_front(Task {
                        tries: read.task.tries + 1,
                        known: None,
                        ..read.task
                    });
                    return Ok(());
                }
                self.fail(day, &reason).await?;
            }
        }
        self.end(day).await
    }

    /// Nothing more will be done about a day.
    async fn end(&mut self, day: NaiveDate) -> Result<(), BackfillError> {
        self.watch.settled(&self.report);
        self.locks.release(self.request.source.name(), day).await?;
        self.need_no_more(day).await
    }

    /// A year is seen with its last day; one that is left when a run is stopped is attached by whoever comes next.
    async fn need_no_more(&mut self, day: NaiveDate) -> Result<(), BackfillError> {
        if let Some(years) = &mut self.years
            && !self.stop.is_cancelled()
        {
            years.settled(self.deps, day).await?;
        }
        Ok(())
    }

    fn count(&self, outcome: DayOutcome, days: u64) {
        DaysSettled {
            source: self.request.source.name(),
            outcome,
            days,
        }
        .emit();
    }
}
