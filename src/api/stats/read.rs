//! What statistics have in common: windows, and their way to the database.

use std::fmt::Debug;

use axum::response::Response;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use futures::future::BoxFuture;
use serde::Serialize;
use sqlx::PgConnection;

use crate::api::extract::{Params, written};
use crate::api::{ApiError, ApiState};
use crate::store::{self, stats};

/// Window and flag of a request, as they were asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    npc: Option<bool>,
}

/// How long windows are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    /// Where the request does not say.
    pub(super) default: TimeDelta,
    /// A window whose beginning the request does not say begins with a whole one of these: what is rolled up answers it.
    pub(super) whole: TimeDelta,
    /// At most, days.
    pub(super) most_days: i64,
}

impl Asked {
    /// Takes `from`, `to` and `npc`.
    pub(super) fn take(params: &mut Params) -> Result<Self, ApiError> {
        let (from, to) = params.range()?;
        let npc = match params.take("npc")?.as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(other) => return Err(ApiError::bad_parameter("npc", other, "true, false")),
        };
        Ok(Self { from, to, npc })
    }

    /// What is asked at `now`: the window ends now and has the usual length where the request does not say otherwise.
    pub(super) fn question(
        self,
        now: DateTime<Utc>,
        length: Length,
    ) -> Result<stats::Question, ApiError> {
        let now = now.duration_trunc(TimeDelta::seconds(1)).unwrap_or(now);
        let to = self.to.unwrap_or(now);
        let from = self.from.or_else(|| {
            let from = to.checked_sub_signed(length.default)?;
            from.duration_trunc(length.whole).ok()
        });
        let from = from.unwrap_or(DateTime::UNIX_EPOCH);
        let days = length.most_days;
        if from >= to || to - from > TimeDelta::days(days) {
            let to = written(to);
            let allowed = format!("a time before to, {to}, and at most {days} days before it");
            return Err(ApiError::bad_parameter("from", &written(from), allowed));
        }
        let window = stats::Window { from, to };
        Ok(stats::Question {
            window,
            npc: self.npc,
        })
    }
}

/// The answer to `asked`, which is whatever tells one request from another: one that is kept, or a new one.
pub(super) async fn answer<T: Serialize>(
    state: &ApiState,
    asked: impl Debug,
    computed: impl Future<Output = Result<T, ApiError>>,
) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    state
        .statistics
        .answer(format!("{asked:?}"), computed)
        .await
}

/// Reads in a transaction of one moment, as one of the historical queries that may be at work. `advice` says what to
/// narrow when it takes too long.
pub(super) async fn reading<T>(
    state: &ApiState,
    advice: &'static str,
    read: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, store::Result<T>>,
) -> Result<T, ApiError> {
    let _permit = state.admission.query()?;
    let reading = async {
        let mut transaction = stats::begin(&state.store.reads.any().await.history).await?;
        let read = read(&mut transaction).await;
        // It has only read.
        drop(transaction.rollback().await);
        read
    };
    let read = state.admission.query_turns.take(Box::pin(reading)).await;
    read.map_err(|error| {
        if error.is_statement_timeout() {
            ApiError::QueryTooBroad {
                seconds: state.store.reads.history_timeout().as_secs_f64(),
                advice: advice.to_owned(),
            }
        } else {
            error.into()
        }
    })
}
