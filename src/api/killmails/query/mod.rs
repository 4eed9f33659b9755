//! `GET /api/killmails`: every stored killmail that a filter wants, newest or oldest first.
//!
//! Parameters are the filter's, with `from` (at or after) and `to` (before), `wars`, `order`, `limit`, `cursor` and
//! `include`. The answer comes as JSON, NDJSON or CSV, as `Accept` says; it is read and sent in chunks, so that
//! an export of everything takes no more memory than a page.

mod advice;
mod answer;
mod cursor;
mod flat;
mod media;
mod request;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::extract::Params;
use crate::api::{ApiError, ApiState, operator};
use request::Request;

/// Where the next page begins, where there is one; JSON has it in its body as well.
pub(in crate::api) use answer::NEXT_CURSOR;

/// Serves a query.
///
/// # Errors
/// 400 for a parameter that can't be understood, 401 for `limit=all` without the operator's token, 406 where no
/// form of the answer is accepted, 422 when the query takes too long, 503 when too many are at work; the database.
pub(super) async fn handle(
    State(state): State<ApiState>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, ApiError> {
    let form = media::chosen(&headers)?;
    let request = Request::read(params, form)?;
    if request.limit.is_none() {
        operator::required(&state.config, &headers, "limit=all")?;
    }
    let permit = state.admission.query()?;
    answer::answer(state, request, form, permit).await
}
