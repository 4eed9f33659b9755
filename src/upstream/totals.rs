//! `totals.json`: how many killmails a source has for each day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;

/// Killmails by day.
pub type Totals = BTreeMap<NaiveDate, u64>;

/// Reads an object of counts by day, written `20211128` or `2021-11-28`. Other keys and values are passed over; an
/// empty list is an empty object, as PHP writes it.
///
/// # Errors
/// What the text is instead.
pub fn read(bytes: &[u8]) -> Result<Totals, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match value {
        Value::Object(days) => Ok(days
            .iter()
            .filter_map(|(key, count)| Some((day(key)?, count.as_u64()?)))
            .collect()),
        Value::Array(list) if list.is_empty() => Ok(Totals::new()),
        Value::Array(_) => Err("a list instead of an object of counts by day".to_owned()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err("no object of counts by day".to_owned())
        }
    }
}

fn day(key: &str) -> Option<NaiveDate> {
    ["%Y%m%d", "%Y-%m-%d"]
        .into_iter()
        .find_map(|form| NaiveDate::parse_from_str(key, form).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_day_are_read() {
        let totals = read(br#"{"20211128":3,"2021-11-29":4,"total":9,"20211130":"x"}"#).unwrap();
        let days: Vec<(String, u64)> = totals
            .iter()
            .map(|(day, n)| (day.to_string(), *n))
            .collect();
        let expected = [("2021-11-28", 3), ("2021-11-29", 4)];
        assert_eq!(days, expected.map(|(day, n)| (day.to_owned(), n)));
        assert_eq!(read(b"[]").unwrap(), Totals::new());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["[1]", "3", "{", "", "<html>"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
