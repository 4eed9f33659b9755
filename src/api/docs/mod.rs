//! The OpenAPI document and the page that shows it.
//!
//! | path | answer |
//! |---|---|
//! | `GET /api/openapi.json`, `GET /api/openapi` | OpenAPI 3.1 of every route |
//! | `GET /docs` | the same for people, with everything it needs in the binary |
//!
//! A route and its part of the document are one thing: rooms register handlers with
//! [`routes!`](utoipa_axum::routes), which takes method and path from the handler's `#[utoipa::path]`. Shapes of
//! bodies stand beside what writes them; what many operations share is in [`answers`] and [`parameters`].

pub(super) mod answers;
mod document;
mod page;
pub(super) mod parameters;
mod served;
pub(super) mod tags;

use std::sync::Arc;

use axum::{Extension, Router};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

/// The routes of the document and the page, with all that `others` say of the rest.
pub(super) fn routes(others: OpenApi) -> Router<ApiState> {
    let (routes, mut own) = OpenApiRouter::new()
        .routes(routes!(served::json))
        .routes(routes!(served::plain))
        .routes(routes!(page::index))
        .routes(routes!(page::index_in_folder))
        .routes(routes!(page::asset))
        .split_for_parts();
    own.merge(others);
    let document = served::Served::of(&document::finished(own));
    routes
        .layer(Extension(Arc::new(document)))
        .layer(Extension(Arc::new(page::config())))
}
