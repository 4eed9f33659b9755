//! A new subscription.

use sqlx::PgExecutor;
use sqlx::types::Json;

use super::{MAX_SUBSCRIPTIONS, NewSubscription};
use crate::store::{Error, Result};

/// Makes a subscription.
///
/// # Errors
/// [`TooMany`](Error::TooMany) subscriptions, or when the database refuses.
pub async fn insert(executor: impl PgExecutor<'_>, new: &NewSubscription<'_>) -> Result<()> {
    let made = sqlx::query!(
        r#"
        INSERT INTO subscriptions (subscription_id, subscriber_id, callback_url, filter, format, secret, cursor,
            created_by)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8
        WHERE (SELECT count(*) FROM subscriptions) < $9
        "#,
        new.subscription_id,
        new.subscriber_id,
        new.callback_url,
        Json(new.filter) as _,
        new.format.as_str(),
        new.secret.bytes().as_slice(),
        new.cursor.0,
        new.created_by,
        MAX_SUBSCRIPTIONS,
    )
    .execute(executor)
    .await
    .map_err(Error::query("making a subscription"))?;
    if made.rows_affected() == 0 {
        return Err(Error::TooMany {
            what: "subscriptions",
            limit: MAX_SUBSCRIPTIONS,
        });
    }
    Ok(())
}
