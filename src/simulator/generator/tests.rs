use std::collections::HashSet;

use chrono::TimeZone;

use super::*;
use crate::domain::Item;
use crate::domain::ship_type::CATEGORY_SHIP;

const MANY: usize = 12_000;

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 1, 12, 0, 0).unwrap()
}

fn sample(seed: u64) -> Vec<Killmail> {
    let mut generator = Generator::with(seed, 1_000, Habits::NONE);
    (0..MANY).map(|_| generator.next(noon()).killmail).collect()
}

fn percent(killmails: &[Killmail], is: impl Fn(&Killmail) -> bool) -> f64 {
    let found = killmails.iter().filter(|it| is(it)).count();
    f64::from(u32::try_from(found).unwrap()) * 100.0
        / f64::from(u32::try_from(killmails.len()).unwrap())
}

fn at_percentile(mut counts: Vec<usize>, per_mille: usize) -> usize {
    counts.sort_unstable();
    counts[counts.len() * per_mille / 1_000]
}

fn lines(items: &[Item]) -> usize {
    items.iter().map(|it| 1 + lines(&it.items)).sum()
}

#[track_caller]
fn between(what: &str, value: f64, low: f64, high: f64) {
    assert!((low..high).contains(&value), "{what}: {value}");
}

/// Bounds around what 83,228 real killmails had.
#[test]
fn attackers_are_spread_as_in_reality() {
    let killmails = sample(1);
    let counts: Vec<usize> = killmails.iter().map(|it| it.attackers.len()).collect();
    let mean = f64::from(u32::try_from(counts.iter().sum::<usize>()).unwrap()) / 12_000.0;
    between("mean", mean, 3.0, 8.0);
    between(
        "alone",
        percent(&killmails, |it| it.attackers.len() == 1),
        35.0,
        55.0,
    );
    assert!((2..=3).contains(&at_percentile(counts.clone(), 500)));
    assert!((6..=13).contains(&at_percentile(counts.clone(), 900)));
    assert!((40..=95).contains(&at_percentile(counts, 990)));
}

#[test]
fn victims_are_what_they_are_in_reality() {
    let killmails = sample(2);
    let capsule = |it: &Killmail| matches!(it.victim.ship_type_id, Some(670 | 33_328));
    between("capsules", percent(&killmails, capsule), 20.0, 35.0);
    let npc = |it: &Killmail| it.attackers.iter().all(|it| it.character_id.is_none());
    between("npc", percent(&killmails, npc), 11.0, 20.0);
    let no_pilot = |it: &Killmail| it.victim.character_id.is_none();
    between("no pilot", percent(&killmails, no_pilot), 0.8, 3.5);
    let no_items = |it: &Killmail| it.victim.items.is_empty();
    between("no items", percent(&killmails, no_items), 18.0, 36.0);
    let nested = |it: &Killmail| it.victim.items.iter().any(|it| !it.items.is_empty());
    between("nested", percent(&killmails, nested), 0.2, 2.0);
    let war = |it: &Killmail| it.war_id.is_some();
    between("war", percent(&killmails, war), 0.5, 3.0);
    let counts: Vec<usize> = killmails.iter().map(|it| lines(&it.victim.items)).collect();
    assert!((9..=21).contains(&at_percentile(counts.clone(), 500)));
    assert!((25..=50).contains(&at_percentile(counts, 900)));
}

#[test]
fn every_killmail_is_consistent() {
    let mut ids = HashSet::new();
    let mut hashes = HashSet::new();
    let mut before = 0;
    for killmail in sample(3) {
        assert!(killmail.killmail_id > before);
        before = killmail.killmail_id;
        assert!(ids.insert(killmail.killmail_id));
        assert!(hashes.insert(killmail.hash.expect("a hash")));
        assert!(!killmail.attackers.is_empty());
        let blows = killmail.attackers.iter().filter(|it| it.final_blow).count();
        assert_eq!(blows, 1);
        let zkb = killmail.zkb.expect("a block");
        let parts = zkb.destroyed_value.unwrap() + zkb.dropped_value.unwrap();
        assert!((zkb.total_value.unwrap() - parts).abs() < 0.01);
        let labels = zkb.labels.expect("labels");
        assert!(labels.iter().any(|it| it.starts_with("tz:")));
        assert_eq!(labels.contains(&"npc".to_owned()), zkb.npc == Some(true));
        assert_eq!(labels.contains(&"solo".to_owned()), zkb.solo == Some(true));
    }
}

#[test]
fn the_labels_of_the_field_occur() {
    let labels: HashSet<String> = sample(4)
        .into_iter()
        .filter_map(|it| it.zkb?.labels)
        .flatten()
        .collect();
    for wanted in [
        "tz:ru",
        "cat:6",
        "cat:22",
        "cat:65",
        "cat:23",
        "cat:87",
        "solo",
        "#:1",
        "#:2+",
        "#:5+",
        "#:10+",
        "#:25+",
        "#:50+",
        "#:100+",
        "npc",
        "pvp",
        "awox",
        "ganked",
        "loc:highsec",
        "loc:lowsec",
        "loc:nullsec",
        "loc:w-space",
        "loc:abyssal",
        "isk:1b+",
        "capital",
    ] {
        assert!(labels.contains(wanted), "{wanted} does not occur");
    }
    assert!(labels.iter().any(|it| it.starts_with("fw:")));
}

#[test]
fn the_same_seed_gives_the_same_killmails() {
    let take = |seed| {
        let mut generator = Generator::new(seed);
        (0..300).map(|_| generator.next(noon())).collect::<Vec<_>>()
    };
    assert_eq!(take(9), take(9));
    assert_ne!(take(9), take(10));
}

#[test]
fn habits_make_late_and_resent_mails() {
    let habits = Habits {
        late: 0.2,
        resent: 0.2,
    };
    let mut generator = Generator::with(5, 1_000, habits);
    let all: Vec<Generated> = (0..500).map(|_| generator.next(noon())).collect();
    assert!(all.iter().any(|it| it.resent));
    let hour_ago = noon() - Duration::hours(1);
    assert!(all.iter().any(|it| it.killmail.killmail_time < hour_ago));
}

#[test]
fn pilots_fly_ships() {
    let mut generator = Generator::new(9);
    for _ in 0..500 {
        for attacker in generator.next(noon()).killmail.attackers {
            let hull = attacker.ship_type_id.and_then(catalog::hull);
            if let (Some(_), Some(hull)) = (attacker.character_id, hull) {
                let category = catalog::group(hull.group_id).map(|(_, category)| category);
                assert_eq!(category, Some(CATEGORY_SHIP), "{}", hull.name);
            }
        }
    }
}
