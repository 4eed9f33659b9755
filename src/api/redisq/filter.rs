//! RedisQ's filter language: `key op value`, several joined by `;` (all of them) or by `,` (any of them).
//!
//! A key is looked for at any depth of the package; in a list, one element that fits is enough. `!=` holds
//! when some value differs, so a key that is nowhere fits nothing. Two numbers are compared as numbers,
//! everything else as text.

use std::cmp::Ordering;

use serde_json::Value;

/// Longest filter. Every event is held against it as long as the poll waits.
pub(super) const MAX_FILTER_BYTES: usize = 1_000;

/// Most conditions of one filter: each walks the whole package.
pub(super) const MAX_CONDITIONS: usize = 20;

/// Deepest level that is looked at: items in containers of a killmail lie 6 levels down.
const MAX_DEPTH: usize = 16;

/// Keys that stand only on items, which are read from the database apart from the rest.
const ITEM_KEYS: [&str; 6] = [
    "items",
    "item_type_id",
    "flag",
    "singleton",
    "quantity_destroyed",
    "quantity_dropped",
];

/// A filter of one poll. The empty one lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PackageFilter {
    conditions: Vec<Condition>,
    any: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    key: String,
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// In the order in which they are tried: the longer one of two with the same beginning first.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::Unequal),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl PackageFilter {
    /// Reads a filter; an empty text is the empty filter.
    ///
    /// # Errors
    /// What would have been allowed.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_FILTER_BYTES {
            return Err("a filter of at most 1000 bytes");
        }
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let any = text.contains(',');
        if any && text.contains(';') {
            return Err("conditions joined by ; or by , but not by both");
        }
        let conditions = text
            .split([';', ','])
            .map(Condition::parse)
            .collect::<Option<Vec<_>>>()
            .ok_or("conditions like key=value, with one of = != < <= > >= between the two")?;
        if conditions.len() > MAX_CONDITIONS {
            return Err("at most 20 conditions");
        }
        Ok(Self { conditions, any })
    }

    /// Lets everything through.
    pub(super) fn is_everything(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Asks for something that only items have.
    pub(super) fn needs_items(&self) -> bool {
        self.conditions
            .iter()
            .any(|condition| ITEM_KEYS.contains(&condition.key.as_str()))
    }

    /// Whether a package goes through.
    pub(super) fn matches(&self, package: &Value) -> bool {
        let mut holds = self
            .conditions
            .iter()
            .map(|condition| condition.found_in(package, MAX_DEPTH));
        if self.any {
            holds.any(|holds| holds)
        } else {
            holds.all(|holds| holds)
        }
    }
}

impl Condition {
    fn parse(text: &str) -> Option<Self> {
        let at = text.find(['!', '<', '>', '='])?;
        let (key, rest) = text.split_at_checked(at)?;
        let (operator, value) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)))?;
        let (key, value) = (key.trim(), value.trim());
        let stray = value.contains(['!', '<', '>', '=']);
        (!key.is_empty() && !value.is_empty() && !stray).then(|| Self {
            key: key.to_owned(),
            operator,
            value: value.to_owned(),
        })
    }

    fn found_in(&self, place: &Value, depth: usize) -> bool {
        let Some(deeper) = depth.checked_sub(1) else {
            return false;
        };
        match place {
            Value::Object(map) => map.iter().any(|(key, value)| {
                (*key == self.key && self.holds(value)) || self.found_in(value, deeper)
            }),
            Value::Array(list) => list.iter().any(|value| self.found_in(value, deeper)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match value {
            Value::Array(list) => list.iter().any(|element| self.holds_for(element)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => self.holds_for(value),
        }
    }

    fn holds_for(&self, value: &Value) -> bool {
        let text = match value {
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Null | Value::Array(_) | Value::Object(_) => return false,
        };
        let order = compare(&text, &self.value);
        match self.operator {
            Operator::Equal => order == Ordering::Equal,
            Operator::Unequal => order != Ordering::Equal,
            Operator::Less => order == Ordering::Less,
            Operator::AtMost => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::AtLeast => order != Ordering::Less,
        }
    }
}

/// Whole numbers exactly, other numbers as such, the rest as text.
fn compare(left: &str, right: &str) -> Ordering {
    if let (Ok(left), Ok(right)) = (left.parse::<i64>(), right.parse::<i64>()) {
        return left.cmp(&right);
    }
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => left.cmp(right),
    }
}

fn number(text: &str) -> Option<f64> {
    // Negative zero is zero.
    let number = text.parse::<f64>().ok()? + 0.0;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn package() -> Value {
        json!({
            "killID": 7,
            "killmail": {
                "solar_system_id": 30_000_142,
                "victim": {
                    "ship_type_id": 587,
                    "items": [{ "item_type_id": 3436, "items": [{ "item_type_id": 34, "flag": 5 }] }],
                },
                "attackers": [
                    { "character_id": 1, "security_status": -9.9, "final_blow": true },
                    { "character_id": 2, "security_status": 0.0, "final_blow": false },
                ],
            },
            "zkb": { "totalValue": 10_000.5, "npc": false, "labels": ["pvp", "loc:nullsec"], "locationID": null },
        })
    }

    #[rstest]
    #[case("", true)]
    #[case(" ", true)]
    #[case("killID=7", true)]
    #[case("killID = 7", true)]
    #[case("killID=7.0", true)]
    #[case("killID!=7", false)]
    #[case("killID!=8", true)]
    #[case("solar_system_id=30000142", true)]
    #[case("solar_system_id<30000142", false)]
    #[case("solar_system_id<=30000142", true)]
    #[case("solar_system_id>30000141", true)]
    #[case("solar_system_id>=30000143", false)]
    #[case("character_id=2", true)]
    #[case("character_id=3", false)]
    #[case("character_id!=1", true)]
    #[case("item_type_id=34", true)]
    #[case("flag=5", true)]
    #[case("security_status<-5", true)]
    #[case("security_status=-0", true)]
    #[case("totalValue>10000", true)]
    #[case("totalValue>1e5", false)]
    #[case("npc=false", true)]
    #[case("labels=pvp", true)]
    #[case("labels=loc:nullsec", true)]
    #[case("labels=solo", false)]
    #[case("labels!=pvp", true)]
    #[case("locationID!=5", false)]
    #[case("victim=587", false)]
    #[case("nowhere!=1", false)]
    #[case("killID=7;npc=false", true)]
    #[case("killID=7;npc=true", false)]
    #[case("killID=8,npc=false", true)]
    #[case("killID=8,npc=true", false)]
    fn packages_are_sorted_out(#[case] filter: &str, #[case] through: bool) {
        let filter = PackageFilter::parse(filter).unwrap();
        assert_eq!(filter.matches(&package()), through);
    }

    #[rstest]
    #[case("killID")]
    #[case("killID=")]
    #[case("=7")]
    #[case("killID==7")]
    #[case("killID!7")]
    #[case("killID=7;")]
    #[case("killID=7;npc=true,solo=true")]
    #[case(";")]
    fn what_is_no_filter_is_refused(#[case] filter: &str) {
        assert!(PackageFilter::parse(filter).is_err());
    }

    #[test]
    fn a_filter_has_an_end() {
        assert!(PackageFilter::parse(&"a=1;".repeat(MAX_CONDITIONS)).is_err());
        let most = vec!["a=1"; MAX_CONDITIONS].join(";");
        assert!(PackageFilter::parse(&most).is_ok());
        assert!(PackageFilter::parse(&format!("{most};a=1")).is_err());
        let long = format!("a={}", "1".repeat(MAX_FILTER_BYTES));
        assert!(PackageFilter::parse(&long).is_err());
    }

    #[test]
    fn items_are_needed_only_when_asked_for() {
        let needs = |text| PackageFilter::parse(text).unwrap().needs_items();
        assert!(needs("item_type_id=34"));
        assert!(needs("npc=false;flag=5"));
        assert!(!needs("solar_system_id=30000142"));
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ab0-9.e-]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[ab]", inner), 0..4)
                    .prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,120}|[ab!<>=;,0-9.e -]{0,40}", package in json_value()) {
            if let Ok(filter) = PackageFilter::parse(&text) {
                filter.matches(&package);
            }
        }

        #[test]
        fn joined_conditions_are_all_or_any(
            conditions in prop::collection::vec("[ab](=|!=|<|<=|>|>=)[ab0-9]{1,2}", 1..4),
            package in json_value(),
        ) {
            let one = |text: &String| PackageFilter::parse(text).unwrap().matches(&package);
            let all = PackageFilter::parse(&conditions.join(";")).unwrap();
            let any = PackageFilter::parse(&conditions.join(",")).unwrap();
            prop_assert_eq!(all.matches(&package), conditions.iter().all(one));
            prop_assert_eq!(any.matches(&package), conditions.iter().any(one));
        }

        #[test]
        fn a_number_is_below_or_equal_or_above(left in any::<i64>(), right in any::<i64>()) {
            let package = json!({ "a": left });
            let holds = |sign: &str| {
                PackageFilter::parse(&format!("a{sign}{right}")).unwrap().matches(&package)
            };
            prop_assert_eq!(holds("="), left == right);
            prop_assert_eq!(holds("!="), left != right);
            prop_assert_eq!(holds("<"), left < right);
            prop_assert_eq!(holds(">="), left >= right);
        }
    }
}
