//! What became of the documents of an import, in numbers.

use std::fmt;
use std::ops::AddAssign;

use crate::ingest::envelope::Outcome;
use crate::store::killmails::Change;

/// Counts by outcome. `read` is the sum of all the others once an import is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Documents handed to the pipeline.
    pub read: u64,
    /// Killmails not stored before.
    pub new: u64,
    /// Killmails stored before, with other values or labels now.
    pub updated: u64,
    /// Killmails stored before, with nothing new.
    pub unchanged: u64,
    /// Killmails whose id is stored with another time; not written.
    pub conflicts: u64,
    /// Documents that are no killmail, kept as dead letters.
    pub dead_letters: u64,
    /// References whose body could not be fetched, kept as gaps.
    pub deferred: u64,
    /// Killmails from before the time that is kept; not written.
    pub expired: u64,
    /// Documents that say there is nothing (`{"package":null}`).
    pub empty: u64,
    /// Documents the pipeline stopped over.
    pub unanswered: u64,
}

impl Summary {
    /// Counts one answer of the pipeline; `None` when it stopped without one.
    pub(in crate::ingest) fn count(&mut self, outcome: Option<&Outcome>) {
        let counter = match outcome {
            Some(Outcome::Stored { change, .. }) => match change {
                Change::New => &mut self.new,
                Change::Updated => &mut self.updated,
                Change::Unchanged => &mut self.unchanged,
                Change::Conflict => &mut self.conflicts,
            },
            Some(Outcome::DeadLetter { .. }) => &mut self.dead_letters,
            Some(Outcome::Deferred) => &mut self.deferred,
            Some(Outcome::Expired) => &mut self.expired,
            Some(Outcome::Nothing) => &mut self.empty,
            None => &mut self.unanswered,
        };
        *counter += 1;
    }

    fn parts(&self) -> [(&'static str, u64); 9] {
        [
            ("new", self.new),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("conflicts", self.conflicts),
            ("dead letters", self.dead_letters),
            ("deferred", self.deferred),
            ("older than kept", self.expired),
            ("empty", self.empty),
            ("unanswered", self.unanswered),
        ]
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.new += other.new;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.conflicts += other.conflicts;
        self.dead_letters += other.dead_letters;
        self.deferred += other.deferred;
        self.expired += other.expired;
        self.empty += other.empty;
        self.unanswered += other.unanswered;
    }
}

impl fmt::Display for Summary {
    /// `7 read = 5 new + 0 updated + 1 unchanged + 1 dead letters`; the rarer outcomes only where they
    /// occurred.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} read =", self.read)?;
        let always = ["new", "updated", "unchanged", "dead letters"];
        let shown = self
            .parts()
            .into_iter()
            .filter(|(name, count)| *count > 0 || always.contains(name));
        for (index, (name, count)) in shown.enumerate() {
            let sign = if index == 0 { "" } else { " +" };
            write!(formatter, "{sign} {count} {name}")?;
        }
        Ok(())
    }
}
