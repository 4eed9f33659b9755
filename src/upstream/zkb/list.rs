//! zKillboard's REST lists: the past of one system, region, character, corporation or alliance, newest first,
//! 200 killmails a page.
//!
//! `api/<modifier>/<id>/pastSeconds/<n>/page/<p>/` for up to a week, `api/<modifier>/<id>/year/<y>/month/<m>/page/<p>/`
//! for what is older. Since June 2026 each element is a whole killmail with its `zkb` block; before, it was id
//! and block alone. Answers stay in caches for an hour, and say how old they are in `Age`.

use bytes::Bytes;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::rest::{RestError, ZkbRest, elements, unreadable};
use crate::domain::{HistoryKey, HistoryKind, Parsed, parse};
use crate::upstream::http::{HeaderMap, Limits};

/// Killmails of a full page.
pub const PAGE: usize = 200;
/// The last page that a list has.
pub const LAST_PAGE: i32 = 100;
/// The longest span that `pastSeconds` takes.
pub const LONGEST_PAST: TimeDelta = TimeDelta::days(7);

/// Which killmails of an entity a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Those of the last hours, 168 at most.
    PastHours(i64),
    /// Those of the month with this day.
    Month(NaiveDate),
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// What is on it, in the server's order.
    pub elements: Vec<Element>,
    /// When the server made it: some time ago, where it comes from a cache.
    pub as_of: DateTime<Utc>,
}

/// One element of a list.
#[derive(Debug)]
pub struct Element {
    /// Its text.
    pub bytes: Bytes,
    /// What it is; `None` where it can't be read.
    pub parsed: Option<Parsed>,
}

impl Element {
    /// When it happened, where the element says it.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        match &self.parsed {
            Some(Parsed::Killmail(killmail)) => Some(killmail.killmail_time),
            Some(Parsed::Reference(_) | Parsed::Nothing) | None => None,
        }
    }
}

impl ZkbRest {
    /// One page of the past of an entity, from 1 to [`LAST_PAGE`].
    ///
    /// # Errors
    /// See [`RestError`]; each one says how long to leave the server alone.
    pub async fn page(
        &self,
        key: HistoryKey,
        window: Window,
        page: i32,
    ) -> Result<Page, RestError> {
        let subject = format!("{key}, page {page}");
        let path = path(key, window, page);
        let (headers, body) = self.ask(&subject, &path, Limits::KILLMAIL_LIST).await?;
        Ok(Page {
            elements: read(&subject, &body)?,
            as_of: self.now() - age(&headers),
        })
    }
}

/// Order is free, and the slash at the end is not.
fn path(key: HistoryKey, window: Window, page: i32) -> String {
    let modifier = match key.kind {
        HistoryKind::System => "systemID",
        HistoryKind::Region => "regionID",
        HistoryKind::Character => "characterID",
        HistoryKind::Corporation => "corporationID",
        HistoryKind::Alliance => "allianceID",
    };
    let window = match window {
        Window::PastHours(hours) => format!("pastSeconds/{}", hours.saturating_mul(3_600)),
        Window::Month(day) => format!("year/{}/month/{}", day.year(), day.month()),
    };
    format!("api/{modifier}/{}/{window}/page/{page}/", key.id)
}

fn age(headers: &HeaderMap) -> TimeDelta {
    let seconds = headers
        .get("age")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse::<u32>().ok());
    TimeDelta::seconds(i64::from(seconds.unwrap_or_default()))
}

/// Each element by itself: one that can't be read does not cost the others.
fn read(subject: &str, body: &Bytes) -> Result<Vec<Element>, RestError> {
    let elements = elements(subject, body)?;
    if elements.len() > PAGE * 5 {
        return Err(unreadable(
            subject,
            format!("it has {} elements, a page has {PAGE}", elements.len()),
        ));
    }
    let elements = elements.into_iter().map(|raw| Element {
        bytes: body.slice_ref(raw.get().as_bytes()),
        parsed: parse(raw.get().as_bytes()).ok(),
    });
    Ok(elements.collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const JITA: HistoryKey = HistoryKey {
        kind: HistoryKind::System,
        id: 30_000_142,
    };

    #[test]
    fn paths_end_with_a_slash() {
        assert_eq!(
            path(JITA, Window::PastHours(24), 1),
            "api/systemID/30000142/pastSeconds/86400/page/1/"
        );
        let month = Window::Month("2026-03-01".parse().unwrap());
        for (kind, expected) in [
            (HistoryKind::Region, "regionID"),
            (HistoryKind::Character, "characterID"),
            (HistoryKind::Corporation, "corporationID"),
            (HistoryKind::Alliance, "allianceID"),
        ] {
            let key = HistoryKey { kind, id: 7 };
            let expected = format!("api/{expected}/7/year/2026/month/3/page/2/");
            assert_eq!(path(key, month, 2), expected);
        }
    }

    #[test]
    fn elements_come_with_or_without_bodies() {
        let body = Bytes::from_static(
            br#"[{"killmail_id":7,"zkb":{"hash":"0123456789abcdef0123456789abcdef01234567"}}, 5,
            {"killmail_id":8,"killmail_time":"2026-01-01T00:00:00Z","solar_system_id":30000142,
             "victim":{"damage_taken":1,"ship_type_id":587},"attackers":[{"damage_done":1,"final_blow":true}],
             "zkb":{"hash":"0123456789abcdef0123456789abcdef01234567","totalValue":1}}]"#,
        );
        let elements = read("x", &body).unwrap();
        assert!(matches!(elements[0].parsed, Some(Parsed::Reference(_))));
        assert!(elements[1].parsed.is_none());
        assert_eq!(elements[1].bytes, "5");
        assert!(matches!(elements[2].parsed, Some(Parsed::Killmail(_))));
        assert_eq!(
            elements[2].time(),
            Some("2026-01-01T00:00:00Z".parse().unwrap())
        );
        assert!(read("x", &Bytes::from_static(b"[]")).unwrap().is_empty());
    }

    #[rstest]
    #[case(r#"{"error":"Invalid"}"#, "zKillboard refuses to tell of x: Invalid")]
    #[case(
        "[",
        "zKillboard's answer for x can't be read: EOF while parsing a list at line 1 column 1"
    )]
    fn objects_and_nonsense_are_errors(#[case] body: &'static str, #[case] message: &str) {
        let error = read("x", &Bytes::from_static(body.as_bytes())).unwrap_err();
        assert!(error.is_about_question());
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let body = Bytes::from(format!("[{}1]", "1,".repeat(PAGE * 5)));
        let error = read("x", &body).unwrap_err();
        assert!(
            error.to_string().contains("it has 1001 elements"),
            "{error}"
        );
    }

    #[test]
    fn answers_from_a_cache_say_their_age() {
        let mut headers = HeaderMap::new();
        assert_eq!(age(&headers), TimeDelta::zero());
        headers.insert("age", "125".parse().unwrap());
        assert_eq!(age(&headers), TimeDelta::seconds(125));
        headers.insert("age", "-1".parse().unwrap());
        assert_eq!(age(&headers), TimeDelta::zero());
    }
}
