//! Where log lines and spans go. Only the program installs this; a host that embeds the library has its own.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer as _};

use super::traces::Traces;
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
    /// Spans cannot be sent there.
    #[error("WK_OTLP_ENDPOINT is no address that spans can be sent to")]
    Traces(#[source] opentelemetry_otlp::ExporterBuildError),
    /// Somebody else was first.
    #[error("a log subscriber is installed already")]
    Installed(#[source] TryInitError),
}

/// Sends log lines to standard error, in colour when that is a terminal, and spans to a collector where there is one.
/// Call it outside of an asynchronous runtime, and keep what it returns until the end.
///
/// # Errors
/// A filter that cannot be read, an address that spans cannot be sent to, or a second call.
pub fn install(config: &TelemetryConfig) -> Result<Option<Traces>, Error> {
    let filter = EnvFilter::try_new(&config.log).map_err(|source| Error::Filter {
        filter: config.log.clone(),
        source,
    })?;
    let endpoint = config.otlp_endpoint.as_ref();
    let traces = endpoint
        .map(Traces::to)
        .transpose()
        .map_err(Error::Traces)?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match config.log_format {
        LogFormat::Human => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let layers: Vec<_> = std::iter::once(lines)
        .chain(traces.as_ref().map(Traces::layer))
        .collect();
    tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .map_err(Error::Installed)?;
    Ok(traces)
}
