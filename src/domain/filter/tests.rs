use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::names::Enrichment;
use crate::domain::{Killmail, testing, wire};

fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
    query
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn refusal(query: &[(&str, &str)]) -> String {
    Filter::from_pairs(pairs(query)).unwrap_err().to_string()
}

#[test]
fn every_key_in_every_form() {
    let (filter, others) = Filter::from_pairs(pairs(&[
        ("systems", "1, 2"),
        ("systems[]", "3"),
        ("system_id", "4"),
        ("system_ids", "5"),
        ("constellations", "6"),
        ("region_id", "7"),
        ("character_id", "8"),
        ("character_ids[]", "9"),
        ("corporations", "10"),
        ("alliance_ids", "11"),
        ("factions[]", "12"),
        ("ship_type_id", "13"),
        ("ship_group_id", "14"),
        ("match", "any"),
        ("role", "final_blow"),
        ("min_value", "1e9"),
        ("max_value", "2000000000.5"),
        ("npc", "0"),
        ("solo", "true"),
        ("awox", "1"),
        ("awox", "false"),
        ("security", "lowsec, nullsec"),
        ("security[]", "wormhole"),
        ("labels", "loc:nullsec,isk:1b "),
        ("label[]", "#:2+"),
        ("after", "17"),
        ("x[]", ""),
    ]))
    .unwrap();
    let expected = Filter {
        systems: [1, 2, 3, 4, 5].into(),
        constellations: [6].into(),
        regions: [7].into(),
        characters: [8, 9].into(),
        corporations: [10].into(),
        alliances: [11].into(),
        factions: [12].into(),
        ship_types: [13].into(),
        ship_groups: [14].into(),
        match_mode: MatchMode::Any,
        role: Role::FinalBlow,
        min_value: Some(1e9),
        max_value: Some(2_000_000_000.5),
        npc: Some(false),
        solo: Some(true),
        awox: Some(false),
        security: [
            SecurityBand::Lowsec,
            SecurityBand::Nullsec,
            SecurityBand::Wormhole,
        ]
        .into(),
        labels: ["loc:nullsec", "isk:1b+", "#:2+"].map(str::to_owned).into(),
    };
    assert_eq!(filter, expected);
    assert_eq!(others, pairs(&[("after", "17"), ("x[]", "")]));
}

#[test]
fn json_uses_the_plural_names() {
    let filter: Filter =
        serde_json::from_str(r#"{"systems":[30000142],"match":"any","role":"victim"}"#).unwrap();
    assert_eq!(filter.systems, [30_000_142].into());
    assert_eq!(
        (filter.match_mode, filter.role),
        (MatchMode::Any, Role::Victim)
    );
    let text = serde_json::to_string(&filter).unwrap();
    assert_eq!(serde_json::from_str::<Filter>(&text).unwrap(), filter);
    assert!(serde_json::from_str::<Filter>(r#"{"system_id":1}"#).is_err());
}

#[test]
fn refusals_say_what_is_allowed() {
    for (query, message) in [
        (
            ("systems", ""),
            "systems is \"\", allowed is ids, whole numbers greater than 0",
        ),
        (
            ("system_id[]", "3,-1"),
            "system_id[] is \"-1\", allowed is ids, whole numbers greater than 0",
        ),
        (("match", "some"), "match is \"some\", allowed is all, any"),
        (
            ("role", "both"),
            "role is \"both\", allowed is any, victim, attacker, final_blow",
        ),
        (
            ("npc", "yes"),
            "npc is \"yes\", allowed is true, false, 1, 0",
        ),
        (
            ("min_value", "NaN"),
            "min_value is \"NaN\", allowed is a number of ISK, 0 or greater",
        ),
        (
            ("security", "low"),
            "security is \"low\", allowed is highsec, lowsec, nullsec, wormhole, abyssal",
        ),
        (
            ("labels", "solo,"),
            "labels is \"\", allowed is labels such as loc:nullsec",
        ),
    ] {
        assert_eq!(refusal(&[query]), message);
    }
    assert_eq!(
        refusal(&[("min_value", "2"), ("max_value", "1")]),
        "min_value is \"2\", allowed is at most max_value, 1"
    );
    let long = "x".repeat(500);
    assert!(refusal(&[("role", &long)]).len() < 200);
}

#[test]
fn sets_are_bounded() {
    let ids: Vec<String> = (1..=10_001).map(|id: i64| id.to_string()).collect();
    let message = refusal(&[("systems", &ids.join(","))]);
    assert!(message.ends_with("at most 10000 entries"), "{message}");
    for (field, again) in [("systems", "7,"), ("labels", "pvp,")] {
        let list = again.repeat(10_001);
        let message = refusal(&[(field, list.trim_end_matches(','))]);
        assert!(message.ends_with("at most 10000 entries"), "{message}");
    }
    let filter = Filter {
        characters: (1..=10_001).collect(),
        ..Filter::default()
    };
    assert_eq!(filter.validate().unwrap_err().field, "characters");
}

#[test]
fn json_filters_are_checked() {
    let refused = |filter: Filter| filter.validate().unwrap_err().field;
    let everything = Filter::default;
    assert_eq!(
        refused(Filter {
            regions: [0].into(),
            ..everything()
        }),
        "regions"
    );
    assert_eq!(
        refused(Filter {
            max_value: Some(f64::INFINITY),
            ..everything()
        }),
        "max_value"
    );
    assert_eq!(
        refused(Filter {
            labels: [String::new()].into(),
            ..everything()
        }),
        "labels"
    );
    assert_eq!(everything().validate(), Ok(()));
}

#[test]
fn everything_is_told_from_something() {
    let mode = Filter {
        match_mode: MatchMode::Any,
        role: Role::Victim,
        ..Filter::default()
    };
    assert!(Filter::default().is_everything() && mode.is_everything());
    let solo = Filter {
        solo: Some(false),
        ..Filter::default()
    };
    assert!(!solo.is_everything());
}

#[test]
fn documents_of_another_kind_have_no_facts() {
    for text in ["", "{}", "[]", r#"{"killmail_id":1,"victim":{}}"#] {
        assert!(Facts::from_document(text).is_err(), "{text}");
    }
}

/// The filter's meaning spelled out once more, as a list of answers to gather.
fn naive(filter: &Filter, facts: &Facts) -> bool {
    let everyone: Vec<&Party> = std::iter::once(&facts.victim)
        .chain(&facts.attackers)
        .collect();
    let parties: Vec<&Party> = everyone
        .iter()
        .enumerate()
        .filter(|(index, party)| match filter.role {
            Role::Any => true,
            Role::Victim => *index == 0,
            Role::Attacker => *index > 0,
            Role::FinalBlow => *index > 0 && party.final_blow,
        })
        .map(|(_, party)| *party)
        .collect();
    let collect = |id: fn(&Party) -> Option<i64>| -> BTreeSet<i64> {
        parties.iter().filter_map(|party| id(party)).collect()
    };
    let present = [
        BTreeSet::from([facts.solar_system_id]),
        facts.constellation_id.into_iter().collect(),
        facts.region_id.into_iter().collect(),
        collect(|party| party.character_id),
        collect(|party| party.corporation_id),
        collect(|party| party.alliance_id),
        collect(|party| party.faction_id),
        collect(|party| party.ship_type_id),
        collect(|party| party.ship_group_id),
    ];
    let answers: Vec<bool> = filter
        .id_sets()
        .iter()
        .zip(&present)
        .filter(|((_, wanted), _)| !wanted.is_empty())
        .map(|((_, wanted), present)| wanted.intersection(present).count() > 0)
        .collect();
    let interests = match filter.match_mode {
        MatchMode::All => !answers.contains(&false),
        MatchMode::Any => answers.is_empty() || answers.contains(&true),
    };
    let value = facts.total_value;
    interests
        && (filter.min_value.is_none() || value.is_some() && value >= filter.min_value)
        && (filter.max_value.is_none() || value.is_some() && value <= filter.max_value)
        && (filter.npc.is_none() || filter.npc == facts.npc)
        && (filter.solo.is_none() || filter.solo == facts.solo)
        && (filter.awox.is_none() || filter.awox == facts.awox)
        && (filter.security.is_empty() || filter.security.iter().any(|band| in_band(*band, facts)))
        && (filter.labels.is_empty()
            || facts
                .labels
                .iter()
                .cloned()
                .collect::<BTreeSet<_>>()
                .intersection(&filter.labels)
                .count()
                > 0)
}

fn in_band(band: SecurityBand, facts: &Facts) -> bool {
    let million = facts.solar_system_id / 1_000_000;
    let special = (31..35).contains(&million);
    let known = facts.security_status.filter(|_| !special);
    match band {
        SecurityBand::Wormhole => million == 31,
        SecurityBand::Abyssal => special && million != 31,
        SecurityBand::Highsec => known.is_some_and(|security| security >= 0.45),
        SecurityBand::Lowsec => known.is_some_and(|security| security > 0.0 && security < 0.45),
        SecurityBand::Nullsec => known.is_some_and(|security| security <= 0.0),
    }
}

fn security() -> impl Strategy<Value = BTreeSet<SecurityBand>> {
    prop_oneof![
        3 => Just(BTreeSet::new()),
        1 => prop::collection::btree_set(prop::sample::select(SecurityBand::ALL.to_vec()), 1..4),
    ]
}

fn ids() -> impl Strategy<Value = BTreeSet<i64>> {
    prop_oneof![
        3 => Just(BTreeSet::new()),
        1 => prop::collection::btree_set(1..12_i64, 1..6),
    ]
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[abc]", 0..3)
}

prop_compose! {
    fn filters()(
        sets in [ids(), ids(), ids(), ids(), ids(), ids(), ids(), ids(), ids()],
        any_match: bool,
        role in prop::sample::select(vec![Role::Any, Role::Victim, Role::Attacker, Role::FinalBlow]),
        min_value in prop::option::weighted(0.2, 0.0..10.0_f64),
        max_value in prop::option::weighted(0.2, 0.0..10.0_f64),
        flags in [prop::option::weighted(0.2, any::<bool>()), prop::option::weighted(0.2, any::<bool>()),
            prop::option::weighted(0.2, any::<bool>())],
        security in security(),
        labels in prop_oneof![3 => Just(Vec::new()), 1 => labels()],
    ) -> Filter {
        let [systems, constellations, regions, characters, corporations, alliances, factions,
            ship_types, ship_groups] = sets;
        let [npc, solo, awox] = flags;
        Filter {
            systems, constellations, regions, characters, corporations, alliances, factions,
            ship_types, ship_groups,
            match_mode: if any_match { MatchMode::Any } else { MatchMode::All },
            role, min_value, max_value, npc, solo, awox, security,
            labels: labels.into_iter().collect(),
        }
    }
}

prop_compose! {
    fn party()(
        ids in prop::array::uniform6(prop::option::weighted(0.7, 1..12_i64)),
        final_blow: bool,
    ) -> Party {
        let [character_id, corporation_id, alliance_id, faction_id, ship_type_id, ship_group_id] = ids;
        Party {
            character_id, corporation_id, alliance_id, faction_id, ship_type_id, ship_group_id,
            final_blow,
        }
    }
}

prop_compose! {
    fn facts()(
        solar_system_id in prop_oneof![8 => 1..12_i64, 1 => 30_999_998..35_000_002_i64],
        security_status in prop::option::of(prop_oneof![
            -1.0..1.0_f64, Just(0.0), Just(0.45), Just(0.449_999), Just(0.000_1),
        ]),
        constellation_id in prop::option::of(1..12_i64),
        region_id in prop::option::of(1..12_i64),
        victim in party(),
        attackers in prop::collection::vec(party(), 0..4),
        total_value in prop::option::of(0.0..10.0_f64),
        flags: [Option<bool>; 3],
        labels in labels(),
    ) -> Facts {
        let [npc, solo, awox] = flags;
        Facts {
            killmail_id: 1,
            killmail_time: chrono::DateTime::UNIX_EPOCH,
            solar_system_id, constellation_id, region_id, security_status, victim, attackers, total_value,
            npc, solo, awox, labels,
        }
    }
}

fn party_of(killmail: &Killmail) -> Party {
    let victim = &killmail.victim;
    Party {
        character_id: victim.character_id,
        corporation_id: victim.corporation_id,
        alliance_id: victim.alliance_id,
        faction_id: victim.faction_id,
        ship_type_id: victim.ship_type_id,
        ship_group_id: None,
        final_blow: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn matching_is_what_the_naive_filter_says(filter in filters(), facts in facts()) {
        prop_assert_eq!(filter.matches(&facts), naive(&filter, &facts));
    }
}

proptest! {
    #[test]
    fn facts_are_read_from_any_document(killmail in testing::killmail()) {
        let text = wire::document(&killmail, &Enrichment::default());
        let facts = Facts::from_document(&text).unwrap();
        prop_assert_eq!(facts.killmail_id, killmail.killmail_id);
        prop_assert_eq!(facts.killmail_time, killmail.killmail_time);
        prop_assert_eq!(facts.solar_system_id, killmail.solar_system_id);
        prop_assert_eq!(&facts.victim, &party_of(&killmail));
        prop_assert_eq!(facts.attackers.len(), killmail.attackers.len());
        for (party, attacker) in facts.attackers.iter().zip(&killmail.attackers) {
            prop_assert_eq!(party.character_id, attacker.character_id);
            prop_assert_eq!(party.final_blow, attacker.final_blow);
        }
        let zkb = killmail.zkb.unwrap_or_default();
        prop_assert_eq!(facts.total_value, zkb.total_value);
        prop_assert_eq!(facts.npc, zkb.npc);
        prop_assert_eq!(facts.labels, zkb.labels.unwrap_or_default());
    }
}
