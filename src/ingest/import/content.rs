//! What a file holds, told by its first bytes: compression comes off, layer by layer, until a tar or text.

use std::io::Cursor;
use std::path::Path;

use async_compression::tokio::bufread::{BzDecoder, GzipDecoder};
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};

use super::splitter::Layout;

/// How many bytes are looked at before the layout of a text is decided: enough for the first line of
/// nearly every file of killmails, of which one in a hundred is longer than 15 kB.
const PEEKED_BYTES: u64 = 64 * 1024;
/// How many layers of compression come off. More than one is a mistake, more than this mischief.
const MAX_LAYERS: usize = 2;

/// A file's bytes, whatever is around them.
pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// A file's content, ready to be read from its beginning.
pub(super) enum Content {
    /// A tar archive.
    Tar(Reader),
    /// Text, with documents laid out in it.
    Text(Reader, Layout),
}

/// Looks into a file. Its name counts only where the content leaves a doubt.
///
/// # Errors
/// When the file can't be read or decompressed.
pub(super) async fn detect(mut reader: Reader, path: &Path) -> std::io::Result<Content> {
    let mut layers = 0;
    loop {
        let mut first = Vec::new();
        (&mut reader)
            .take(PEEKED_BYTES)
            .read_to_end(&mut first)
            .await?;
        let is_whole = !u64::try_from(first.len()).is_ok_and(|read| read == PEEKED_BYTES);
        let rejoin = |first: Vec<u8>, reader| Box::new(Cursor::new(first).chain(reader));
        let compression = Compression::of(&first);
        if let Some(compression) = compression
            && layers < MAX_LAYERS
        {
            layers += 1;
            reader = compression.decode(rejoin(first, reader));
        } else if is_tar(&first) {
            return Ok(Content::Tar(rejoin(first, reader)));
        } else {
            if first.starts_with(BYTE_ORDER_MARK) {
                first.drain(..BYTE_ORDER_MARK.len());
            }
            let layout = layout(&first, is_whole, path);
            return Ok(Content::Text(rejoin(first, reader), layout));
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

enum Compression {
    Gzip,
    Bzip2,
}

impl Compression {
    fn of(first: &[u8]) -> Option<Self> {
        match first {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            _ => None,
        }
    }

    fn decode(self, reader: impl AsyncRead + Send + Unpin + 'static) -> Reader {
        let reader = BufReader::new(reader);
        match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(reader);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
            Self::Bzip2 => {
                let mut decoder = BzDecoder::new(reader);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
        }
    }
}

/// A tar says so in its first header.
fn is_tar(first: &[u8]) -> bool {
    first.get(257..262) == Some(b"ustar")
}

/// Decides by the first line: an object that is complete in it means one document a line.
fn layout(first: &[u8], is_whole: bool, path: &Path) -> Layout {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if [".jsonl", ".ndjson"].iter().any(|end| name.contains(end)) {
        return Layout::Lines;
    }
    let text = first.trim_ascii_start();
    if text.starts_with(b"[") {
        return Layout::Values;
    }
    let Some(inside) = text.strip_prefix(b"{") else {
        return Layout::Lines;
    };
    if is_member_by_id(inside.trim_ascii_start()) {
        return Layout::Members;
    }
    let end = text.iter().position(|byte| *byte == b'\n');
    match end.and_then(|end| text.get(..end)) {
        Some(line) if is_balanced(line) || is_broken_line(text, line.len()) => Layout::Lines,
        Some(_) => Layout::Values,
        None if is_whole => Layout::Values,
        None => Layout::Lines,
    }
}

/// True for `"<digits>": …`, the first member of an object of killmails by id.
fn is_member_by_id(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"\"") else {
        return false;
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && rest.get(digits) == Some(&b'"')
}

/// True when no string and no bracket is left open.
fn is_balanced(line: &[u8]) -> bool {
    let (depth, in_string) = follow(line);
    depth == 0 && !in_string
}

/// True when a first line that is not complete is a bad line rather than the beginning of an indented
/// object: strings never hold a line break, and an indented object has no second `{` in its first column.
fn is_broken_line(text: &[u8], line_end: usize) -> bool {
    let (line, rest) = text.split_at_checked(line_end).unwrap_or((text, b""));
    let (_, in_string) = follow(line);
    in_string || rest.starts_with(b"\n{\"")
}

/// Brackets open after `text`, and whether it ends inside a string.
fn follow(text: &[u8]) -> (usize, bool) {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    (depth, in_string)
}

#[cfg(test)]
mod tests;
