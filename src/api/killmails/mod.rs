//! Killmails by themselves.

mod get;

pub(super) use get::find;

use axum::Router;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> Router<ApiState> {
    Router::new().route("/api/killmails/{id}", axum::routing::get(get::handle))
}
