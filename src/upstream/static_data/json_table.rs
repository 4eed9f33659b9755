//! Tables of CCP's export: one JSON object a line.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::sync::Arc;

use serde::Deserialize;

use super::error::{Error, Result};
use super::kind::Kind;
use super::rows::{Place, Row, Tables};

/// The longest line: those of types have up to 64 KB.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;

/// The fields that any table needs; the others are not even kept while a line is read.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(rename = "_key")]
    key: i64,
    name: Option<Text>,
    #[serde(rename = "groupID")]
    group_id: Option<i64>,
    #[serde(rename = "categoryID")]
    category_id: Option<i64>,
    #[serde(rename = "constellationID")]
    constellation_id: Option<i64>,
    #[serde(rename = "regionID")]
    region_id: Option<i64>,
    published: Option<bool>,
    #[serde(rename = "securityStatus")]
    security_status: Option<f64>,
    #[serde(rename = "wormholeClassID")]
    wormhole_class: Option<i64>,
    #[serde(rename = "tickerName")]
    ticker: Option<String>,
}

/// A text in one or many languages.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Languages(BTreeMap<String, Option<String>>),
}

impl Text {
    /// The English text, or that of any language.
    fn english(self) -> Option<String> {
        match self {
            Self::Plain(text) => Some(text).filter(|text| !text.is_empty()),
            Self::Languages(mut texts) => {
                let english = texts.remove("en").flatten();
                std::iter::once(english)
                    .chain(texts.into_values())
                    .flatten()
                    .find(|text| !text.is_empty())
            }
        }
    }
}

impl Line {
    fn row(self, kind: Kind) -> Row {
        let parent_id = match kind {
            Kind::ShipTypes => self.group_id,
            Kind::Groups => self.category_id,
            Kind::SolarSystems => self.constellation_id,
            Kind::Constellations => self.region_id,
            Kind::Categories
            | Kind::Regions
            | Kind::Factions
            | Kind::NpcCorporations
            | Kind::WormholeClasses => None,
        };
        Row {
            id: self.key,
            name: self.name.and_then(Text::english),
            parent_id,
            region_id: self.region_id,
            published: self.published.unwrap_or_default(),
            security_status: self.security_status.unwrap_or_default(),
            wormhole_class: self.wormhole_class,
            ticker: self.ticker.filter(|ticker| !ticker.is_empty()),
        }
    }
}

/// Reads a table.
pub(super) fn read(
    kind: Kind,
    reader: &mut dyn BufRead,
    file: &Arc<str>,
    tables: &mut Tables,
) -> Result<()> {
    let before = tables.count(kind);
    let mut number = 0;
    let mut line = Vec::new();
    loop {
        number += 1;
        line.clear();
        Read::take(&mut *reader, MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)
            .map_err(|error| Error::cut_off(file, number, &error))?;
        if line.is_empty() {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = Place {
            file: Arc::clone(file),
            line: number,
        };
        let parsed: Line =
            serde_json::from_slice(&line).map_err(|error| place.refuse(unreadable(&error)))?;
        tables.add(kind, parsed.row(kind), place)?;
    }
    if tables.count(kind) == before {
        return Err(Error::refused(&**file, None, "it has no rows"));
    }
    Ok(())
}

fn unreadable(error: &serde_json::Error) -> String {
    if error.is_eof() {
        format!(
            "the object does not end: the file is cut off, or a line is longer than {MAX_LINE_BYTES} bytes"
        )
    } else {
        format!("not the JSON object that it has to be ({error})")
    }
}
