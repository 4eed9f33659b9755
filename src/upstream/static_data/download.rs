//! Brings files of an origin into temporary files.

use std::fs::File;
use std::io::Seek;
use std::time::Duration;

use futures::FutureExt;
use tokio::io::AsyncWriteExt;
use url::Url;

use super::error::{Error, Result};
use crate::upstream::http::{
    Attempts, Expect, HttpClient, Limits, Opened, Redirects, Request, StatusCode, with_retries,
};

/// A dropped connection or a busy server is usually gone by then; what lasts longer is for the next check.
const ATTEMPTS: Attempts = Attempts {
    more: 2,
    first_pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(10),
};

/// What the server had.
#[derive(Debug)]
pub(super) enum Download {
    /// A file, rewound, with its `ETag` where it has one.
    File(File, Option<String>),
    /// Still the version that was named.
    Unchanged,
    /// Nothing of that name.
    Missing,
}

/// Asks for a file and writes it below the system's temporary folder as it comes, under no name, so that it
/// is gone with the process. `version` is the `ETag` of a version that is not wanted again.
pub(super) async fn download(
    http: &HttpClient,
    url: Url,
    version: Option<&str>,
) -> Result<Download> {
    let mut request = Request::get(url, Limits::STATIC_DATA)
        .expect(Expect::Bytes)
        .redirects(Redirects::KnownHosts);
    if let Some(version) = version {
        request = request.header("if-none-match", version);
    }
    let client = http.clone();
    let ask = move || {
        let client = client.clone();
        let request = request.clone();
        async move { client.open(&request).await }.boxed()
    };
    let answer = match with_retries(http.clock().clone(), ATTEMPTS, ask).await {
        Ok(answer) => answer,
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
            return Ok(Download::Missing);
        }
        Err(error) => return Err(error.into()),
    };
    if answer.status == StatusCode::NOT_MODIFIED {
        return Ok(Download::Unchanged);
    }
    let tag = answer
        .headers
        .get("etag")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    Ok(Download::File(keep(answer).await?, tag))
}

async fn keep(mut answer: Opened) -> Result<File> {
    let keep = |source| Error::Keep { source };
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(keep)?);
    while let Some(piece) = answer.body.next().await? {
        file.write_all(&piece).await.map_err(keep)?;
    }
    file.flush().await.map_err(keep)?;
    let mut file = file.into_std().await;
    file.rewind().map_err(keep)?;
    Ok(file)
}
