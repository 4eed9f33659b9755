//! The journal of a subscription, and what its owner may queue: a test, or a delivery once more.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::owner::owned;
use super::shapes::{Journal, JournalParameters, Queued};
use crate::api::docs::answers::{BadRequest, Failures, OwnerRefused};
use crate::api::docs::tags::SUBSCRIPTIONS;
use crate::api::extract::{Params, integer};
use crate::api::{ApiError, ApiState};
use crate::domain::FeedSequence;
use crate::store::webhook_deliveries::{self as journal, Delivery, Entry, Kind, Outcome};

/// Deliveries of a page, at most and when nothing is said.
const MOST_DELIVERIES: i64 = 500;
const DEFAULT_DELIVERIES: i64 = 100;

/// A page of the journal, newest first: `{"deliveries":[…],"next_before":N}`; `next_before` is null at the end.
///
/// # Errors
/// 400, 401 `not_owner`, 404 `subscription_not_found`; the database.
#[utoipa::path(
    get,
    path = "/api/subscriptions/{id}/deliveries",
    operation_id = "list_deliveries",
    tag = SUBSCRIPTIONS,
    summary = "What was sent, newest first",
    description = "The journal of a subscription. `next_before` is where the next page begins, null at the end.",
    params(("id" = String, Path, description = "The subscription's id.", example = "AAAAAAAAAAAAAAAAAAAAAA"), JournalParameters),
    responses(
        (status = 200, description = "The page.", body = Journal),
        BadRequest,
        OwnerRefused,
        Failures,
    ),
    security(("subscription_secret" = [])),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, ApiError> {
    let before = params.integer("before", 1..=i64::MAX)?.unwrap_or(i64::MAX);
    let limit = params
        .integer("limit", 1..=MOST_DELIVERIES)?
        .unwrap_or(DEFAULT_DELIVERIES);
    params.finish()?;
    let _permit = state.admission.request()?;
    owned(&state, &id, &headers).await?;
    let page = journal::page(&state.store.pool, &id, before, limit).await?;
    let full = i64::try_from(page.len()).is_ok_and(|length| length == limit);
    let next = page
        .last()
        .filter(|_| full)
        .map(|delivery| delivery.delivery_id);
    let deliveries: Vec<Value> = page.iter().map(document).collect();
    let body = json!({ "deliveries": deliveries, "next_before": next });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// Queues a message without killmails, to see whether it arrives; the journal shows how it went. Paused
/// subscriptions are tested too.
///
/// # Errors
/// 401 `not_owner`, 404 `subscription_not_found`, 503 `too_many` that wait; the database.
#[utoipa::path(
    post,
    path = "/api/subscriptions/{id}/test",
    operation_id = "test_subscription",
    tag = SUBSCRIPTIONS,
    summary = "Queues a message without killmails",
    description = "To see whether it arrives; the journal shows how it went. Paused subscriptions are tested too.",
    params(("id" = String, Path, description = "The subscription's id.", example = "AAAAAAAAAAAAAAAAAAAAAA")),
    responses(
        (status = 202, description = "It is queued.", body = Queued),
        OwnerRefused,
        Failures,
    ),
    security(("subscription_secret" = [])),
)]
pub(super) async fn test(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    let subscription = owned(&state, &id, &headers).await?;
    let message_id = format!("test_{:032x}", rand::random::<u128>());
    let place = subscription.cursor;
    queue(
        &state,
        &id,
        (Kind::Test, &message_id),
        (place, place),
        (None, 1),
    )
    .await
}

/// Queues the events of a delivery once more, under the same `webhook-id`.
///
/// # Errors
/// As [`test()`], and 404 `delivery_not_found`.
#[utoipa::path(
    post,
    path = "/api/subscriptions/{id}/deliveries/{delivery_id}/redeliver",
    operation_id = "redeliver",
    tag = SUBSCRIPTIONS,
    summary = "Queues the events of a delivery once more",
    description = "Under the same `webhook-id`, so that a receiver knows what it has had.",
    params(("id" = String, Path, description = "The subscription's id.", example = "AAAAAAAAAAAAAAAAAAAAAA"),
        ("delivery_id" = i64, Path, minimum = 1, description = "The delivery's number.", example = 1)),
    responses(
        (status = 202, description = "They are queued.", body = Queued),
        BadRequest,
        OwnerRefused,
        Failures,
    ),
    security(("subscription_secret" = [])),
)]
pub(super) async fn redeliver(
    State(state): State<ApiState>,
    Path((id, delivery_id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let delivery_id = integer("delivery_id", &delivery_id, 1..=i64::MAX)?;
    let _permit = state.admission.request()?;
    owned(&state, &id, &headers).await?;
    let found = journal::get(&state.store.pool, &id, delivery_id).await?;
    let events = [Kind::Events.as_str(), Kind::Redelivery.as_str()];
    let delivery = found
        .filter(|delivery| events.contains(&delivery.kind.as_str()))
        .ok_or(ApiError::DeliveryNotFound { delivery_id })?;
    let range = (
        FeedSequence(delivery.first_sequence),
        FeedSequence(delivery.last_sequence),
    );
    let message = (Kind::Redelivery, delivery.message_id.as_str());
    let attempt = delivery.attempt.saturating_add(1);
    queue(
        &state,
        &id,
        message,
        range,
        (delivery.solar_system_id, attempt),
    )
    .await
}

async fn queue(
    state: &ApiState,
    id: &str,
    (kind, message_id): (Kind, &str),
    (first, last): (FeedSequence, FeedSequence),
    (solar_system_id, attempt): (Option<i64>, i32),
) -> Result<Response, ApiError> {
    let entry = Entry {
        kind,
        outcome: Outcome::Queued,
        message_id,
        first,
        last,
        solar_system_id,
        attempt,
        status: None,
        error: None,
        at: state.clock.now(),
        duration_ms: None,
    };
    let queued = journal::queue(&state.store.pool, id, &entry).await?;
    let delivery_id = queued.ok_or(ApiError::SubscriptionNotFound)?;
    let body = json!({ "delivery_id": delivery_id, "outcome": Outcome::Queued.as_str() });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

fn document(delivery: &Delivery) -> Value {
    json!({
        "delivery_id": delivery.delivery_id,
        "kind": delivery.kind,
        "outcome": delivery.outcome,
        "message_id": delivery.message_id,
        "first_event_id": delivery.first_sequence,
        "last_event_id": delivery.last_sequence,
        "system_id": delivery.solar_system_id,
        "attempt": delivery.attempt,
        "status": delivery.status,
        "error": delivery.error,
        "attempted_at": delivery.attempted_at,
        "duration_ms": delivery.duration_ms,
    })
}
