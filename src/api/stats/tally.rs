use serde::Serialize;
use utoipa::ToSchema;

use crate::store::stats;

/// Killmails that were counted.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(super) struct Tally {
    /// How many, each once.
    pub(super) killmails: i64,
    /// What they were worth together, ISK. Those without a value count as 0.
    pub(super) isk: f64,
    /// How many of them have no value.
    pub(super) without_value: i64,
}

impl From<stats::Tally> for Tally {
    fn from(tally: stats::Tally) -> Self {
        Self {
            killmails: tally.killmails,
            isk: tally.isk,
            without_value: tally.without_value,
        }
    }
}
