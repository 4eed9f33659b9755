//! Files → envelopes: archives, lists, lines and single documents of killmails, streamed.
//!
//! A file is read once, front to back, with one document (at most 32 MiB) and one block in memory; the
//! pipeline's bounded channel is what slows it down. Every document goes into the pipeline, a bad one too:
//! it ends as a dead letter there, under its origin, `file:line` or `file#entry`.

mod content;
mod splitter;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot;
use tokio_util::io::InspectReader;

use super::envelope::{Announce, Envelope, Outcome, Payload};
use super::pipeline::PipelineInput;
use crate::runtime::clock::SharedClock;
use crate::upstream::everef::archive::{self, ArchiveError};
use content::{Content, Reader};
use splitter::{Layout, Splitter};

pub use summary::Summary;

/// The source's name in envelopes.
pub const SOURCE: &str = "import";

/// How many documents may be on their way through the pipeline at once: enough for several batches, and
/// what bounds the list of answers waited for.
const MAX_UNANSWERED: usize = 4_096;
/// Bytes read at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// Why a file was not read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file can't be opened, read or decompressed.
    #[error("can't read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is an archive and damaged.
    #[error("can't read the archive {path}", path = path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// How far it got.
        #[source]
        source: ArchiveError,
    },
    /// The text ends inside a document, a list or an object. What came of it went into the pipeline.
    #[error("{path} is cut off in line {line}", path = path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
        /// The last line.
        line: u64,
    },
    /// The pipeline has stopped; nothing more can be stored.
    #[error("the pipeline stopped while {path} was imported", path = path.display())]
    PipelineStopped {
        /// The file.
        path: PathBuf,
    },
}

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
        let mut run = Run {
            importer: self,
            path,
            progress,
            bytes: Arc::default(),
            total_bytes: 0,
            unanswered: FuturesUnordered::new(),
            summary: Summary::default(),
        };
        let error = run.file().await.err();
        while let Some(answer) = run.unanswered.next().await {
            run.summary.count(answer.ok().as_ref());
        }
        FileReport {
            summary: run.summary,
            error,
        }
    }
}

/// The import of one file.
struct Run<'a> {
    importer: &'a Importer,
    path: &'a Path,
    progress: &'a dyn Progress,
    bytes: Arc<AtomicU64>,
    total_bytes: u64,
    unanswered: FuturesUnordered<oneshot::Receiver<Outcome>>,
    summary: Summary,
}

impl Run<'_> {
    async fn file(&mut self) -> Result<(), ImportError> {
        let reader = self
            .open()
            .await
            .map_err(|source| self.unreadable(source))?;
        let content = content::detect(reader, self.path).await;
        match content.map_err(|source| self.unreadable(source))? {
            Content::Tar(reader) => self.archive(reader).await?,
            Content::Text(reader, layout) => self.text(reader, layout).await?,
        }
        self.report();
        Ok(())
    }

    async fn open(&mut self) -> std::io::Result<Reader> {
        let file = tokio::fs::File::open(self.path).await?;
        let metadata = file.metadata().await?;
        if metadata.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        self.total_bytes = metadata.len();
        let bytes = Arc::clone(&self.bytes);
        Ok(Box::new(InspectReader::new(file, move |block: &[u8]| {
            let read = u64::try_from(block.len()).unwrap_or_default();
            bytes.fetch_add(read, Ordering::Relaxed);
        })))
    }

    async fn archive(&mut self, reader: Reader) -> Result<(), ImportError> {
        let mut documents = std::pin::pin!(archive::tar_documents(reader));
        while let Some(document) = documents.next().await {
            let (name, bytes) = match document {
                Ok(document) => document,
                // The rest follows; the dead letter says what is missing.
                Err(error @ ArchiveError::EntryTooLarge { .. }) => {
                    (entry_name(&error), Bytes::from(error.to_string()))
                }
                Err(source) => {
                    return Err(ImportError::Archive {
                        path: self.path.to_owned(),
                        source,
                    });
                }
            };
            let origin = format!("{}#{name}", self.path.display());
            self.send(origin, bytes).await?;
            self.report();
        }
        Ok(())
    }

    async fn text(&mut self, mut reader: Reader, layout: Layout) -> Result<(), ImportError> {
        let mut splitter = Splitter::new(layout);
        let mut block = vec![0; BLOCK_BYTES];
        let mut pieces = Vec::new();
        loop {
            let read = reader.read(&mut block).await;
            let read = read.map_err(|source| self.unreadable(source));
            let cut_off = match read {
                Ok(0) => Some(splitter.finish(&mut pieces)),
                Ok(read) => {
                    splitter.feed(block.get(..read).unwrap_or_default(), &mut pieces);
                    None
                }
                Err(error) => {
                    splitter.finish(&mut pieces);
                    self.send_all(&mut pieces).await?;
                    return Err(error);
                }
            };
            self.send_all(&mut pieces).await?;
            self.report();
            match cut_off {
                None => {}
                Some(false) => return Ok(()),
                Some(true) => {
                    return Err(ImportError::CutOff {
                        path: self.path.to_owned(),
                        line: splitter.line(),
                    });
                }
            }
        }
    }

    async fn send_all(&mut self, pieces: &mut Vec<splitter::Piece>) -> Result<(), ImportError> {
        for piece in pieces.drain(..) {
            let file = self.path.display();
            let origin = match piece.key {
                Some(key) => format!("{file}#{key}"),
                None => format!("{file}:{}", piece.line),
            };
            self.send(origin, piece.bytes).await?;
        }
        Ok(())
    }

    async fn send(&mut self, origin: String, bytes: Bytes) -> Result<(), ImportError> {
        while self.unanswered.len() >= MAX_UNANSWERED {
            if let Some(answer) = self.unanswered.next().await {
                self.summary.count(answer.ok().as_ref());
            }
        }
        let (done, answer) = oneshot::channel();
        let envelope = Envelope {
            source: SOURCE,
            origin,
            payload: Payload::Raw(bytes),
            received_at: self.importer.clock.now(),
            announce: self.importer.announce,
            cursor: None,
            gaps: Vec::new(),
            closes_gap: None,
            done: Some(done),
        };
        let sent = self.importer.input.send(envelope).await;
        sent.map_err(|_| ImportError::PipelineStopped {
            path: self.path.to_owned(),
        })?;
        self.summary.read += 1;
        self.unanswered.push(answer);
        Ok(())
    }

    fn report(&self) {
        self.progress.advanced(Position {
            documents: self.summary.read,
            bytes: self.bytes.load(Ordering::Relaxed),
            total_bytes: self.total_bytes,
        });
    }

    fn unreadable(&self, source: std::io::Error) -> ImportError {
        ImportError::Read {
            path: self.path.to_owned(),
            source,
        }
    }
}

fn entry_name(error: &ArchiveError) -> String {
    match error {
        ArchiveError::EntryTooLarge { name, .. } | ArchiveError::Broken { last: name, .. } => {
            name.clone()
        }
    }
}

#[cfg(test)]
mod tests;
