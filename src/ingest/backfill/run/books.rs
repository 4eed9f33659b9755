//! What the database is told of each day.

use chrono::NaiveDate;

use super::Run;
use crate::ingest::backfill::day::DayRead;
use crate::ingest::backfill::events::{DayFailed, DayFilled, DayOutcome, DayShrunk};
use crate::ingest::backfill::{BackfillError, ShrunkDay};
use crate::ingest::events::DatabaseAway;
use crate::ingest::retry;
use crate::runtime::clock::SharedClock;
use crate::store;
use crate::store::backfill_days::{self, FilledDay};

impl Run<'_> {
    pub(super) async fn fill(&mut self, read: &DayRead) -> Result<(), BackfillError> {
        let (source, task) = (self.request.source.name(), &read.task);
        let documents = read.report.summary;
        let filled = filled(read);
        let now = self.deps.clock.now();
        let finish =
            || backfill_days::finish(&self.deps.store.pool, source, task.day, &filled, now);
        patiently(&self.deps.clock, finish).await?;
        DayFilled {
            source,
            day: task.day,
            documents: &documents,
            expected: task.expected,
        }
        .emit();
        if documents.read < task.most_documents {
            let shrunk = ShrunkDay {
                day: task.day,
                documents: documents.read,
                before: task.most_documents,
            };
            DayShrunk { source, shrunk }.emit();
            self.report.shrunk.push(shrunk);
        }
        self.report.filled += 1;
        self.count(DayOutcome::Filled, 1);
        Ok(())
    }

    pub(super) async fn fail(&mut self, day: NaiveDate, reason: &str) -> Result<(), BackfillError> {
        let source = self.request.source.name();
        let now = self.deps.clock.now();
        let fail = || backfill_days::fail(&self.deps.store.pool, source, day, reason, now);
        patiently(&self.deps.clock, fail).await?;
        DayFailed {
            source,
            day,
            reason,
            again: false,
        }
        .emit();
        self.report.failed.push((day, reason.to_owned()));
        self.count(DayOutcome::Failed, 1);
        Ok(())
    }

    pub(super) async fn verify(&self, day: NaiveDate) -> Result<(), BackfillError> {
        let source = self.request.source.name();
        let now = self.deps.clock.now();
        let verify = || backfill_days::verify(&self.deps.store.pool, source, day, now);
        Ok(patiently(&self.deps.clock, verify).await?)
    }

    pub(super) async fn leave(&self, day: NaiveDate) -> Result<(), BackfillError> {
        let source = self.request.source.name();
        let now = self.deps.clock.now();
        let leave = || backfill_days::leave(&self.deps.store.pool, source, day, now);
        Ok(patiently(&self.deps.clock, leave).await?)
    }
}

fn filled(read: &DayRead) -> FilledDay {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let summary = &read.report.summary;
    FilledDay {
        etag: read.version.etag.clone(),
        last_modified: read.version.last_modified.clone(),
        size_bytes: number(read.bytes),
        expected: read.task.expected.map(number),
        documents: number(summary.read),
        stored: number(summary.new),
        updated: number(summary.updated),
        unchanged: number(summary.unchanged),
        dead_letters: number(summary.dead_letters),
        passed_over: number(summary.deferred + summary.empty + summary.expired),
    }
}

/// Tries until the database has an opinion.
pub(in crate::ingest::backfill) async fn patiently<T, F>(
    clock: &SharedClock,
    mut call: impl FnMut() -> F,
) -> store::Result<T>
where
    F: Future<Output = store::Result<T>>,
{
    let mut ladder = retry::ladder();
    loop {
        match call().await {
            Err(error) if error.is_transient() => {
                let wait = retry::next_step(&mut ladder);
                DatabaseAway {
                    work: "backfill",
                    error: &error,
                    wait,
                }
                .emit();
                clock.sleep(wait).await;
            }
            answer => return answer,
        }
    }
}
