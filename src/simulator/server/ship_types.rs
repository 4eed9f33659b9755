//! Static data: Fuzzwork's CSV in its old and new format, and the static data export's JSON lines.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use csv::{QuoteStyle, WriterBuilder};
use serde_json::{Value, json};

use super::{Shared, not_found};
use crate::simulator::catalog::{CATEGORIES, GROUPS, ship_types};

const TYPES_OLD: &[&str] = &[
    "typeID",
    "groupID",
    "typeName",
    "description",
    "mass",
    "volume",
    "capacity",
    "portionSize",
    "raceID",
    "basePrice",
    "published",
    "marketGroupID",
    "iconID",
    "soundID",
    "graphicID",
];
/// The columns that the new format has behind the old ones.
const TYPES_NEW: &[&str] = &[
    "factionID",
    "metaLevel",
    "techLevel",
    "shipTreeGroupID",
    "packagedVolume",
    "isDynamicType",
    "isRepackable",
];
const GROUP_COLUMNS: &[&str] = &[
    "groupID",
    "categoryID",
    "groupName",
    "iconID",
    "useBasePrice",
    "anchored",
    "anchorable",
    "fittableNonSingleton",
    "published",
];
const CATEGORY_COLUMNS: &[&str] = &["categoryID", "categoryName", "iconID", "published"];

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/dump/latest/{file}", get(old_csv))
        .route("/dump/latest/csv/{file}", get(new_csv))
        .route("/tranquility/latest.jsonl", get(latest))
        .route("/tranquility/{file}", get(json_lines))
}

/// How a format writes what it does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `None`, quotes only where they are needed.
    Old,
    /// Nothing between quotes, and a byte order mark in front.
    New,
}

async fn old_csv(Path(file): Path<String>) -> Response {
    csv_file(&file, Format::Old)
}

async fn new_csv(Path(file): Path<String>) -> Response {
    csv_file(&file, Format::New)
}

fn csv_file(file: &str, format: Format) -> Response {
    let unknown = match format {
        Format::Old => "None",
        Format::New => "",
    };
    let table = match file {
        "invTypes.csv" => types_table(format, unknown),
        "invGroups.csv" => groups_table(unknown),
        "invCategories.csv" => categories_table(unknown),
        _ => return not_found(),
    };
    match write(&table, format) {
        Ok(bytes) => ([(header::CONTENT_TYPE, "text/csv")], bytes).into_response(),
        Err(error) => {
            tracing::error!(%error, "a table could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

type Table = Vec<Vec<String>>;

fn heading(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|it| (*it).to_owned()).collect()
}

fn types_table(format: Format, unknown: &str) -> Table {
    let mut head = heading(TYPES_OLD);
    if format == Format::New {
        head.extend(heading(TYPES_NEW));
    }
    let mut table = vec![head];
    for it in ship_types() {
        let mut row = vec![
            it.type_id.to_string(),
            it.group_id.to_string(),
            it.name,
            "Simulated, \"as if\".\nSecond line.".to_owned(),
        ];
        let rest = if format == Format::New { 18 } else { 11 };
        for column in 0..rest {
            // Portion size is the 4th and `published` the 7th of the rest.
            row.push(match column {
                3 => "1".to_owned(),
                6 => i32::from(it.published).to_string(),
                _ => unknown.to_owned(),
            });
        }
        table.push(row);
    }
    table
}

fn groups_table(unknown: &str) -> Table {
    let rows = GROUPS.iter().map(|(id, name, category)| {
        let mut row = vec![id.to_string(), category.to_string(), (*name).to_owned()];
        row.push(unknown.to_owned());
        row.extend(["0", "0", "0", "0", "1"].map(str::to_owned));
        row
    });
    std::iter::once(heading(GROUP_COLUMNS))
        .chain(rows)
        .collect()
}

fn categories_table(unknown: &str) -> Table {
    let rows = CATEGORIES.iter().map(|(id, name)| {
        vec![
            id.to_string(),
            (*name).to_owned(),
            unknown.to_owned(),
            "1".to_owned(),
        ]
    });
    std::iter::once(heading(CATEGORY_COLUMNS))
        .chain(rows)
        .collect()
}

fn write(table: &Table, format: Format) -> Result<Vec<u8>, csv::Error> {
    let (start, quotes) = match format {
        Format::Old => (Vec::new(), QuoteStyle::Necessary),
        Format::New => ("\u{feff}".as_bytes().to_vec(), QuoteStyle::Always),
    };
    let mut writer = WriterBuilder::new().quote_style(quotes).from_writer(start);
    for row in table {
        writer.write_record(row)?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
}

async fn latest() -> Response {
    lines(&[json!({
        "_key": "sde",
        "buildNumber": 3_650_286,
        "releaseDate": "2026-10-26T11:07:12Z",
    })])
}

async fn json_lines(Path(file): Path<String>) -> Response {
    let rows: Vec<Value> = match file.as_str() {
        "types.jsonl" => ship_types()
            .into_iter()
            .map(|it| {
                json!({
                    "_key": it.type_id,
                    "groupID": it.group_id,
                    "name": {"en": it.name},
                    "portionSize": 1,
                    "published": it.published,
                })
            })
            .collect(),
        "groups.jsonl" => GROUPS
            .iter()
            .map(|(id, name, category)| {
                json!({"_key": id, "categoryID": category, "name": {"en": name}, "published": true})
            })
            .collect(),
        "categories.jsonl" => CATEGORIES
            .iter()
            .map(|(id, name)| json!({"_key": id, "name": {"en": name}, "published": true}))
            .collect(),
        _ => return not_found(),
    };
    lines(&rows)
}

fn lines(rows: &[Value]) -> Response {
    let mut text = rows
        .iter()
        .map(Value::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    text.push('\n');
    ([(header::CONTENT_TYPE, "application/jsonl")], text).into_response()
}
