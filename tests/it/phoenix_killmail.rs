//! Phoenix channels: what clients read of a killmail. Numbers are those of the compatibility checks.

use std::sync::Arc;

use serde_json::{Value, json};
use wanderer_kills::domain::{
    Attacker, Enrichment, EntityKey, EntityKind, EntityName, Killmail, ShipType, Victim, Zkb, wire,
};
use wanderer_kills::store::killmails::StorableKillmail;

use super::support::app::JITA;
use super::support::phoenix::{Phoenix, aged};
use super::support::served::RealApp;
use super::support::wanderer;

const PILOT: i64 = 95_000_001;

fn quiet(systems: &[i64]) -> Value {
    json!({ "systems": systems, "preload": { "enabled": false } })
}

/// Names for everyone and a hull for everything.
fn enrichment() -> Enrichment {
    let mut enrichment = Enrichment::default();
    for (kind, id, ticker) in [
        (EntityKind::Character, PILOT, None),
        (EntityKind::Character, 90_379_338, None),
        (EntityKind::Corporation, 98_000_001, Some("SCORP")),
        (EntityKind::Corporation, 98_000_002, Some("OCORP")),
        (EntityKind::Alliance, 99_000_001, Some("SA")),
    ] {
        let name = EntityName {
            name: format!("name {id}"),
            ticker: ticker.map(str::to_owned),
        };
        enrichment
            .names
            .insert(EntityKey { kind, id }, Arc::new(name));
    }
    for type_id in [587, 35_832] {
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
    enrichment
}

fn enriched(killmail: Killmail) -> StorableKillmail {
    StorableKillmail {
        document: wire::document(&killmail, &enrichment()),
        killmail,
        pending_names: false,
    }
}

/// A pilot, an NPC and a structure that lost something, each to a pilot and to someone without one.
fn losses() -> Vec<Killmail> {
    let pilot = Victim {
        character_id: Some(PILOT),
        corporation_id: Some(98_000_001),
        alliance_id: Some(99_000_001),
        ship_type_id: Some(587),
        damage_taken: 100,
        ..Victim::default()
    };
    let npc = Victim {
        corporation_id: Some(98_000_001),
        ship_type_id: Some(587),
        ..Victim::default()
    };
    let structure = Victim {
        ship_type_id: Some(35_832),
        ..npc.clone()
    };
    let nobody = Attacker {
        faction_id: Some(500_021),
        ship_type_id: Some(587),
        final_blow: true,
        ..Attacker::default()
    };
    let someone = Attacker {
        character_id: Some(90_379_338),
        corporation_id: Some(98_000_002),
        ship_type_id: Some(587),
        damage_done: 100,
        ..Attacker::default()
    };
    (1..)
        .zip([pilot, npc, structure])
        .map(|(id, victim)| Killmail {
            victim,
            attackers: vec![
                Attacker {
                    final_blow: id == 1,
                    ..someone.clone()
                },
                Attacker {
                    final_blow: id != 1,
                    ..nobody.clone()
                },
            ],
            zkb: Some(Zkb {
                total_value: Some(1.1e6),
                npc: Some(false),
                ..Zkb::default()
            }),
            ..aged(id, JITA, 1)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_17_a_killmail_has_what_clients_read() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(quiet(&[JITA])).await;
    let batch: Vec<StorableKillmail> = losses().into_iter().map(enriched).collect();
    app.append_batch(&batch).await;
    let updates = socket.updates_until(3).await;
    let killmail = updates[0]["killmails"][0].as_object().unwrap();
    for field in [
        "killmail_id",
        "kill_time",
        "system_id",
        "solar_system_id",
        "victim",
        "attackers",
        "attacker_count",
        "zkb",
    ] {
        assert!(killmail.contains_key(field), "{field}");
    }
    assert!(!killmail.contains_key("killID") && !killmail.contains_key("victim_char_id"));
    assert_eq!(killmail["zkb"]["totalValue"], 1.1e6);
    assert_eq!(killmail["victim"]["corporation_ticker"], "SCORP");
    assert_eq!(killmail["attackers"][0]["corporation_ticker"], "OCORP");
    assert_eq!(killmail["attackers"].as_array().unwrap().len(), 2);
    let blows = killmail["attackers"].as_array().unwrap();
    let blows: Vec<&Value> = blows
        .iter()
        .map(|attacker| &attacker["final_blow"])
        .collect();
    assert_eq!(blows, [true, false]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_18_wanderer_takes_every_kind_of_loss() {
    let app = RealApp::start().await;
    let mut live = Phoenix::v2(&app).await;
    live.join(quiet(&[JITA])).await;
    let batch: Vec<StorableKillmail> = losses().into_iter().map(enriched).collect();
    app.append_batch(&batch).await;
    let live = live.updates_until(3).await;
    let live: Vec<_> = live
        .iter()
        .flat_map(|it| wanderer::update(it).unwrap())
        .collect();
    let mut preloaded = Phoenix::v2(&app).await;
    preloaded.join(json!({ "systems": [JITA] })).await;
    let preloaded = preloaded.push("killmail_update").await;
    let mut preloaded = wanderer::update(&preloaded).unwrap();
    preloaded.sort_unstable_by_key(|kill| kill.killmail_id);
    assert_eq!(preloaded, live);
    for kill in &live {
        assert_eq!((kill.solar_system_id, kill.attacker_count), (JITA, 2));
        assert_eq!((kill.total_value, kill.npc), (Some(1.1e6), Some(false)));
        assert_eq!(kill.victim.corporation_ticker.as_deref(), Some("SCORP"));
        assert!(kill.victim.ship_name.is_some());
        assert!(kill.final_blow.as_ref().unwrap().ship_name.is_some());
    }
    let pilot = &live[0].victim;
    assert_eq!(pilot.character_name.as_deref(), Some("name 95000001"));
    assert_eq!(pilot.alliance_ticker.as_deref(), Some("SA"));
    assert_eq!(
        (live[1].victim.character_id, live[2].victim.character_id),
        (None, None)
    );
    app.stop().await;
}
