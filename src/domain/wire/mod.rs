//! The canonical outgoing JSON: one killmail with all its names, without items.
//!
//! Absent values are left out, never null. `kill_time` has whole seconds and ends in `Z`; ISK values,
//! positions and security statuses are JSON numbers that read back to the same `f64`.

mod document;
mod esi;
mod items;
pub mod shape;
mod splice;

use serde::Serialize;
use serde_json_borrow::Value;

use super::killmail::{Item, Killmail};
use super::names::Enrichment;
use super::parse::{self, ParseError, Parsed};

pub use esi::{EsiBody, ZkbBlock};

/// Renders the canonical document: compact JSON, items left out, unknown names absent.
pub fn document(killmail: &Killmail, enrichment: &Enrichment) -> String {
    json(&document::Document::of(killmail, enrichment))
}

/// Renders items as ESI writes them: a JSON array, nested `items` where there are any.
pub fn items(items: &[Item]) -> String {
    json(&items::of(items))
}

/// Puts rendered items into a rendered document, as `victim.items`.
///
/// # Errors
/// When either is not the JSON that [`document()`] and [`items()`] write.
pub fn with_items(document: &str, items: &str) -> Result<String, serde_json::Error> {
    splice::with_items(document, items)
}

/// Adds `corporation` and `alliance`, each `{"name","ticker"}` as far as known, to the victim and every
/// attacker of a rendered document; the flat names stay.
///
/// # Errors
/// When it is not the JSON that [`document()`] writes.
pub fn with_affiliations(document: &str) -> Result<String, serde_json::Error> {
    splice::with_affiliations(document)
}

/// Reads a canonical document back, with its items where they are at hand. Names, places and ship groups
/// are not part of a [`Killmail`] and are passed over.
///
/// # Errors
/// When `document` or `items` is not such JSON.
pub fn read(document: &str, items: Option<&str>) -> Result<Killmail, ParseError> {
    let mut value = parse::json(document.as_bytes())?;
    if let Some(items) = items {
        let items = parse::json(items.as_bytes())?;
        if let Value::Object(document) = &mut value
            && let Some(Value::Object(victim)) = document.get_mut("victim")
        {
            victim.insert("items", items);
        }
    }
    match parse::parse_value(&value)? {
        Parsed::Killmail(killmail) => Ok(*killmail),
        Parsed::Reference(reference) => Err(ParseError::UnknownShape {
            found: format!("only a reference to killmail {}", reference.killmail_id),
        }),
        Parsed::Nothing => Err(ParseError::UnknownShape {
            found: "an empty package".to_owned(),
        }),
    }
}

#[expect(
    clippy::expect_used,
    reason = "structs with fixed keys written to memory: serde_json has nothing to fail on"
)]
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("fixed keys and memory")
}

#[cfg(test)]
mod tests;
