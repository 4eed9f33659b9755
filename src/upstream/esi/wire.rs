//! ESI's JSON, read leniently: unknown fields are fine, text is cleaned.

use serde::de::DeserializeOwned;

use crate::upstream::http::{Error, Result};

/// Reads a body; `at` names the route in errors.
pub(super) fn read<T: DeserializeOwned>(at: &str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| Error::Unreadable {
        at: at.to_owned(),
        reason: error.to_string(),
    })
}

/// A name without the control characters and outer blanks that no name needs and no database wants.
pub(super) fn clean(text: &str) -> String {
    let shown: String = text.chars().filter(|it| !it.is_control()).collect();
    shown.trim().to_owned()
}
