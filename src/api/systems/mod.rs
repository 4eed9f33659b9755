//! Solar systems.

mod active;

use axum::Router;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> Router<ApiState> {
    Router::new().route("/api/systems/active", axum::routing::get(active::handle))
}
