//! `stats rebuild`: statistics from what is stored.

use std::sync::Mutex;
use std::time::Duration;

use chrono::NaiveDate;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::ingest::statistics::{self, Watch};
use crate::runtime::clock::{SharedClock, SystemClock};
use crate::runtime::config::DatabaseConfig;
use crate::service::Database;
use crate::store::stats::marks;

/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Keep statistics.
#[derive(Debug, clap::Args)]
pub struct StatsCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done with statistics.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Make the statistics of every day anew from the killmails that are stored.
    Rebuild(Box<RebuildArgs>),
}

/// Make the statistics of every day anew from the killmails that are stored.
///
/// Beside a running service, too: answers stay right all the while.
#[derive(Debug, clap::Args)]
pub struct RebuildArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// Runs the action.
pub(super) async fn run(command: StatsCommand, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Action::Rebuild(arguments) = command.action;
    let database = Database::open(&arguments.database).await?;
    let rebuilt = rebuild(&database, &shutdown).await;
    let closed = database.close().await;
    rebuilt.and(closed)
}

async fn rebuild(database: &Database, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let display = Display::new(SystemClock::shared());
    let made = statistics::rebuild(&database.store, &display, shutdown).await;
    display.bar.finish_and_clear();
    let made = made?;
    let left = marks::count(&database.store.pool).await?;
    super::say(&format!(
        "statistics of {made} days made, {left} left to the service"
    ));
    anyhow::ensure!(
        !shutdown.is_cancelled(),
        "interrupted; the service makes the rest"
    );
    Ok(())
}

/// Progress: a bar on a terminal, a log line now and then elsewhere.
struct Display {
    bar: ProgressBar,
    clock: SharedClock,
    logged_at: Mutex<Duration>,
}

impl Display {
    fn new(clock: SharedClock) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg} {pos}/{len} days {wide_bar} {eta}") {
            bar.set_style(style);
        }
        let logged_at = Mutex::new(clock.monotonic());
        Self {
            bar,
            clock,
            logged_at,
        }
    }

    /// True once per [`LOG_EVERY`].
    fn is_time_to_log(&self) -> bool {
        let now = self.clock.monotonic();
        let Ok(mut logged_at) = self.logged_at.lock() else {
            return false;
        };
        let is_time = now.saturating_sub(*logged_at) >= LOG_EVERY;
        if is_time {
            *logged_at = now;
        }
        is_time
    }
}

impl Watch for Display {
    fn marked(&self, days: u64) {
        self.bar.set_length(days);
    }

    fn made(&self, day: NaiveDate) {
        self.bar.inc(1);
        self.bar.set_message(day.to_string());
        if self.bar.is_hidden() && self.is_time_to_log() {
            tracing::info!(%day, made = self.bar.position(), days = self.bar.length(), "making statistics");
        }
    }
}
