//! The sets of a filter as lists in JSON: at most as many entries as a set may have, which bounds the memory on the way;
//! what is named twice counts twice.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::query::bounded;

struct Entries<T> {
    field: &'static str,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de> + Ord> Visitor<'de> for Entries<T> {
    type Value = BTreeSet<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of {}", self.field)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut set = BTreeSet::new();
        let mut entries = 0;
        while let Some(entry) = list.next_element()? {
            entries += 1;
            bounded(entries, self.field).map_err(A::Error::custom)?;
            set.insert(entry);
        }
        Ok(set)
    }
}

/// A reader of a list for each field, so that what is wrong with it names the field.
macro_rules! read {
    ($($field:ident: $entry:ty),* $(,)?) => {$(
        pub(super) fn $field<'de, D: Deserializer<'de>>(list: D) -> Result<BTreeSet<$entry>, D::Error> {
            list.deserialize_seq(Entries { field: stringify!($field), of: PhantomData })
        }
    )*};
}

read! {
    systems: i64,
    constellations: i64,
    regions: i64,
    characters: i64,
    corporations: i64,
    alliances: i64,
    factions: i64,
    ship_types: i64,
    ship_groups: i64,
    labels: String,
}
