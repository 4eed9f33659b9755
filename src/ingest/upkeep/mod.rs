//! Upkeep of what is stored: one process of all on a database does it, the others stand by.
//!
//! ```text
//! become upkeeper ─► completer │ values │ reference data   (side by side)
//!       ▲                           │ (lock lost, database away)
//!       └───────── back-off ◄───────┘
//! ```

pub mod completer;
mod events;
mod term;
pub mod values;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pipeline::PipelineInput;
use super::reference_data::ReferenceDataDeps;
use super::resolver::Resolver;
use crate::runtime::clock::SharedClock;
use crate::runtime::config::IngestConfig;
use crate::store::Store;
use crate::upstream::http::Attempts;
use crate::upstream::zkb::rest::ZkbRest;

/// Pauses between two terms, when the database fails.
const BACK_OFF: Attempts = Attempts {
    more: usize::MAX,
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(30),
};
/// A term that lasted this long was a healthy one: the next pause is short again.
const HEALTHY_TERM: Duration = Duration::from_mins(1);

/// What upkeep needs.
#[derive(Debug, Clone)]
pub struct UpkeepDeps {
    /// What is kept.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// What ids mean.
    pub resolver: Resolver,
    /// Where values come from; without it none are asked for.
    pub zkb: Option<ZkbRest>,
    /// Takes killmails with the values found. The pipeline does not end while upkeep runs.
    pub input: PipelineInput,
    /// How far back values are asked for.
    pub ingest: IngestConfig,
    /// Reference data to keep fresh, where there is an origin.
    pub reference_data: Option<ReferenceDataDeps>,
}

/// Keeps what is stored complete until `token` is cancelled. Retry: everything, with growing pauses. What
/// is under way at the end is rolled back and done again by whoever is the next upkeeper.
///
/// # Errors
/// None at present: all failures are retried.
pub async fn run(deps: UpkeepDeps, token: CancellationToken) -> anyhow::Result<()> {
    let mut pauses = BACK_OFF.pauses();
    while !token.is_cancelled() {
        let started = deps.clock.monotonic();
        let Err(error) = Box::pin(term::serve(&deps, &token)).await else {
            break;
        };
        if deps.clock.monotonic().saturating_sub(started) >= HEALTHY_TERM {
            pauses = BACK_OFF.pauses();
        }
        let pause = pauses.next().unwrap_or(BACK_OFF.longest_pause);
        events::TermEnded {
            error: &error,
            pause,
        }
        .emit();
        // The machine's timer: the pause is about the database.
        tokio::select! {
            () = token.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}
