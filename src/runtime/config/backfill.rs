use std::num::NonZeroUsize;

/// Where days of history come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum BackfillSource {
    /// EVE Ref's day archives: complete, small, without zKillboard's values.
    #[default]
    Everef,
    /// zKillboard's history files on R2Z2.
    R2z2,
}

impl BackfillSource {
    /// The word used on the command line and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everef => "everef",
            Self::R2z2 => "r2z2",
        }
    }
}

/// Filling days of history.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Backfill")]
pub struct BackfillConfig {
    /// Most killmails of a day of history written in one transaction.
    #[arg(long, env = "WK_BACKFILL_BATCH_SIZE", default_value = "1000")]
    pub backfill_batch_size: NonZeroUsize,
    /// Days of history that are read and stored at the same time.
    #[arg(long, env = "WK_BACKFILL_DAYS_AT_ONCE", default_value = "2")]
    pub backfill_days_at_once: NonZeroUsize,
}

impl Default for BackfillConfig {
    fn default() -> Self {
        Self {
            backfill_batch_size: super::non_zero(1000),
            backfill_days_at_once: super::non_zero(2),
        }
    }
}
