//! Bounds of a filter.

use super::{Filter, FilterError, MAX_IDS_PER_SET, MAX_LABEL_BYTES};

pub(super) fn validate(filter: &Filter) -> Result<(), FilterError> {
    let sizes = filter.id_sets().map(|(name, set)| (name, set.len()));
    for (name, size) in sizes.into_iter().chain([("labels", filter.labels.len())]) {
        if size > MAX_IDS_PER_SET {
            let allowed = format!("at most {MAX_IDS_PER_SET} entries");
            return Err(FilterError::new(name, &format!("{size} entries"), allowed));
        }
    }
    for (name, set) in filter.id_sets() {
        if let Some(id) = set.first().filter(|id| **id <= 0) {
            return Err(FilterError::new(name, &id.to_string(), ID_ALLOWED));
        }
    }
    for label in &filter.labels {
        let written = label
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',');
        if label.is_empty() || label.len() > MAX_LABEL_BYTES || !written {
            let allowed =
                format!("labels of 1 to {MAX_LABEL_BYTES} visible ASCII characters but the comma");
            return Err(FilterError::new("labels", label, allowed));
        }
    }
    values(filter)
}

pub(super) const ID_ALLOWED: &str = "ids, whole numbers greater than 0";
pub(super) const VALUE_ALLOWED: &str = "a number of ISK, 0 or greater";

fn values(filter: &Filter) -> Result<(), FilterError> {
    for (name, value) in [
        ("min_value", filter.min_value),
        ("max_value", filter.max_value),
    ] {
        if let Some(value) = value
            && !(value.is_finite() && value >= 0.0)
        {
            return Err(FilterError::new(name, &value.to_string(), VALUE_ALLOWED));
        }
    }
    if let (Some(min), Some(max)) = (filter.min_value, filter.max_value)
        && min > max
    {
        let allowed = format!("at most max_value, {max}");
        return Err(FilterError::new("min_value", &min.to_string(), allowed));
    }
    Ok(())
}
