//! Each kind of error with its status, its code and its title.

use axum::http::StatusCode;

use super::ApiError;

/// Status, code and title of one kind of error.
pub(super) type Kind = (StatusCode, &'static str, &'static str);

impl ApiError {
    #[expect(clippy::too_many_lines, reason = "a table: one row per kind")]
    pub(super) fn kind(&self) -> Kind {
        use StatusCode as S;
        match self {
            Self::BadParameter { .. } => (S::BAD_REQUEST, "bad_parameter", "Bad parameter"),
            Self::UnknownParameter { .. } => {
                (S::BAD_REQUEST, "unknown_parameter", "Unknown parameter")
            }
            Self::CursorExpired { .. } => (S::GONE, "cursor_expired", "Cursor expired"),
            Self::CursorAhead { .. } => (S::CONFLICT, "cursor_ahead", "Cursor ahead of the feed"),
            Self::KillmailNotFound { .. } => {
                (S::NOT_FOUND, "killmail_not_found", "Killmail not found")
            }
            Self::DocumentNotFound { .. } => {
                (S::NOT_FOUND, "document_not_found", "Document not found")
            }
            Self::TooManyRequests { .. } => (
                S::TOO_MANY_REQUESTS,
                "too_many_requests",
                "Too many requests",
            ),
            Self::TooOften { .. } => (S::TOO_MANY_REQUESTS, "too_often", "Too often"),
            Self::TokenRequired { .. } => (S::UNAUTHORIZED, "token_required", "Token required"),
            Self::TokenLacksScope { .. } => {
                (S::FORBIDDEN, "token_lacks_scope", "Token lacks scope")
            }
            Self::SubscriptionNotFound => (
                S::NOT_FOUND,
                "subscription_not_found",
                "Subscription not found",
            ),
            Self::DeliveryNotFound { .. } => {
                (S::NOT_FOUND, "delivery_not_found", "Delivery not found")
            }
            Self::BackfillNotFound { .. } => {
                (S::NOT_FOUND, "backfill_not_found", "Backfill not found")
            }
            Self::NotOwner => (S::UNAUTHORIZED, "not_owner", "Not the owner"),
            Self::RouteNotFound => (S::NOT_FOUND, "not_found", "Not Found"),
            Self::MethodNotAllowed { .. } => (
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Method not allowed",
            ),
            Self::UpgradeRequired { .. } => {
                (S::UPGRADE_REQUIRED, "upgrade_required", "Upgrade required")
            }
            Self::BodyTooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded", "Overloaded"),
            Self::TooManyQueries => (
                S::SERVICE_UNAVAILABLE,
                "too_many_queries",
                "Too many queries",
            ),
            Self::QueryTooBroad { .. } => (
                S::UNPROCESSABLE_ENTITY,
                "query_too_broad",
                "Query too broad",
            ),
            Self::NotAcceptable { .. } => (S::NOT_ACCEPTABLE, "not_acceptable", "Not acceptable"),
            Self::NotAdmin { .. } => (S::UNAUTHORIZED, "not_admin", "Not an operator"),
            Self::AdminOff { .. } => (S::FORBIDDEN, "admin_off", "No operator"),
            Self::TooManyStreams { .. } => (
                S::SERVICE_UNAVAILABLE,
                "too_many_streams",
                "Too many streams",
            ),
            Self::Timeout => (S::SERVICE_UNAVAILABLE, "timeout", "Timeout"),
            Self::ShuttingDown => (S::SERVICE_UNAVAILABLE, "shutting_down", "Shutting down"),
            Self::Store(error) => store_kind(error),
            Self::Shared(error) => error.kind(),
            Self::Document { .. } | Self::Rendering(_) | Self::Panicked { .. } => internal(),
            Self::Client(error) => (error.status(), "killfeed_client", "Bad killfeed request"),
            Self::V1(error) => (error.status(), "v1", "Bad request"),
        }
    }
}

fn internal() -> Kind {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Internal error",
    )
}

fn store_kind(error: &crate::store::Error) -> Kind {
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    if error.is_pool_exhausted() {
        (unavailable, "database_busy", "Database busy")
    } else if error.is_transient() {
        (unavailable, "database_unavailable", "Database unavailable")
    } else if matches!(error, crate::store::Error::TooMany { .. }) {
        (unavailable, "too_many", "Too many")
    } else {
        internal()
    }
}
