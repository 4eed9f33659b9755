//! The past before a stream's live part, page by page, and the seam between the two.
//!
//! The live part starts behind a cursor that is fixed before the first page is read. What comes onto the feed
//! after it may also stand on a page; the seam keeps those ids, so that their events are passed over.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::params::StreamParams;
use crate::api::ApiState;
use crate::api::limits::{HISTORY_BATCH, MAX_SEAM_KILLMAILS, MAX_STREAMED_HISTORY};
use crate::domain::FeedSequence;
use crate::store::Result;
use crate::store::feed::bounds;
use crate::store::killmails::history::{
    Before, Interests, PastKillmail, announced_after, count_of_interests, of_interests,
};

/// Killmails that were sent as history and have yet to come by on the feed.
#[derive(Debug, Default)]
pub(super) struct Seam(HashSet<i64>);

impl Seam {
    /// Whether the event of this killmail has to be passed over; asked once for each event.
    pub(super) fn passes_over(&mut self, killmail_id: i64) -> bool {
        self.0.remove(&killmail_id)
    }
}

/// The past of one stream, newest first.
#[derive(Debug)]
pub(super) struct History {
    interests: Interests,
    since: DateTime<Utc>,
    before: Before,
    /// Where the live part starts.
    start: FeedSequence,
    sent: i64,
    batches: i64,
    expected_batches: i64,
    seam: Seam,
    done: bool,
}

/// One page.
#[derive(Debug)]
pub(super) struct Page {
    /// `{"kills":[…],"count":…,"batch_number":…,"total_batches":…}`.
    pub(super) json: String,
}

impl History {
    /// Where the live part of a stream starts: the newest event that is certain to be on the pages.
    pub(super) async fn start(state: &ApiState) -> Result<FeedSequence> {
        // What the pages are then read from holds everything up to here, whichever database that is.
        Ok(bounds(&state.store.reads.any().await.reads).await?.head)
    }

    /// The history that `params` ask for, before a live part that starts behind `start`.
    pub(super) async fn open(
        state: &ApiState,
        params: &StreamParams,
        start: FeedSequence,
    ) -> Result<Self> {
        let interests = params.interests();
        let since = state.clock.now() - TimeDelta::days(params.preload_days);
        let pool = &state.store.reads.holding(start).await.pools.reads;
        let _turn = state.admission.history_turn().await;
        let expected = count_of_interests(pool, &interests, since, MAX_STREAMED_HISTORY).await?;
        let expected_batches = (expected + HISTORY_BATCH - 1) / HISTORY_BATCH;
        Ok(Self {
            interests,
            since,
            before: Before::END,
            start,
            sent: 0,
            batches: 0,
            expected_batches,
            seam: Seam::default(),
            done: false,
        })
    }

    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self, state: &ApiState) -> Result<Option<Page>> {
        if self.done || self.sent >= MAX_STREAMED_HISTORY {
            return Ok(None);
        }
        let pool = &state.store.reads.holding(self.start).await.pools.reads;
        let turn = state.admission.history_turn().await;
        let limit = HISTORY_BATCH;
        let mut rows = of_interests(pool, &self.interests, self.since, self.before, limit).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.killmail_id).collect();
        let announced = announced_after(pool, self.start.0, &ids).await?;
        drop(turn);
        self.done = rows.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        if let Some(last) = rows.last() {
            self.before = Before::killmail(last);
        }
        self.keep_in_mind(announced, &mut rows);
        Ok((!rows.is_empty()).then(|| self.page(&rows)))
    }

    /// How many killmails the pages had.
    pub(super) fn sent(&self) -> i64 {
        self.sent
    }

    /// What the live part has to pass over.
    pub(super) fn into_seam(self) -> Seam {
        self.seam
    }

    /// Whether older killmails were left out.
    pub(super) fn is_truncated(&self) -> bool {
        !self.done
    }

    /// What is too much to be kept in mind is left to the live part, which has it too.
    fn keep_in_mind(&mut self, announced: Vec<i64>, rows: &mut Vec<PastKillmail>) {
        for id in announced {
            if self.seam.0.len() < MAX_SEAM_KILLMAILS {
                self.seam.0.insert(id);
            } else {
                rows.retain(|row| row.killmail_id != id);
            }
        }
    }

    fn page(&mut self, rows: &[PastKillmail]) -> Page {
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        self.sent = self.sent.saturating_add(count);
        self.batches += 1;
        self.expected_batches = self.expected_batches.max(self.batches);
        let documents: Vec<&str> = rows.iter().map(|row| row.document.as_str()).collect();
        let json = format!(
            r#"{{"kills":[{}],"count":{count},"batch_number":{},"total_batches":{}}}"#,
            documents.join(","),
            self.batches,
            self.expected_batches,
        );
        Page { json }
    }
}
