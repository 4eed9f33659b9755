//! `PATCH /api/subscriptions/{id}`: another filter, address or form.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::owner::{find, owned};
use super::{make, view};
use crate::api::{ApiError, ApiState};
use crate::domain::Filter;
use crate::store::subscriptions::{self, Changes};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    callback_url: Option<String>,
    filter: Option<Filter>,
    format: Option<String>,
}

/// Changes a subscription; what is absent stays. The place in the feed stays too.
///
/// # Errors
/// 400, 401 `not_owner`, 404 `subscription_not_found`; the database.
pub(super) async fn handle(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    owned(&state, &id, &headers).await?;
    let body: Body = make::read(&body)?;
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
