//! Files → envelopes: archives, lists, lines and single documents of killmails, streamed.
//!
//! A file is read once, front to back, with one document (at most 32 MiB) and one block in memory; the
//! pipeline's bounded channel is what slows it down. Every document goes into the pipeline, a bad one too:
//! it ends as a dead letter there, under its origin, `file:line` or `file#entry`.

mod content;
mod error;
mod run;
mod splitter;
mod summary;

use std::fs::File;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::envelope::Announce;
use super::pipeline::PipelineInput;
use crate::runtime::clock::SharedClock;
use crate::upstream::zkb::history::Hashes;
use run::Run;

pub use error::ImportError;
pub use summary::Summary;

/// The source's name in envelopes.
pub const SOURCE: &str = "import";

/// How far the import of a file has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// Documents read so far.
    pub documents: u64,
    /// Bytes of the file read so far, as they lie on disk.
    pub bytes: u64,
    /// Bytes of the file.
    pub total_bytes: u64,
}

/// Told how far an import has come, after each block that was read. Has to return at once.
pub trait Progress: Send + Sync {
    /// The file has been read up to `position`.
    fn advanced(&self, position: Position);
}

/// What became of a file.
#[derive(Debug)]
pub struct FileReport {
    /// What became of its documents.
    pub summary: Summary,
    /// Why it was not read to its end, where it was not.
    pub error: Option<ImportError>,
}

/// A file that is open already.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The source's name in envelopes.
    pub source: &'static str,
    /// What the file is called in origins and errors; its name counts where its content leaves a doubt.
    pub label: &'a Path,
    /// Its bytes, from the beginning.
    pub file: File,
    /// Hashes of bodies that come without one, by the ids that the bodies stand under.
    pub hashes: &'a Hashes,
    /// Ends the reading between two documents.
    pub stop: CancellationToken,
}

/// Reads one file into the pipeline and waits until each of its documents has been answered for.
#[derive(Clone)]
pub struct Importer {
    /// The pipeline.
    pub input: PipelineInput,
    /// Whether the feed hears of what is new.
    pub announce: Announce,
    /// Time.
    pub clock: SharedClock,
}

impl Importer {
    /// Imports a file of any kind named in the module's documentation. A file that can't be read, or only
    /// in part, is reported with what did come of it.
    pub async fn import(&self, path: &Path, progress: &dyn Progress) -> FileReport {
        let opened = tokio::fs::File::open(path).await;
        let file = match opened {
            Ok(file) => file.into_std().await,
            Err(source) => {
                let path = path.to_owned();
                return FileReport {
                    summary: Summary::default(),
                    error: Some(ImportError::Read { path, source }),
                };
            }
        };
        let reading = Reading {
            source: SOURCE,
            label: path,
            file,
            hashes: &Hashes::new(),
            stop: CancellationToken::new(),
        };
        self.read(reading, progress).await
    }

    /// Imports a file that is open already; see [`import`](Self::import).
    pub async fn read(&self, reading: Reading<'_>, progress: &dyn Progress) -> FileReport {
        Run::new(self, reading, progress).report().await
    }
}

#[cfg(test)]
mod tests;
