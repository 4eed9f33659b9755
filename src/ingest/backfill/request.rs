//! What is to be filled, and whether it may be.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use tokio_util::sync::CancellationToken;

use super::{BackfillError, DayRange, Recheck, Source};
use crate::runtime::config::RetentionConfig;
use crate::upstream::totals::Totals;

/// What to fill.
#[derive(Debug, Clone)]
pub struct BackfillRequest {
    /// From where.
    pub source: Source,
    /// Which days.
    pub range: DayRange,
    /// Only these of them, where given.
    pub only: Option<BTreeSet<NaiveDate>>,
    /// When a day that was read before is asked for again.
    pub recheck: Recheck,
    /// What the source counts, where that is known already.
    pub totals: Option<Totals>,
}

impl BackfillRequest {
    /// All days of a range, as the source counts them when the backfill begins.
    pub fn new(source: Source, range: DayRange, recheck: Recheck) -> Self {
        Self {
            source,
            range,
            only: None,
            recheck,
            totals: None,
        }
    }
}

/// Days before the time that is kept are refused: what they have would not be stored.
///
/// # Errors
/// When the range begins before the horizon at `now`.
pub fn check_kept(
    range: DayRange,
    retention: RetentionConfig,
    now: DateTime<Utc>,
) -> Result<(), BackfillError> {
    let from = range.first();
    match retention.horizon(now) {
        Some(horizon) if from < horizon.date_naive() => Err(BackfillError::NotKept {
            from,
            days: retention.retention_days,
            horizon,
        }),
        _ => Ok(()),
    }
}

/// What the source counts; nothing once stopped.
pub(super) async fn totals(
    request: &BackfillRequest,
    stop: &CancellationToken,
) -> Result<Totals, BackfillError> {
    if let Some(totals) = &request.totals {
        return Ok(totals.clone());
    }
    match stop.run_until_cancelled(request.source.totals()).await {
        Some(totals) => totals.map_err(|source| BackfillError::Totals {
            source_name: request.source.name(),
            source,
        }),
        None => Ok(Totals::new()),
    }
}
