//! The parameters of a query.

use std::collections::BTreeSet;

use super::cursor;
use super::media::Form;
use crate::api::ApiError;
use crate::api::extract::{Params, integer};
use crate::api::limits::{DEFAULT_QUERY_KILLMAILS, MAX_QUERY_KILLMAILS};
use crate::domain::{FeedSequence, Filter};
use crate::store::killmails::query::{HistoricalQuery, MAX_QUERY_IDS, Order, Place};

const WAR_NAMES: [&str; 6] = [
    "wars",
    "wars[]",
    "war_id",
    "war_id[]",
    "war_ids",
    "war_ids[]",
];

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) query: HistoricalQuery,
    /// Killmails of this answer; `None` for all.
    pub(super) limit: Option<i64>,
    /// Strictly behind this place.
    pub(super) after: Option<Place>,
    /// What the feed announced up to here is among the killmails.
    pub(super) needs: FeedSequence,
    pub(super) with_items: bool,
}

impl Request {
    /// Reads all parameters.
    ///
    /// # Errors
    /// The first one that can't be understood, or that there is not.
    pub(super) fn read(mut params: Params, form: Form) -> Result<Self, ApiError> {
        params.bound_lists(MAX_QUERY_IDS)?;
        let order = order(&mut params)?;
        let (after, page_needs) = after(&mut params, order)?.unzip();
        let seen = params.integer("seen", 0..=i64::MAX)?.map(FeedSequence);
        let limit = limit(&mut params, form)?;
        let with_items = includes_items(&mut params, form)?;
        let (from, to) = params.range()?;
        let wars = wars(&mut params)?;
        let filter = params.filter()?;
        check(&filter, &wars)?;
        Ok(Self {
            query: HistoricalQuery {
                filter,
                wars,
                from,
                to,
                order,
            },
            limit,
            after,
            needs: page_needs.max(seen).unwrap_or_default(),
            with_items,
        })
    }
}

fn order(params: &mut Params) -> Result<Order, ApiError> {
    match params.take("order")?.as_deref() {
        None | Some("newest") => Ok(Order::Newest),
        Some("oldest") => Ok(Order::Oldest),
        Some(other) => Err(ApiError::bad_parameter("order", other, "newest, oldest")),
    }
}

fn after(params: &mut Params, order: Order) -> Result<Option<(Place, FeedSequence)>, ApiError> {
    let Some(text) = params.take("cursor")? else {
        return Ok(None);
    };
    let place = cursor::read(order, &text).ok_or_else(|| {
        let allowed = "the cursor of an earlier answer of this request, in the same order";
        ApiError::bad_parameter("cursor", &text, allowed)
    })?;
    Ok(Some(place))
}

fn limit(params: &mut Params, form: Form) -> Result<Option<i64>, ApiError> {
    match params.take("limit")?.as_deref() {
        None => Ok(Some(DEFAULT_QUERY_KILLMAILS)),
        Some("all") if form != Form::Json => Ok(None),
        Some("all") => {
            let allowed = format!(
                "a whole number from 1 to {MAX_QUERY_KILLMAILS}, or all where the answer is NDJSON or CSV"
            );
            Err(ApiError::bad_parameter("limit", "all", allowed))
        }
        Some(text) => integer("limit", text, 1..=MAX_QUERY_KILLMAILS).map(Some),
    }
}

fn includes_items(params: &mut Params, form: Form) -> Result<bool, ApiError> {
    let with_items = super::super::get::includes_items(params)?;
    if with_items && form == Form::Csv {
        let allowed = "nothing where the answer is CSV";
        return Err(ApiError::bad_parameter("include", "items", allowed));
    }
    Ok(with_items)
}

fn wars(params: &mut Params) -> Result<BTreeSet<i64>, ApiError> {
    let mut wars = BTreeSet::new();
    for value in params.take_all(&WAR_NAMES) {
        for part in value.split(',') {
            let id = part.trim().parse().ok().filter(|id| *id > 0);
            let allowed = "ids, whole numbers greater than 0";
            wars.insert(id.ok_or_else(|| ApiError::bad_parameter("wars", part, allowed))?);
        }
    }
    Ok(wars)
}

/// What a query bounds more tightly than the feed: each id costs a walk through an index.
fn check(filter: &Filter, wars: &BTreeSet<i64>) -> Result<(), ApiError> {
    let sizes = filter.id_sets().map(|(field, set)| (field, set.len()));
    let others = [("wars", wars.len()), ("labels", filter.labels.len())];
    for (field, size) in sizes.into_iter().chain(others) {
        if size > MAX_QUERY_IDS {
            let allowed = format!("at most {MAX_QUERY_IDS} entries");
            return Err(ApiError::bad_parameter(
                field,
                &format!("{size} entries"),
                allowed,
            ));
        }
    }
    let control = |label: &&String| label.chars().any(char::is_control);
    if let Some(label) = filter.labels.iter().find(control) {
        let allowed = "labels without control characters, such as loc:nullsec";
        return Err(ApiError::bad_parameter("labels", label, allowed));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rstest::rstest;

    use super::*;

    fn read(query: &str) -> Result<Request, ApiError> {
        Request::read(Params::parse(query), Form::Json)
    }

    #[test]
    fn everything_has_a_default() {
        let request = read("").unwrap();
        assert_eq!(request.query, HistoricalQuery::default());
        assert_eq!((request.limit, request.after), (Some(100), None));
        assert!(!request.with_items);
    }

    #[rstest]
    #[case("2026-01-31", "2026-01-31T00:00:00Z")]
    #[case("2026-01-31T18:00:00Z", "2026-01-31T18:00:00Z")]
    #[case("2026-01-31T18:00:00%2B02:00", "2026-01-31T16:00:00Z")]
    #[case("2026-01-31T18:00:00+02:00", "2026-01-31T16:00:00Z")]
    #[case("2026-01-31T18:00:00-02:00", "2026-01-31T20:00:00Z")]
    fn times(#[case] text: &str, #[case] time: DateTime<Utc>) {
        let request = read(&format!("from={text}")).unwrap();
        assert_eq!(request.query.from, Some(time));
    }

    #[test]
    fn wars_come_in_every_form() {
        let request = read("wars=1, 2&war_id=3&war_ids[]=4").unwrap();
        assert_eq!(request.query.wars, [1, 2, 3, 4].into());
    }

    #[rstest]
    #[case::ids("systems", "7")]
    #[case::wars("wars", "7")]
    #[case::labels("labels", "pvp")]
    fn lists_are_bounded(#[case] field: &str, #[case] entry: &str) {
        let list = |entries: usize| format!("{field}={}", vec![entry; entries].join(","));
        assert!(read(&list(1_000)).is_ok());
        let error = read(&list(1_001)).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
        assert!(error.contains("at most 1000 entries"), "{error}");
    }
}
