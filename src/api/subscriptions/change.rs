//! `PATCH /api/subscriptions/{id}`: another filter, address or form.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::owner::{find, owned};
use super::shapes::{Subscription, WebhookFormat};
use super::{make, view};
use crate::api::docs::answers::{BadRequest, BodyTooLarge, Failures, OwnerRefused};
use crate::api::docs::tags::SUBSCRIPTIONS;
use crate::api::{ApiError, ApiState};
use crate::domain::Filter;
use crate::store::subscriptions::{self, Changes};

/// What changes; the rest stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubscriptionChanges {
    /// Where messages go from now on: http or https, a public host.
    #[schema(pattern = "^https?://", max_length = 2000)]
    callback_url: Option<String>,
    /// What is wanted from now on.
    filter: Option<Filter>,
    /// The form of the bodies from now on.
    #[schema(value_type = Option<WebhookFormat>)]
    format: Option<String>,
}

/// Changes a subscription; what is absent stays. The place in the feed stays too.
///
/// # Errors
/// 400, 401 `not_owner`, 404 `subscription_not_found`; the database.
#[utoipa::path(
    patch,
    path = "/api/subscriptions/{id}",
    operation_id = "change_subscription",
    tag = SUBSCRIPTIONS,
    summary = "Another filter, address or form",
    description = "What is absent stays. The place in the feed stays too.",
    params(("id" = String, Path, description = "The subscription's id.", example = "AAAAAAAAAAAAAAAAAAAAAA")),
    request_body = SubscriptionChanges,
    responses(
        (status = 200, description = "The subscription.", body = Subscription),
        BadRequest,
        OwnerRefused,
        BodyTooLarge,
        Failures,
    ),
    security(("subscription_secret" = [])),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    owned(&state, &id, &headers).await?;
    let body: SubscriptionChanges = make::read(&body)?;
    let callback_url = body
        .callback_url
        .map(|text| make::target(&state, &text))
        .transpose()?;
    if let Some(filter) = &body.filter {
        filter.validate()?;
    }
    let changes = Changes {
        callback_url: callback_url.map(String::from),
        filter: body.filter,
        format: body.format.as_deref().map(make::format).transpose()?,
    };
    subscriptions::change(&state.store.pool, &id, &changes).await?;
    Ok(view::answer(&find(&state, &id).await?, true))
}
