//! The preloader: reads the past that somebody wants from zKillboard's REST lists, on a budget.
//!
//! ```text
//! requests ────────────┐
//! configuration ───────┼─► history_wishes ─► reader ─► pipeline ─► PostgreSQL
//! subscriptions ───────┘        ▲              │
//!                               └─ how far ◄───┘   (page by page, so that a restart goes on there)
//! ```
//!
//! It is a reconciler: it takes no calls, but looks into the table every two seconds and reads one page
//! of the wish that was served longest ago, those that a client waits for first. One process of all on a
//! database does it. It shares the one request a second that zKillboard is asked with whoever asks for
//! values: each has at most one question waiting, and they take turns.
//!
//! What is *known well enough* to need no reading is said in [`domain::history`](crate::domain::history).
//! Killmails go the way of all others, and the feed hears of those that happened within `WK_ANNOUNCE_HOURS`.
//! A page that fails is asked for again on a ladder, and given up after its last step until somebody asks
//! anew; while zKillboard itself is busy or away, nothing is asked and nothing counts as failed.

mod events;
mod reader;
mod term;
mod walk;
mod wanted;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use reader::{Reader, Stepped};
pub use walk::MAX_PAGES;
pub use wanted::{Wanted, look};

use super::pipeline::PipelineInput;
use crate::runtime::clock::SharedClock;
use crate::runtime::config::PreloadConfig;
use crate::store::history_wishes;
use crate::store::{self, Store};
use crate::upstream::http::Attempts;
use crate::upstream::zkb::rest::ZkbRest;

/// The source's name in envelopes, logs and metrics.
pub const SOURCE: &str = "zkb";

/// Pauses between two terms, when the database fails.
const BACK_OFF: Attempts = Attempts {
    more: usize::MAX,
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(30),
};
/// A term that lasted this long was a healthy one: the next pause is short again.
const HEALTHY_TERM: Duration = Duration::from_mins(1);
/// Pause when no wish is due: one look-up by index each time.
const IDLE: Duration = Duration::from_secs(2);

/// What the preloader needs.
#[derive(Debug, Clone)]
pub struct PreloaderDeps {
    /// What is kept.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// Whom to ask. A clone of the one that others ask by: they share its budget.
    pub zkb: ZkbRest,
    /// Takes what was read. The pipeline does not end while the preloader runs.
    pub input: PipelineInput,
    /// What is kept filled.
    pub preload: PreloadConfig,
}

impl PreloaderDeps {
    fn reader(&self) -> Reader {
        Reader {
            store: self.store.clone(),
            clock: self.clock.clone(),
            zkb: self.zkb.clone(),
            input: self.input.clone(),
            max_pages: MAX_PAGES,
            hold: chrono::TimeDelta::zero(),
        }
    }
}

/// Reads what is wanted until `token` is cancelled. Retry: everything, with growing pauses. The page that is
/// under way at the end is read again by whoever is the next preloader.
///
/// # Errors
/// None at present: all failures are retried.
pub async fn run(deps: PreloaderDeps, token: CancellationToken) -> anyhow::Result<()> {
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

/// Serves one page of the wish whose turn it is. False where none is due. Waits as long as zKillboard wants to
/// be left alone after a failure.
///
/// # Errors
/// When the database refuses or the pipeline has ended.
pub async fn round(deps: &PreloaderDeps) -> anyhow::Result<bool> {
    let Some(wish) = next(deps).await? else {
        return Ok(false);
    };
    if let Stepped::Failed { pause, .. } = deps.reader().step(wish).await? {
        deps.clock.sleep(pause).await;
    }
    Ok(true)
}

async fn next(deps: &PreloaderDeps) -> store::Result<Option<history_wishes::Wish>> {
    let next = history_wishes::next_due(&deps.store.pool, deps.clock.now()).await?;
    let open = history_wishes::count_open(&deps.store.pool).await?;
    events::WishesCounted { open }.emit();
    Ok(next)
}
