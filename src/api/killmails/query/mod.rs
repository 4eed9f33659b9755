//! `GET /api/killmails`: every stored killmail that a filter wants, newest or oldest first.
//!
//! Parameters are the filter's, with `from` (at or after) and `to` (before), `wars`, `order`, `limit`, `cursor` and
//! `include`. The answer comes as JSON, NDJSON or CSV, as `Accept` says; it is read and sent in chunks, so that
//! an export of everything takes no more memory than a page.

mod advice;
mod answer;
mod cursor;
mod media;
mod request;
mod shapes;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::docs::answers::{
    BadRequest, Failures, LineTooLong, OperatorRefused, ProblemDocument, QueryTooBroad,
};
use crate::api::docs::tags::KILLMAILS;
use crate::api::extract::Params;
use crate::api::{ApiError, ApiState, api_tokens};
use crate::domain::Filter;
use request::Request;
pub(super) use shapes::schemas;

/// Where the next page begins, where there is one; JSON has it in its body as well.
pub(in crate::api) use answer::NEXT_CURSOR;

/// Serves a query.
///
/// # Errors
/// 400 for a parameter that can't be understood, 401 for `limit=all` without a token for it, 406 where no
/// form of the answer is accepted, 422 when the query takes too long, 503 when too many are at work; the database.
#[utoipa::path(
    get,
    path = "/api/killmails",
    operation_id = "query_killmails",
    tag = KILLMAILS,
    summary = "Killmails of all history",
    description = "Every stored killmail that the filter wants, newest or oldest first, as JSON, NDJSON or CSV, as \
        `Accept` says. Keep `cursor` and ask with it for the next page: pages have no gaps and no repeats while new \
        killmails come in. At most 1,000 ids or labels of one kind.",
    params(shapes::QueryParameters, Filter),
    responses(
        (status = 200, description = "The killmails. NDJSON has one in each line; CSV has a header and flat columns.",
            content(
                (shapes::KillmailPage = "application/json"),
                (String = "application/x-ndjson"),
                (String = "text/csv"),
            ),
            headers(("x-next-cursor" = String, description = "Where the next page begins, where there is one."))),
        BadRequest,
        OperatorRefused,
        (status = 406, description = "`not_acceptable`: none of the forms is accepted.", body = ProblemDocument,
            content_type = "application/problem+json"),
        LineTooLong,
        QueryTooBroad,
        Failures,
    ),
    security((), ("admin_token" = []), ("api_token" = [])),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, ApiError> {
    let form = media::chosen(&headers)?;
    let request = Request::read(params, form)?;
    if request.limit.is_none() {
        api_tokens::may_export(&state, &headers).await?;
    }
    let permit = state.admission.query()?;
    answer::answer(state, request, form, permit).await
}
