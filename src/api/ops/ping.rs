//! `GET /ping`: the process answers.

/// Always `pong`, as plain text.
pub(super) async fn handle() -> &'static str {
    "pong"
}
