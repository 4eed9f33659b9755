//! What an answer says about the past it was asked for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

/// How a system's past stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api::v1) enum BackfillState {
    /// Everything since `since` is stored.
    Complete,
    /// It is wanted, and nothing of it read yet.
    Requested,
    /// It is being read.
    Running,
    /// It was given up. Asking an hour later tries again.
    Failed,
    /// Nobody reads it.
    Unavailable,
}

/// Whether the past of a system is known. Asking again a little later gives the rest.
#[derive(ToSchema)]
pub(in crate::api::v1) struct Backfill {
    pub(super) state: BackfillState,
    /// From when on.
    pub(super) since: DateTime<Utc>,
    /// There, and true, when there is too much before `since`.
    #[schema(required = false)]
    pub(super) truncated: bool,
    /// Why it failed, or why nobody reads it.
    #[schema(required = false)]
    pub(super) reason: String,
}

/// Whether the past of systems is known.
#[derive(ToSchema)]
pub(in crate::api::v1) struct ManyBackfills {
    /// The state that most says that something is missing.
    pub(super) state: BackfillState,
    /// From when on.
    pub(super) since: DateTime<Utc>,
    /// System id → state, of those that are not `complete`.
    pub(super) systems: BTreeMap<String, BackfillState>,
}
