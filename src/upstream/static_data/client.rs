//! Asks an origin for static data.

use std::fs::File;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::download::{Download, download};
use super::error::{Error, Result};
use super::rows::Tables;
use super::{ReferenceData, assemble, files};
use crate::upstream::http::{self, Budget, HttpClient, Limits, Request, StatusCode};

/// Tells the newest build of CCP's export.
const LATEST: &str = "tranquility/latest.jsonl";

/// Fuzzwork's table of types, which tells the version of all of them.
const TYPES: &str = "invTypes.csv";
/// The tables beside it that have to be there.
const NEEDED: [&str; 2] = ["invGroups.csv", "invCategories.csv"];
/// Systems, and what has to be there beside them.
const SYSTEMS: &str = "mapSolarSystems.csv";
const PLACES: [&str; 2] = ["mapConstellations.csv", "mapRegions.csv"];
/// Tables that are read where they are there.
const WELCOME: [&str; 3] = [
    "mapLocationWormholeClasses.csv",
    "chrFactions.csv",
    "crpNPCCorporations.csv",
];
/// Older dumps are compressed.
const COMPRESSED: &str = ".bz2";

/// A check is one request, a load about ten in a row; a second between more of them is polite.
const BUDGET: Budget = Budget {
    period: Duration::from_secs(1),
    burst: NonZeroU32::MIN.saturating_add(15),
    in_flight: NonZeroU32::MIN,
};

#[derive(Debug, Deserialize)]
struct Latest {
    #[serde(rename = "buildNumber")]
    build_number: i64,
}

/// Asks one origin.
///
/// An origin is the URL of a zip of CCP's, or a folder: one with `tranquility/latest.jsonl` has CCP's
/// exports, any other one Fuzzwork's tables.
#[derive(Debug, Clone)]
pub struct StaticDataClient {
    http: HttpClient,
    origin: Url,
}

impl StaticDataClient {
    /// A client for `origin`; sets its budget.
    pub fn new(http: HttpClient, mut origin: Url) -> Self {
        if !origin.path().ends_with('/') && !is_zip(&origin) {
            origin.set_path(&format!("{}/", origin.path()));
        }
        http.set_budget(&origin, "static_data", BUDGET);
        Self { http, origin }
    }

    /// The origin as it is remembered, without a query or an account.
    pub fn origin(&self) -> String {
        let mut origin = self.origin.clone();
        origin.set_query(None);
        // Both fail only for URLs without a host, which have no account either.
        origin.set_username("").ok();
        origin.set_password(None).ok();
        origin.to_string()
    }

    /// What the origin has, or `None` where that is still `version`.
    ///
    /// # Errors
    /// A server that fails, an origin that has no static data, a file that is refused.
    pub async fn fetch(&self, version: Option<&str>) -> Result<Option<ReferenceData>> {
        if is_zip(&self.origin) {
            return self.fetch_zip(version).await;
        }
        let url = self.below(LATEST)?;
        let request = Request::get(url.clone(), Limits::SMALL);
        match self.http.fetch(&request).await {
            Ok(body) => {
                let latest: Latest = serde_json::from_slice(body.trim_ascii())
                    .map_err(|error| Error::refused(url.as_str(), 1, error.to_string()))?;
                self.fetch_build(latest.build_number, version).await
            }
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                self.fetch_tables(version).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn fetch_zip(&self, version: Option<&str>) -> Result<Option<ReferenceData>> {
        match download(&self.http, self.origin.clone(), version).await? {
            Download::Unchanged => Ok(None),
            Download::Missing => Err(self.nothing(&[self.origin.path()])),
            Download::File(file, tag) => {
                self.read(vec![(last_part(&self.origin), file)], tag).await
            }
        }
    }

    async fn fetch_build(
        &self,
        build: i64,
        version: Option<&str>,
    ) -> Result<Option<ReferenceData>> {
        let build = build.to_string();
        if version == Some(build.as_str()) {
            return Ok(None);
        }
        let name = format!("eve-online-static-data-{build}-jsonl.zip");
        let url = self.below(&format!("tranquility/{name}"))?;
        match download(&self.http, url, None).await? {
            Download::File(file, _) => self.read(vec![(name, file)], Some(build)).await,
            Download::Unchanged | Download::Missing => Err(self.nothing(&[&name])),
        }
    }

    /// Fuzzwork's tables, plain or as older dumps have them.
    async fn fetch_tables(&self, version: Option<&str>) -> Result<Option<ReferenceData>> {
        for ending in ["", COMPRESSED] {
            let name = format!("{TYPES}{ending}");
            match download(&self.http, self.below(&name)?, version).await? {
                Download::Unchanged => return Ok(None),
                Download::Missing => {}
                Download::File(file, tag) => {
                    let mut files = vec![(name, file)];
                    self.add_tables(&mut files, ending).await?;
                    return self.read(files, tag).await;
                }
            }
        }
        let compressed = format!("{TYPES}{COMPRESSED}");
        Err(self.nothing(&[LATEST, TYPES, &compressed]))
    }

    /// The tables beside that of types.
    async fn add_tables(&self, files: &mut Vec<(String, File)>, ending: &str) -> Result<()> {
        for name in NEEDED {
            self.add_table(files, name, ending, true).await?;
        }
        if self.add_table(files, SYSTEMS, ending, false).await? {
            for name in PLACES {
                self.add_table(files, name, ending, true).await?;
            }
        }
        for name in WELCOME {
            self.add_table(files, name, ending, false).await?;
        }
        Ok(())
    }

    /// True where the table is there.
    async fn add_table(
        &self,
        files: &mut Vec<(String, File)>,
        name: &str,
        ending: &str,
        needed: bool,
    ) -> Result<bool> {
        let name = format!("{name}{ending}");
        match download(&self.http, self.below(&name)?, None).await? {
            Download::File(file, _) => {
                files.push((name, file));
                Ok(true)
            }
            Download::Unchanged | Download::Missing if needed => Err(self.nothing(&[&name])),
            Download::Unchanged | Download::Missing => Ok(false),
        }
    }

    /// Reads and joins what was downloaded, where it does not hold up other tasks.
    async fn read(
        &self,
        files: Vec<(String, File)>,
        version: Option<String>,
    ) -> Result<Option<ReferenceData>> {
        let origin = self.origin();
        let reading = move || {
            let mut tables = Tables::default();
            for (name, file) in files {
                let unknown = files::read(file, &name, &mut tables)?;
                files::must_be_known(&name, unknown)?;
            }
            assemble::assemble(&tables, origin, version).map(Some)
        };
        tokio::task::spawn_blocking(reading)
            .await
            .map_err(|source| Error::Broken { source })?
    }

    fn below(&self, path: &str) -> Result<Url> {
        self.origin.join(path).map_err(|error| Error::Fetch {
            source: http::Error::Unreadable {
                at: self.origin(),
                reason: error.to_string(),
            },
        })
    }

    fn nothing(&self, asked: &[&str]) -> Error {
        Error::Nothing {
            origin: self.origin(),
            asked: asked.join(", "),
        }
    }
}

fn is_zip(url: &Url) -> bool {
    let ending = url.path().rsplit('.').next();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("zip"))
}

fn last_part(url: &Url) -> String {
    let path = url.path();
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
