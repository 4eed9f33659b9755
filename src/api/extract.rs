//! Reading requests: query parameters with errors that name field, value and what is allowed.

use std::convert::Infallible;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};

use super::client_address::ClientAddress;
use super::error::ApiError;
use crate::domain::{FeedSequence, Filter};

const TIME_ALLOWED: &str =
    "a date such as 2026-01-31 or a time such as 2026-01-31T18:00:00Z, both of the years 0 to 9999";

const DAY_ALLOWED: &str = "a date such as 2026-01-31, of the years 0 to 9999";

/// Beginning and end, where they are given.
type Range = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// A request's query parameters. Each handler takes out what it knows and then ends with
/// [`Params::filter`] or [`Params::finish`], which refuse the rest.
#[derive(Debug, Clone, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads `key=value&…`; percent-escapes are decoded, bytes that are not UTF-8 are replaced.
    pub fn parse(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        Self { pairs }
    }

    /// True when the parameter is there, with whatever value.
    pub fn has(&self, field: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == field)
    }

    /// Takes a parameter that may be there once.
    ///
    /// # Errors
    /// When it is there more than once.
    pub fn take(&mut self, field: &str) -> Result<Option<String>, ApiError> {
        let mut values = self.take_all(&[field]).into_iter();
        match (values.next(), values.next()) {
            (Some(_), Some(second)) => Err(ApiError::bad_parameter(
                field,
                &second,
                "one value, not several",
            )),
            (value, _) => Ok(value),
        }
    }

    /// Takes every value under any of these names, in order.
    pub fn take_all(&mut self, fields: &[&str]) -> Vec<String> {
        let (taken, kept) = std::mem::take(&mut self.pairs)
            .into_iter()
            .partition::<Vec<_>, _>(|(key, _)| fields.contains(&key.as_str()));
        self.pairs = kept;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// Takes a whole number within `range`.
    ///
    /// # Errors
    /// When it is no such number.
    pub fn integer(
        &mut self,
        field: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.take(field)? else {
            return Ok(None);
        };
        integer(field, &value, range).map(Some)
    }

    /// Takes the cursor `after`: the `event_id` of the last event that was seen, 0 for none yet.
    ///
    /// # Errors
    /// When it is not a whole number of at least 0.
    pub fn after(&mut self) -> Result<Option<FeedSequence>, ApiError> {
        Ok(self.integer("after", 0..=i64::MAX)?.map(FeedSequence))
    }

    /// Takes the times `from` and `to`.
    ///
    /// # Errors
    /// When one is no time, or `from` is not before `to`.
    pub fn range(&mut self) -> Result<Range, ApiError> {
        let (from, to) = (self.time("from")?, self.time("to")?);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            let allowed = format!("a time before to, {}", written(to));
            return Err(ApiError::bad_parameter("from", &written(from), allowed));
        }
        Ok((from, to))
    }

    fn time(&mut self, field: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(text) = self.take(field)? else {
            return Ok(None);
        };
        let time =
            moment(&text).ok_or_else(|| ApiError::bad_parameter(field, &text, TIME_ALLOWED))?;
        Ok(Some(time))
    }

    /// Refuses comma lists with more than `most` entries, those named twice included.
    ///
    /// # Errors
    /// The first parameter with a longer one.
    pub fn bound_lists(&self, most: usize) -> Result<(), ApiError> {
        for (field, value) in &self.pairs {
            let entries = value.split(',').count();
            if entries > most {
                let allowed = format!("at most {most} entries");
                return Err(ApiError::bad_parameter(
                    field,
                    &format!("{entries} entries"),
                    allowed,
                ));
            }
        }
        Ok(())
    }

    /// Takes a day.
    ///
    /// # Errors
    /// When it is none.
    pub fn day(&mut self, field: &str) -> Result<Option<NaiveDate>, ApiError> {
        let Some(text) = self.take(field)? else {
            return Ok(None);
        };
        let day = date(&text).ok_or_else(|| ApiError::bad_parameter(field, &text, DAY_ALLOWED))?;
        Ok(Some(day))
    }

    /// Reads what is left as a filter.
    ///
    /// # Errors
    /// The first parameter that can't be understood, or that no filter has.
    pub fn filter(self) -> Result<Filter, ApiError> {
        let (filter, rest) = Filter::from_pairs(self.pairs)?;
        Self { pairs: rest }.finish()?;
        Ok(filter)
    }

    /// Refuses what is left.
    ///
    /// # Errors
    /// [`ApiError::UnknownParameter`] with the first one left.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.pairs.into_iter().next() {
            None => Ok(()),
            Some((field, _)) => Err(ApiError::UnknownParameter {
                field: field.chars().take(super::error::SHOWN_CHARACTERS).collect(),
            }),
        }
    }
}

/// Reads a whole number within `range`.
///
/// # Errors
/// [`ApiError::BadParameter`] naming the range.
pub fn integer(field: &str, value: &str, range: RangeInclusive<i64>) -> Result<i64, ApiError> {
    match value.parse::<i64>() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => {
            let allowed = if *range.end() == i64::MAX {
                format!("a whole number of at least {}", range.start())
            } else {
                format!("a whole number from {} to {}", range.start(), range.end())
            };
            Err(ApiError::bad_parameter(field, value, allowed))
        }
    }
}

/// A date of the years 0 to 9999, in one form alone.
fn date(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == "2026-01-31".len()).then_some(date)
}

/// A date is its midnight, UTC. A `+` before the offset that was not escaped arrives as a space.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Some(date) = date(text) {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    let escaped = (text.rsplit_once(' ')).map(|(time, offset)| format!("{time}+{offset}"));
    DateTime::parse_from_rfc3339(text)
        .ok()
        .or_else(|| DateTime::parse_from_rfc3339(&escaped?).ok())
        .map(|time| time.to_utc())
}

/// A time as answers write it.
pub(super) fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

/// The client's address, where the request came over a socket.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for PeerAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let client = parts.extensions.get::<ClientAddress>();
        Ok(Self(client.map(|ClientAddress(address)| *address)))
    }
}

#[cfg(test)]
mod tests;
