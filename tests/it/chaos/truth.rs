//! What is in the database, and how a listener's record compares.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use super::crowd::{Kind, Record, Seat};
use super::stage::Stage;

/// Between two looks at the database.
const LOOK: Duration = Duration::from_millis(100);

/// One killmail's event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) killmail_id: i64,
    pub(super) system: i64,
}

/// What the database holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Truth {
    /// The ids of all rows, in order.
    pub(super) stored: Vec<i64>,
    /// The feed's events of new killmails, by sequence.
    pub(super) events: BTreeMap<i64, Event>,
    /// Sequences of changes of known killmails.
    pub(super) updates: BTreeSet<i64>,
}

impl Truth {
    /// Reads it once everything published is there.
    pub(super) async fn complete(stage: &Stage) -> Self {
        let published = stage.published.lock().unwrap().len();
        loop {
            if let Ok(truth) = Self::try_read(stage).await
                && truth.stored.len() >= published
                && truth.events.len() >= published
            {
                return truth;
            }
            sleep(LOOK).await;
        }
    }

    /// Reads it as it is.
    pub(super) async fn read(stage: &Stage) -> Self {
        Self::try_read(stage).await.unwrap()
    }

    async fn try_read(stage: &Stage) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect(stage.database.url()).await?;
        let stored = sqlx::query_scalar("SELECT killmail_id FROM killmails ORDER BY 1")
            .fetch_all(&mut connection)
            .await?;
        let rows: Vec<(i64, i64, i64, bool)> = sqlx::query_as(
            "SELECT sequence, killmail_id, solar_system_id, kind::text = 'new' FROM feed",
        )
        .fetch_all(&mut connection)
        .await?;
        connection.close().await?;
        let mut truth = Self {
            stored,
            ..Self::default()
        };
        for (sequence, killmail_id, system, is_new) in rows {
            if is_new {
                let event = Event {
                    killmail_id,
                    system,
                };
                truth.events.insert(sequence, event);
            } else {
                truth.updates.insert(sequence);
            }
        }
        Ok(truth)
    }

    /// Compares what a listener got with what it wanted.
    pub(super) fn audit(&self, seat: &Seat, record: &Record) -> Audit {
        let wanted = self
            .events
            .iter()
            .filter(|(_, event)| seat.wants(event.system));
        let wanted: BTreeSet<i64> = wanted.map(|(sequence, _)| *sequence).collect();
        let mut audit = Audit {
            wanted: wanted.len(),
            ..Audit::default()
        };
        let mut seen = BTreeSet::new();
        let mut last = 0;
        // What is still allowed to be missing. A poll that its client gave up may take its package at one process after
        // the next poll has taken one at the other.
        let mut on_the_way = 0;
        let most = seat.kind.lost_with_an_answer();
        for (number, got) in record.got.iter().enumerate() {
            on_the_way += record.unanswered(number) * most;
            if self.updates.contains(&got.sequence) {
                continue;
            }
            let event = self.events.get(&got.sequence);
            if !seen.insert(got.sequence) {
                audit.doubled += 1;
            } else if got.sequence < last
                || !wanted.contains(&got.sequence)
                || event.is_none_or(|event| event.killmail_id != got.killmail_id)
            {
                audit.wrong += 1;
            } else {
                let missing = wanted.range(last + 1..got.sequence).count();
                audit.missing(missing, on_the_way);
                on_the_way = on_the_way.saturating_sub(missing);
                last = got.sequence;
            }
        }
        on_the_way += record.unanswered(record.got.len()) * most;
        audit.missing(wanted.range(last + 1..).count(), on_the_way);
        audit.delivered = seen.intersection(&wanted).count();
        audit
    }
}

/// One listener's balance, or that of many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Audit {
    pub(super) wanted: usize,
    pub(super) delivered: usize,
    /// Never came, and should have.
    pub(super) lost: usize,
    /// Never came, and was in an answer that broke off: kinds without a cursor of the client's may lose those.
    pub(super) on_the_way: usize,
    /// Came again, without the mark of a repetition.
    pub(super) doubled: usize,
    /// Came out of order, unwanted, or as another killmail than the feed has.
    pub(super) wrong: usize,
}

impl Audit {
    fn missing(&mut self, missing: usize, explained: usize) {
        self.on_the_way += missing.min(explained);
        self.lost += missing.saturating_sub(explained);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.wanted += other.wanted;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.on_the_way += other.on_the_way;
        self.doubled += other.doubled;
        self.wrong += other.wrong;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth() -> Truth {
        let event = |killmail_id| Event {
            killmail_id,
            system: 1,
        };
        Truth {
            events: [(1, event(11)), (2, event(12)), (3, event(13))].into(),
            updates: [4].into(),
            ..Truth::default()
        }
    }

    fn audit(kind: Kind, record: &Record) -> [usize; 5] {
        let seat = Seat::new(kind, 0, vec![1]);
        let it = truth().audit(&seat, record);
        [it.delivered, it.lost, it.on_the_way, it.doubled, it.wrong]
    }

    fn record(got: &[(i64, i64)]) -> Record {
        let mut record = Record::default();
        for (sequence, killmail_id) in got {
            record.takes(*sequence, *killmail_id);
        }
        record
    }

    #[test]
    fn what_is_missing_twice_or_wrong_is_found() {
        let whole = [(1, 11), (2, 12), (3, 13), (4, 11)];
        let of = |got: &[(i64, i64)]| audit(Kind::Sse, &record(got));
        assert_eq!(of(&whole), [3, 0, 0, 0, 0]);
        assert_eq!(of(&[(1, 11), (3, 13)]), [2, 1, 0, 0, 0]);
        assert_eq!(of(&[(1, 11), (2, 12)]), [2, 1, 0, 0, 0]);
        assert_eq!(of(&[(1, 11), (2, 12), (2, 12), (3, 13)]), [3, 0, 0, 1, 0]);
        assert_eq!(of(&[(1, 11), (2, 99), (3, 13)])[4], 1);
        assert_eq!(of(&[(2, 12), (1, 11), (3, 13)])[4], 1);
    }

    #[test]
    fn an_answer_that_broke_off_explains_one_killmail_at_its_place() {
        let mut first = record(&[(1, 11)]);
        first.asks();
        first.asks();
        first.answered();
        first.takes(3, 13);
        assert_eq!(audit(Kind::RedisQ, &first), [2, 0, 1, 0, 0]);
        assert_eq!(audit(Kind::Sse, &first), [2, 1, 0, 0, 0]);
        let mut late = record(&[(1, 11), (3, 13)]);
        late.asks();
        assert_eq!(audit(Kind::RedisQ, &late), [2, 1, 0, 0, 0]);
    }
}
