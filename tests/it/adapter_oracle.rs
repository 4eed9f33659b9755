//! Wanderer's adapter takes every killmail that the simulator's generator makes, in the form in which it is pushed:
//! with everything known, and with nothing known.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use wanderer_kills::domain::{
    Enrichment, EntityKey, EntityKind, EntityName, Killmail, Parsed, ShipType, parse, wire,
};
use wanderer_kills::simulator::{FIRST_KILLMAIL_ID, Generator, Habits, render};

use crate::support::wanderer::{self, MapKill, MapParty};

/// Enough that each kind of loss comes many times.
const KILLMAILS: usize = 1_000;
const SEEDS: [u64; 2] = [6, 18];
/// Late ones, and ones that come again with other labels.
const HABITS: Habits = Habits {
    late: 0.1,
    resent: 0.1,
};

/// What is to be seen among that many.
#[derive(Debug, Default)]
struct Kinds {
    without_pilot: usize,
    struck_by_nobody_named: usize,
    many_attackers: usize,
    without_items: usize,
    beyond_maps: usize,
}

#[test]
fn wanderer_takes_every_killmail_of_the_simulator() {
    let mut kinds = Kinds::default();
    for seed in SEEDS {
        let mut generator = Generator::with(seed, FIRST_KILLMAIL_ID, HABITS);
        let begin = Utc::now();
        for number in 0..KILLMAILS {
            let time = begin + TimeDelta::seconds(i64::try_from(number).unwrap());
            let killmail = as_read(&generator.next(time).killmail, number);
            kinds.note(&killmail);
            check(&killmail, &Enrichment::default());
            let known = check(&killmail, &everything(&killmail));
            says_names(&killmail, &known);
        }
    }
    let Kinds {
        without_pilot,
        struck_by_nobody_named,
        many_attackers,
        without_items,
        beyond_maps,
    } = kinds;
    for seen in [
        without_pilot,
        struck_by_nobody_named,
        many_attackers,
        without_items,
        beyond_maps,
    ] {
        assert!(seen > 0, "{kinds:?}");
    }
}

/// The killmail as our parser reads the server's document.
fn as_read(killmail: &Killmail, number: usize) -> Killmail {
    let sequence = i64::try_from(number).unwrap();
    let document = render::r2z2(killmail, sequence, Utc::now(), None);
    let Ok(Parsed::Killmail(read)) = parse(document.to_string().as_bytes()) else {
        panic!("{document}");
    };
    *read
}

/// Pushes it to Wanderer; what that makes of it.
fn check(killmail: &Killmail, enrichment: &Enrichment) -> MapKill {
    let document: Value = serde_json::from_str(&wire::document(killmail, enrichment)).unwrap();
    let system = killmail.solar_system_id;
    let taken = wanderer::kill(&document).unwrap();
    let update = json!({
        "system_id": system, "killmails": [document], "timestamp": Utc::now(), "preload": false,
    });
    if is_on_maps(system) {
        assert_eq!(
            wanderer::update(&update).as_deref(),
            Ok(&[taken.clone()][..])
        );
    } else {
        assert!(wanderer::update(&update).is_err(), "{system} is nowhere");
    }
    assert_eq!(taken.killmail_id, killmail.killmail_id);
    assert_eq!(taken.solar_system_id, system);
    assert_eq!(taken.attacker_count, killmail.attackers.len());
    assert_eq!(taken.victim.character_id, killmail.victim.character_id);
    assert_eq!(taken.victim.ship_type_id, killmail.victim.ship_type_id);
    let final_blow = killmail.attackers.iter().find(|one| one.final_blow);
    let struck = taken.final_blow.as_ref();
    assert_eq!(
        struck.map(|party| (party.character_id, party.corporation_id)),
        final_blow.map(|one| (one.character_id, one.corporation_id))
    );
    let zkb = killmail.zkb.as_ref().unwrap();
    assert_eq!((taken.total_value, taken.npc), (zkb.total_value, zkb.npc));
    taken
}

/// Wanderer's maps end below void space.
fn is_on_maps(system: i64) -> bool {
    (30_000_001..33_000_000).contains(&system)
}

fn says_names(killmail: &Killmail, taken: &MapKill) {
    for party in taken.final_blow.iter().chain([&taken.victim]) {
        let MapParty {
            character_id,
            character_name,
            corporation_id,
            corporation_name,
            corporation_ticker,
            alliance_id,
            alliance_name,
            alliance_ticker,
            ship_type_id,
            ship_name,
        } = party;
        let id = killmail.killmail_id;
        assert_eq!(character_id.is_some(), character_name.is_some(), "{id}");
        assert_eq!(corporation_id.is_some(), corporation_name.is_some(), "{id}");
        assert_eq!(
            corporation_id.is_some(),
            corporation_ticker.is_some(),
            "{id}"
        );
        assert_eq!(alliance_id.is_some(), alliance_name.is_some(), "{id}");
        assert_eq!(alliance_id.is_some(), alliance_ticker.is_some(), "{id}");
        assert_eq!(ship_type_id.is_some(), ship_name.is_some(), "{id}");
    }
}

/// Everything about everyone on a killmail.
fn everything(killmail: &Killmail) -> Enrichment {
    let victim = &killmail.victim;
    let mut parties = vec![(
        victim.character_id,
        victim.corporation_id,
        victim.alliance_id,
        victim.ship_type_id,
    )];
    parties.extend(killmail.attackers.iter().map(|one| {
        (
            one.character_id,
            one.corporation_id,
            one.alliance_id,
            one.ship_type_id,
        )
    }));
    let mut enrichment = Enrichment::default();
    for (character, corporation, alliance, ship) in parties {
        for (kind, id) in [
            (EntityKind::Character, character),
            (EntityKind::Corporation, corporation),
            (EntityKind::Alliance, alliance),
        ] {
            let Some(id) = id else { continue };
            let name = EntityName {
                name: format!("name {id}"),
                ticker: (kind != EntityKind::Character).then(|| format!("T{id}")),
            };
            let key = EntityKey { kind, id };
            enrichment.names.insert(key, Arc::new(name));
        }
        if let Some(type_id) = ship {
            let ship = ShipType {
                type_id,
                name: format!("type {type_id}"),
                group_id: 25,
                group_name: "group".to_owned(),
                category_id: 6,
                category_name: "Ship".to_owned(),
                published: true,
            };
            enrichment.ship_types.insert(type_id, Arc::new(ship));
        }
    }
    enrichment
}

impl Kinds {
    fn note(&mut self, killmail: &Killmail) {
        let victim = &killmail.victim;
        let struck = killmail.attackers.iter().find(|one| one.final_blow);
        self.without_pilot += usize::from(victim.character_id.is_none());
        self.struck_by_nobody_named +=
            usize::from(struck.is_none_or(|one| one.character_id.is_none()));
        self.many_attackers += usize::from(killmail.attackers.len() > 20);
        self.without_items += usize::from(victim.items.is_empty());
        self.beyond_maps += usize::from(!is_on_maps(killmail.solar_system_id));
    }
}
