//! Puts more into a document without reading either as values: both keep their bytes.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An object's keys in their order, with the values' own text.
struct RawObject<'a>(Vec<(String, &'a RawValue)>);

/// See [`super::with_items`].
pub(super) fn with_items(document: &str, items: &str) -> Result<String, serde_json::Error> {
    let mut document: RawObject<'_> = serde_json::from_str(document)?;
    let items: &RawValue = serde_json::from_str(items)?;
    if !items.get().starts_with('[') {
        return Err(serde_json::Error::custom("items are not a list"));
    }
    let (_, slot) = document
        .0
        .iter_mut()
        .find(|(key, _)| key == "victim")
        .ok_or_else(|| serde_json::Error::custom("the document has no victim"))?;
    let mut victim: RawObject<'_> = serde_json::from_str(slot.get())?;
    victim.0.retain(|(key, _)| key != "items");
    victim.0.push(("items".to_owned(), items));
    let victim = serde_json::value::to_raw_value(&victim)?;
    *slot = &victim;
    serde_json::to_string(&document)
}

/// See [`super::with_affiliations`].
pub(super) fn with_affiliations(document: &str) -> Result<String, serde_json::Error> {
    let mut document: RawObject<'_> = serde_json::from_str(document)?;
    let mut parts = Vec::with_capacity(2);
    for (key, value) in &document.0 {
        let part = match key.as_str() {
            "victim" => serde_json::value::to_raw_value(&affiliated(value)?)?,
            "attackers" => {
                let attackers: Vec<&RawValue> = serde_json::from_str(value.get())?;
                let attackers: Result<Vec<_>, _> = attackers.into_iter().map(affiliated).collect();
                serde_json::value::to_raw_value(&attackers?)?
            }
            _ => continue,
        };
        parts.push((key.clone(), part));
    }
    for (key, value) in &mut document.0 {
        if let Some((_, part)) = parts.iter().find(|(name, _)| name == key) {
            *value = part;
        }
    }
    serde_json::to_string(&document)
}

/// A participant with its affiliations as objects.
fn affiliated(party: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    let mut party: RawObject<'_> = serde_json::from_str(party.get())?;
    let mut objects = Vec::with_capacity(2);
    for kind in ["corporation", "alliance"] {
        let members = ["name", "ticker"].into_iter().filter_map(|member| {
            let flat = format!("{kind}_{member}");
            let (_, value) = party.0.iter().find(|(key, _)| *key == flat)?;
            Some((member.to_owned(), *value))
        });
        let object = RawObject(members.collect());
        if !object.0.is_empty() {
            let object = serde_json::value::to_raw_value(&object)?;
            objects.push((kind.to_owned(), object));
        }
    }
    let objects = objects
        .iter()
        .map(|(kind, object)| (kind.clone(), &**object));
    party.0.extend(objects);
    serde_json::value::to_raw_value(&party)
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Entries).map(RawObject)
    }
}

impl Serialize for RawObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
