//! Webhook subscriptions: made by anybody, run by whoever holds their secret.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/subscriptions` | 201 with the subscription and its `secret`, shown this once |
//! | `GET /api/subscriptions/{id}` | the subscription; of its callback URL only the host, unless the owner asks |
//! | `PATCH /api/subscriptions/{id}` | changes `filter`, `callback_url` or `format`; the owner only |
//! | `DELETE /api/subscriptions/{id}` | 204; the owner only |
//! | `POST …/pause`, `POST …/resume` | the subscription; the owner only |
//! | `POST …/test` | 202 with the queued delivery; the owner only |
//! | `GET …/deliveries?before=&limit=` | what was sent, newest first; the owner only |
//! | `POST …/deliveries/{delivery_id}/redeliver` | 202 with the queued delivery; the owner only |
//!
//! The owner shows the secret as `Authorization: Bearer whsec_…`.

mod act;
mod change;
mod deliveries;
mod make;
mod owner;
mod shapes;
mod view;

pub(super) use make::{Wanted, make};
pub(super) use view::host_only;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(make::handle))
        .routes(routes!(view::handle, change::handle, act::delete))
        .routes(routes!(act::pause))
        .routes(routes!(act::resume))
        .routes(routes!(deliveries::test))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::redeliver))
}
