//! Statistics over killmails: rolled-up rows of whole days, and the same from killmails and attackers for the rest.
//!
//! Every function that reads wants a transaction of [`begin`]: marks, rolled-up rows and killmails have to be those of
//! one moment.
//!
//! Pieces of a window are walked one after the other: `OFFSET 0` keeps the planner from reading all there is of a region
//! at once and comparing it with the pieces.

pub mod activity;
pub mod marks;
pub mod related;
pub mod rollup;
pub mod summary;
pub mod top;
pub mod valuable;
mod window;

use sqlx::{PgPool, Postgres, Transaction};

use super::{Error, Result};

use window::Split;
pub use window::Window;

/// Killmails that were counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// How many.
    pub killmails: i64,
    /// What they were worth together, ISK; those without a value count as 0.
    pub isk: f64,
    /// How many of them have no value.
    pub without_value: i64,
}

/// Where killmails are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everywhere.
    Everywhere,
    /// In a region.
    Region(i64),
    /// In a system.
    System(i64),
}

/// Which killmails are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question {
    /// Those of this time.
    pub window: Window,
    /// Those with NPCs alone, or without these; both where it is `None`.
    pub npc: Option<bool>,
}

/// The query of a scope, out of a macro that takes conditions on rolled-up rows and on killmails, then what to bind: the
/// scope's id first. Each scope has a statement of its own, so that each gets the plan that fits it.
macro_rules! in_scope {
    ($query:ident, $scope:expr, $rolled_in_region:tt, $split:expr, $conn:expr, $($bound:expr),+ $(,)?) => {{
        let (rolled_from, rolled_to) = (&$split.rolled_from, &$split.rolled_to);
        let (live_from, live_to) = (&$split.live_from, &$split.live_to);
        match $scope {
            $crate::store::stats::Scope::Everywhere => {
                $query!(
                    "$1::bigint IS NULL", "true", None::<i64>, rolled_from, rolled_to, live_from, live_to, $($bound),+
                )
                .fetch_all($conn)
                .await
            }
            $crate::store::stats::Scope::Region(id) => {
                $query!(
                    $rolled_in_region, "k.region_id = $1", id, rolled_from, rolled_to, live_from, live_to, $($bound),+
                )
                .fetch_all($conn)
                .await
            }
            $crate::store::stats::Scope::System(id) => {
                $query!(
                    "false", "k.solar_system_id = $1", id, rolled_from, rolled_to, live_from, live_to, $($bound),+
                )
                .fetch_all($conn)
                .await
            }
        }
    }};
}
use in_scope;

/// What the connections for historical queries have switched off is wanted here, but for hash joins and compiled plans.
/// Joins are look-ups by index, whatever the planner believes of arrays.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL enable_sort = on; SET LOCAL enable_incremental_sort = on; \
    SET LOCAL enable_bitmapscan = on; SET LOCAL enable_hashagg = on; \
    SET LOCAL enable_nestloop = on; SET LOCAL enable_mergejoin = off";

/// A read-only transaction of one moment, on one of the pools for history.
///
/// # Errors
/// When the database refuses.
pub async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>> {
    pool.begin_with(BEGIN)
        .await
        .map_err(Error::query("beginning statistics"))
}
