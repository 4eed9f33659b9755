//! zKillboard's block.

use serde_json_borrow::Value;

use super::ParseError;
use super::node::Object;
use crate::domain::killmail::Zkb;

/// The most labels of one killmail. zKillboard gives about ten; the vocabulary is open.
pub const MAX_LABELS: usize = 1_000;

/// Reads the block without its hash; `None` when nothing of it is there.
pub(super) fn read(object: Object<'_, '_>) -> Result<Option<Zkb>, ParseError> {
    let zkb = Zkb {
        location_id: object.integer("locationID")?,
        fitted_value: object.float("fittedValue")?,
        dropped_value: object.float("droppedValue")?,
        destroyed_value: object.float("destroyedValue")?,
        total_value: object.float("totalValue")?,
        total_droppable_value: object.float("totalDroppableValue")?,
        points: object.integer("points")?,
        npc: object.flag("npc")?,
        solo: object.flag("solo")?,
        awox: object.flag("awox")?,
        labels: object.optional(
            "labels",
            "a list of at most 1000 texts without control characters",
            labels,
        )?,
    };
    Ok(Some(zkb).filter(|zkb| *zkb != Zkb::default()))
}

fn labels(value: &Value<'_>) -> Option<Vec<String>> {
    match value {
        Value::Array(list) if list.len() <= MAX_LABELS => list.iter().map(label).collect(),
        // PHP writes a list with holes as an object.
        Value::Object(map) if map.len() <= MAX_LABELS => map.values().map(label).collect(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Str(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// Control characters are refused: the database cannot hold all of them.
fn label(value: &Value<'_>) -> Option<String> {
    let text = value.as_str()?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}
