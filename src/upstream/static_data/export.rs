//! CCP's export: a zip of JSON lines.

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;

use serde::Deserialize;
use zip::ZipArchive;
use zip::result::ZipError;

use super::error::{Error, Result};
use super::json_table;
use super::kind::{Kind, LAYOUTS};
use super::open::Capped;
use super::rows::Tables;

/// The file that tells the build.
const ABOUT: &str = "_sde.jsonl";
/// It is one line.
const MAX_ABOUT_BYTES: u64 = 64 * 1024;

#[derive(Debug, Deserialize)]
struct About {
    #[serde(rename = "buildNumber")]
    build_number: i64,
}

/// Reads the tables of an export. The archive is read from its file, a line at a time.
pub(super) fn read(file: File, name: &str, tables: &mut Tables) -> Result<()> {
    let damaged = |error: &ZipError| {
        let why = format!("the zip is cut off or damaged ({error})");
        Error::refused(name, None, why)
    };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(&error))?;
    let members: Vec<(String, Kind)> = archive
        .file_names()
        .filter_map(|member| {
            let member = member.ok()?.into_owned();
            let kind = Kind::of_export(&member)?;
            Some((member, kind))
        })
        .collect();
    if members.is_empty() {
        let known: Vec<String> = LAYOUTS
            .iter()
            .filter_map(|layout| Some(format!("{}.jsonl", layout.export?)))
            .collect();
        let why = format!("the zip has none of {}", known.join(", "));
        return Err(Error::refused(name, None, why));
    }
    for (member, kind) in members {
        let entry = archive.by_name(&member).map_err(|error| damaged(&error))?;
        let place: Arc<str> = Arc::from(format!("{name}/{member}"));
        let mut lines = BufReader::new(Capped::new(entry));
        json_table::read(kind, &mut lines, &place, tables)?;
    }
    if let Ok(entry) = archive.by_name(ABOUT) {
        let mut text = Vec::new();
        entry
            .take(MAX_ABOUT_BYTES)
            .read_to_end(&mut text)
            .map_err(|error| Error::cut_off(name, None, &error))?;
        tables.build = serde_json::from_slice(&text)
            .ok()
            .map(|about: About| about.build_number);
    }
    Ok(())
}
