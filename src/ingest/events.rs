//! What the pipeline reports: each fact a struct whose `emit()` writes log line and metric.

use std::time::Duration;

use chrono::TimeDelta;

use crate::runtime::telemetry::metric::{Metric, count, record, set_count};
use crate::store;
use crate::store::dead_letters::DeadLetter;
use crate::store::killmails::Change;

/// Killmails of one source were committed.
#[derive(Debug)]
pub(super) struct KillmailsCommitted {
    pub(super) source: &'static str,
    pub(super) change: Change,
    pub(super) number: u64,
}

impl KillmailsCommitted {
    /// Writes nothing for nothing.
    pub(super) fn emit(self) {
        if self.number == 0 {
            return;
        }
        let outcome = match self.change {
            Change::New => "new",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
            Change::Conflict => "conflict",
        };
        tracing::debug!(
            source = self.source,
            outcome,
            number = self.number,
            "killmails committed"
        );
        count(
            Metric::KillmailsCommitted,
            self.number,
            &[("source", self.source), ("outcome", outcome)],
        );
    }
}

/// A batch was committed.
#[derive(Debug)]
pub(super) struct BatchCommitted {
    /// Of its first envelope; a pipeline has one source as a rule.
    pub(super) source: &'static str,
    pub(super) envelopes: usize,
    pub(super) killmails: usize,
    pub(super) elapsed: Duration,
}

impl BatchCommitted {
    pub(super) fn emit(self) {
        let source = [("source", self.source)];
        record(Metric::CommitSeconds, self.elapsed.as_secs_f64(), &source);
        let killmails = u32::try_from(self.killmails).unwrap_or(u32::MAX);
        record(Metric::BatchKillmails, f64::from(killmails), &source);
        tracing::debug!(
            source = self.source,
            envelopes = self.envelopes,
            killmails = self.killmails,
            seconds = self.elapsed.as_secs_f64(),
            "batch committed"
        );
    }
}

/// A killmail that was new is readable now.
#[derive(Debug)]
pub(super) struct KillmailArrived {
    pub(super) source: &'static str,
    /// Since the kill.
    pub(super) age: TimeDelta,
}

impl KillmailArrived {
    /// The metric alone: batches have the log line.
    pub(super) fn emit(self) {
        // A kill that lies ahead of our clock is as fresh as can be.
        let age = self.age.to_std().unwrap_or_default();
        record(
            Metric::LagSeconds,
            age.as_secs_f64(),
            &[("source", self.source)],
        );
    }
}

/// A batch of look-ups went to one memory cache.
#[derive(Debug)]
pub(super) struct CacheAsked {
    pub(super) cache: &'static str,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

impl CacheAsked {
    pub(super) fn emit(self) {
        let cache = [("cache", self.cache)];
        count(Metric::CacheHits, self.hits, &cache);
        count(Metric::CacheMisses, self.misses, &cache);
        tracing::trace!(
            cache = self.cache,
            hits = self.hits,
            misses = self.misses,
            "cache asked"
        );
    }
}

/// A memory cache was filled.
#[derive(Debug)]
pub(super) struct CacheFilled {
    pub(super) cache: &'static str,
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl CacheFilled {
    pub(super) fn emit(self) {
        let cache = [("cache", self.cache)];
        set_count(Metric::CacheEntries, self.entries, &cache);
        set_count(Metric::CacheBytes, self.bytes, &cache);
    }
}

/// A batch left the enricher.
#[derive(Debug)]
pub(super) struct BatchEnriched {
    pub(super) complete: u64,
    pub(super) pending: u64,
    pub(super) elapsed: Duration,
}

impl BatchEnriched {
    /// Writes nothing for nothing.
    pub(super) fn emit(self) {
        if self.complete + self.pending == 0 {
            return;
        }
        record(Metric::EnrichSeconds, self.elapsed.as_secs_f64(), &[]);
        let counted = Metric::KillmailsEnriched;
        count(counted, self.complete, &[("outcome", "complete")]);
        count(counted, self.pending, &[("outcome", "pending")]);
        tracing::debug!(
            complete = self.complete,
            pending = self.pending,
            seconds = self.elapsed.as_secs_f64(),
            "batch enriched"
        );
    }
}

/// ESI did not say what some ids mean; they come back with the documents that lack them.
#[derive(Debug)]
pub(super) struct QuestionsDropped<'a> {
    pub(super) subjects: usize,
    pub(super) reason: &'a str,
}

impl QuestionsDropped<'_> {
    pub(super) fn emit(self) {
        tracing::debug!(
            subjects = self.subjects,
            reason = self.reason,
            "questions dropped"
        );
    }
}

/// What ESI told could not be written down; it is asked again another time.
#[derive(Debug)]
pub(super) struct AnswerNotKept<'a> {
    pub(super) error: &'a store::Error,
}

impl AnswerNotKept<'_> {
    pub(super) fn emit(self) {
        tracing::warn!(
            error = super::dead_letter::chain(self.error),
            "answers of ESI could not be written"
        );
    }
}

/// Positions of a source that are still looked for were counted.
#[derive(Debug)]
pub(super) struct GapsCounted<'a> {
    pub(super) source: &'a str,
    pub(super) open: i64,
}

impl GapsCounted<'_> {
    pub(super) fn emit(self) {
        set_count(Metric::GapsOpen, self.open, &[("source", self.source)]);
        tracing::trace!(source = self.source, open = self.open, "open gaps counted");
    }
}

/// A document was kept as a dead letter.
#[derive(Debug)]
pub(super) struct DeadLettered<'a> {
    pub(super) letter: &'a DeadLetter,
}

impl DeadLettered<'_> {
    pub(super) fn emit(self) {
        let letter = self.letter;
        // Both are constants of the code, kept as text.
        let labels = [
            ("source", letter.source.as_str()),
            ("code", letter.code.as_str()),
        ];
        count(Metric::DeadLetters, 1, &labels);
        tracing::warn!(
            source = letter.source,
            position = letter.position,
            code = letter.code,
            reason = letter.reason,
            "kept as a dead letter"
        );
    }
}

/// A reference's body could not be fetched now.
#[derive(Debug)]
pub(super) struct BodyDeferred<'a> {
    pub(super) source: &'static str,
    pub(super) origin: &'a str,
    pub(super) killmail_id: i64,
    pub(super) reason: &'a str,
}

impl BodyDeferred<'_> {
    pub(super) fn emit(self) {
        tracing::info!(
            source = self.source,
            origin = self.origin,
            killmail_id = self.killmail_id,
            reason = self.reason,
            "body deferred"
        );
    }
}

/// The database is away; the same work is tried again.
#[derive(Debug)]
pub(super) struct DatabaseAway<'a> {
    pub(super) work: &'static str,
    pub(super) error: &'a store::Error,
    pub(super) wait: Duration,
}

impl DatabaseAway<'_> {
    pub(super) fn emit(self) {
        tracing::warn!(
            work = self.work,
            error = super::dead_letter::chain(self.error),
            wait_seconds = self.wait.as_secs_f64(),
            "the database is away, trying again"
        );
    }
}

/// A batch that the database refuses is cut in two to find the killmail it refuses.
#[derive(Debug)]
pub(super) struct BatchBisected<'a> {
    pub(super) envelopes: usize,
    pub(super) error: &'a store::Error,
}

impl BatchBisected<'_> {
    pub(super) fn emit(self) {
        tracing::warn!(
            envelopes = self.envelopes,
            error = super::dead_letter::chain(self.error),
            "the database refuses a batch, looking for the culprit"
        );
    }
}

/// Look-ups failed for good; the killmails go on without names.
#[derive(Debug)]
pub(super) struct LookUpFailed<'a> {
    pub(super) killmails: usize,
    pub(super) error: &'a store::Error,
}

impl LookUpFailed<'_> {
    pub(super) fn emit(self) {
        tracing::error!(
            killmails = self.killmails,
            error = super::dead_letter::chain(self.error),
            "names can't be looked up, storing without them"
        );
    }
}
