//! The end of subscriptions.

use sqlx::PgExecutor;

use crate::store::{Error, Result};

/// Deletes one subscription with its journal. False when there is none.
///
/// # Errors
/// When the database refuses.
pub async fn delete(executor: impl PgExecutor<'_>, id: &str) -> Result<bool> {
    let deleted = sqlx::query!("DELETE FROM subscriptions WHERE subscription_id = $1", id)
        .execute(executor)
        .await
        .map_err(Error::query("deleting a subscription"))?;
    Ok(deleted.rows_affected() > 0)
}

/// Deletes every subscription of a subscriber.
///
/// # Errors
/// When the database refuses.
pub async fn delete_of(executor: impl PgExecutor<'_>, subscriber_id: &str) -> Result<u64> {
    let deleted = sqlx::query!(
        "DELETE FROM subscriptions WHERE subscriber_id = $1",
        subscriber_id
    )
    .execute(executor)
    .await
    .map_err(Error::query("deleting a subscriber's subscriptions"))?;
    Ok(deleted.rows_affected())
}
