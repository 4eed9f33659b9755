//! Brings a day's file into a temporary file.
//!
//! Into a file rather than straight into the pipeline: the server is done with us as fast as the line allows,
//! however slow the database is, the next day comes down while this one is stored, and a file that arrives cut
//! off is asked for again before anything of it is read. A file that breaks off is asked for from its beginning:
//! it has some three megabytes.

use std::fs::File;
use std::io::Seek;
use std::time::Duration;

use futures::FutureExt;
use tokio::io::AsyncWriteExt;
use url::Url;

use super::http::{
    self, Attempts, Expect, HttpClient, Limits, Opened, Request, StatusCode, with_retries,
};

/// Some minutes' patience: a server that restarts is back by then; what lasts longer is for the next run.
const ATTEMPTS: Attempts = Attempts {
    more: 5,
    first_pause: Duration::from_secs(1),
    longest_pause: Duration::from_mins(2),
};
/// How long a server that says 429 and not how long is left alone.
const LIMITED_PAUSE: Duration = Duration::from_secs(30);

/// Which version of a file it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Last-Modified`, as the server wrote it.
    pub last_modified: Option<String>,
}

/// A day's file.
#[derive(Debug)]
pub struct DayFile {
    /// Its bytes, rewound, under no name: it is gone with the process.
    pub file: File,
    /// How many.
    pub bytes: u64,
    /// Which version it is.
    pub version: Version,
}

/// What the server had.
#[derive(Debug)]
pub enum Download {
    /// A file.
    File(DayFile),
    /// Still the version that was named.
    Unchanged,
    /// Nothing of that name: not published yet, or never.
    Missing,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server failed, or was left alone.
    #[error(transparent)]
    Fetch(#[from] http::Error),
    /// The temporary file can't be written.
    #[error("can't keep what was downloaded in a temporary file")]
    Keep(#[source] std::io::Error),
}

/// Asks for a file, and again where that may help. `known` is a version that is not wanted again.
///
/// # Errors
/// When the server fails to the end, or the file can't be kept.
pub async fn download(
    http: &HttpClient,
    url: Url,
    known: Option<&Version>,
) -> Result<Download, Error> {
    let request = request(url, known);
    let client = http.clone();
    let ask = move || {
        let client = client.clone();
        let request = request.clone();
        async move { fetch(&client, &request).await.map_err(patient) }.boxed()
    };
    match with_retries(http.clock().clone(), ATTEMPTS, ask).await {
        Ok(kept) => kept.map_err(Error::Keep),
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(Download::Missing),
        Err(error) => Err(error.into()),
    }
}

/// Asks for a text, and again where that may help.
pub(super) async fn text(
    http: &HttpClient,
    url: Url,
    limits: Limits,
) -> http::Result<bytes::Bytes> {
    let client = http.clone();
    let request = Request::get(url, limits);
    let ask = move || {
        let client = client.clone();
        let request = request.clone();
        async move { client.fetch(&request).await.map_err(patient) }.boxed()
    };
    with_retries(http.clock().clone(), ATTEMPTS, ask).await
}

fn request(url: Url, known: Option<&Version>) -> Request {
    let request = Request::get(url, Limits::DAY_FILE).expect(Expect::Bytes);
    match known {
        Some(Version {
            etag: Some(etag), ..
        }) => request.header("if-none-match", etag),
        Some(Version {
            last_modified: Some(time),
            ..
        }) => request.header("if-modified-since", time),
        Some(Version {
            etag: None,
            last_modified: None,
        })
        | None => request,
    }
}

/// A server that does not say how long it wants to be left alone is left alone for long.
fn patient(mut error: http::Error) -> http::Error {
    if let http::Error::Status {
        status,
        retry_after,
        ..
    } = &mut error
        && *status == StatusCode::TOO_MANY_REQUESTS
    {
        retry_after.get_or_insert(LIMITED_PAUSE);
    }
    error
}

async fn fetch(http: &HttpClient, request: &Request) -> http::Result<std::io::Result<Download>> {
    let mut answer = http.open(request).await?;
    if answer.status == StatusCode::NOT_MODIFIED {
        return Ok(Ok(Download::Unchanged));
    }
    let version = version(&answer);
    let file = match tempfile::tempfile() {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    let mut file = tokio::fs::File::from_std(file);
    let mut bytes = 0;
    while let Some(piece) = answer.body.next().await? {
        bytes += u64::try_from(piece.len()).unwrap_or_default();
        if let Err(error) = file.write_all(&piece).await {
            return Ok(Err(error));
        }
    }
    Ok(rewind(file).await.map(|file| {
        Download::File(DayFile {
            file,
            bytes,
            version,
        })
    }))
}

async fn rewind(mut file: tokio::fs::File) -> std::io::Result<File> {
    file.flush().await?;
    let mut file = file.into_std().await;
    file.rewind()?;
    Ok(file)
}

fn version(answer: &Opened) -> Version {
    let header = |name: &str| {
        let value = answer.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    Version {
        etag: header("etag"),
        last_modified: header("last-modified"),
    }
}
