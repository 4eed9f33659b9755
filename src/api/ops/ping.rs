//! `GET /ping`: the process answers.

/// Always `pong`, as plain text.
#[utoipa::path(
    get,
    path = "/ping",
    operation_id = "ping",
    tag = crate::api::docs::tags::OPERATION,
    summary = "Whether the process answers",
    description = "Always `pong`.",
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain", example = "pong"),
        crate::api::docs::answers::Failures,
    ),
)]
pub(super) async fn handle() -> &'static str {
    "pong"
}
