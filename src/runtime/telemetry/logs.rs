//! Where log lines go. Only the program installs this; a host that embeds the library has its own.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::util::TryInitError;

use crate::runtime::config::{LogFormat, TelemetryConfig};

/// Why logs are not set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The filter cannot be read.
    #[error("WK_LOG is not a list of log directives: {filter}")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody else was first.
    #[error("a log subscriber is installed already")]
    Installed(#[source] TryInitError),
}

/// Sends log lines to standard error, in colour when that is a terminal.
///
/// # Errors
/// A filter that cannot be read, or a second call.
pub fn install(config: &TelemetryConfig) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&config.log).map_err(|source| Error::Filter {
        filter: config.log.clone(),
        source,
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Human => lines.finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    }
    .map_err(Error::Installed)
}
