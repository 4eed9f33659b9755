//! Webhook subscriptions as WandererKills' clients know them.

mod create;
mod list;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::ApiState;

/// The routes, without the layers of the old contract.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::handle))
        .routes(routes!(list::stats))
        .routes(routes!(list::unsubscribe))
}
