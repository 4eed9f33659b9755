//! What a client may do about a query that takes too long.

use crate::domain::MatchMode;
use crate::store::killmails::query::HistoricalQuery;

/// From this many ids of one kind on, fewer of them are a help.
const MANY_IDS: usize = 50;

/// One sentence, made from what the query says and what it does not.
pub(super) fn narrowing(query: &HistoricalQuery) -> String {
    let filter = &query.filter;
    let mut advice = Vec::new();
    advice.push(match (query.from, query.to) {
        (Some(_), Some(_)) => "bring from and to closer together",
        (Some(_), None) => "add to",
        (None, Some(_)) => "add from",
        (None, None) => "add from and to",
    });
    let sets = filter.id_sets();
    if sets.iter().any(|(_, set)| set.len() >= MANY_IDS) {
        advice.push("name fewer ids");
    }
    let places = [&filter.systems, &filter.constellations, &filter.regions];
    let parties = [&filter.characters, &filter.corporations, &filter.alliances];
    let is_any = filter.match_mode == MatchMode::Any;
    if is_any && sets.iter().any(|(_, set)| !set.is_empty()) {
        advice.push("ask for each kind of id by itself instead of match=any");
    } else {
        if places.iter().all(|set| set.is_empty()) {
            advice.push("add systems, constellations or regions");
        }
        if parties.iter().all(|set| set.is_empty()) {
            advice.push("add characters, corporations or alliances");
        }
    }
    advice.join(", or ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::Filter;

    #[rstest]
    #[case(
        "",
        "add from and to, or add systems, constellations or regions, \
         or add characters, corporations or alliances"
    )]
    #[case("systems=1&characters=2", "add from and to")]
    #[case(
        "systems=1&characters=2&match=any",
        "add from and to, or ask for each kind of id by itself instead of match=any"
    )]
    fn it_names_what_is_missing(#[case] query: &str, #[case] advice: &str) {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        let (filter, _) = Filter::from_pairs(pairs).unwrap();
        let query = HistoricalQuery {
            filter,
            ..HistoricalQuery::default()
        };
        assert_eq!(narrowing(&query), advice);
    }

    #[test]
    fn a_range_can_be_narrowed_and_ids_can_be_fewer() {
        let time = "2026-01-01T00:00:00Z".parse().unwrap();
        let query = HistoricalQuery {
            from: Some(time),
            to: Some(time),
            filter: Filter {
                systems: (1..=50).collect(),
                characters: [1].into(),
                ..Filter::default()
            },
            ..HistoricalQuery::default()
        };
        assert_eq!(
            narrowing(&query),
            "bring from and to closer together, or name fewer ids"
        );
    }
}
