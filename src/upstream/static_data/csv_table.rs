//! Tables as CSV, in either of Fuzzwork's formats, told by their header.

use std::io::Read;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use super::error::{Error, Result, excerpt};
use super::kind::{Kind, LAYOUTS, Layout, SECURITY, WORMHOLE_CLASS};
use super::quotes::QuoteWatch;
use super::rows::{Place, Row, Tables};

/// Columns named in the sentence about a header that no table has.
const NAMED_COLUMNS: usize = 6;

/// Where a table's columns are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    layout: Layout,
    count: usize,
    id: usize,
    name: Option<usize>,
    parent: Option<usize>,
    region: Option<usize>,
    published: Option<usize>,
    security: Option<usize>,
    class: Option<usize>,
    ticker: Option<usize>,
}

/// Reads a table. `Ok(Some(reason))` for a file that is none of ours.
pub(super) fn read(
    reader: impl Read,
    file: &Arc<str>,
    tables: &mut Tables,
) -> Result<Option<String>> {
    let mut csv = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(QuoteWatch::new(reader));
    let mut record = ByteRecord::new();
    let damaged =
        |error: csv::Error, line: u64| Error::cut_off(file, line, &std::io::Error::other(error));
    csv.read_byte_record(&mut record)
        .map_err(|error| damaged(error, 1))?;
    let header = header(&record);
    let Some(columns) = LAYOUTS.iter().find_map(|layout| columns(*layout, &header)) else {
        return Ok(Some(unknown(&header)));
    };
    let kind = columns.layout.kind;
    let before = tables.count(kind);
    loop {
        let line = csv.position().line();
        let more = csv.read_byte_record(&mut record);
        if !more.map_err(|error| damaged(error, line))? {
            break;
        }
        let place = Place {
            file: Arc::clone(file),
            line: record.position().map_or(line, csv::Position::line),
        };
        if csv.get_ref().ended_in_quotes() {
            return Err(place.refuse("a quoted cell does not end: the file is cut off"));
        }
        let row = row(&record, &columns).map_err(|why| place.refuse(why))?;
        tables.add(kind, row, place)?;
    }
    if tables.count(kind) == before {
        return Err(Error::refused(&**file, None, "it has no rows"));
    }
    Ok(None)
}

/// The columns' names in lower case.
fn header(record: &ByteRecord) -> Vec<String> {
    record
        .iter()
        .map(|cell| {
            let text = String::from_utf8_lossy(cell);
            text.trim_start_matches('\u{feff}').trim().to_lowercase()
        })
        .collect()
}

fn unknown(header: &[String]) -> String {
    let columns: Vec<String> = header
        .iter()
        .take(NAMED_COLUMNS)
        .map(|name| excerpt(name))
        .collect();
    let known: Vec<String> = LAYOUTS
        .iter()
        .map(|layout| match layout.name {
            Some(name) => format!("{} and {name}", layout.id),
            None => format!("{} and {WORMHOLE_CLASS}", layout.id),
        })
        .collect();
    format!(
        "no table that is known: its first line begins with {}, tables have {}",
        columns.join(", "),
        known.join(", or ")
    )
}

/// Where the columns of a table are, if it is that table.
fn columns(layout: Layout, header: &[String]) -> Option<Columns> {
    let find = |name: &str| {
        header
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
    };
    let required = [layout.name, layout.parent, layout.also];
    if required
        .into_iter()
        .flatten()
        .any(|name| find(name).is_none())
    {
        return None;
    }
    Some(Columns {
        layout,
        count: header.len(),
        id: find(layout.id)?,
        name: layout.name.and_then(find),
        parent: layout.parent.and_then(find),
        region: find("regionID"),
        published: find("published"),
        security: find(SECURITY),
        class: find(WORMHOLE_CLASS),
        ticker: find("tickerName"),
    })
}

/// The row of a record, or what is wrong with it.
fn row(record: &ByteRecord, columns: &Columns) -> Result<Row, String> {
    if record.len() != columns.count {
        return Err(format!(
            "the row has {} cells, the header has {}",
            record.len(),
            columns.count
        ));
    }
    let layout = columns.layout;
    let cells = Cells(record);
    let id = cells
        .integer(Some(columns.id), layout.id)?
        .ok_or_else(|| format!("{} is empty", layout.id))?;
    let is_system = layout.kind == Kind::SolarSystems;
    let text = |column: Option<usize>, name| -> Result<Option<String>, String> {
        Ok(cells.text(column, name)?.map(str::to_owned))
    };
    Ok(Row {
        id,
        name: text(columns.name, layout.name.unwrap_or_default())?,
        parent_id: cells.integer(columns.parent, layout.parent.unwrap_or_default())?,
        region_id: cells.integer(columns.region.filter(|_| is_system), "regionID")?,
        published: cells.boolean(columns.published, "published")?,
        security_status: cells.number(columns.security.filter(|_| is_system), SECURITY)?,
        wormhole_class: cells.integer(columns.class, WORMHOLE_CLASS)?,
        ticker: text(columns.ticker, "tickerName")?,
    })
}

/// The cells of one row; each is empty where its column is missing or it says `None` or `NULL`.
struct Cells<'a>(&'a ByteRecord);

impl Cells<'_> {
    fn text(&self, column: Option<usize>, name: &str) -> Result<Option<&str>, String> {
        let Some(cell) = column.and_then(|column| self.0.get(column)) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(cell)
            .map_err(|_| {
                format!(
                    "{name} is not UTF-8: {}",
                    excerpt(&String::from_utf8_lossy(cell))
                )
            })?
            .trim();
        let is_null = ["", "None", "NULL"]
            .iter()
            .any(|null| text.eq_ignore_ascii_case(null));
        Ok((!is_null).then_some(text))
    }

    fn integer(&self, column: Option<usize>, name: &str) -> Result<Option<i64>, String> {
        self.text(column, name)?
            .map(|text| {
                integer(text).ok_or_else(|| {
                    format!("{name} is {}, allowed is a whole number", excerpt(text))
                })
            })
            .transpose()
    }

    fn number(&self, column: Option<usize>, name: &str) -> Result<f64, String> {
        let Some(text) = self.text(column, name)? else {
            return Ok(0.0);
        };
        text.parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| format!("{name} is {}, allowed is a number", excerpt(text)))
    }

    fn boolean(&self, column: Option<usize>, name: &str) -> Result<bool, String> {
        match self.text(column, name)?.map(str::to_lowercase).as_deref() {
            None | Some("0" | "0.0" | "false") => Ok(false),
            Some("1" | "1.0" | "true") => Ok(true),
            Some(text) => Err(format!(
                "{name} is {}, allowed are 0, 1, True and False",
                excerpt(text)
            )),
        }
    }
}

/// A whole number, also where it is written as `34.0`.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        let whole = number.is_finite() && number.fract() == 0.0;
        whole.then(|| format!("{number:.0}").parse().ok()).flatten()
    })
}
