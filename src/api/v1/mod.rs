//! The REST interface and event streams of WandererKills, so that its clients need no change.
//!
//! Answers come from our own database alone: nothing here asks an upstream. `since_hours` looks back one week
//! at most; a bulk request names at most
//! [`MAX_BULK_SYSTEMS`](crate::api::limits::MAX_BULK_SYSTEMS) systems.

mod accept;
mod count;
pub mod envelope;
mod exposition;
mod fields;
mod in_system;
mod in_systems;
mod killmail;
mod kills;
mod list;
mod read;
mod status;
mod streams;
mod subscriptions;
mod unmatched;

pub use envelope::V1Error;
pub(super) use fields::{Fields, Posted};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use super::router::within_time;
use super::state::ApiState;

/// All routes of the old contract, with their layers.
pub(super) fn routes(state: &ApiState) -> Router<ApiState> {
    let plain = Router::new()
        .route("/api/v1/kills/system/{id}", get(in_system::live))
        .route("/api/v1/kills/cached/{id}", get(in_system::cached))
        .route("/api/v1/kills/systems", post(in_systems::kills))
        .route("/api/v1/kills/count/{id}", get(count::handle))
        .route("/api/v1/killmail/{id}", get(killmail::handle))
        .route("/api/v1/systems/bulk/killmails", post(in_systems::bulk))
        .route("/api/v1/systems/{id}/killmails", get(list::of_system))
        .route("/api/v1/characters/{id}/killmails", get(list::of_character))
        .merge(subscriptions::routes())
        .route("/api/v1", any(unmatched::handle))
        .route("/api/v1/", any(unmatched::handle))
        .route("/api/v1/{*rest}", any(unmatched::handle));
    let streams = Router::new()
        .route("/api/v1/kills/stream", get(streams::plain::handle))
        .route(
            "/api/v1/kills/stream/enhanced",
            get(streams::enhanced::handle),
        );
    let status = Router::new().route("/status", get(status::handle));
    answering_json(plain.merge(status), state).merge(finished(streams, state))
}

/// The layers around routes of the old contract that answer with JSON at once: time, size, compression, who
/// takes JSON, and the bodies of errors.
pub(super) fn answering_json(routes: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest);
    let routes = routes
        .method_not_allowed_fallback(unmatched::handle)
        .route_layer(from_fn(accept::json_only))
        .route_layer(from_fn_with_state(state.clone(), within_time));
    finished(routes, state).route_layer(compression)
}

/// The layer that writes the bodies of errors.
fn finished(routes: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    routes
        .method_not_allowed_fallback(unmatched::handle)
        .route_layer(from_fn_with_state(state.clone(), envelope::finish))
}
