//! Answers that many operations have: problem documents, and the envelopes of WandererKills.

use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::api::error::CODES;

/// What went wrong, after RFC 9457.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "a shape of the document alone")]
pub(in crate::api) struct ProblemDocument {
    /// `urn:wanderer-kills:problem:` and the code.
    #[schema(examples("urn:wanderer-kills:problem:bad_parameter"))]
    #[serde(rename = "type")]
    pub(in crate::api) kind: String,
    /// The kind of error in words.
    #[schema(examples("Bad parameter"))]
    pub(in crate::api) title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, examples(400))]
    pub(in crate::api) status: u16,
    /// What went wrong this time: field, value and what is allowed.
    #[schema(examples("limit is \"-1\", allowed is a whole number from 1 to 1000"))]
    pub(in crate::api) detail: String,
    /// The stable code, for programs.
    #[schema(value_type = ProblemCode)]
    pub(in crate::api) code: String,
    /// The request's path.
    #[schema(required = false, examples("/api/killfeed"))]
    pub(in crate::api) instance: String,
    /// The request's id, under which the log has it.
    #[schema(required = false)]
    pub(in crate::api) request_id: String,
    /// The parameter or field that is wrong (`bad_parameter`, `unknown_parameter`).
    #[schema(required = false, examples("limit"))]
    pub(in crate::api) parameter: String,
    /// The request's cursor (`cursor_expired`, `cursor_ahead`).
    #[schema(required = false)]
    pub(in crate::api) after: i64,
    /// The oldest cursor that can be served (`cursor_expired`).
    #[schema(required = false)]
    pub(in crate::api) oldest: i64,
    /// The newest event (`cursor_ahead`).
    #[schema(required = false)]
    pub(in crate::api) head: i64,
}

/// The stable codes of problems.
pub(in crate::api) struct ProblemCode;

impl PartialSchema for ProblemCode {
    fn schema() -> RefOr<Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("The stable code of a problem. New ones may be added."))
            .enum_values(Some(CODES))
            .into()
    }
}

impl ToSchema for ProblemCode {}

/// A path that nobody answers.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document alone")]
pub(in crate::api) struct PlainError {
    /// The status in words.
    #[schema(examples("Not Found"))]
    pub(in crate::api) error: String,
    /// The status, as a text.
    #[schema(examples("404"))]
    pub(in crate::api) status: String,
}

/// What any of our own operations may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) enum Failures {
    /// `internal`: an error of ours; the log has it under the request id.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemDocument),
    /// The service can't work on this now: `overloaded`, `timeout`, `shutting_down`, `database_busy`,
    /// `database_unavailable`, `too_many` of what is kept, `too_many_streams` for what stays open, and
    /// `too_many_queries` over history.
    #[response(
        status = 503,
        content_type = "application/problem+json",
        headers(("Retry-After" = u16, description = "Seconds after which another try makes sense."))
    )]
    Unavailable(ProblemDocument),
}

/// A request that can't be understood.
#[derive(IntoResponses)]
#[response(
    status = 400,
    content_type = "application/problem+json",
    description = "`bad_parameter` or `unknown_parameter`: `detail` names field, value and what is allowed."
)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) struct BadRequest(ProblemDocument);

/// A query that takes too long.
#[derive(IntoResponses)]
#[response(
    status = 422,
    content_type = "application/problem+json",
    description = "`query_too_broad`: it takes too long; `detail` says what to narrow."
)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) struct QueryTooBroad(ProblemDocument);

/// A body that is too large.
#[derive(IntoResponses)]
#[response(
    status = 413,
    content_type = "application/problem+json",
    description = "`body_too_large`: more than 64 KiB."
)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) struct BodyTooLarge(ProblemDocument);

/// What a cursor may be answered with.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) enum CursorRefused {
    /// `cursor_ahead`: beyond the newest event, which is `head`. The cursor belongs to another database.
    #[response(status = 409, content_type = "application/problem+json")]
    Ahead(ProblemDocument),
    /// `cursor_expired`: older than the log is kept. Go on from `oldest` and fill the hole from history.
    #[response(status = 410, content_type = "application/problem+json")]
    Expired(ProblemDocument),
}

/// A request line that is too long.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) enum LineTooLong {
    /// The path and the query are longer than 64 KiB. The answer has no body.
    #[response(status = 414)]
    Line,
    /// With the headers, they are longer than what is read of a request. The answer has no body.
    #[response(status = 431)]
    Head,
}

/// What an operation for owners may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) enum OwnerRefused {
    /// `not_owner`: the subscription's secret is missing or another's.
    #[response(status = 401, content_type = "application/problem+json")]
    NotOwner(ProblemDocument),
    /// `subscription_not_found`, and `delivery_not_found` where a delivery is named.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemDocument),
}

/// What an operation for operators may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) enum OperatorRefused {
    /// `not_admin`: the operator's token is missing or another's; `token_required` where the service hands out tokens.
    #[response(status = 401, content_type = "application/problem+json")]
    NotAdmin(ProblemDocument),
    /// `admin_off`: the service was started without a token, so nobody may; `token_lacks_scope` where it hands out tokens.
    #[response(status = 403, content_type = "application/problem+json")]
    AdminOff(ProblemDocument),
}

/// What an operation may answer that takes a token where the service asks for them.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(in crate::api) enum TokenRefused {
    /// `token_required`: the service asks for a token, and it is missing, unknown, revoked or expired.
    #[response(status = 401, content_type = "application/problem+json")]
    Required(ProblemDocument),
    /// `token_lacks_scope`: the token is not for this.
    #[response(status = 403, content_type = "application/problem+json")]
    LacksScope(ProblemDocument),
}

/// Schemas that answers name and that operations do not bring along by themselves.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut all = crate::api::v1::shapes::schemas();
    all.extend(crate::api::killfeed::shapes::schemas());
    all.extend(crate::api::killmails::schemas());
    all.extend([
        of::<ProblemDocument>(),
        of::<ProblemCode>(),
        of::<PlainError>(),
        of::<Value>(),
    ]);
    all
}

/// A schema under its name.
pub(in crate::api) fn of<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}
