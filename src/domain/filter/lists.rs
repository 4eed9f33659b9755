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

#[cfg(test)]
mod tests {
    use super::super::Filter;

    #[test]
    fn what_is_named_twice_counts_twice() {
        let read = |field: &str, entry: &str, entries: usize| {
            let list = vec![entry; entries].join(",");
            serde_json::from_str::<Filter>(&format!("{{\"{field}\":[{list}]}}"))
        };
        assert_eq!(read("regions", "7", 10_000).unwrap().regions, [7].into());
        for (field, _) in Filter::default().id_sets() {
            let message = read(field, "7", 10_001).unwrap_err().to_string();
            let refusal = format!("{field} is \"more\", allowed is at most 10000 entries");
            assert!(message.starts_with(&refusal), "{message}");
        }
        let message = read("labels", "\"pvp\"", 10_001).unwrap_err().to_string();
        assert!(message.starts_with("labels is \"more\""), "{message}");
        let message = serde_json::from_str::<Filter>(r#"{"systems":7}"#).unwrap_err();
        assert!(
            message.to_string().contains("expected a list of systems"),
            "{message}"
        );
    }
}
