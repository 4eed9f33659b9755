//! What an owner may do with a subscription.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::types::Json;

use super::{Changes, Format};
use crate::store::{Error, Result};

/// Changes a subscription. The batch under way is given up: it belongs to what was wanted before.
///
/// # Errors
/// When the database refuses.
pub async fn change(executor: impl PgExecutor<'_>, id: &str, changes: &Changes) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE subscriptions
        SET callback_url = coalesce($2, callback_url), filter = coalesce($3, filter),
            format = coalesce($4, format), batch = batch + 1, batch_end = NULL, failures = 0, next_attempt_at = NULL,
            updated_at = clock_timestamp()
        WHERE subscription_id = $1
        "#,
        id,
        changes.callback_url,
        changes.filter.as_ref().map(Json) as _,
        changes.format.map(Format::as_str),
    )
    .execute(executor)
    .await
    .map_err(Error::query("changing a subscription"))?;
    Ok(())
}

/// Pauses with a reason, or resumes (`None`) with all failures forgotten.
///
/// # Errors
/// When the database refuses.
pub async fn set_paused(
    executor: impl PgExecutor<'_>,
    id: &str,
    paused: Option<(DateTime<Utc>, &str)>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE subscriptions
        SET paused_at = $2, paused_reason = $3, failures = 0, next_attempt_at = NULL,
            updated_at = clock_timestamp()
        WHERE subscription_id = $1
        "#,
        id,
        paused.map(|(at, _)| at),
        paused.map(|(_, reason)| reason),
    )
    .execute(executor)
    .await
    .map_err(Error::query("pausing or resuming a subscription"))?;
    Ok(())
}
