//! One event of the log with everything that is stored of its killmail.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::domain::FeedSequence;
use crate::store::document::Document;
use crate::store::items::Items;
use crate::store::{Error, Result};

/// An event's killmail as it is stored now, whole.
#[derive(Debug, Clone)]
pub struct WholeEvent {
    /// Which killmail.
    pub killmail_id: i64,
    /// When the event was committed.
    pub committed_at: DateTime<Utc>,
    /// The canonical document, without items.
    pub document: String,
    /// Items as ESI writes them, where there are any.
    pub items: Option<Items>,
}

/// The event with this sequence; `None` when it is not there yet, not kept any more, or its killmail is gone.
///
/// # Errors
/// When the database refuses.
pub async fn whole(
    executor: impl PgExecutor<'_>,
    sequence: FeedSequence,
) -> Result<Option<WholeEvent>> {
    sqlx::query_as!(
        WholeEvent,
        r#"
        SELECT f.killmail_id, f.committed_at,
            coalesce(k.packed_document, convert_to(k.document, 'UTF8')) AS "document!: Document",
            coalesce(array_send(k.item_stacks), convert_to(k.items::text, 'UTF8')) AS "items: Items"
        FROM feed AS f
        JOIN killmails AS k ON k.killmail_id = f.killmail_id AND k.killmail_time = f.killmail_time
        WHERE f.sequence = $1
        "#,
        sequence.0,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("reading an event of the feed"))
}
