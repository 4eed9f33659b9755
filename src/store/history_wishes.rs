//! Whose past is wanted, what is known of it, and how far a reading has come. One row for each entity.

mod knowledge;
mod progress;
mod row;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::PgExecutor;

pub use knowledge::{Knowledge, knowledge, possible_systems};
pub use progress::{
    Advance, Retry, advance, begin, count_open, finish, give_up, next_due, postpone, prune,
};

use self::row::Row;
use super::{Error, Result};
use crate::domain::{HistoryKey, HistoryKind, Span};

/// The most wishes that may be open: at a page a second some half an hour's work. More are not taken down.
pub const MAX_OPEN: i64 = 2_000;
/// Of those, what configuration and subscriptions may take together: the rest is for whoever waits for an
/// answer.
pub const MAX_OPEN_IN_ADVANCE: i64 = 1_000;

/// zKillboard's lists stay in caches for an hour, so that asking again before shows the same, and leave out the
/// last five minutes: what was read is good for so long.
pub const SLACK: TimeDelta = TimeDelta::minutes(65);
/// A past that was read, or given up, is not asked for again before.
const ASK_AGAIN: TimeDelta = TimeDelta::hours(1);
/// The same for one with more killmails than are read.
const ASK_TRUNCATED_AGAIN: TimeDelta = TimeDelta::days(1);

/// Who wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedBy {
    /// A request that could not be answered from what is stored.
    Api,
    /// `WK_PRELOAD_…`.
    Configured,
    /// A webhook subscription.
    Subscription,
    /// `backfill` on the command line.
    Operator,
}

impl RequestedBy {
    /// The word in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Configured => "configured",
            Self::Subscription => "subscription",
            Self::Operator => "operator",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [
            Self::Api,
            Self::Configured,
            Self::Subscription,
            Self::Operator,
        ]
        .into_iter()
        .find(|who| who.as_str() == word)
    }

    fn most_open(self) -> i64 {
        match self {
            Self::Api => MAX_OPEN,
            Self::Configured | Self::Subscription => MAX_OPEN_IN_ADVANCE,
            // Somebody sits in front of it.
            Self::Operator => i64::MAX,
        }
    }
}

/// How a wish stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WishState {
    /// Nothing was read yet.
    Requested,
    /// A reading is under way.
    Running,
    /// Read to its end, or to the bound of pages.
    Complete,
    /// Given up after too many failures.
    Failed,
}

impl WishState {
    /// The word in storage and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Failed => "failed",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Requested, Self::Running, Self::Complete, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// Where a reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// The time down to which it goes.
    pub from: DateTime<Utc>,
    /// What is newer than this is not promised by it.
    pub as_of: DateTime<Utc>,
    /// The oldest kill found so far.
    pub oldest: Option<DateTime<Utc>>,
    /// The month (its first day) whose list is read; `None` for the list of the last seconds.
    pub month: Option<NaiveDate>,
    /// The page to ask for next, from 1.
    pub page: i32,
    /// Pages taken so far.
    pub pages: i32,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Whose past.
    pub key: HistoryKey,
    /// How it stands.
    pub state: WishState,
    /// Who wanted it last.
    pub requested_by: RequestedBy,
    /// Since when.
    pub requested_at: DateTime<Utc>,
    /// The beginning of the widest span that was wanted.
    pub wanted_from: DateTime<Utc>,
    /// What was read.
    pub known: Option<Span>,
    /// There were more killmails than are read for one wish.
    pub truncated: bool,
    /// Failed attempts in a row.
    pub attempts: i32,
    /// Not before this time the next page is asked for.
    pub next_attempt_at: DateTime<Utc>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The reading under way.
    pub walk: Option<Walk>,
    /// Pages read, ever.
    pub pages_read: i64,
    /// Killmails stored through them that were not known.
    pub killmails_new: i64,
    /// When the row last changed.
    pub updated_at: DateTime<Utc>,
}

impl Wish {
    /// True while somebody is to read.
    pub fn is_open(&self) -> bool {
        matches!(self.state, WishState::Requested | WishState::Running)
    }

    /// True where a wish that is not open may be opened again.
    pub fn may_be_asked_again(&self, now: DateTime<Utc>) -> bool {
        let pause = if self.truncated {
            ASK_TRUNCATED_AGAIN
        } else {
            ASK_AGAIN
        };
        !self.is_open() && now - self.updated_at >= pause
    }
}

/// One entity's row.
///
/// # Errors
/// When the database refuses.
pub async fn get(executor: impl PgExecutor<'_>, key: HistoryKey) -> Result<Option<Wish>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT kind, entity_id, state, requested_by, requested_at, wanted_from, known_from, known_until, truncated,
            attempts, next_attempt_at, last_error, walk_from, walk_as_of, walk_oldest, walk_month, walk_page,
            walk_pages, pages_read, killmails_new, updated_at
        FROM history_wishes
        WHERE kind = $1 AND entity_id = $2
        "#,
        key.kind.as_str(),
        key.id,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("reading a wish for history"))?;
    row.map(Wish::try_from).transpose()
}

/// The rows of these entities, of one kind, in any order.
///
/// # Errors
/// When the database refuses.
pub async fn of(
    executor: impl PgExecutor<'_>,
    kind: HistoryKind,
    ids: &[i64],
) -> Result<Vec<Wish>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT kind, entity_id, state, requested_by, requested_at, wanted_from, known_from, known_until, truncated,
            attempts, next_attempt_at, last_error, walk_from, walk_as_of, walk_oldest, walk_month, walk_page,
            walk_pages, pages_read, killmails_new, updated_at
        FROM history_wishes
        WHERE kind = $1 AND entity_id = ANY($2)
        "#,
        kind.as_str(),
        ids,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading wishes for history"))?;
    rows.into_iter().map(Wish::try_from).collect()
}

/// Takes a wish down, or opens the row that is there again. The span of an open one is widened; a reading that
/// is under way goes on. An operator's wish forgets failures and pauses. False where so many are open already that this one is not taken.
///
/// # Errors
/// When the database refuses.
pub async fn request(
    executor: impl PgExecutor<'_>,
    key: HistoryKey,
    from: DateTime<Utc>,
    by: RequestedBy,
    now: DateTime<Utc>,
) -> Result<bool> {
    let taken = sqlx::query!(
        r#"
        INSERT INTO history_wishes AS w (kind, entity_id, state, requested_by, requested_at, wanted_from,
            next_attempt_at, updated_at)
        SELECT $1, $2, 'requested', $3, $4, $5, $4, $4
        WHERE (SELECT count(*) FROM (
                SELECT 1 FROM history_wishes WHERE state IN ('requested', 'running') LIMIT $6
            ) AS open) < $6
            OR EXISTS (SELECT 1 FROM history_wishes
                WHERE kind = $1 AND entity_id = $2 AND state IN ('requested', 'running'))
        ON CONFLICT (kind, entity_id) DO UPDATE
        SET state = CASE WHEN w.walk_from IS NULL THEN 'requested' ELSE 'running' END,
            requested_by = CASE WHEN w.state IN ('requested', 'running') AND EXCLUDED.requested_by <> 'operator'
                THEN w.requested_by ELSE EXCLUDED.requested_by END,
            requested_at = EXCLUDED.requested_at,
            wanted_from = CASE WHEN w.state IN ('requested', 'running')
                THEN least(w.wanted_from, EXCLUDED.wanted_from) ELSE EXCLUDED.wanted_from END,
            truncated = w.truncated AND EXCLUDED.requested_by <> 'operator',
            attempts = CASE WHEN w.state IN ('requested', 'running') AND EXCLUDED.requested_by <> 'operator'
                THEN w.attempts ELSE 0 END,
            next_attempt_at = CASE WHEN w.state IN ('requested', 'running') AND EXCLUDED.requested_by <> 'operator'
                THEN w.next_attempt_at ELSE EXCLUDED.next_attempt_at END,
            updated_at = EXCLUDED.updated_at
        "#,
        key.kind.as_str(),
        key.id,
        by.as_str(),
        now,
        from,
        by.most_open(),
    )
    .execute(executor)
    .await
    .map_err(Error::query("taking a wish for history down"))?;
    Ok(taken.rows_affected() > 0)
}
