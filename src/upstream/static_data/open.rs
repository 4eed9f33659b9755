//! Opens files by their content: zip, gzip, bzip2 or plain.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;

/// The most bytes of one table after decompression: the largest is CCP's types with about 150 MB.
pub(super) const MAX_TABLE_BYTES: u64 = 1024 * 1024 * 1024;

/// The first bytes of each format.
const ZIP: &[u8] = b"PK\x03\x04";
/// A zip without entries.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";
const GZIP: &[u8] = b"\x1f\x8b";
const BZIP2: &[u8] = b"BZh";

/// A file, opened.
pub(super) enum Opened {
    /// A zip, from its beginning.
    Zip(File),
    /// Anything else, decompressed.
    Plain(Box<dyn BufRead>),
}

/// Looks at the first bytes of a file and opens it accordingly.
pub(super) fn open(mut file: File) -> io::Result<Opened> {
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(4).read_to_end(&mut head)?;
    file.rewind()?;
    if head == ZIP || head == EMPTY_ZIP {
        return Ok(Opened::Zip(file));
    }
    let bytes: Box<dyn Read> = if head.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(BufReader::new(file)))
    } else if head.starts_with(BZIP2) {
        Box::new(MultiBzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(file)
    };
    Ok(Opened::Plain(Box::new(BufReader::new(Capped::new(bytes)))))
}

/// Ends in an error past [`MAX_TABLE_BYTES`].
#[derive(Debug)]
pub(super) struct Capped<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Capped<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            left: MAX_TABLE_BYTES,
        }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            io::Error::other(format!("more than {MAX_TABLE_BYTES} bytes when unpacked"))
        })?;
        Ok(read)
    }
}
