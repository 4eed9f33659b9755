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
mod view;

pub(super) use make::{Wanted, make};
pub(super) use view::host_only;

use axum::Router;
use axum::routing::{get, post};

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> Router<ApiState> {
    Router::new()
        .route("/api/subscriptions", post(make::handle))
        .route(
            "/api/subscriptions/{id}",
            get(view::handle).patch(change::handle).delete(act::delete),
        )
        .route("/api/subscriptions/{id}/pause", post(act::pause))
        .route("/api/subscriptions/{id}/resume", post(act::resume))
        .route("/api/subscriptions/{id}/test", post(deliveries::test))
        .route("/api/subscriptions/{id}/deliveries", get(deliveries::list))
        .route(
            "/api/subscriptions/{id}/deliveries/{delivery_id}/redeliver",
            post(deliveries::redeliver),
        )
}
