//! Rows as they were read, before they are joined.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Error, Result};
use super::kind::Kind;

/// One row of any table; what a table does not have stays empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) name: Option<String>,
    /// Group of a type, category of a group, constellation of a system, region of a constellation.
    pub(super) parent_id: Option<i64>,
    /// Region of a system, where its table says so.
    pub(super) region_id: Option<i64>,
    pub(super) published: bool,
    pub(super) security_status: f64,
    pub(super) wormhole_class: Option<i64>,
    pub(super) ticker: Option<String>,
}

/// Where a row stood.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) file: Arc<str>,
    pub(super) line: u64,
}

impl Place {
    /// Refuses the file because of this row.
    pub(super) fn refuse(&self, why: impl Into<String>) -> Error {
        Error::refused(&*self.file, self.line, why)
    }
}

pub(super) type Table = BTreeMap<i64, (Row, Place)>;

/// All rows of all files of one origin.
#[derive(Debug, Default)]
pub(super) struct Tables {
    by_kind: BTreeMap<Kind, Table>,
    /// Rows passed over.
    pub(super) skipped: usize,
    /// The export's build number, where it says so.
    pub(super) build: Option<i64>,
}

impl Tables {
    /// Adds a row. One with an id that is not positive, and one that is there already, are passed over.
    ///
    /// # Errors
    /// A row that contradicts an earlier one, or that belongs to nothing.
    pub(super) fn add(&mut self, kind: Kind, row: Row, place: Place) -> Result<()> {
        let layout = kind.layout();
        if row.id < 0 || (row.id == 0 && !kind.has_zero()) {
            self.skipped += 1;
            return Ok(());
        }
        if let Some(parent) = layout.parent
            && row.parent_id.is_none()
        {
            return Err(place.refuse(format!("{} {} has no {parent}", layout.noun, row.id)));
        }
        let table = self.by_kind.entry(kind).or_default();
        if let Some((known, at)) = table.get(&row.id) {
            if *known == row {
                self.skipped += 1;
                return Ok(());
            }
            return Err(place.refuse(format!(
                "{} {} contradicts {}, line {}",
                layout.noun, row.id, at.file, at.line
            )));
        }
        table.insert(row.id, (row, place));
        Ok(())
    }

    /// Rows of a kind.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.by_kind.get(&kind).map_or(0, BTreeMap::len)
    }

    /// The row of an id.
    pub(super) fn get(&self, kind: Kind, id: i64) -> Option<&Row> {
        self.by_kind.get(&kind)?.get(&id).map(|(row, _)| row)
    }

    /// The rows of a kind, by id.
    pub(super) fn rows(&self, kind: Kind) -> impl Iterator<Item = &(Row, Place)> {
        self.by_kind
            .get(&kind)
            .into_iter()
            .flat_map(BTreeMap::values)
    }
}
