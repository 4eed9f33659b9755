//! The REST interface and event streams of WandererKills, so that its clients need no change.
//!
//! Answers come from our own database alone: nothing here asks an upstream, or waits for one. The past of a
//! system that is not known is taken down as wanted, and the answer says so. `since_hours` looks back one week
//! at most; a bulk request names at most
//! [`MAX_BULK_SYSTEMS`](crate::api::limits::MAX_BULK_SYSTEMS) systems.

mod accept;
mod backfill;
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
pub(in crate::api) mod shapes;
mod status;
mod streams;
mod subscriptions;
mod unmatched;

pub use envelope::V1Error;
pub(super) use fields::{Fields, Posted};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::any;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::router::within_time;
use super::state::ApiState;

/// All routes of the old contract, with their layers.
pub(super) fn routes(state: &ApiState) -> OpenApiRouter<ApiState> {
    let (plain, document) = OpenApiRouter::new()
        .routes(routes!(in_system::live))
        .routes(routes!(in_system::cached))
        .routes(routes!(in_systems::kills))
        .routes(routes!(count::handle))
        .routes(routes!(killmail::handle))
        .routes(routes!(in_systems::bulk))
        .routes(routes!(list::of_system))
        .routes(routes!(list::of_character))
        .routes(routes!(status::handle))
        .merge(subscriptions::routes())
        .split_for_parts();
    let plain = plain
        .route("/api/v1", any(unmatched::handle))
        .route("/api/v1/", any(unmatched::handle))
        .route("/api/v1/{*rest}", any(unmatched::handle));
    let (streams, of_streams) = OpenApiRouter::new()
        .routes(routes!(streams::plain::handle))
        .routes(routes!(streams::enhanced::handle))
        .split_for_parts();
    let routes = answering_json(plain, state).merge(finished(streams, state));
    OpenApiRouter::with_openapi(document.merge_from(of_streams)).merge(routes.into())
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
