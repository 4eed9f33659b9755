//! What became of a backfill, in numbers that add up.

use std::fmt;

use chrono::NaiveDate;

use crate::ingest::import::Summary;

/// What became of the days of a range and of their documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Days of the range: the sum of the following.
    pub days: u64,
    /// Days that were read to their end.
    pub filled: u64,
    /// Days whose file is the one that was read before.
    pub unchanged: u64,
    /// Days the source does not have (yet).
    pub absent: u64,
    /// Days that another run is at.
    pub busy: u64,
    /// Days that could not be read, with the reason.
    pub failed: Vec<(NaiveDate, String)>,
    /// What became of the documents that were read.
    pub documents: Summary,
    /// Days that had more documents before; nothing was deleted.
    pub shrunk: Vec<ShrunkDay>,
}

/// A day that has fewer documents than it once had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShrunkDay {
    /// The day.
    pub day: NaiveDate,
    /// Documents it has now.
    pub documents: u64,
    /// Documents it once had.
    pub before: u64,
}

impl Report {
    /// Days that nothing became of, because the run was stopped.
    pub fn left(&self) -> u64 {
        self.days.saturating_sub(self.settled())
    }

    /// Days that something became of.
    pub fn settled(&self) -> u64 {
        let failed = u64::try_from(self.failed.len()).unwrap_or(u64::MAX);
        self.filled + self.unchanged + self.absent + self.busy + failed
    }
}

impl fmt::Display for Report {
    /// `3 days = 2 filled + 1 unchanged + 0 absent + 0 failed; 7 read = 7 new + …`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            days,
            filled,
            unchanged,
            absent,
            busy,
            failed,
            documents,
            ..
        } = self;
        let failed = failed.len();
        write!(
            formatter,
            "{days} days = {filled} filled + {unchanged} unchanged + {absent} absent + {failed} failed"
        )?;
        for (count, name) in [(*busy, "busy elsewhere"), (self.left(), "left")] {
            if count > 0 {
                write!(formatter, " + {count} {name}")?;
            }
        }
        write!(formatter, "; {documents}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_add_up() {
        let day = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        let report = Report {
            days: 9,
            filled: 2,
            unchanged: 3,
            busy: 1,
            failed: vec![(day, "gone".to_owned())],
            ..Report::default()
        };
        assert_eq!(report.left(), 2);
        assert_eq!(
            report.to_string(),
            "9 days = 2 filled + 3 unchanged + 0 absent + 1 failed + 1 busy elsewhere + 2 left; \
             0 read = 0 new + 0 updated + 0 unchanged + 0 dead letters"
        );
    }
}
