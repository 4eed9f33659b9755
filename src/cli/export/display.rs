//! Progress: a bar of days on a terminal, a log line now and then elsewhere.

use std::time::Duration;

use chrono::NaiveDate;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ingest::backfill::DayRange;
use crate::runtime::clock::SharedClock;

/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Display {
    bar: ProgressBar,
    clock: SharedClock,
    logged_at: Duration,
}

impl Display {
    pub(super) fn new(days: DayRange, clock: SharedClock) -> Self {
        let length = days.last().signed_duration_since(days.first()).num_days() + 1;
        let length = u64::try_from(length).ok();
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        if let Ok(style) =
            ProgressStyle::with_template("{wide_msg} {pos}/{len} days {bar:20} {eta}")
        {
            bar.set_style(style);
        }
        let logged_at = clock.monotonic();
        Self {
            bar,
            clock,
            logged_at,
        }
    }

    pub(super) fn settled(&mut self, day: NaiveDate, killmails: u64) {
        self.bar.inc(1);
        if !self.bar.is_hidden() {
            self.bar
                .set_message(format!("{day}: {killmails} killmails"));
            return;
        }
        let now = self.clock.monotonic();
        if now.saturating_sub(self.logged_at) >= LOG_EVERY {
            self.logged_at = now;
            tracing::info!(%day, killmails, "exporting");
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
