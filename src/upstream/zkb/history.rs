//! R2Z2's history: a file of ids and hashes and a file of bodies for each day.
//!
//! The files claim that they never change and are rewritten in place, so their caching headers count for nothing;
//! a file appears after 06:00 UTC on the day after, and is 404 until then.

use std::collections::HashMap;
use std::time::Duration;

use chrono::NaiveDate;
use serde_json::Value;
use url::Url;

use crate::upstream::day_file::{self, Download, Version};
use crate::upstream::http::{self, Budget, HttpClient, Limits};
use crate::upstream::totals::{self, Totals};

/// Two lines a killmail, 50 bytes each, on the largest of days.
const LISTS: Limits = Limits {
    body_bytes: 32 * 1024 * 1024,
    ..Limits::KILLMAIL
};

/// Hashes by killmail id.
pub type Hashes = HashMap<i64, String>;

/// Asks R2Z2 for history. Cheap to clone; clones share the budget.
#[derive(Debug, Clone)]
pub struct History {
    http: HttpClient,
    base: Url,
    idle: Duration,
}

impl History {
    /// A client of the server at `base`: one request at a time, `interval` apart, and `idle` after a 404, as the
    /// live feed has it.
    pub fn new(http: HttpClient, base: Url, interval: Duration, idle: Duration) -> Self {
        http.set_budget(&base, "r2z2", Budget::one_in_flight(interval));
        Self { http, base, idle }
    }

    /// How many killmails each day has.
    ///
    /// # Errors
    /// When the server fails to the end, or answers with something else.
    pub async fn totals(&self) -> http::Result<Totals> {
        let (at, body) = self.list("history/totals.json").await?;
        totals::read(&body).map_err(|reason| http::Error::Unreadable { at, reason })
    }

    /// Ids and hashes of a day.
    ///
    /// # Errors
    /// When the server fails to the end, or answers with something else.
    pub async fn hashes(&self, day: NaiveDate) -> http::Result<Hashes> {
        let (at, body) = self.list(&format!("history/{}", Self::name(day))).await?;
        read_hashes(&body).map_err(|reason| http::Error::Unreadable { at, reason })
    }

    /// The file of a day's bodies, by id.
    ///
    /// # Errors
    /// When the server fails to the end, or the file can't be kept.
    pub async fn bodies(
        &self,
        day: NaiveDate,
        known: Option<&Version>,
    ) -> Result<Download, day_file::Error> {
        let url = self.below(&format!("history/raw/{}", Self::name(day)))?;
        let download = day_file::download(&self.http, url, known).await?;
        if matches!(download, Download::Missing) {
            self.http.clock().sleep(self.idle).await;
        }
        Ok(download)
    }

    /// What a day's files are called.
    pub fn name(day: NaiveDate) -> String {
        format!("{}.json", day.format("%Y%m%d"))
    }

    async fn list(&self, path: &str) -> http::Result<(String, bytes::Bytes)> {
        let url = self.below(path)?;
        let at = url.path().to_owned();
        Ok((at, day_file::text(&self.http, url, LISTS).await?))
    }

    fn below(&self, path: &str) -> http::Result<Url> {
        self.base
            .join(path)
            .map_err(|error| http::Error::Unreadable {
                at: self.base.path().to_owned(),
                reason: error.to_string(),
            })
    }
}

/// Reads `{"<id>":"<hash>"}`; an empty list is an empty object, as PHP writes it. Odd members are passed over.
///
/// # Errors
/// What the text is instead.
pub fn read_hashes(bytes: &[u8]) -> Result<Hashes, String> {
    match serde_json::from_slice(bytes).map_err(|error| error.to_string())? {
        Value::Object(members) => Ok(members
            .into_iter()
            .filter_map(|(id, hash)| match hash {
                Value::String(hash) => Some((id.parse().ok()?, hash)),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => None,
            })
            .collect()),
        Value::Array(list) if list.is_empty() => Ok(Hashes::new()),
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err("no object of hashes by killmail id".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_by_id() {
        let hashes = read_hashes(br#"{"12":"ab","x":"cd","13":7}"#).unwrap();
        assert_eq!(hashes, Hashes::from([(12, "ab".to_owned())]));
        assert_eq!(read_hashes(b"[]").unwrap(), Hashes::new());
        assert!(read_hashes(b"[1]").is_err() && read_hashes(b"{").is_err());
    }

    #[test]
    fn files_are_named_by_day() {
        let day = NaiveDate::from_ymd_opt(2021, 12, 3).unwrap();
        assert_eq!(History::name(day), "20211203.json");
    }
}
