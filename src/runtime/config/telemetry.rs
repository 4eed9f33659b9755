/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Logs.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Logs")]
pub struct TelemetryConfig {
    /// Which log lines are written: a level, or directives such as `info,wanderer_kills::ingest=debug`.
    #[arg(long, env = "WK_LOG", default_value = "info", global = true)]
    pub log: String,
    /// How log lines look.
    #[arg(long, env = "WK_LOG_FORMAT", default_value = "human", global = true)]
    pub log_format: LogFormat,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            log_format: LogFormat::Human,
        }
    }
}
