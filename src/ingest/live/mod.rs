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
mod term;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use bodies::EsiBodies;
pub use r2z2::NAME as R2Z2;

use super::pipeline::FetchBody;
use super::resolver::Resolver;
use crate::runtime::clock::SharedClock;
use crate::runtime::config::{IngestConfig, LiveConfig, LiveSource};
use crate::store::Store;
use crate::upstream::http::{Attempts, HttpClient};

/// Pauses between two terms, when the database or the pipeline fails.
const BACK_OFF: Attempts = Attempts {
    more: usize::MAX,
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(30),
};
/// A term that lasted this long was a healthy one: the next pause is short again.
const HEALTHY_TERM: Duration = Duration::from_mins(1);

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
    let mut memory = Memory::default();
    let mut pauses = BACK_OFF.pauses();
    while !token.is_cancelled() {
        let started = deps.clock.monotonic();
        let ended = term::serve(&deps, &mut memory, &token).await;
        let Err(error) = ended else { break };
        if deps.clock.monotonic().saturating_sub(started) >= HEALTHY_TERM {
            pauses = BACK_OFF.pauses();
        }
        let pause = pauses.next().unwrap_or(BACK_OFF.longest_pause);
        events::TermEnded {
            error: &error,
            pause,
        }
        .emit();
        // The machine's timer: the pause is about the database, not about the source's pace.
        tokio::select! {
            () = token.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}
