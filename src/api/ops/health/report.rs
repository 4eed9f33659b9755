//! What was seen, judged and written down. Pure.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::staleness::{is_downtime, silence};
use crate::api::limits::{
    FEED_LAG_DEGRADED, LEAST_DISK_BYTES, LITTLE_DISK_BYTES, SILENT_FOLLOWER, SILENT_SOURCE,
    SILENT_TAIL,
};
use crate::api::probe::LiveStanding;
use crate::domain::FeedSequence;
use crate::feed::Status;
use crate::runtime::disk::Space;
use crate::store::feed::Bounds;
use crate::store::health::{IngestStatus, SourceStatus, WebhookCounts, WorkStatus};

/// What the database said.
pub(super) struct Seen {
    pub(super) log: Bounds,
    pub(super) ingest: IngestStatus,
    pub(super) work: WorkStatus,
}

/// How the parts of this process stand.
pub(super) struct Standing {
    pub(super) feed: Status,
    pub(super) live: Option<LiveStanding>,
    /// Whether ESI can be asked; nothing where it never is.
    pub(super) esi: Option<bool>,
    pub(super) replica: Option<Replica>,
    pub(super) disk: Option<Space>,
}

/// A replica, in order or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replica {
    /// The newest event that it is known to hold; nothing while it is not read from.
    pub(super) head: Option<FeedSequence>,
}

/// How a part does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// All is well.
    Ok,
    /// It does its work badly, and nothing done here would mend that.
    Degraded,
    /// A restart or an operator has to mend it.
    Error,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Error => "error",
        }
    }
}

/// Whether this process can do its work, and the body that says so.
pub(super) fn report(
    seen: Option<&Seen>,
    standing: &Standing,
    now: DateTime<Utc>,
) -> (bool, Value) {
    let parts = [
        ("database", database(seen)),
        ("feed", feed(seen, &standing.feed, now)),
        ("ingest", ingest(seen, standing.live, now)),
        ("enrichment", enrichment(seen, standing, now)),
        ("webhooks", webhooks(seen)),
        ("replica", replica(standing.replica)),
        ("disk", disk(standing.disk)),
    ];
    let worst = parts.iter().map(|(_, (verdict, _))| *verdict).max();
    let worst = worst.unwrap_or(Verdict::Ok);
    let healthy = worst < Verdict::Error;
    let details: serde_json::Map<String, Value> = parts
        .into_iter()
        .map(|(name, (_, details))| (name.to_owned(), details))
        .collect();
    let body = json!({
        "healthy": healthy,
        "status": worst.word(),
        "details": details,
        "timestamp": text(now),
    });
    (healthy, body)
}

fn database(seen: Option<&Seen>) -> (Verdict, Value) {
    let verdict = if seen.is_some() {
        Verdict::Ok
    } else {
        Verdict::Error
    };
    (verdict, json!({ "healthy": seen.is_some() }))
}

fn feed(seen: Option<&Seen>, feed: &Status, now: DateTime<Utc>) -> (Verdict, Value) {
    let lag = seen.map(|seen| lag(&seen.log, feed));
    let looking = is_looking(feed, now);
    let verdict = match (looking, lag) {
        (false, _) => Verdict::Error,
        (true, Some(lag)) if lag > FEED_LAG_DEGRADED => Verdict::Degraded,
        (true, _) => Verdict::Ok,
    };
    let details = json!({
        "healthy": verdict == Verdict::Ok,
        "head": feed.head,
        "floor": feed.floor,
        "lag_events": lag,
        "listening": feed.listening,
        "readers": feed.readers,
        "last_look": feed.last_look.map(text),
    });
    (verdict, details)
}

/// How many events this process is behind the log.
pub(super) fn lag(log: &Bounds, feed: &Status) -> i64 {
    (log.head.0 - feed.head.0).max(0)
}

/// Whether the tail has read the log lately.
pub(super) fn is_looking(feed: &Status, now: DateTime<Utc>) -> bool {
    let patience = feed
        .look_every
        .saturating_mul(2)
        .saturating_add(SILENT_TAIL);
    // A look that lies ahead of now is a clock that was set back.
    feed.last_look.is_some_and(|last| {
        (now - last).to_std().is_ok_and(|since| since <= patience) || last > now
    })
}

/// What is wrong with what comes in; a source that has nothing new, or that another process follows, is nothing
/// that could be mended here.
fn wrong_with(
    source: Option<&SourceStatus>,
    live: &LiveStanding,
    now: DateTime<Utc>,
) -> Option<(Verdict, &'static str)> {
    if let Some(obstacle) = live.obstacle {
        return Some((Verdict::Error, obstacle.reason));
    }
    if live
        .last_answer
        .is_some_and(|last| now - last > SILENT_FOLLOWER)
    {
        return Some((Verdict::Error, "no_answer"));
    }
    // Who has read nothing yet is measured by when it began.
    let moved = source
        .filter(|source| source.position.is_some())
        .map_or(live.last_answer, |source| Some(source.updated_at))?;
    (silence(moved, now) > SILENT_SOURCE).then_some((Verdict::Degraded, "stale"))
}

fn ingest(seen: Option<&Seen>, live: Option<LiveStanding>, now: DateTime<Utc>) -> (Verdict, Value) {
    // Without the database there is nothing to tell, and it is the database that has to be mended.
    let Some(Seen { ingest, .. }) = seen else {
        return (Verdict::Ok, Value::Null);
    };
    let wrong = live.and_then(|live| {
        let source = ingest.sources.iter().find(|it| it.source == live.source);
        wrong_with(source, &live, now)
    });
    let obstacle = live.and_then(|live| live.obstacle);
    let details = json!({
        "healthy": wrong.is_none(),
        "reason": wrong.map(|(_, reason)| reason),
        "until": obstacle.map(|obstacle| text(obstacle.until)),
        "source": live.map(|live| live.source),
        "follows": live.is_some_and(|live| live.last_answer.is_some()),
        "sources": ingest.sources.iter().map(|source| source_details(source, now)).collect::<Vec<_>>(),
        "newest_killmail": ingest.newest_killmail.map(text),
        "dead_letters": ingest.dead_letters,
    });
    (wrong.map_or(Verdict::Ok, |(verdict, _)| verdict), details)
}

fn source_details(source: &SourceStatus, now: DateTime<Utc>) -> Value {
    json!({
        "source": source.source,
        "position": source.position,
        "updated_at": text(source.updated_at),
        "age_seconds": (now - source.updated_at).num_seconds().max(0),
        "open_gaps": source.open_gaps,
    })
}

fn enrichment(seen: Option<&Seen>, standing: &Standing, now: DateTime<Utc>) -> (Verdict, Value) {
    let Some(Seen { work, .. }) = seen else {
        return (Verdict::Ok, Value::Null);
    };
    let Standing { live, esi, .. } = standing;
    // Who follows no source has nothing to enrich.
    let reason = if live.is_none() {
        None
    } else if !work.has_reference_data {
        Some("no_reference_data")
    } else if *esi == Some(false) && !is_downtime(now) {
        Some("esi_unavailable")
    } else {
        None
    };
    let details = json!({
        "healthy": reason.is_none(),
        "reason": reason,
        "asks_esi": esi,
        "pending_documents": work.pending_documents,
    });
    let verdict = reason.map_or(Verdict::Ok, |_| Verdict::Degraded);
    (verdict, details)
}

fn webhooks(seen: Option<&Seen>) -> (Verdict, Value) {
    let Some(Seen { work, log, .. }) = seen else {
        return (Verdict::Ok, Value::Null);
    };
    let WebhookCounts {
        active,
        retrying,
        paused,
        furthest_back,
    } = work.webhooks;
    let lag = furthest_back.map_or(0, |cursor| (log.head.0 - cursor).max(0));
    let healthy = lag <= FEED_LAG_DEGRADED;
    let details = json!({
        "healthy": healthy,
        "active": active,
        "retrying": retrying,
        "paused": paused,
        "lag_events": lag,
    });
    let verdict = if healthy {
        Verdict::Ok
    } else {
        Verdict::Degraded
    };
    (verdict, details)
}

/// A replica that is left alone is mended where it runs: queries go to the primary until then.
fn replica(replica: Option<Replica>) -> (Verdict, Value) {
    let Some(Replica { head }) = replica else {
        return (Verdict::Ok, Value::Null);
    };
    let verdict = head.map_or(Verdict::Degraded, |_| Verdict::Ok);
    let details = json!({
        "healthy": head.is_some(),
        "head": head,
    });
    (verdict, details)
}

fn disk(space: Option<Space>) -> (Verdict, Value) {
    let Some(Space { free, total }) = space else {
        return (Verdict::Ok, Value::Null);
    };
    let verdict = if free < LEAST_DISK_BYTES {
        Verdict::Error
    } else if free < LITTLE_DISK_BYTES {
        Verdict::Degraded
    } else {
        Verdict::Ok
    };
    let details = json!({
        "healthy": verdict == Verdict::Ok,
        "free_bytes": free,
        "total_bytes": total,
    });
    (verdict, details)
}

pub(super) fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests;
