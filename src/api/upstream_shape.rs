//! Events of the feed as whole killmails, for the interfaces that speak like an upstream.

use super::{ApiError, ApiState};
use crate::domain::{FeedSequence, Killmail, wire};
use crate::store::feed::{self, WholeEvent};

/// An event's killmail, with when the event was committed.
#[derive(Debug)]
pub(super) struct Whole {
    /// The facts, with items.
    pub(super) killmail: Killmail,
    /// Unix seconds of the event's commit.
    pub(super) committed_at: i64,
}

/// Reads the killmail of one event; `None` when there is no such event (any more). Always from the primary:
/// a replica may not have yet what was announced.
///
/// # Errors
/// Too many requests, or the database.
pub(super) async fn whole(
    state: &ApiState,
    sequence: FeedSequence,
) -> Result<Option<Whole>, ApiError> {
    let _permit = state.admission.request()?;
    let Some(event) = feed::whole(&state.store.pool, sequence).await? else {
        return Ok(None);
    };
    Ok(Some(Whole {
        killmail: read(&event)?,
        committed_at: event.committed_at.timestamp(),
    }))
}

fn read(event: &WholeEvent) -> Result<Killmail, ApiError> {
    wire::read(&event.document, event.items.as_deref()).map_err(|error| ApiError::Document {
        killmail_id: event.killmail_id,
        source: serde::de::Error::custom(error),
    })
}
