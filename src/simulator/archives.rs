//! Days of history made on request: the same seed and day give the same killmails, however often they are asked for.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;

use bytes::Bytes;
use bzip2::Compression;
use bzip2::write::BzEncoder;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use tokio_tar::Header;

use super::generator::{Generator, Habits};
use super::render;
use crate::domain::Killmail;

/// Ids kept for each day; a generator uses three a killmail at most.
const IDS_PER_DAY: i64 = 100_000;
/// The most killmails of a day: twice the busiest day of a usual year.
const MAX_PER_DAY: u32 = 33_000;
/// Bytes of packed days that are kept: some twenty usual days.
const MAX_CACHED_BYTES: usize = 64 * 1024 * 1024;
/// Seconds between two killmails of a day.
const GAP_SECONDS: i64 = 5;
const DAY_SECONDS: i64 = 86_400;
/// Size of a block of tar.
const BLOCK: usize = 512;

/// Which days of history a simulator has beside what it publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archives {
    /// The first day.
    pub first: NaiveDate,
    /// Killmails of each day from it on, at most 33,000.
    pub sizes: Vec<u32>,
    /// Ids begin here; each day has 100,000 of its own.
    pub first_killmail_id: i64,
    /// Decides what happens on the days.
    pub seed: u64,
}

impl Archives {
    /// As many killmails on each of `days` days, with ids far below those of what is published.
    pub fn even(first: NaiveDate, days: usize, per_day: u32) -> Self {
        Self {
            first,
            sizes: vec![per_day; days],
            first_killmail_id: 50_000_001,
            seed: 1,
        }
    }

    /// The killmails of a day, by id, in the number that is set or in another one: a longer list begins as the
    /// shorter one does.
    pub fn killmails(&self, day: NaiveDate, number: u32) -> impl Iterator<Item = Killmail> {
        let place = day.signed_duration_since(self.first).num_days();
        let seed = self.seed ^ place.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let first_id = self.first_killmail_id + place * IDS_PER_DAY;
        let mut generator = Generator::with(seed, first_id, Habits::NONE);
        let midnight = day.and_time(NaiveTime::MIN).and_utc();
        (0..i64::from(number.min(MAX_PER_DAY))).map(move |at| {
            let seconds = Duration::seconds(at * GAP_SECONDS % DAY_SECONDS);
            generator.at(midnight + seconds)
        })
    }

    /// How many killmails a day has; `None` where it has none.
    pub fn size(&self, day: NaiveDate) -> Option<u32> {
        let place = day.signed_duration_since(self.first).num_days();
        let size = self.sizes.get(usize::try_from(place).ok()?)?;
        (*size > 0).then_some(*size)
    }

    /// The archive of a day, as EVE Ref packs it.
    ///
    /// # Errors
    /// None in practice: it is written into memory.
    pub fn archive(&self, day: NaiveDate, number: u32) -> std::io::Result<Vec<u8>> {
        pack(self.killmails(day, number))
    }
}

/// Packs killmails as EVE Ref does, one after the other: only the packed bytes are kept.
pub(crate) fn pack(killmails: impl Iterator<Item = Killmail>) -> std::io::Result<Vec<u8>> {
    let mut encoder = BzEncoder::new(Vec::new(), Compression::fast());
    for killmail in killmails {
        let body = render::everef(&killmail).to_string();
        let mut header = Header::new_gnu();
        header.set_path(format!("killmails/{}.json", killmail.killmail_id))?;
        header.set_size(u64::try_from(body.len()).unwrap_or_default());
        header.set_mode(0o644);
        header.set_cksum();
        encoder.write_all(header.as_bytes())?;
        encoder.write_all(body.as_bytes())?;
        let rest = body.len().next_multiple_of(BLOCK) - body.len();
        encoder.write_all([0; BLOCK].get(..rest).unwrap_or_default())?;
    }
    encoder.write_all(&[0; 2 * BLOCK])?;
    encoder.finish()
}

/// Who serves days of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HistoryServer {
    /// EVE Ref's archives.
    EveRef,
    /// R2Z2's files.
    R2z2,
}

/// The days as they are served: with what has been changed about them.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    archives: Option<Archives>,
    /// Size and number of the change, by server and day.
    changed: BTreeMap<(HistoryServer, NaiveDate), (u32, u32)>,
    /// What a server's totals say instead of the day's size.
    miscounted: BTreeMap<(HistoryServer, NaiveDate), usize>,
    packed: VecDeque<(String, Bytes)>,
}

/// A day as it is served now.
#[derive(Debug, Clone)]
pub(crate) struct Shelved {
    pub(crate) archives: Archives,
    pub(crate) day: NaiveDate,
    pub(crate) size: u32,
    change: u32,
}

impl Shelf {
    pub(crate) fn new(archives: Option<Archives>) -> Self {
        Self {
            archives,
            ..Self::default()
        }
    }

    pub(crate) fn day(&self, server: HistoryServer, day: NaiveDate) -> Option<Shelved> {
        let archives = self.archives.as_ref()?;
        let (size, change) = match self.changed.get(&(server, day)) {
            Some(changed) => *changed,
            None => (archives.size(day)?, 0),
        };
        Some(Shelved {
            archives: archives.clone(),
            day,
            size,
            change,
        })
    }

    /// All days with the sizes that a server tells.
    pub(crate) fn sizes(&self, server: HistoryServer) -> Vec<(NaiveDate, usize)> {
        let days = self.archives.iter().flat_map(|archives| {
            let days = std::iter::successors(Some(archives.first), NaiveDate::succ_opt);
            days.take(archives.sizes.len())
        });
        days.filter_map(|day| {
            let size = usize::try_from(self.day(server, day)?.size).ok()?;
            let told = self.miscounted.get(&(server, day)).copied();
            Some((day, told.unwrap_or(size)))
        })
        .collect()
    }

    /// Gives a day of a server another size, and another version even where the size is the same.
    pub(crate) fn resize(&mut self, server: HistoryServer, day: NaiveDate, size: u32) {
        let change = self.day(server, day).map_or(0, |it| it.change) + 1;
        self.changed.insert((server, day), (size, change));
    }

    /// Lets a server's totals say something else than its files have.
    pub(crate) fn miscount(&mut self, server: HistoryServer, day: NaiveDate, told: usize) {
        self.miscounted.insert((server, day), told);
    }

    /// A packed day, where it is kept.
    pub(crate) fn packed(&self, tag: &str) -> Option<Bytes> {
        let found = self.packed.iter().find(|(kept, _)| kept == tag);
        found.map(|(_, bytes)| bytes.clone())
    }

    /// Keeps a packed day; the oldest go where there are too many.
    pub(crate) fn keep(&mut self, tag: String, bytes: Bytes) {
        self.packed.push_back((tag, bytes));
        let total = |packed: &VecDeque<(String, Bytes)>| -> usize {
            packed.iter().map(|(_, bytes)| bytes.len()).sum()
        };
        while total(&self.packed) > MAX_CACHED_BYTES {
            self.packed.pop_front();
        }
    }
}

impl Shelved {
    pub(crate) fn killmails(&self) -> impl Iterator<Item = Killmail> {
        self.archives.killmails(self.day, self.size)
    }

    /// Tells versions apart.
    pub(crate) fn tag(&self) -> String {
        format!("\"{}-{}-{}\"", self.day, self.size, self.change)
    }

    /// When this version was written.
    pub(crate) fn written_at(&self) -> DateTime<Utc> {
        let hours = 27 + i64::from(self.change);
        self.day.and_time(NaiveTime::MIN).and_utc() + Duration::hours(hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 2, number).unwrap()
    }

    #[test]
    fn a_day_is_the_same_every_time_and_grows_at_its_end() {
        let archives = Archives::even(day(1), 3, 4);
        let ids = |day, number| -> Vec<i64> {
            (archives.killmails(day, number).map(|it| it.killmail_id)).collect()
        };
        let once: Vec<Killmail> = archives.killmails(day(2), 4).collect();
        assert_eq!(once, archives.killmails(day(2), 4).collect::<Vec<_>>());
        assert_eq!(ids(day(2), 4), ids(day(2), 6)[..4]);
        assert!(ids(day(1), 4).iter().all(|id| !ids(day(2), 4).contains(id)));
        assert_eq!(once[0].killmail_time.date_naive(), day(2));
        assert_eq!(
            (archives.size(day(3)), archives.size(day(4))),
            (Some(4), None)
        );
    }

    #[test]
    fn a_change_makes_another_version() {
        let mut shelf = Shelf::new(Some(Archives::even(day(1), 2, 4)));
        let server = HistoryServer::EveRef;
        let tag = |shelf: &Shelf| shelf.day(server, day(1)).unwrap().tag();
        let before = tag(&shelf);
        shelf.resize(server, day(1), 4);
        assert_ne!(tag(&shelf), before);
        shelf.resize(server, day(1), 2);
        assert_eq!(shelf.sizes(server), [(day(1), 2), (day(2), 4)]);
        shelf.miscount(HistoryServer::R2z2, day(2), 5);
        let other = shelf.sizes(HistoryServer::R2z2);
        assert_eq!(other, [(day(1), 4), (day(2), 5)]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut shelf = Shelf::default();
        for number in 0..3 {
            shelf.keep(
                number.to_string(),
                Bytes::from(vec![0; MAX_CACHED_BYTES / 2]),
            );
        }
        assert_eq!(shelf.packed("0"), None);
        assert!(shelf.packed("2").is_some());
    }
}
