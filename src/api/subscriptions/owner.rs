//! Who may run a subscription: whoever shows its secret.

use axum::http::{HeaderMap, header};

use crate::api::{ApiError, ApiState};
use crate::store::subscriptions::{self, Subscription};

/// The subscription.
///
/// # Errors
/// There is none, or the database.
pub(super) async fn find(state: &ApiState, id: &str) -> Result<Subscription, ApiError> {
    let found = subscriptions::get(&state.store.pool, id).await?;
    found.ok_or(ApiError::SubscriptionNotFound)
}

/// The subscription, for its owner.
///
/// # Errors
/// There is none, the secret is missing or another's, or the database.
pub(super) async fn owned(
    state: &ApiState,
    id: &str,
    headers: &HeaderMap,
) -> Result<Subscription, ApiError> {
    let subscription = find(state, id).await?;
    if is_owner(&subscription, headers) {
        Ok(subscription)
    } else {
        Err(ApiError::NotOwner)
    }
}

/// True when the request shows the subscription's secret.
pub(super) fn is_owner(subscription: &Subscription, headers: &HeaderMap) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|secret| subscription.secret.is(secret.trim()))
}
