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
mod tests;
