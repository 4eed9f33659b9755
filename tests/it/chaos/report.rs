//! What a run came to.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::crowd::{Kind, Seat};
use super::kept::Life;
use super::schedule::Settings;
use super::stage::Stage;
use super::truth::{Audit, Truth};

/// Most listeners whose lack is told in detail.
const MOST_COMPLAINTS: usize = 10;

/// All listeners of a kind.
#[derive(Debug, Default)]
struct Row {
    listeners: usize,
    connections: usize,
    audit: Audit,
    repeats: usize,
    /// When the first of them got each killmail.
    first: HashMap<i64, Instant>,
    /// From a killmail's publication to that, at the longest.
    latest: Duration,
    unreachable: Duration,
}

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Report {
    settings: Settings,
    diary: Vec<String>,
    left_out: Vec<&'static str>,
    published: Vec<i64>,
    truth: Truth,
    upstream_faults: usize,
    lives: [Life; 2],
    rows: BTreeMap<Kind, Row>,
    complaints: Vec<String>,
    logs: Option<String>,
}

impl Report {
    pub(super) fn new(
        settings: &Settings,
        stage: &Stage,
        truth: &Truth,
        listeners: &[Arc<Seat>],
    ) -> Self {
        let published = stage.published.lock().unwrap().clone();
        let requests = stage.simulator.requests();
        let mut report = Self {
            settings: *settings,
            diary: stage.diary.lock().unwrap().clone(),
            left_out: left_out(stage),
            published: published.keys().copied().collect(),
            truth: truth.clone(),
            upstream_faults: requests.iter().filter(|it| it.fault.is_some()).count(),
            lives: stage.services.each_ref().map(super::kept::Kept::life),
            rows: BTreeMap::new(),
            complaints: Vec::new(),
            logs: None,
        };
        report.published.sort_unstable();
        for seat in listeners {
            report.count(seat);
        }
        for row in report.rows.values_mut() {
            let waits = row.first.iter().filter_map(|(id, at)| {
                let published = published.get(id)?;
                Some(at.saturating_duration_since(*published))
            });
            row.latest = waits.max().unwrap_or_default();
        }
        if report.is_bad() {
            report.logs = Some(stage.keep_logs().display().to_string());
        }
        report
    }

    fn count(&mut self, seat: &Seat) {
        let record = seat.record();
        let audit = self.truth.audit(seat, &record);
        if audit.lost + audit.doubled + audit.wrong > 0 && self.complaints.len() < MOST_COMPLAINTS {
            let last = record.got.last().map_or(0, |got| got.sequence);
            self.complaints.push(format!(
                "{} {}: {audit:?}, last {last}, {}",
                seat.kind.name(),
                seat.name(),
                record.failure
            ));
        }
        let row = self.rows.entry(seat.kind).or_default();
        row.listeners += 1;
        row.connections += record.connections;
        row.repeats += record.repeats;
        row.unreachable = row.unreachable.max(record.unreachable);
        row.audit.add(&audit);
        for got in &record.got {
            let first = row.first.entry(got.killmail_id).or_insert(got.at);
            *first = got.at.min(*first);
        }
    }

    fn events(&self) -> Vec<i64> {
        let events = self.truth.events.values();
        let mut events: Vec<i64> = events.map(|event| event.killmail_id).collect();
        events.sort_unstable();
        events
    }

    fn is_bad(&self) -> bool {
        !self.complaints.is_empty()
            || self.truth.stored != self.published
            || self.events() != self.published
            || self.lives.iter().any(|life| !life.died.is_empty())
    }

    /// Nothing is lost, nothing is doubled, and no process ended by itself.
    pub(super) fn check(&self) {
        assert_eq!(
            self.truth.stored, self.published,
            "stored once is what was published"
        );
        assert_eq!(
            self.events(),
            self.published,
            "each has one event in the feed"
        );
        assert!(
            self.complaints.is_empty(),
            "lost or doubled, see the report"
        );
        for life in &self.lives {
            assert!(life.died.is_empty(), "{life:?}");
        }
    }
}

fn left_out(stage: &Stage) -> Vec<&'static str> {
    let disk = stage.disk.try_lock().expect("nobody fills the disk");
    let mut left_out = Vec::new();
    if !disk.can_be_filled() {
        left_out.push("left out: a full disk, because no mount is allowed here");
    }
    if stage.clock.is_none() {
        left_out.push("left out: clock jumps, because libfaketime is not installed here");
    }
    left_out
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { seconds, seed, .. } = self.settings;
        writeln!(f, "chaos of seed {seed} for {seconds} s")?;
        for line in &self.diary {
            writeln!(f, "{line}")?;
        }
        for line in &self.left_out {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "upstream requests that failed: {}", self.upstream_faults)?;
        for (number, life) in (1..).zip(&self.lives) {
            writeln!(
                f,
                "process {number}: {} starts, {} kills, {} starts given up, died {:?}",
                life.starts, life.kills, life.gave_up, life.died
            )?;
        }
        writeln!(
            f,
            "killmails published: {}, stored: {}, events: {} and {} of changes",
            self.published.len(),
            self.truth.stored.len(),
            self.truth.events.len(),
            self.truth.updates.len()
        )?;
        self.table(f)?;
        for complaint in &self.complaints {
            writeln!(f, "{complaint}")?;
        }
        if let Some(logs) = &self.logs {
            writeln!(f, "the logs of the processes: {logs}")?;
        }
        Ok(())
    }
}

impl Report {
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20}{:>9}{:>12}{:>9}{:>10}{:>6}{:>8}{:>11}{:>9}{:>13}{:>13}",
            "kind",
            "listeners",
            "connections",
            "wanted",
            "delivered",
            "lost",
            "doubled",
            "on the way",
            "repeated",
            "latest first",
            "unreachable"
        )?;
        for (kind, row) in &self.rows {
            writeln!(
                f,
                "{:<20}{:>9}{:>12}{:>9}{:>10}{:>6}{:>8}{:>11}{:>9}{:>11.1} s{:>11.1} s",
                kind.name(),
                row.listeners,
                row.connections,
                row.audit.wanted,
                row.audit.delivered,
                row.audit.lost,
                row.audit.doubled + row.audit.wrong,
                row.audit.on_the_way,
                row.repeats,
                row.latest.as_secs_f64(),
                row.unreachable.as_secs_f64()
            )?;
        }
        let latest = self.rows.values().map(|row| row.latest).max();
        let unreachable = self.rows.values().map(|row| row.unreachable).max();
        writeln!(
            f,
            "longest outage: {:.1} s from publication to the first delivery of a kind, {:.1} s without a process that answers",
            latest.unwrap_or_default().as_secs_f64(),
            unreachable.unwrap_or_default().as_secs_f64()
        )
    }
}
