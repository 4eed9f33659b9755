//! A JSON value together with the path it was found at, so that errors can name it.

use std::fmt;

use serde_json_borrow::{ObjectAsVec as Map, Value};

use super::{ParseError, scalar};

/// The most characters of an offending value that an error repeats.
const MAX_QUOTED: usize = 80;

/// Where a value stands; built on the stack on the way down, written out only for an error.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => formatter.write_str(key),
            Self::Key(parent, key) => write!(formatter, "{parent}.{key}"),
            Self::Index(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

/// An object and its path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'p, 'v> {
    pub(super) path: &'p Path<'p>,
    pub(super) map: &'v Map<'v>,
}

impl<'v> Object<'_, 'v> {
    /// The value of a key; null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'v Value<'v>> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The error for a key of this object.
    pub(super) fn refuse(&self, key: &str, allowed: &'static str) -> ParseError {
        ParseError::Field {
            field: Path::Key(self.path, key).to_string(),
            value: self
                .map
                .get(key)
                .map_or_else(|| "missing".to_owned(), quoted),
            allowed,
        }
    }

    /// Reads an optional key with `read`, which answers `None` for what it can't accept.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        allowed: &'static str,
        read: impl FnOnce(&'v Value<'v>) -> Option<T>,
    ) -> Result<Option<T>, ParseError> {
        self.get(key)
            .map(|value| read(value).ok_or_else(|| self.refuse(key, allowed)))
            .transpose()
    }

    /// Like [`Self::optional`], for a key that has to be there.
    pub(super) fn required<T>(
        &self,
        key: &str,
        allowed: &'static str,
        read: impl FnOnce(&'v Value<'v>) -> Option<T>,
    ) -> Result<T, ParseError> {
        self.get(key)
            .and_then(read)
            .ok_or_else(|| self.refuse(key, allowed))
    }

    /// A whole number, absent for null.
    pub(super) fn integer(&self, key: &str) -> Result<Option<i64>, ParseError> {
        self.optional(key, "a whole number of 64 bits", scalar::integer)
    }

    /// A number, absent for null.
    pub(super) fn float(&self, key: &str) -> Result<Option<f64>, ParseError> {
        self.optional(key, "a number", scalar::float)
    }

    /// A flag, absent for null.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ParseError> {
        self.optional(key, "true, false, 1 or 0", scalar::flag)
    }

    /// An id of something that need not be there; 0 stands for "none" in several sources.
    pub(super) fn id(&self, key: &str) -> Result<Option<i64>, ParseError> {
        let allowed = "a whole number greater than 0, or 0 or null for none";
        let id = self.optional(key, allowed, |value| {
            scalar::integer(value).filter(|id| *id >= 0)
        })?;
        Ok(id.filter(|id| *id != 0))
    }

    /// An object that need not be there. PHP writes an empty one as `[]`.
    pub(super) fn object(
        &self,
        key: &str,
        allowed: &'static str,
    ) -> Result<Option<&'v Map<'v>>, ParseError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map).filter(|map| !map.is_empty())),
            Some(Value::Array(list)) if list.is_empty() => Ok(None),
            Some(_) => Err(self.refuse(key, allowed)),
        }
    }
}

/// A value as an error repeats it: scalars as they stand, the rest described.
pub(super) fn quoted(value: &Value<'_>) -> String {
    match value {
        Value::Str(text) => cut(&format!("{:?}", cut(text))),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(map) => keys(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => cut(&value.to_string()),
    }
}

/// An object described by its first keys.
fn keys(map: &Map<'_>) -> String {
    if map.is_empty() {
        return "an empty object".to_owned();
    }
    let first: Vec<String> = map.keys().take(8).map(cut).collect();
    cut(&format!("an object with the keys {}", first.join(", ")))
}

/// The first [`MAX_QUOTED`] characters.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}
