//! `import FILE…`: killmails from files.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::ingest::import::{FileReport, Importer, Position, Progress, Summary};
use crate::ingest::resolver::Resolver;
use crate::ingest::{Announce, Pipeline, PipelineInput};
use crate::runtime::clock::{SharedClock, SystemClock};
use crate::runtime::config::{DatabaseConfig, IngestConfig};
use crate::service::Database;

/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Reads killmails from files into the database.
///
/// Files are told by their content, not by their name: EVE Ref day archives (.tar.bz2), tar, lines of JSON,
/// a JSON list or object, zKillboard lists, R2Z2 documents, history files; each plain, or compressed by gzip
/// or bzip2. Killmails already stored are not stored again. What is no killmail is kept as a dead letter.
#[derive(Debug, Clone, clap::Args)]
pub struct ImportArgs {
    /// The files, read one after the other.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Announce new killmails on the feed, as if they had just happened.
    #[arg(long, env = "WK_IMPORT_ANNOUNCE")]
    pub announce: bool,
}

/// Store killmails from files.
#[derive(Debug, clap::Args)]
pub struct ImportCommand {
    /// Which files, and how.
    #[command(flatten)]
    pub arguments: ImportArgs,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// The pipeline.
    #[command(flatten)]
    pub ingest: IngestConfig,
}

/// Opens the database (joining the server of a running service) and imports into a pipeline of its own.
pub(super) async fn run_command(
    command: ImportCommand,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let database = Database::open(&command.database).await?;
    let pipeline = Pipeline {
        store: database.store.clone(),
        config: command.ingest,
        clock: clock.clone(),
        resolver: Resolver::local(database.store.clone(), clock.clone()),
        bodies: None,
        fence: None,
    };
    let (input, driver) = pipeline.start(shutdown);
    let (imported, pipeline) = tokio::join!(run(command.arguments, input, clock), driver);
    let closed = database.close().await;
    imported.and(pipeline).and(closed)
}

/// Imports the files one by one into a pipeline, with a progress bar on a terminal and log lines elsewhere,
/// and writes a summary line to standard output. Drops `input` when done, which ends the pipeline.
///
/// # Errors
/// When a file could not be read, or not to its end. The others have been imported all the same, except
/// after the pipeline itself has stopped.
async fn run(
    arguments: ImportArgs,
    input: PipelineInput,
    clock: SharedClock,
) -> anyhow::Result<()> {
    let importer = Importer {
        input,
        announce: if arguments.announce {
            Announce::Always
        } else {
            Announce::Never
        },
        clock: clock.clone(),
    };
    let mut total = Summary::default();
    let mut failed = 0_usize;
    for path in &arguments.files {
        let name = path.display().to_string();
        let display = Display::new(name.clone(), clock.clone());
        let FileReport { summary, error } = importer.import(path, &display).await;
        display.bar.finish_and_clear();
        total += summary;
        match error {
            None => tracing::info!(file = name, "imported: {summary}"),
            Some(error) => {
                failed += 1;
                let error = anyhow::Error::new(error);
                tracing::error!(file = name, "not read to its end: {error:#}; {summary}");
            }
        }
        if importer.input.is_closed() {
            break;
        }
    }
    let files = arguments.files.len();
    writeln!(std::io::stdout(), "{files} files: {total}").context("can't write the summary")?;
    if importer.input.is_closed() {
        anyhow::bail!("the pipeline stopped before everything was imported");
    }
    anyhow::ensure!(
        failed == 0,
        "{failed} of {files} files could not be read to their end"
    );
    anyhow::ensure!(
        total.unanswered == 0,
        "{} documents were not stored: the pipeline stopped",
        total.unanswered
    );
    Ok(())
}

/// Progress of one file: a bar on a terminal, a log line now and then elsewhere.
struct Display {
    name: String,
    bar: ProgressBar,
    clock: SharedClock,
    logged_at: Mutex<Duration>,
}

impl Display {
    fn new(name: String, clock: SharedClock) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "{wide_msg} {bytes}/{total_bytes} {bar:20} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let logged_at = Mutex::new(clock.monotonic());
        Self {
            name,
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

impl Progress for Display {
    fn advanced(&self, position: Position) {
        if self.bar.is_hidden() {
            if self.is_time_to_log() {
                tracing::info!(
                    file = self.name,
                    documents = position.documents,
                    bytes = position.bytes,
                    total_bytes = position.total_bytes,
                    "importing"
                );
            }
            return;
        }
        self.bar.set_length(position.total_bytes);
        self.bar.set_position(position.bytes);
        let message = format!("{}: {} killmails", self.name, position.documents);
        self.bar.set_message(message);
    }
}

#[cfg(test)]
mod tests;
