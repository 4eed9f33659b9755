//! Day archives: one JSON file per killmail in a tar, compressed by bzip2.

use std::path::Path;

use async_compression::tokio::bufread::BzDecoder;
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};
use tokio_tar::{Archive, Entries, Entry};

/// The most bytes of one entry: well above the largest killmail that ESI's own limits allow, some
/// megabytes, and small enough to hold in memory.
pub const MAX_ENTRY_BYTES: u64 = 32 * 1024 * 1024;

/// Why an archive, or one entry of it, could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Damaged or cut off; nothing follows.
    #[error("the archive breaks off after {documents} documents, the last one {last:?}")]
    Broken {
        /// How many documents came before.
        documents: u64,
        /// The name of the last one, empty when there was none.
        last: String,
        /// What the reader said.
        #[source]
        source: std::io::Error,
    },
    /// One entry is too large to be a killmail. The entries after it follow.
    #[error("the entry {name:?} has {bytes} bytes, allowed are {MAX_ENTRY_BYTES}")]
    EntryTooLarge {
        /// The entry's name in the archive.
        name: String,
        /// Its size.
        bytes: u64,
    },
}

/// One document of an archive: the entry's name and its bytes.
pub type ArchivedDocument = (String, Bytes);

/// Streams the documents of a `.tar.bz2`, in the archive's order, one in memory at a time. Entries that are
/// not regular files named `<digits>.json` are passed over, in whatever folder they lie.
///
/// Errors come as items: [`ArchiveError::Broken`] is the last one.
pub fn documents<R>(reader: R) -> impl Stream<Item = Result<ArchivedDocument, ArchiveError>> + Send
where
    R: AsyncRead + Send + Unpin + 'static,
{
    let mut decoder = BzDecoder::new(BufReader::new(reader));
    // Parallel compressors write several members into one file.
    decoder.multiple_members(true);
    tar_documents(decoder)
}

/// Same as [`documents`], for a tar without compression.
pub fn tar_documents<R>(
    reader: R,
) -> impl Stream<Item = Result<ArchivedDocument, ArchiveError>> + Send
where
    R: AsyncRead + Send + Unpin + 'static,
{
    let state = Walk {
        source: Source::Unopened(reader),
        documents: 0,
        last: String::new(),
    };
    stream::unfold(state, |mut walk| async move {
        let item = walk.next().await.transpose()?;
        if matches!(item, Err(ArchiveError::Broken { .. })) {
            walk.source = Source::Done;
        }
        Some((item, walk))
    })
}

struct Walk<R: AsyncRead + Unpin> {
    source: Source<R>,
    documents: u64,
    last: String,
}

enum Source<R: AsyncRead + Unpin> {
    Unopened(R),
    Open(Archive<R>, Box<Entries<R>>),
    Done,
}

impl<R: AsyncRead + Unpin + Send + 'static> Walk<R> {
    /// The next document; `None` at the archive's end.
    async fn next(&mut self) -> Result<Option<ArchivedDocument>, ArchiveError> {
        let (archive, mut entries) = match std::mem::replace(&mut self.source, Source::Done) {
            Source::Unopened(reader) => {
                let mut archive = Archive::new(reader);
                let entries = archive.entries().map_err(|source| self.broken(source))?;
                (archive, Box::new(entries))
            }
            Source::Open(archive, entries) => (archive, entries),
            Source::Done => return Ok(None),
        };
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(|source| self.broken(source))?;
            let Some(name) = document_name(&entry) else {
                continue;
            };
            let bytes = entry.effective_size();
            if bytes > MAX_ENTRY_BYTES {
                self.source = Source::Open(archive, entries);
                return Err(ArchiveError::EntryTooLarge { name, bytes });
            }
            let bytes = read_whole(entry, bytes)
                .await
                .map_err(|source| self.broken(source))?;
            self.source = Source::Open(archive, entries);
            self.documents += 1;
            self.last.clone_from(&name);
            return Ok(Some((name, bytes)));
        }
        drop(entries);
        let rest = read_rest(archive).await;
        rest.map(|()| None).map_err(|source| self.broken(source))
    }

    fn broken(&self, source: std::io::Error) -> ArchiveError {
        ArchiveError::Broken {
            documents: self.documents,
            last: self.last.clone(),
            source,
        }
    }
}

/// The name of an entry that holds a killmail.
fn document_name<R: AsyncRead + Unpin>(entry: &Entry<R>) -> Option<String> {
    let path = entry.path().ok()?;
    let path: &Path = &path;
    let stem = path.file_stem()?.to_str()?;
    let is_document = entry.header().entry_type().is_file()
        && path
            .extension()
            .is_some_and(|extension| extension == "json")
        && !stem.is_empty()
        && stem.bytes().all(|byte| byte.is_ascii_digit());
    is_document.then(|| path.to_string_lossy().into_owned())
}

/// Reads an entry, whose `size` is at most [`MAX_ENTRY_BYTES`]. The tar reader ends an entry that is cut off like any
/// other, so its size is compared.
async fn read_whole<R: AsyncRead + Unpin>(
    entry: Entry<R>,
    size: u64,
) -> Result<Bytes, std::io::Error> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    entry.take(size).read_to_end(&mut bytes).await?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read == size) {
        return Ok(bytes.into());
    }
    Err(std::io::Error::new(
        std::io::ErrorKind::UnexpectedEof,
        format!("the entry has {size} bytes, {} could be read", bytes.len()),
    ))
}

/// Reads what follows the archive's end mark: only at its very end does a decompressor tell whether
/// everything before was whole.
async fn read_rest<R: AsyncRead + Unpin>(archive: Archive<R>) -> Result<(), std::io::Error> {
    if let Ok(mut reader) = archive.into_inner() {
        tokio::io::copy(&mut reader, &mut tokio::io::sink()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
