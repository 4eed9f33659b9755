//! Where the file of a day comes from: a server, or a folder of the same files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use chrono::NaiveDate;

use crate::runtime::config::BackfillSource;
use crate::upstream::day_file::{self, DayFile, Download, Version};
use crate::upstream::everef::EveRef;
use crate::upstream::http;
use crate::upstream::totals::Totals;
use crate::upstream::zkb::history::{self, Hashes, History};

/// Endings of an archive's name in a folder; what is in it is told by its content.
const ENDINGS: [&str; 7] = [
    ".tar.bz2",
    ".tar",
    ".tar.gz",
    ".jsonl",
    ".jsonl.gz",
    ".json",
    ".json.gz",
];

/// Where days come from.
#[derive(Debug, Clone)]
pub struct Source {
    name: BackfillSource,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Origin {
    EveRef(EveRef),
    History(History),
    Folder(PathBuf),
}

/// Why a day's file can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A download failed.
    #[error(transparent)]
    Download(#[from] day_file::Error),
    /// A list could not be fetched.
    #[error(transparent)]
    List(#[from] http::Error),
    /// A file of the folder can't be read.
    #[error("can't read {path}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A list in the folder is none.
    #[error("{path} has {reason}", path = path.display())]
    BadList {
        /// Which.
        path: PathBuf,
        /// What it has instead.
        reason: String,
    },
}

/// What a source has of a day.
#[derive(Debug)]
pub(super) enum Fetched {
    Content(Box<DayContent>),
    Unchanged,
    Missing,
}

/// The file of a day, ready to be read.
#[derive(Debug)]
pub(super) struct DayContent {
    pub(super) label: PathBuf,
    pub(super) file: DayFile,
    /// Hashes of bodies that come without one.
    pub(super) hashes: Hashes,
}

impl Source {
    /// EVE Ref's server.
    pub fn everef(client: EveRef) -> Self {
        Self {
            name: BackfillSource::Everef,
            origin: Origin::EveRef(client),
        }
    }

    /// R2Z2's server.
    pub fn history(client: History) -> Self {
        Self {
            name: BackfillSource::R2z2,
            origin: Origin::History(client),
        }
    }

    /// A folder with files that are named as on the server of `name`, beside each other or in its subfolders.
    pub fn folder(name: BackfillSource, folder: PathBuf) -> Self {
        Self {
            name,
            origin: Origin::Folder(folder),
        }
    }

    /// What it is called in storage.
    pub fn name(&self) -> &'static str {
        self.name.as_str()
    }

    /// What it is called in envelopes and metrics: R2Z2's live feed has its own name.
    pub(super) fn envelope_name(&self) -> &'static str {
        match self.name {
            BackfillSource::Everef => "everef",
            BackfillSource::R2z2 => "r2z2_history",
        }
    }

    /// True where asking once more may bring another file.
    pub(super) fn is_remote(&self) -> bool {
        !matches!(self.origin, Origin::Folder(_))
    }

    /// How many killmails each day has; nothing where nobody counts them.
    pub(in crate::ingest) async fn totals(&self) -> Result<Totals, SourceError> {
        match &self.origin {
            Origin::EveRef(client) => Ok(client.totals().await?),
            Origin::History(client) => Ok(client.totals().await?),
            Origin::Folder(_) => Ok(Totals::new()),
        }
    }

    /// The file of a day, unless it is still the one that is `known`.
    pub(super) async fn fetch(
        &self,
        day: NaiveDate,
        known: Option<&Version>,
    ) -> Result<Fetched, SourceError> {
        let (file, label) = match &self.origin {
            Origin::EveRef(client) => {
                let label = PathBuf::from(EveRef::archive_name(day));
                (client.archive(day, known).await?, label)
            }
            Origin::History(client) => {
                let label = Path::new("raw").join(History::name(day));
                (client.bodies(day, known).await?, label)
            }
            Origin::Folder(folder) => {
                return self.fetch_from_folder(folder, day, known).await;
            }
        };
        let hashes = match (&self.origin, &file) {
            (Origin::History(client), Download::File(_)) => client.hashes(day).await?,
            _ => Hashes::new(),
        };
        Ok(content(file, label, hashes))
    }

    async fn fetch_from_folder(
        &self,
        folder: &Path,
        day: NaiveDate,
        known: Option<&Version>,
    ) -> Result<Fetched, SourceError> {
        let (folder, name) = (folder.to_owned(), self.name);
        let known = known.cloned();
        let opening = move || open_in_folder(&folder, name, day, known.as_ref());
        tokio::task::spawn_blocking(opening)
            .await
            .unwrap_or_else(|error| {
                Err(SourceError::File {
                    path: PathBuf::new(),
                    source: std::io::Error::other(error),
                })
            })
    }
}

fn content(file: Download, label: PathBuf, hashes: Hashes) -> Fetched {
    match file {
        Download::File(file) => Fetched::Content(Box::new(DayContent {
            label,
            file,
            hashes,
        })),
        Download::Unchanged => Fetched::Unchanged,
        Download::Missing => Fetched::Missing,
    }
}

fn open_in_folder(
    folder: &Path,
    name: BackfillSource,
    day: NaiveDate,
    known: Option<&Version>,
) -> Result<Fetched, SourceError> {
    let Some(path) = candidates(folder, name, day).find(|path| path.is_file()) else {
        return Ok(Fetched::Missing);
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| SourceError::File { path, source }
    };
    let file = File::open(&path).map_err(failed(&path))?;
    let metadata = file.metadata().map_err(failed(&path))?;
    let changed = metadata.modified().ok();
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let version = Version {
        etag: Some(format!(
            "\"{}-{}\"",
            metadata.len(),
            changed.unwrap_or_default().as_nanos()
        )),
        last_modified: None,
    };
    if known == Some(&version) {
        return Ok(Fetched::Unchanged);
    }
    let file = DayFile {
        file,
        bytes: metadata.len(),
        version,
    };
    let mut hashes = Hashes::new();
    let list = folder.join(History::name(day));
    if name == BackfillSource::R2z2 && list.is_file() {
        let bytes = std::fs::read(&list).map_err(failed(&list))?;
        hashes = history::read_hashes(&bytes)
            .map_err(|reason| SourceError::BadList { path: list, reason })?;
    }
    Ok(content(Download::File(file), path, hashes))
}

/// Where the file of a day may lie, most likely first.
fn candidates(
    folder: &Path,
    name: BackfillSource,
    day: NaiveDate,
) -> impl Iterator<Item = PathBuf> {
    let (stem, folders) = match name {
        BackfillSource::Everef => {
            let year = folder.join(day.format("%Y").to_string());
            (
                format!("killmails-{}", day.format("%Y-%m-%d")),
                [folder.to_owned(), year],
            )
        }
        BackfillSource::R2z2 => (
            day.format("%Y%m%d").to_string(),
            [folder.join("raw"), folder.join("history/raw")],
        ),
    };
    folders.into_iter().flat_map(move |folder| {
        let stem = stem.clone();
        ENDINGS.map(|ending| folder.join(format!("{stem}{ending}")))
    })
}

#[cfg(test)]
mod tests;
