//! `GET /api/subscriptions/{id}`: one subscription.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use url::Url;

use super::owner::{find, is_owner};
use super::shapes::Subscription as SubscriptionShape;
use crate::api::docs::answers::{Failures, ProblemDocument};
use crate::api::docs::tags::SUBSCRIPTIONS;
use crate::api::{ApiError, ApiState};
use crate::store::subscriptions::Subscription;

/// Serves one subscription. Its secret is never among what is shown.
///
/// # Errors
/// 404 `subscription_not_found`; the database.
#[utoipa::path(
    get,
    path = "/api/subscriptions/{id}",
    operation_id = "get_subscription",
    tag = SUBSCRIPTIONS,
    summary = "One subscription",
    description = "Only its owner sees the whole callback URL, everybody else its host. The secret is never shown.",
    params(("id" = String, Path, description = "The subscription's id.", example = "AAAAAAAAAAAAAAAAAAAAAA")),
    responses(
        (status = 200, description = "The subscription.", body = SubscriptionShape),
        (status = 404, description = "`subscription_not_found`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Failures,
    ),
    security((), ("subscription_secret" = [])),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    let subscription = find(&state, &id).await?;
    let owner = is_owner(&subscription, &headers);
    Ok(answer(&subscription, owner))
}

/// The subscription as an answer that no cache may keep.
pub(super) fn answer(subscription: &Subscription, owner: bool) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (headers, Json(document(subscription, owner))).into_response()
}

/// The subscription as JSON; only its owner sees the whole callback URL.
pub(super) fn document(subscription: &Subscription, owner: bool) -> Value {
    let status = if subscription.paused_at.is_some() {
        "paused"
    } else if subscription.failures > 0 {
        "retrying"
    } else {
        "active"
    };
    let callback_url = if owner {
        subscription.callback_url.clone()
    } else {
        host_only(&subscription.callback_url)
    };
    json!({
        "id": subscription.subscription_id,
        "subscriber_id": subscription.subscriber_id,
        "callback_url": callback_url,
        "format": subscription.format.as_str(),
        "filter": subscription.filter,
        "status": status,
        "paused_at": subscription.paused_at,
        "paused_reason": subscription.paused_reason,
        "failures": subscription.failures,
        "next_attempt_at": subscription.next_attempt_at,
        "cursor": subscription.cursor,
        "created_at": subscription.created_at,
        "updated_at": subscription.updated_at,
    })
}

/// Scheme and host of an address: the rest is often a key.
pub(in crate::api) fn host_only(url: &str) -> String {
    let Ok(url) = Url::parse(url) else {
        return String::new();
    };
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}/", url.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_is_shown() {
        let url = "https://user:key@example.com:8443/hooks/key?token=key";
        assert_eq!(host_only(url), "https://example.com/");
        assert_eq!(host_only("no url"), "");
    }
}
