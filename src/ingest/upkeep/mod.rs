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

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::pipeline::PipelineInput;
use super::reference_data::ReferenceDataDeps;
use super::resolver::Resolver;
use crate::runtime::clock::SharedClock;
use crate::runtime::config::IngestConfig;
use crate::runtime::terms;
use crate::store::Store;
use crate::upstream::zkb::rest::ZkbRest;

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
    let clock = Arc::clone(&deps.clock);
    let state = (deps, token.clone());
    terms::serve("upkeep", &clock, &token, state, |(deps, token)| {
        Box::pin(term::serve(deps, token))
    })
    .await;
    Ok(())
}
