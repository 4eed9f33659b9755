//! Pausing, resuming and ending a subscription.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::owner::{find, owned};
use super::shapes::Subscription;
use super::view;
use crate::api::docs::answers::{Failures, OwnerRefused};
use crate::api::docs::tags::SUBSCRIPTIONS;
use crate::api::{ApiError, ApiState};
use crate::store::subscriptions;

/// Nothing is sent until it is resumed; the place in the feed stays, for as long as the feed is kept.
///
/// # Errors
/// 401 `not_owner`, 404 `subscription_not_found`; the database.
#[utoipa::path(
    post,
    path = "/api/subscriptions/{id}/pause",
    operation_id = "pause_subscription",
    tag = SUBSCRIPTIONS,
    summary = "Stops sending for a while",
    description = "Nothing is sent until it is resumed; the place in the feed stays, for as long as the feed is kept.",
    params(("id" = String, Path, description = "The subscription's id.", example = "AAAAAAAAAAAAAAAAAAAAAA")),
    responses(
        (status = 200, description = "The subscription.", body = Subscription),
        OwnerRefused,
        Failures,
    ),
    security(("subscription_secret" = [])),
)]
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
#[utoipa::path(
    post,
    path = "/api/subscriptions/{id}/resume",
    operation_id = "resume_subscription",
    tag = SUBSCRIPTIONS,
    summary = "Sends again",
    description = "Goes on where it was, with earlier failures forgotten.",
    params(("id" = String, Path, description = "The subscription's id.", example = "AAAAAAAAAAAAAAAAAAAAAA")),
    responses(
        (status = 200, description = "The subscription.", body = Subscription),
        OwnerRefused,
        Failures,
    ),
    security(("subscription_secret" = [])),
)]
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
#[utoipa::path(
    delete,
    path = "/api/subscriptions/{id}",
    operation_id = "delete_subscription",
    tag = SUBSCRIPTIONS,
    summary = "Ends a subscription",
    description = "The subscription and its journal are forgotten.",
    params(("id" = String, Path, description = "The subscription's id.", example = "AAAAAAAAAAAAAAAAAAAAAA")),
    responses(
        (status = 204, description = "It is gone."),
        OwnerRefused,
        Failures,
    ),
    security(("subscription_secret" = [])),
)]
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
