//! Everything published so far, and what is published next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use serde::Serialize;

use super::config::SimulatorConfig;
use super::generator::{Generator, Habits};
use super::source::{Error, Source};
use crate::domain::{Killmail, KillmailHash};

/// One killmail that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Published {
    /// R2Z2's number.
    pub sequence: i64,
    /// ESI's id.
    pub killmail_id: i64,
    /// ESI's hash.
    pub hash: Option<KillmailHash>,
    /// When the ship was lost.
    pub killmail_time: DateTime<Utc>,
}

/// A numbered document of R2Z2.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) killmail: Arc<Killmail>,
    pub(crate) uploaded_at: DateTime<Utc>,
    /// The number of an earlier document that was uploaded again.
    pub(crate) updated: Option<i64>,
}

/// The published killmails and their indexes. Bounded by `keep`.
#[derive(Debug)]
pub(crate) struct World {
    source: Source,
    keep: usize,
    start_time: Option<DateTime<Utc>>,
    pace: std::time::Duration,
    sequence_lag: i64,
    first_sequence: i64,
    next_sequence: i64,
    sequence_shown: i64,
    documents: BTreeMap<i64, Document>,
    killmails: BTreeMap<i64, Arc<Killmail>>,
    days: BTreeMap<NaiveDate, BTreeSet<i64>>,
    /// Earlier numbers uploaded again; each new document names one.
    updated: VecDeque<i64>,
}

impl World {
    pub(crate) fn new(config: &SimulatorConfig) -> Result<Self, Error> {
        let mut world = Self {
            source: Source::open(config)?,
            keep: config.keep.max(1),
            start_time: config.start_time,
            pace: config.pace,
            sequence_lag: config.sequence_lag.max(0),
            first_sequence: config.first_sequence,
            next_sequence: config.first_sequence,
            sequence_shown: config.first_sequence - 1,
            documents: BTreeMap::new(),
            killmails: BTreeMap::new(),
            days: BTreeMap::new(),
            updated: VecDeque::new(),
        };
        world.add_history(config);
        Ok(world)
    }

    /// Past days: in archives, history and REST, but too old for numbered documents.
    fn add_history(&mut self, config: &SimulatorConfig) {
        let start = config.start_time.unwrap_or_else(|| config.clock.now());
        let today = start.date_naive();
        let total = i64::from(config.history_days) * i64::from(config.history_per_day);
        // Ids grow by two on average and by three at most.
        let first = (config.first_killmail_id - total * 3 - 1).max(1);
        let seed = config.seed ^ 0x5eed_0000;
        let mut generator = Generator::with(seed, first, Habits::NONE);
        let gap = 86_400 / i64::from(config.history_per_day.max(1));
        for back in (1..=i64::from(config.history_days)).rev() {
            let midnight = (today - Duration::days(back))
                .and_time(NaiveTime::MIN)
                .and_utc();
            for at in 0..i64::from(config.history_per_day) {
                let killmail = generator.at(midnight + Duration::seconds(at * gap));
                self.remember(Arc::new(killmail));
            }
        }
    }

    /// Publishes the next killmail under the next number.
    pub(crate) fn publish(&mut self, now: DateTime<Utc>) -> Option<Published> {
        let time = self.publishing_time(now);
        let killmail = Arc::new(self.source.next(time)?);
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let document = Document {
            killmail: Arc::clone(&killmail),
            uploaded_at: time,
            updated: self.updated.pop_front(),
        };
        self.documents.insert(sequence, document);
        if self.documents.len() > self.keep {
            self.documents.pop_first();
        }
        if sequence - self.sequence_shown > self.sequence_lag {
            self.sequence_shown = sequence;
        }
        let published = published(sequence, &killmail);
        self.remember(killmail);
        Some(published)
    }

    fn publishing_time(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let Some(start) = self.start_time else {
            return now;
        };
        let done = u32::try_from(self.next_sequence - self.first_sequence).unwrap_or(u32::MAX);
        let passed = Duration::from_std(self.pace.saturating_mul(done)).unwrap_or_default();
        start + passed
    }

    fn remember(&mut self, killmail: Arc<Killmail>) {
        let id = killmail.killmail_id;
        let day = killmail.killmail_time.date_naive();
        self.days.entry(day).or_default().insert(id);
        self.killmails.insert(id, killmail);
        if self.killmails.len() > self.keep
            && let Some((id, forgotten)) = self.killmails.pop_first()
        {
            let day = forgotten.killmail_time.date_naive();
            if let Some(ids) = self.days.get_mut(&day) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.days.remove(&day);
                }
            }
        }
    }

    /// Puts another killmail under a number that is taken: the old one was deleted upstream.
    pub(crate) fn reuse(&mut self, sequence: i64, now: DateTime<Utc>) -> Option<Published> {
        let time = self.publishing_time(now);
        let killmail = Arc::new(self.source.next(time)?);
        let document = self.documents.get_mut(&sequence)?;
        document.killmail = Arc::clone(&killmail);
        document.uploaded_at = time;
        let published = published(sequence, &killmail);
        self.remember(killmail);
        Some(published)
    }

    /// Uploads a number again with one more label; the next new document says so.
    pub(crate) fn relabel(&mut self, sequence: i64, label: &str, now: DateTime<Utc>) -> bool {
        let time = self.publishing_time(now);
        let Some(document) = self.documents.get_mut(&sequence) else {
            return false;
        };
        let mut killmail = Killmail::clone(&document.killmail);
        let zkb = killmail.zkb.get_or_insert_default();
        zkb.labels.get_or_insert_default().push(label.to_owned());
        let killmail = Arc::new(killmail);
        document.killmail = Arc::clone(&killmail);
        document.uploaded_at = time;
        self.updated.push_back(sequence);
        self.remember(killmail);
        true
    }

    pub(crate) fn document(&self, sequence: i64) -> Option<Document> {
        self.documents.get(&sequence).cloned()
    }

    /// Documents from a number on, oldest first.
    pub(crate) fn documents_from(&self, sequence: i64, limit: usize) -> Vec<(i64, Arc<Killmail>)> {
        self.documents
            .range(sequence..)
            .take(limit)
            .map(|(sequence, it)| (*sequence, Arc::clone(&it.killmail)))
            .collect()
    }

    pub(crate) fn next_sequence(&self) -> i64 {
        self.next_sequence
    }

    /// What `sequence.json` shows: up to the lag behind.
    pub(crate) fn sequence_shown(&self) -> i64 {
        self.sequence_shown
    }

    pub(crate) fn killmail(&self, id: i64) -> Option<Arc<Killmail>> {
        self.killmails.get(&id).cloned()
    }

    /// All killmails, newest id first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Arc<Killmail>> {
        self.killmails.values().rev()
    }

    /// The killmails of one day, by id.
    pub(crate) fn day(&self, day: NaiveDate) -> Vec<Arc<Killmail>> {
        self.days
            .get(&day)
            .into_iter()
            .flatten()
            .filter_map(|id| self.killmail(*id))
            .collect()
    }

    /// Days with their counts.
    pub(crate) fn day_counts(&self) -> Vec<(NaiveDate, usize)> {
        self.days
            .iter()
            .map(|(day, ids)| (*day, ids.len()))
            .collect()
    }

    /// Everything under a number, by number.
    pub(crate) fn published(&self) -> Vec<Published> {
        self.documents
            .iter()
            .map(|(sequence, it)| published(*sequence, &it.killmail))
            .collect()
    }

    pub(crate) fn kept(&self) -> usize {
        self.killmails.len()
    }
}

fn published(sequence: i64, killmail: &Killmail) -> Published {
    Published {
        sequence,
        killmail_id: killmail.killmail_id,
        hash: killmail.hash,
        killmail_time: killmail.killmail_time,
    }
}
