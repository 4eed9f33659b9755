//! Documents as their rows keep them: Zstandard frames with a dictionary of what all documents have in common.
//!
//! A frame names its dictionary by number. Rows outlive programs: a better dictionary is added beside this one, and
//! frames written with this one stay readable.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io;
use std::sync::LazyLock;

use futures::{Stream, TryStreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef, Postgres};
use sqlx::{Decode, Type};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::get_frame_content_size;

/// Made by a test that ordinary runs leave out: `cargo test --test it -- --ignored a_dictionary_is_made`.
static DICTIONARY: &[u8] = include_bytes!("dictionary-1");

/// Zstandard's usual level. 9 saves another tenth of the bytes for several times the work.
const LEVEL: i32 = 3;

/// The most bytes a frame may claim to hold: a source's document has 32 MiB at most, and names make it longer.
const MAX_BYTES: usize = 128 * 1024 * 1024;

/// A document that is no frame begins with this.
const JSON_OBJECT: u8 = b'{';

static PACKING: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static UNPACKING: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

thread_local! {
    static COMPRESSOR: RefCell<io::Result<Compressor<'static>>> =
        RefCell::new(Compressor::with_prepared_dictionary(&PACKING));
    static DECOMPRESSOR: RefCell<io::Result<Decompressor<'static>>> =
        RefCell::new(Decompressor::with_prepared_dictionary(&UNPACKING));
}

/// A document, read from what a row has of it: `coalesce(packed_document, convert_to(document, 'UTF8'))`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(pub String);

impl From<Document> for String {
    fn from(document: Document) -> Self {
        document.0
    }
}

impl Type<Postgres> for Document {
    fn type_info() -> PgTypeInfo {
        <Vec<u8> as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Document {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = <&[u8] as Decode<'r, Postgres>>::decode(value)?;
        Ok(Self(unpack(bytes)?))
    }
}

/// The document as `packed_document` keeps it. What can't be compressed stays as it is, and is as readable.
pub(super) fn pack(document: &str) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let packed = compressor
            .as_mut()
            .ok()
            .and_then(|compressor| compressor.compress(document.as_bytes()).ok());
        packed.unwrap_or_else(|| document.as_bytes().to_vec())
    })
}

/// Reads rows until they are `most_bytes` of text together: at least one, where there is one.
pub(super) async fn up_to<T>(
    most_bytes: usize,
    rows: impl Stream<Item = Result<T, sqlx::Error>>,
    size: impl Fn(&T) -> usize,
) -> Result<Vec<T>, sqlx::Error> {
    let mut rows = std::pin::pin!(rows);
    let mut read = Vec::new();
    let mut bytes = 0_usize;
    while bytes < most_bytes {
        let Some(row) = rows.try_next().await? else {
            break;
        };
        bytes = bytes.saturating_add(size(&row));
        read.push(row);
    }
    Ok(read)
}

fn unpack(bytes: &[u8]) -> Result<String, BoxDynError> {
    if bytes.first() == Some(&JSON_OBJECT) {
        return Ok(str::from_utf8(bytes)?.to_owned());
    }
    let length = get_frame_content_size(bytes)
        .ok()
        .flatten()
        .and_then(|length| usize::try_from(length).ok())
        .filter(|length| *length <= MAX_BYTES)
        .ok_or("neither JSON nor a frame of at most 128 MiB")?;
    let unpacked = DECOMPRESSOR.with_borrow_mut(|decompressor| match decompressor {
        Ok(decompressor) => decompressor.decompress(bytes, length),
        Err(error) => Err(io::Error::other(error.to_string())),
    })?;
    Ok(String::from_utf8(unpacked)?)
}
