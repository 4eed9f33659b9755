//! The envelopes of errors, as schemas.

use chrono::{DateTime, Utc};
use utoipa::{IntoResponses, ToSchema};

use crate::api::docs::answers::PlainError;

/// An error of the killmail endpoints.
#[derive(ToSchema)]
pub(in crate::api::v1) struct CodedError {
    /// For people.
    #[schema(examples("Invalid system ID format"))]
    pub(super) error: String,
    /// For programs, such as `INVALID_SYSTEM_ID`, `INVALID_PARAMETERS` and `NOT_FOUND`.
    #[schema(pattern = "^[A-Z_]+$", examples("INVALID_SYSTEM_ID"))]
    pub(super) code: String,
    /// Nothing, so far.
    #[schema(value_type = Option<Object>, required = true)]
    pub(super) details: (),
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
}

/// An error of the subscription endpoints.
#[derive(ToSchema)]
pub(in crate::api::v1) struct SubscriptionError {
    /// What is wrong.
    pub(super) error: SubscriptionErrorBody,
}

/// What is wrong with a subscription.
#[derive(ToSchema)]
pub(in crate::api::v1) struct SubscriptionErrorBody {
    /// For people.
    #[schema(examples("subscriber_id is required"))]
    pub(super) message: String,
    /// The message again.
    pub(super) details: String,
}

/// An error of the event streams.
#[derive(ToSchema)]
pub(in crate::api::v1) struct TypedError {
    /// What is wrong.
    pub(super) error: TypedErrorBody,
}

/// What is wrong with a stream's request.
#[derive(ToSchema)]
pub(in crate::api::v1) struct TypedErrorBody {
    /// What the error is about: `validation`, or `sse` for a cursor that can't be served.
    #[schema(examples("validation"))]
    pub(super) domain: String,
    /// What is wrong, such as `invalid_format`.
    #[serde(rename = "type")]
    #[schema(examples("invalid_format"))]
    pub(super) kind: String,
    /// For people.
    pub(super) message: String,
    /// Nothing, so far.
    #[schema(value_type = Option<Object>, required = true)]
    pub(super) details: (),
    /// Always false.
    pub(super) retryable: bool,
}

/// Every place for event streams is taken.
#[derive(ToSchema)]
pub(in crate::api::v1) struct ConnectionLimitError {
    /// What is wrong.
    pub(super) error: ConnectionLimitBody,
}

/// Every place for event streams is taken.
#[derive(ToSchema)]
pub(in crate::api::v1) struct ConnectionLimitBody {
    /// Always `connection_limit_reached`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// For people.
    pub(super) message: String,
}

/// A body that can't be understood, or one that is no JSON.
#[derive(ToSchema)]
#[serde(untagged)]
pub(in crate::api::v1) enum BadBody {
    /// Its values are wrong.
    Coded(CodedError),
    /// It is no JSON.
    Plain(PlainError),
}

/// A subscription that can't be made, or a body that is no JSON.
#[derive(ToSchema)]
#[serde(untagged)]
pub(in crate::api::v1) enum BadSubscription {
    /// Its values are wrong.
    Subscription(SubscriptionError),
    /// It is no JSON.
    Plain(PlainError),
}

/// Why a stream can't be opened now.
#[derive(ToSchema)]
#[serde(untagged)]
pub(in crate::api::v1) enum StreamUnavailable {
    /// Every place is taken.
    Limit(ConnectionLimitError),
    /// Something else.
    Plain(PlainError),
}

/// What any of these operations may answer.
#[derive(IntoResponses)]
pub(in crate::api::v1) enum Failures {
    /// The request takes no JSON.
    #[response(status = 406)]
    NotAcceptable(PlainError),
    /// An error of ours; the log has it under the request id.
    #[response(status = 500)]
    Internal(PlainError),
    /// Too many requests at work, or the database can't be used now.
    #[response(
        status = 503,
        headers(("Retry-After" = u16, description = "Seconds after which another try makes sense."))
    )]
    Unavailable(PlainError),
}

/// What an operation may answer that takes a token where the service asks for them.
#[derive(IntoResponses)]
pub(in crate::api::v1) enum TokenRefused {
    /// The service asks for a token, and it is missing, unknown, revoked or expired.
    #[response(status = 401)]
    Required(PlainError),
    /// The token is not for this.
    #[response(status = 403)]
    LacksScope(PlainError),
}

/// A request that can't be understood.
#[derive(IntoResponses)]
#[response(
    status = 400,
    description = "An id, span or limit that is no number in its range."
)]
pub(in crate::api::v1) struct BadRequest(CodedError);

/// A body that is too large.
#[derive(IntoResponses)]
#[response(status = 413, description = "A body of more than 1 MiB.")]
pub(in crate::api::v1) struct BodyTooLarge(PlainError);

/// What an event stream may answer instead.
#[derive(IntoResponses)]
pub(in crate::api::v1) enum StreamFailures {
    /// A parameter that can't be understood.
    #[response(status = 400)]
    BadRequest(TypedError),
    /// `cursor_ahead`: `Last-Event-ID` is beyond the newest event.
    #[response(status = 409)]
    Ahead(TypedError),
    /// `cursor_expired`: `Last-Event-ID` is older than the feed is kept.
    #[response(status = 410)]
    Expired(TypedError),
    /// An error of ours; the log has it under the request id.
    #[response(status = 500)]
    Internal(PlainError),
    /// Every place for streams is taken, or the database can't be used now.
    #[response(
        status = 503,
        headers(("Retry-After" = u16, description = "Seconds after which another try makes sense."))
    )]
    Unavailable(StreamUnavailable),
}
