//! How a backfill of days shows its progress.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ingest::backfill::{Report, Watch};
use crate::runtime::clock::SharedClock;

/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Progress of the whole: a bar on a terminal, a log line now and then elsewhere.
pub(in crate::cli) struct Display {
    pub(in crate::cli) bar: ProgressBar,
    clock: SharedClock,
    logged: Mutex<Logged>,
}

/// What the last log line said, and what came since.
#[derive(Debug, Default)]
struct Logged {
    at: Duration,
    documents: u64,
    since: u64,
}

impl Display {
    pub(in crate::cli) fn new(clock: SharedClock) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template =
            "{wide_msg} {human_pos}/{human_len} killmails {bar:20} {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let logged = Logged {
            at: clock.monotonic(),
            ..Logged::default()
        };
        Self {
            bar,
            clock,
            logged: Mutex::new(logged),
        }
    }

    /// Adds to what was read; documents in all and each second since the last line, once per [`LOG_EVERY`].
    fn line(&self, documents: u64) -> Option<(u64, f64)> {
        let now = self.clock.monotonic();
        let mut logged = self.logged.lock().ok()?;
        logged.documents += documents;
        logged.since += documents;
        let passed = now.saturating_sub(logged.at);
        if passed < LOG_EVERY {
            return None;
        }
        let since = u32::try_from(logged.since).unwrap_or(u32::MAX);
        logged.at = now;
        logged.since = 0;
        Some((logged.documents, f64::from(since) / passed.as_secs_f64()))
    }
}

impl Watch for Display {
    fn planned(&self, days: u64, killmails: u64) {
        self.bar.set_length(killmails);
        tracing::info!(days, killmails, "days to ask for");
    }

    fn read(&self, documents: u64) {
        self.bar.inc(documents);
        if self.bar.is_hidden()
            && let Some((documents, per_second)) = self.line(documents)
        {
            let per_second = per_second.round();
            tracing::info!(documents, per_second, "filling days");
        }
    }

    fn settled(&self, report: &Report) {
        let (settled, days) = (report.settled(), report.days);
        self.bar.set_message(format!("{settled} of {days} days"));
    }
}
