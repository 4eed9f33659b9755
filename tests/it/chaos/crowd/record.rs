use std::time::Duration;

use tokio::time::Instant;

/// One killmail as it came.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Got {
    pub(in super::super) sequence: i64,
    pub(in super::super) killmail_id: i64,
    pub(in super::super) at: Instant,
}

/// What a listener has seen.
#[derive(Debug, Default)]
pub(in super::super) struct Record {
    /// Where it goes on, for kinds that say so themselves.
    pub(super) cursor: i64,
    /// A package that was promised and is not there yet.
    pub(super) owed: Option<i64>,
    pub(in super::super) got: Vec<Got>,
    pub(in super::super) connections: usize,
    /// Messages that came again, with the mark of a repetition.
    pub(in super::super) repeats: usize,
    /// The longest time in which neither process would have it.
    pub(in super::super) unreachable: Duration,
    /// Why it failed the last time.
    pub(in super::super) failure: String,
    failing_since: Option<Instant>,
    /// After how many killmails a request ended without an answer.
    broken: Vec<usize>,
    asked: bool,
    /// When an answer last said that there is nothing more.
    nothing_more: Option<Instant>,
}

impl Record {
    /// A killmail came.
    pub(in super::super) fn takes(&mut self, sequence: i64, killmail_id: i64) {
        self.reached();
        self.cursor = self.cursor.max(sequence);
        self.got.push(Got {
            sequence,
            killmail_id,
            at: Instant::now(),
        });
    }

    /// A request goes out whose answer may be lost.
    pub(in super::super) fn asks(&mut self) {
        if self.asked {
            self.broken.push(self.got.len());
        }
        self.asked = true;
    }

    /// The answer came.
    pub(in super::super) fn answered(&mut self) {
        self.asked = false;
        self.reached();
    }

    /// The answer came, and says that there is nothing more.
    pub(super) fn answered_nothing(&mut self) {
        self.answered();
        self.nothing_more = Some(Instant::now());
    }

    /// True when an answer has said so since.
    pub(super) fn had_nothing_more_since(&self, moment: Instant) -> bool {
        self.nothing_more.is_some_and(|at| at >= moment)
    }

    /// Requests without an answer between so many killmails and the next one.
    pub(in super::super) fn unanswered(&self, killmails: usize) -> usize {
        let broken = self.broken.iter().filter(|it| **it == killmails).count();
        broken + usize::from(self.asked && self.got.len() == killmails)
    }

    /// A process has it.
    pub(super) fn reached(&mut self) {
        if let Some(since) = self.failing_since.take() {
            self.unreachable = self.unreachable.max(since.elapsed());
        }
    }

    /// No process would have it, or the connection broke.
    pub(super) fn failed(&mut self, error: &anyhow::Error) {
        self.failing_since.get_or_insert_with(Instant::now);
        self.failure = format!("{error:#}");
    }
}
