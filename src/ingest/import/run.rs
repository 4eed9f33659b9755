use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot;
use tokio_util::io::InspectReader;
use tokio_util::sync::CancellationToken;

use super::content::{self, Content, Reader};
use super::splitter::{self, Layout, Splitter};
use super::{FileReport, ImportError, Importer, Position, Progress, Reading, Summary};
use crate::ingest::envelope::{Envelope, Outcome, Payload};
use crate::upstream::everef::archive::{self, ArchiveError};
use crate::upstream::zkb::history::Hashes;

/// How many documents may be on their way through the pipeline at once: enough for several batches, and
/// what bounds the list of answers waited for.
const MAX_UNANSWERED: usize = 4_096;
/// Bytes read at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// The import of one file.
pub(super) struct Run<'a> {
    importer: &'a Importer,
    source: &'static str,
    path: &'a Path,
    hashes: &'a Hashes,
    stop: CancellationToken,
    progress: &'a dyn Progress,
    file: Option<File>,
    bytes: Arc<AtomicU64>,
    total_bytes: u64,
    unanswered: FuturesUnordered<oneshot::Receiver<Outcome>>,
    summary: Summary,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        importer: &'a Importer,
        reading: Reading<'a>,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            importer,
            source: reading.source,
            path: reading.label,
            hashes: reading.hashes,
            stop: reading.stop,
            progress,
            file: Some(reading.file),
            bytes: Arc::default(),
            total_bytes: 0,
            unanswered: FuturesUnordered::new(),
            summary: Summary::default(),
        }
    }

    /// Reads the file, and waits for what became of its documents.
    pub(super) async fn report(mut self) -> FileReport {
        let error = self.read().await.err();
        while let Some(answer) = self.unanswered.next().await {
            self.summary.count(answer.ok().as_ref());
        }
        FileReport {
            summary: self.summary,
            error,
        }
    }

    async fn read(&mut self) -> Result<(), ImportError> {
        let reader = self.open().map_err(|source| self.unreadable(source))?;
        let content = content::detect(reader, self.path).await;
        match content.map_err(|source| self.unreadable(source))? {
            Content::Tar(reader) => self.archive(reader).await?,
            Content::Text(reader, layout) => self.text(reader, layout).await?,
        }
        self.tell();
        Ok(())
    }

    fn open(&mut self) -> std::io::Result<Reader> {
        let file = self.file.take().ok_or(std::io::ErrorKind::NotFound)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        self.total_bytes = metadata.len();
        let bytes = Arc::clone(&self.bytes);
        Ok(Box::new(InspectReader::new(
            tokio::fs::File::from_std(file),
            move |block: &[u8]| {
                let read = u64::try_from(block.len()).unwrap_or_default();
                bytes.fetch_add(read, Ordering::Relaxed);
            },
        )))
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
            self.tell();
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
            self.tell();
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
            let (origin, bytes) = match piece.key {
                Some(key) => {
                    let hash = key.parse().ok().and_then(|id| self.hashes.get(&id));
                    let bytes =
                        hash.map_or(piece.bytes.clone(), |it| with_hash(&key, it, &piece.bytes));
                    (format!("{file}#{key}"), bytes)
                }
                None => (format!("{file}:{}", piece.line), piece.bytes),
            };
            self.send(origin, bytes).await?;
        }
        Ok(())
    }

    async fn send(&mut self, origin: String, bytes: Bytes) -> Result<(), ImportError> {
        if self.stop.is_cancelled() {
            return Err(ImportError::Interrupted {
                path: self.path.to_owned(),
            });
        }
        while self.unanswered.len() >= MAX_UNANSWERED {
            if let Some(answer) = self.unanswered.next().await {
                self.summary.count(answer.ok().as_ref());
            }
        }
        let (done, answer) = oneshot::channel();
        let envelope = Envelope {
            source: self.source,
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

    fn tell(&self) {
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

/// A body and its hash as one document, in the form in which R2Z2 has them together.
fn with_hash(id: &str, hash: &str, body: &[u8]) -> Bytes {
    let hash = serde_json::Value::from(hash);
    let head = format!(r#"{{"killmail_id":{id},"hash":{hash},"esi":"#);
    let mut document = BytesMut::with_capacity(head.len() + body.len() + 1);
    document.extend_from_slice(head.as_bytes());
    document.extend_from_slice(body);
    document.extend_from_slice(b"}");
    document.freeze()
}
