//! The shapes of backfills, as schemas.

#![expect(dead_code, reason = "shapes of the document alone")]

use chrono::{DateTime, NaiveDate, Utc};
use utoipa::ToSchema;

/// Where days of history come from.
#[derive(ToSchema)]
#[schema(as = BackfillSource, rename_all = "snake_case")]
pub(super) enum Source {
    /// EVE Ref's day archives.
    Everef,
    /// zKillboard's history files on R2Z2.
    R2z2,
}

/// Days to fill.
#[derive(ToSchema)]
#[schema(as = BackfillRequest)]
pub(super) struct Request {
    /// First day, UTC.
    pub(super) from: NaiveDate,
    /// Last day, UTC.
    pub(super) to: NaiveDate,
    /// `everef` when absent.
    #[schema(required = false)]
    pub(super) source: Source,
}

/// How far a backfill has come.
#[derive(ToSchema)]
#[schema(as = BackfillOfDaysState, rename_all = "snake_case")]
pub(super) enum State {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Running,
    /// Every day is settled.
    Done,
    /// Some days could not be read; `error` says why.
    Failed,
    /// An operator stopped it.
    Cancelled,
}

/// A backfill, and how far it has come.
#[derive(ToSchema)]
#[schema(as = BackfillOfDays)]
pub(super) struct Backfill {
    /// Its number.
    #[schema(minimum = 1)]
    pub(super) id: i64,
    pub(super) source: Source,
    /// First day, UTC.
    pub(super) from: NaiveDate,
    /// Last day, UTC.
    pub(super) to: NaiveDate,
    pub(super) state: State,
    /// An operator wants it stopped.
    pub(super) cancel_requested: bool,
    /// Days of the range, 0 before it was begun.
    pub(super) days: i64,
    /// Days of which something became.
    pub(super) days_settled: i64,
    /// Days that could not be read.
    pub(super) days_failed: i64,
    /// Documents read so far.
    pub(super) documents: i64,
    /// Why it failed.
    pub(super) error: Option<String>,
    /// When it was asked for.
    pub(super) created_at: DateTime<Utc>,
    /// When it was last begun.
    pub(super) started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub(super) finished_at: Option<DateTime<Utc>>,
}

/// The newest backfills.
#[derive(ToSchema)]
#[schema(as = BackfillsOfDays)]
pub(super) struct Backfills {
    /// Newest first, at most 100.
    pub(super) backfills: Vec<Backfill>,
}
