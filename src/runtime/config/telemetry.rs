use url::Url;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Logs and traces.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Logs and traces")]
pub struct TelemetryConfig {
    /// Which log lines are written: a level, or directives such as `info,wanderer_kills::ingest=debug`.
    #[arg(long, env = "WK_LOG", default_value = "info", global = true)]
    pub log: String,
    /// How log lines look.
    #[arg(long, env = "WK_LOG_FORMAT", default_value = "human", global = true)]
    pub log_format: LogFormat,
    /// Base URL of an OpenTelemetry collector that takes traces over HTTP, such as `http://localhost:4318`; without it
    /// there are no traces.
    #[arg(long, env = "WK_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<Url>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            log_format: LogFormat::Human,
            otlp_endpoint: None,
        }
    }
}
