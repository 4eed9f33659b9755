//! Listing, counting and ending subscriptions.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::subscriptions::host_only;
use crate::api::v1::envelope::timestamp;
use crate::api::v1::shapes::{
    Failures, SubscriptionList, SubscriptionStats, TokenRefused, Unsubscribed,
};
use crate::api::{ApiError, ApiState, api_tokens};
use crate::runtime::memory;
use crate::store::subscriptions;

/// `GET /api/v1/subscriptions`: all webhook subscriptions. Of callback URLs only the host is shown, since the
/// rest is often a key and everybody may ask.
///
/// # Errors
/// The database.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions",
    operation_id = "list_subscriptions",
    tag = WANDERER_KILLS,
    summary = "All webhook subscriptions",
    description = "Of callback URLs only scheme and host are shown, since the rest is often a key and everybody may ask.",
    responses(
        (status = 200, description = "The list.", body = SubscriptionList),
        TokenRefused,
        Failures,
    ),
    security((), ("api_token" = [])),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    api_tokens::may_subscribe(&state, &headers).await?;
    let _permit = state.admission.request()?;
    let all = subscriptions::list(&state.store.pool).await?;
    let shown: Vec<Value> = all
        .iter()
        .map(|subscription| {
            json!({
                "id": subscription.subscription_id,
                "subscriber_id": subscription.subscriber_id,
                "type": "webhook",
                "system_ids": subscription.filter.systems,
                "character_ids": subscription.filter.characters,
                "callback_url": host_only(&subscription.callback_url),
                "created_at": timestamp(subscription.created_at),
                "updated_at": timestamp(subscription.updated_at),
            })
        })
        .collect();
    let count = shown.len();
    Ok(answer(
        &json!({ "data": { "subscriptions": shown, "count": count } }),
    ))
}

/// `GET /api/v1/subscriptions/stats`: webhooks, and the joined channels and open event streams of this process.
/// Systems and characters are counted of webhooks alone; `memory_usage` is the process's, in bytes.
///
/// # Errors
/// The database.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions/stats",
    operation_id = "count_subscriptions",
    tag = WANDERER_KILLS,
    summary = "Numbers of subscriptions",
    description = "Only webhooks are subscriptions here: open connections are not listed.",
    responses(
        (status = 200, description = "The numbers.", body = SubscriptionStats),
        Failures,
    ),
)]
pub(super) async fn stats(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    let all = subscriptions::list(&state.store.pool).await?;
    let systems: BTreeSet<i64> = all
        .iter()
        .flat_map(|one| one.filter.systems.iter().copied())
        .collect();
    let characters: BTreeSet<i64> = all
        .iter()
        .flat_map(|one| one.filter.characters.iter().copied())
        .collect();
    let webhooks = all.len();
    let (channels, streams) = (
        state.phoenix.subscriptions(),
        state.event_streams.load(Ordering::Relaxed),
    );
    Ok(answer(&json!({ "data": {
        "total_subscriptions": webhooks + channels + streams,
        "websocket_subscriptions": channels,
        "webhook_subscriptions": webhooks,
        "sse_subscriptions": streams,
        "total_systems": systems.len(),
        "total_characters": characters.len(),
        "memory_usage": memory::resident(),
    } })))
}

/// `DELETE /api/v1/subscriptions/{subscriber_id}`: ends all subscriptions of a subscriber, known or not.
///
/// # Errors
/// The database.
#[utoipa::path(
    delete,
    path = "/api/v1/subscriptions/{subscriber_id}",
    operation_id = "unsubscribe",
    tag = WANDERER_KILLS,
    summary = "Ends all subscriptions of a subscriber",
    description = "Known or not.",
    params(("subscriber_id" = String, Path, description = "Who subscribed.", example = "my-tool")),
    responses(
        (status = 200, description = "They are gone.", body = Unsubscribed),
        TokenRefused,
        Failures,
    ),
    security((), ("api_token" = [])),
)]
pub(super) async fn unsubscribe(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(subscriber_id): Path<String>,
) -> Result<Response, ApiError> {
    api_tokens::may_subscribe(&state, &headers).await?;
    let _permit = state.admission.request()?;
    if !subscriber_id.contains('\0') {
        subscriptions::delete_of(&state.store.pool, &subscriber_id).await?;
    }
    Ok(answer(&json!({ "data": {
        "message": "Successfully unsubscribed",
        "subscriber_id": subscriber_id,
    } })))
}

fn answer(body: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
