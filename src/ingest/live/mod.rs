//! The live source: one process of all on a database follows it, the others stand by.
//!
//! ```text
//! become leader ─► take the cursor over ─► source ─► pipeline
//!       ▲                                    │ (lock lost, pipeline broken)
//!       └────────────── back-off ◄───────────┘
//! ```

mod bodies;
mod envelopes;
mod events;
mod gaps;
mod r2z2;
mod redisq;
mod standing;
mod term;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use bodies::EsiBodies;
pub use r2z2::NAME as R2Z2;
pub use redisq::NAME as REDISQ;
pub use standing::{Hindered, Obstacle, Standing};

use super::pipeline::FetchBody;
use super::resolver::Resolver;
use crate::runtime::clock::SharedClock;
use crate::runtime::config::{IngestConfig, LiveConfig, LiveSource};
use crate::runtime::terms;
use crate::store::Store;
use crate::upstream::http::HttpClient;

/// What the live source needs.
#[derive(Debug, Clone)]
pub struct LiveDeps {
    /// Where it writes.
    pub store: Store,
    /// Time, as the source's waits see it.
    pub clock: SharedClock,
    /// Which source, and how patiently.
    pub live: LiveConfig,
    /// The pipeline's limits.
    pub ingest: IngestConfig,
    /// The one client.
    pub http: HttpClient,
    /// Finds out what ids mean.
    pub resolver: Resolver,
    /// Fetches missing bodies, where there is a way.
    pub bodies: Option<Arc<dyn FetchBody>>,
    /// Told how the source stands.
    pub standing: Standing,
}

/// What outlives a term.
#[derive(Debug, Default)]
struct Memory {
    /// R2Z2 was asked in an earlier term; the last answer may have been a 404.
    asked_r2z2: bool,
    /// Killmails that a RedisQ server has handed out and forgotten, but which are not committed. Never more
    /// than one poll's worth.
    uncommitted: Vec<bytes::Bytes>,
}

/// Follows the configured source until `token` is cancelled. Input: the source. Output: committed
/// killmails. Retry: everything, with growing pauses; nothing that was committed is asked for again, and
/// nothing else is passed over without a note. End: after `token`, once the pipeline has committed what was
/// under way (or 10 s have passed).
///
/// # Errors
/// None at present: all failures are retried.
pub async fn run(deps: LiveDeps, token: CancellationToken) -> anyhow::Result<()> {
    if deps.live.live_source == LiveSource::None {
        token.cancelled().await;
        return Ok(());
    }
    let clock = Arc::clone(&deps.clock);
    let state = (deps, Memory::default(), token.clone());
    terms::serve(
        "live source",
        &clock,
        &token,
        state,
        |(deps, memory, token)| Box::pin(term::serve(deps, memory, token)),
    )
    .await;
    Ok(())
}
