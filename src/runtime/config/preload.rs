use std::num::NonZeroU32;

/// The past that is kept filled without anybody asking.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Preloading")]
pub struct PreloadConfig {
    /// Systems whose past is kept filled, comma separated, at most 1000.
    #[arg(long = "preload-systems", env = "WK_PRELOAD_SYSTEMS", value_name = "IDS",
        value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..))]
    pub systems: Vec<i64>,
    /// Regions whose past is kept filled, comma separated, at most 1000.
    #[arg(long = "preload-regions", env = "WK_PRELOAD_REGIONS", value_name = "IDS",
        value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..))]
    pub regions: Vec<i64>,
    /// Characters whose past is kept filled, comma separated, at most 1000.
    #[arg(long = "preload-characters", env = "WK_PRELOAD_CHARACTERS", value_name = "IDS",
        value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..))]
    pub characters: Vec<i64>,
    /// Corporations whose past is kept filled, comma separated, at most 1000.
    #[arg(long = "preload-corporations", env = "WK_PRELOAD_CORPORATIONS", value_name = "IDS",
        value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..))]
    pub corporations: Vec<i64>,
    /// Alliances whose past is kept filled, comma separated, at most 1000.
    #[arg(long = "preload-alliances", env = "WK_PRELOAD_ALLIANCES", value_name = "IDS",
        value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..))]
    pub alliances: Vec<i64>,
    /// Days of the past that are kept filled, for these and for webhook subscriptions.
    #[arg(
        long = "preload-days",
        env = "WK_PRELOAD_DAYS",
        value_name = "DAYS",
        default_value = "7"
    )]
    pub days: NonZeroU32,
}

impl PreloadConfig {
    /// The most entities of one kind: at a page a second a quarter of an hour each day.
    pub const MOST: usize = 1_000;
    /// Longest past: twenty years and more are all there is.
    pub const MOST_DAYS: u32 = 9_000;

    /// The lists with their options' names.
    pub fn lists(&self) -> [(&'static str, &[i64]); 5] {
        [
            ("WK_PRELOAD_SYSTEMS", &self.systems),
            ("WK_PRELOAD_REGIONS", &self.regions),
            ("WK_PRELOAD_CHARACTERS", &self.characters),
            ("WK_PRELOAD_CORPORATIONS", &self.corporations),
            ("WK_PRELOAD_ALLIANCES", &self.alliances),
        ]
    }
}

impl Default for PreloadConfig {
    fn default() -> Self {
        Self {
            systems: Vec::new(),
            regions: Vec::new(),
            characters: Vec::new(),
            corporations: Vec::new(),
            alliances: Vec::new(),
            days: NonZeroU32::MIN.saturating_add(6),
        }
    }
}
