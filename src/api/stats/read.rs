//! What statistics have in common: windows, and their way to the database.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use futures::future::BoxFuture;
use sqlx::PgConnection;

use crate::api::extract::{Params, written};
use crate::api::{ApiError, ApiState};
use crate::store::{self, stats};

/// The window of a request, as it was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

/// How long windows are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    /// Where the request does not say.
    pub(super) default: TimeDelta,
    /// At most, days.
    pub(super) most_days: i64,
}

impl Asked {
    pub(super) fn take(params: &mut Params) -> Result<Self, ApiError> {
        let (from, to) = params.range()?;
        Ok(Self { from, to })
    }

    /// The window at `now`: it ends now and has the usual length where the request does not say otherwise.
    pub(super) fn window(
        self,
        now: DateTime<Utc>,
        length: Length,
    ) -> Result<stats::Window, ApiError> {
        let now = now.duration_trunc(TimeDelta::seconds(1)).unwrap_or(now);
        let to = self.to.unwrap_or(now);
        let from = self.from.or_else(|| to.checked_sub_signed(length.default));
        let from = from.unwrap_or(DateTime::UNIX_EPOCH);
        let days = length.most_days;
        if from >= to || to - from > TimeDelta::days(days) {
            let to = written(to);
            let allowed = format!("a time before to, {to}, and at most {days} days before it");
            return Err(ApiError::bad_parameter("from", &written(from), allowed));
        }
        Ok(stats::Window { from, to })
    }
}

/// Takes `npc`.
pub(super) fn npc(params: &mut Params) -> Result<Option<bool>, ApiError> {
    match params.take("npc")?.as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(ApiError::bad_parameter("npc", other, "true, false")),
    }
}

/// Reads in a transaction of one moment, as one of the historical queries that may be at work. `advice` says what to
/// narrow when it takes too long.
pub(super) async fn reading<T>(
    state: &ApiState,
    advice: &'static str,
    read: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, store::Result<T>>,
) -> Result<T, ApiError> {
    let _permit = state.admission.query()?;
    let _turn = state.admission.query_turn().await;
    let timeout = state.config.query_timeout();
    let mut transaction = stats::begin(state.store.reads.any().await, timeout).await?;
    let read = read(&mut transaction).await;
    // It has only read.
    drop(transaction.rollback().await);
    read.map_err(|error| {
        if error.is_statement_timeout() {
            ApiError::QueryTooBroad {
                seconds: timeout.as_secs_f64(),
                advice: advice.to_owned(),
            }
        } else {
            error.into()
        }
    })
}
