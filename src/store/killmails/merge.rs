//! What a stored killmail takes over from the same killmail of a later source.

use crate::domain::Zkb;

/// Separates labels on their way into a text array; no label can hold it.
pub(super) const LABEL_SEPARATOR: char = '\u{1f}';

/// The stored values with what the later source has: absent values never erase.
pub(super) fn merge(stored: &Zkb, incoming: &Zkb) -> Zkb {
    let labels = match (&stored.labels, &incoming.labels) {
        (Some(old), Some(new)) if same_labels(old, new) => stored.labels.clone(),
        (_, Some(_)) => incoming.labels.clone(),
        (_, None) => stored.labels.clone(),
    };
    Zkb {
        location_id: incoming.location_id.or(stored.location_id),
        fitted_value: incoming.fitted_value.or(stored.fitted_value),
        dropped_value: incoming.dropped_value.or(stored.dropped_value),
        destroyed_value: incoming.destroyed_value.or(stored.destroyed_value),
        total_value: incoming.total_value.or(stored.total_value),
        total_droppable_value: incoming
            .total_droppable_value
            .or(stored.total_droppable_value),
        points: incoming.points.or(stored.points),
        npc: incoming.npc.or(stored.npc),
        solo: incoming.solo.or(stored.solo),
        awox: incoming.awox.or(stored.awox),
        labels,
    }
}

/// Labels as the column holds them: without control characters, none empty.
pub(super) fn storable(zkb: &Zkb) -> Zkb {
    let labels = zkb.labels.as_ref().map(|labels| {
        labels
            .iter()
            .map(|label| label.chars().filter(|c| !c.is_control()).collect())
            .filter(|label: &String| !label.is_empty())
            .collect()
    });
    Zkb {
        labels,
        ..zkb.clone()
    }
}

/// The labels as one text for `string_to_array`.
pub(super) fn joined_labels(zkb: &Zkb) -> Option<String> {
    zkb.labels.as_ref().map(|labels| {
        let mut text = String::new();
        for (index, label) in labels.iter().enumerate() {
            if index > 0 {
                text.push(LABEL_SEPARATOR);
            }
            text.push_str(label);
        }
        text
    })
}

/// Their order says nothing.
fn same_labels(old: &[String], new: &[String]) -> bool {
    let sorted = |labels: &[String]| {
        let mut labels = labels.to_vec();
        labels.sort_unstable();
        labels
    };
    old == new || sorted(old) == sorted(new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zkb() -> impl Strategy<Value = Zkb> {
        let value = || prop::option::of((0_u32..1000).prop_map(|cents| f64::from(cents) / 100.0));
        let labels = prop::option::of(prop::collection::vec("[ab#:]{1,3}", 0..3));
        let flag = || prop::option::of(any::<bool>());
        let number = || prop::option::of(0_i64..9);
        (
            (number(), value(), value(), value(), value(), value()),
            (number(), flag(), flag(), flag(), labels),
        )
            .prop_map(|(a, b)| Zkb {
                location_id: a.0,
                fitted_value: a.1,
                dropped_value: a.2,
                destroyed_value: a.3,
                total_value: a.4,
                total_droppable_value: a.5,
                points: b.0,
                npc: b.1,
                solo: b.2,
                awox: b.3,
                labels: b.4,
            })
    }

    proptest! {
        #[test]
        fn nothing_is_erased(stored in zkb()) {
            prop_assert_eq!(merge(&stored, &Zkb::default()), stored);
        }

        #[test]
        fn the_same_again_changes_nothing(stored in zkb(), incoming in zkb()) {
            let once = merge(&stored, &incoming);
            prop_assert_eq!(merge(&once, &incoming), once);
        }

        #[test]
        fn what_the_later_source_has_wins(stored in zkb(), incoming in zkb()) {
            let merged = merge(&stored, &incoming);
            prop_assert_eq!(merged.total_value, incoming.total_value.or(stored.total_value));
            prop_assert_eq!(merged.labels.is_some(), incoming.labels.is_some() || stored.labels.is_some());
        }
    }

    #[test]
    fn order_of_labels_says_nothing() {
        let of = |labels: &[&str]| Zkb {
            labels: Some(labels.iter().map(ToString::to_string).collect()),
            ..Zkb::default()
        };
        assert_eq!(merge(&of(&["a", "b"]), &of(&["b", "a"])), of(&["a", "b"]));
        assert_eq!(storable(&of(&["a\0\u{1f}", ""])), of(&["a"]));
        assert_eq!(joined_labels(&of(&["a", "b"])).as_deref(), Some("a\u{1f}b"));
        assert_eq!(joined_labels(&of(&[])).as_deref(), Some(""));
    }
}
