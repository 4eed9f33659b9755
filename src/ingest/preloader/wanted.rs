//! What is wanted without anybody asking: by configuration, and by subscriptions for being there.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::PreloaderDeps;
use crate::domain::history::first_unknown;
use crate::domain::{Filter, HistoryKey, HistoryKind, MatchMode, Span};
use crate::runtime::config::PreloadConfig;
use crate::store::history_wishes::{self, Knowledge, RequestedBy, Wish};
use crate::store::{self, subscriptions};

/// The most entities whose past one subscription gets: at a page a second a quarter of an hour.
const MAX_PER_SUBSCRIPTION: usize = 1_000;
/// What nobody waits for is read again once a day.
const DAILY: TimeDelta = TimeDelta::days(1);

/// What a look has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Entities whose past is wanted.
    pub entities: usize,
    /// Wishes that were taken down.
    pub requested: usize,
    /// There was no room for more.
    pub cut_off: bool,
}

/// Takes down what configuration and subscriptions want and nobody has read in a day.
///
/// # Errors
/// When the database refuses.
pub async fn look(deps: &PreloaderDeps) -> store::Result<Wanted> {
    let now = deps.clock.now();
    let from = now - TimeDelta::days(i64::from(deps.preload.days.get()));
    let pool = &deps.store.pool;
    let mut by_key: BTreeMap<HistoryKey, RequestedBy> = BTreeMap::new();
    for subscription in subscriptions::list(pool).await? {
        if subscription.paused_at.is_some() {
            continue;
        }
        let keys = of_filter(&subscription.filter);
        by_key.extend(keys.map(|key| (key, RequestedBy::Subscription)));
    }
    let configured = of_config(&deps.preload);
    by_key.extend(configured.map(|key| (key, RequestedBy::Configured)));
    let mut wanted = Wanted {
        entities: by_key.len(),
        ..Wanted::default()
    };
    if by_key.is_empty() {
        return Ok(wanted);
    }
    let knowledge = history_wishes::knowledge(pool, from).await?;
    for kind in HistoryKind::ALL {
        let mut ids: Vec<i64> = by_key
            .keys()
            .filter(|key| key.kind == kind)
            .map(|key| key.id)
            .collect();
        if kind == HistoryKind::System {
            ids = history_wishes::possible_systems(pool, &ids).await?;
        }
        let known = history_wishes::of(pool, kind, &ids).await?;
        let known: BTreeMap<i64, Wish> = known.into_iter().map(|it| (it.key.id, it)).collect();
        for id in ids {
            if !is_wanting(known.get(&id), &knowledge, Span { from, until: now }) {
                continue;
            }
            let key = HistoryKey { kind, id };
            let by = by_key.get(&key).copied().unwrap_or(RequestedBy::Configured);
            if history_wishes::request(pool, key, from, by, now).await? {
                wanted.requested += 1;
            } else {
                wanted.cut_off = true;
                return Ok(wanted);
            }
        }
    }
    Ok(wanted)
}

/// True where an entity's past has to be read.
fn is_wanting(wish: Option<&Wish>, knowledge: &Knowledge, span: Span) -> bool {
    let now: DateTime<Utc> = span.until;
    if wish.is_some_and(|wish| !wish.may_be_asked_again(now)) {
        return false;
    }
    let read = wish.and_then(|wish| {
        let known = wish.known?;
        // What was too much to read yesterday is too much today.
        let from = if wish.truncated {
            known.from.min(span.from)
        } else {
            known.from
        };
        Some(Span { from, ..known })
    });
    first_unknown(read, &knowledge.spans, span, DAILY).is_some()
}

fn of_config(config: &PreloadConfig) -> impl Iterator<Item = HistoryKey> {
    [
        (HistoryKind::System, &config.systems),
        (HistoryKind::Region, &config.regions),
        (HistoryKind::Character, &config.characters),
        (HistoryKind::Corporation, &config.corporations),
        (HistoryKind::Alliance, &config.alliances),
    ]
    .into_iter()
    .flat_map(|(kind, ids)| ids.iter().map(move |id| HistoryKey { kind, id: *id }))
}

/// Whose past a filter can mean. Where all its sets have to match, that of the narrowest one has it all.
fn of_filter(filter: &Filter) -> impl Iterator<Item = HistoryKey> {
    let narrowest_first = [
        (HistoryKind::Character, &filter.characters),
        (HistoryKind::System, &filter.systems),
        (HistoryKind::Corporation, &filter.corporations),
        (HistoryKind::Alliance, &filter.alliances),
        (HistoryKind::Region, &filter.regions),
    ];
    let sets = match filter.match_mode {
        MatchMode::Any => narrowest_first.len(),
        MatchMode::All => 1,
    };
    narrowest_first
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .take(sets)
        .flat_map(|(kind, ids)| ids.iter().map(move |id| HistoryKey { kind, id: *id }))
        .take(MAX_PER_SUBSCRIPTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(filter: &Filter) -> Vec<String> {
        of_filter(filter).map(|key| key.to_string()).collect()
    }

    #[test]
    fn filters_mean_the_narrowest_set_or_all() {
        let mut filter = Filter {
            systems: [30_000_142].into(),
            regions: [10_000_002].into(),
            characters: [1, 2].into(),
            ..Filter::default()
        };
        assert_eq!(words(&filter), ["character 1", "character 2"]);
        filter.match_mode = MatchMode::Any;
        assert_eq!(
            words(&filter),
            [
                "character 1",
                "character 2",
                "system 30000142",
                "region 10000002"
            ]
        );
        let ships = Filter {
            ship_types: [587].into(),
            ..Filter::default()
        };
        assert!(words(&ships).is_empty());
    }

    #[test]
    fn one_subscription_does_not_want_everything() {
        let filter = Filter {
            systems: (1..=10_000).collect(),
            ..Filter::default()
        };
        assert_eq!(words(&filter).len(), MAX_PER_SUBSCRIPTION);
    }
}
