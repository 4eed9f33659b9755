//! Items, as ESI writes them.

use serde::Serialize;

use crate::domain::killmail::Item;

/// One stack of items in ESI's own words.
#[derive(Serialize)]
pub(super) struct ItemDocument {
    item_type_id: i64,
    flag: i64,
    singleton: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity_destroyed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity_dropped: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemDocument>,
}

/// The items with all that is in them.
pub(super) fn of(items: &[Item]) -> Vec<ItemDocument> {
    items
        .iter()
        .map(|item| ItemDocument {
            item_type_id: item.item_type_id,
            flag: item.flag,
            singleton: item.singleton,
            quantity_destroyed: item.quantity_destroyed,
            quantity_dropped: item.quantity_dropped,
            items: of(&item.items),
        })
        .collect()
}
