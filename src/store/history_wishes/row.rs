//! A row as it is stored.

use chrono::{DateTime, NaiveDate, Utc};

use super::{RequestedBy, Walk, Wish, WishState};
use crate::domain::{HistoryKey, HistoryKind, Span};
use crate::store::{Error, Result};

pub(super) struct Row {
    pub(super) kind: String,
    pub(super) entity_id: i64,
    pub(super) state: String,
    pub(super) requested_by: String,
    pub(super) requested_at: DateTime<Utc>,
    pub(super) wanted_from: DateTime<Utc>,
    pub(super) known_from: Option<DateTime<Utc>>,
    pub(super) known_until: Option<DateTime<Utc>>,
    pub(super) truncated: bool,
    pub(super) attempts: i32,
    pub(super) next_attempt_at: DateTime<Utc>,
    pub(super) last_error: Option<String>,
    pub(super) walk_from: Option<DateTime<Utc>>,
    pub(super) walk_as_of: Option<DateTime<Utc>>,
    pub(super) walk_oldest: Option<DateTime<Utc>>,
    pub(super) walk_month: Option<NaiveDate>,
    pub(super) walk_page: i32,
    pub(super) walk_pages: i32,
    pub(super) pages_read: i64,
    pub(super) killmails_new: i64,
    pub(super) updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Wish {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let bad = |column| Error::BadRow {
            table: "history_wishes",
            column,
            key: format!("{} {}", row.kind, row.entity_id),
        };
        let known = row.known_from.zip(row.known_until);
        let walk = row.walk_from.zip(row.walk_as_of);
        Ok(Self {
            key: HistoryKey {
                kind: HistoryKind::from_word(&row.kind).ok_or_else(|| bad("kind"))?,
                id: row.entity_id,
            },
            state: WishState::from_word(&row.state).ok_or_else(|| bad("state"))?,
            requested_by: RequestedBy::from_word(&row.requested_by)
                .ok_or_else(|| bad("requested_by"))?,
            requested_at: row.requested_at,
            wanted_from: row.wanted_from,
            known: known.map(|(from, until)| Span { from, until }),
            truncated: row.truncated,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            last_error: row.last_error,
            walk: walk.map(|(from, as_of)| Walk {
                from,
                as_of,
                oldest: row.walk_oldest,
                month: row.walk_month,
                page: row.walk_page,
                pages: row.walk_pages,
            }),
            pages_read: row.pages_read,
            killmails_new: row.killmails_new,
            updated_at: row.updated_at,
        })
    }
}
