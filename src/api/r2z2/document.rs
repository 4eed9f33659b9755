//! `GET /ephemeral/{n}.json`: the document of one number.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::docs::answers::{Failures, PlainError, ProblemDocument};
use crate::api::docs::tags::UPSTREAM;
use crate::api::upstream_shape::{Whole, whole};
use crate::api::{ApiError, ApiState};
use crate::domain::wire::shape::{EsiKillmail, ZkillboardBlock};
use crate::domain::wire::{EsiBody, ZkbBlock};
use crate::domain::{FeedSequence, KillmailHash};

/// A number's killmail hardly ever changes, and a change has its own number; but a restored database gives
/// numbers a second time, so caches keep documents for an hour and not for ever.
const CACHED: &str = "public, max-age=3600";

/// R2Z2's document.
#[derive(Serialize, ToSchema)]
#[schema(as = R2z2Document)]
struct R2z2Document<'a> {
    /// The killmail's id.
    killmail_id: i64,
    /// ESI's hash; null where it is unknown.
    #[schema(value_type = Option<String>, required = true)]
    hash: Option<KillmailHash>,
    /// ESI's body.
    #[schema(value_type = EsiKillmail)]
    esi: EsiBody<'a>,
    /// zKillboard's block.
    #[schema(value_type = ZkillboardBlock)]
    zkb: ZkbBlock<'a>,
    /// When the event was committed, Unix seconds.
    uploaded_at: i64,
    /// The number.
    #[schema(value_type = i64)]
    sequence_id: FeedSequence,
}

/// Serves one document.
///
/// # Errors
/// 404 `document_not_found` for a number that is not there, or not there any more; the database.
#[utoipa::path(
    get,
    path = "/ephemeral/{file}",
    operation_id = "get_r2z2_document",
    tag = UPSTREAM,
    summary = "The document of one number, as R2Z2 has it",
    description = "Numbers are those of the feed, so they have no holes. One that is not there yet and one that is \
        not kept any more are both 404.",
    params(
        ("file" = String, Path, pattern = r"^[1-9][0-9]{0,17}\.json$", description = "The number and `.json`.",
            example = "17.json"),
        ("If-None-Match" = Option<String>, Header, nullable = false,
            description = "Tags of documents that the client has."),
    ),
    responses(
        (status = 200, description = "The document.", body = R2z2Document<'static>,
            headers(("ETag" = String, description = "A weak tag of the document."))),
        (status = 304, description = "The client has it already."),
        (status = 404, content(
            (ProblemDocument = "application/problem+json"), (PlainError = "application/json"),
        ), description = "`document_not_found`; a file name that is no number is answered as any unknown path."),
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    file: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let file = file.map_or_else(|_| String::new(), |Path(file)| file);
    let sequence = number(&file).ok_or(ApiError::RouteNotFound)?;
    let Some(whole) = whole(&state, sequence).await? else {
        return Err(ApiError::DocumentNotFound { number: sequence.0 });
    };
    let body = render(sequence, &whole).map_err(|source| ApiError::Document {
        killmail_id: whole.killmail.killmail_id,
        source,
    })?;
    let tag = tag(&body);
    let known = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, CACHED),
    ];
    if knows(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, known).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((known, kind, body).into_response())
}

/// The number in a file's name: digits without leading zeros, so that each document has one address.
fn number(file: &str) -> Option<FeedSequence> {
    let digits = file.strip_suffix(".json")?;
    let number: i64 = digits.parse().ok()?;
    (number > 0 && number.to_string() == digits).then_some(FeedSequence(number))
}

fn render(sequence: FeedSequence, whole: &Whole) -> Result<String, serde_json::Error> {
    let killmail = &whole.killmail;
    serde_json::to_string(&R2z2Document {
        killmail_id: killmail.killmail_id,
        hash: killmail.hash,
        esi: EsiBody(killmail),
        zkb: ZkbBlock(killmail),
        uploaded_at: whole.committed_at,
        sequence_id: sequence,
    })
}

/// A weak tag of the bytes: they may be compressed on their way.
fn tag(body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("W/\"{:016x}\"", hasher.finish())
}

/// Whether the client has this tag already (`If-None-Match`).
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || opaque(known) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1.json", Some(1))]
    #[case("9223372036854775807.json", Some(i64::MAX))]
    #[case("9223372036854775808.json", None)]
    #[case("0.json", None)]
    #[case("-1.json", None)]
    #[case("+1.json", None)]
    #[case("01.json", None)]
    #[case("1", None)]
    #[case("1.JSON", None)]
    #[case("", None)]
    fn a_file_is_a_number(#[case] file: &str, #[case] sequence: Option<i64>) {
        assert_eq!(number(file), sequence.map(FeedSequence));
    }

    #[rstest]
    #[case(r#"W/"5""#, true)]
    #[case(r#""5""#, true)]
    #[case(r#""4", W/"5""#, true)]
    #[case("*", true)]
    #[case(r#""4""#, false)]
    #[case("5", false)]
    fn a_known_tag_is_recognised(#[case] sent: &str, #[case] known: bool) {
        let mut headers = HeaderMap::new();
        assert!(!knows(&headers, r#"W/"5""#));
        headers.insert(header::IF_NONE_MATCH, sent.parse().unwrap());
        assert_eq!(knows(&headers, r#"W/"5""#), known);
    }
}
