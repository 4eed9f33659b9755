//! `GET /api/killmails/{id}`: one killmail as its canonical document; `include=items` adds `victim.items`
//! as ESI writes them.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

use crate::api::docs::answers::{BadRequest, Failures, ProblemDocument};
use crate::api::docs::tags::KILLMAILS;
use crate::api::extract::{Params, integer};
use crate::api::{ApiError, ApiState};
use crate::domain::wire;
use crate::domain::wire::shape::Killmail;
use crate::store::killmails::{self, StoredKillmail};

/// What may come besides the document.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "a word of the document alone")]
pub(super) enum Include {
    /// What was fitted and carried.
    Items,
}

/// Serves one killmail.
///
/// # Errors
/// 404 `killmail_not_found`; 400 for an id that is no positive number or an unknown `include`; the database.
#[utoipa::path(
    get,
    path = "/api/killmails/{id}",
    operation_id = "get_killmail",
    tag = KILLMAILS,
    summary = "One killmail",
    description = "The canonical document, with all names that are known.",
    params(
        ("id" = i64, Path, minimum = 1, description = "The killmail's id.", example = 140_000_001),
        ("include" = Option<Vec<Include>>, Query, style = Form, explode = false, nullable = false, min_items = 1,
            description = "What comes besides: `items` adds `victim.items` as ESI writes them."),
    ),
    responses(
        (status = 200, description = "The killmail.", body = Killmail),
        BadRequest,
        (status = 404, description = "`killmail_not_found`: it is not stored.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    mut params: Params,
) -> Result<Response, ApiError> {
    // Escapes that make no UTF-8 are the only ground for a rejection; as in queries, they count as replaced.
    let id = id.map_or_else(|_| char::REPLACEMENT_CHARACTER.to_string(), |Path(id)| id);
    let killmail_id = integer("id", &id, 1..=i64::MAX)?;
    let with_items = includes_items(&mut params)?;
    params.finish()?;
    let _permit = state.admission.request()?;
    let stored = find(&state, killmail_id, with_items)
        .await?
        .ok_or(ApiError::KillmailNotFound { killmail_id })?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        // Values and labels may still change.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, body(stored, with_items)?).into_response())
}

/// Reads `include`: a comma list of which `items` is the only word so far.
pub(super) fn includes_items(params: &mut Params) -> Result<bool, ApiError> {
    let Some(include) = params.take("include")? else {
        return Ok(false);
    };
    if include.split(',').any(|word| word != "items") {
        return Err(ApiError::bad_parameter("include", &include, "items"));
    }
    Ok(true)
}

/// Looks at the replica first, then at the primary.
pub(in crate::api) async fn find(
    state: &ApiState,
    killmail_id: i64,
    with_items: bool,
) -> Result<Option<StoredKillmail>, ApiError> {
    let reads = &state.store.reads;
    Ok(killmails::find(reads, killmail_id, with_items).await?)
}

fn body(stored: StoredKillmail, with_items: bool) -> Result<String, ApiError> {
    if !with_items {
        return Ok(stored.document);
    }
    let items = stored.items.as_deref().unwrap_or("[]");
    wire::with_items(&stored.document, items).map_err(|source| ApiError::Document {
        killmail_id: stored.killmail_id,
        source,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", false)]
    #[case("include=items", true)]
    #[case("include=items,items", true)]
    fn include_is_items_or_nothing(#[case] query: &str, #[case] items: bool) {
        assert_eq!(includes_items(&mut Params::parse(query)).unwrap(), items);
    }

    #[rstest]
    #[case("include=")]
    #[case("include=Items")]
    #[case("include=items,fittings")]
    #[case("include=items&include=items")]
    fn anything_else_is_refused(#[case] query: &str) {
        let error = includes_items(&mut Params::parse(query)).unwrap_err();
        assert_eq!(error.code(), "bad_parameter");
    }
}
