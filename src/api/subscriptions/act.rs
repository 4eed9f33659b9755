//! Pausing, resuming and ending a subscription.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::owner::{find, owned};
use super::view;
use crate::api::{ApiError, ApiState};
use crate::store::subscriptions;

/// Nothing is sent until it is resumed; the place in the feed stays, for as long as the feed is kept.
///
/// # Errors
/// 401 `not_owner`, 404 `subscription_not_found`; the database.
pub(super) async fn pause(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    if owned(&state, &id, &headers).await?.paused_at.is_none() {
        let paused = Some((state.clock.now(), "paused by its owner"));
        subscriptions::set_paused(&state.store.pool, &id, paused).await?;
    }
    Ok(view::answer(&find(&state, &id).await?, true))
}

/// Goes on where it was, with earlier failures forgotten.
///
/// # Errors
/// As [`pause`].
pub(super) async fn resume(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    owned(&state, &id, &headers).await?;
    subscriptions::set_paused(&state.store.pool, &id, None).await?;
    Ok(view::answer(&find(&state, &id).await?, true))
}

/// Forgets the subscription and its journal.
///
/// # Errors
/// As [`pause`].
pub(super) async fn delete(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let _permit = state.admission.request()?;
    owned(&state, &id, &headers).await?;
    subscriptions::delete(&state.store.pool, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
