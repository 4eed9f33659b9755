//! Killmails for the store's tests.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use wanderer_kills::domain::{
    Attacker, Enrichment, EntityKey, EntityKind, EntityName, Item, Killmail, Position, ShipType,
    SolarSystem, Victim, Zkb, wire,
};
use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::store::feed::{FeedEntry, FeedKind};
use wanderer_kills::store::killmails::{Change, StorableKillmail};
use wanderer_kills::store::{Store, killmails};

use crate::support::postgres::{TestDatabase, database};

/// A migrated database and its store.
pub(crate) async fn store() -> (TestDatabase, Store) {
    let database = database().await;
    let store = Store::connect(database.url(), &DatabaseConfig::default())
        .await
        .unwrap();
    (database, store)
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A killmail with every field filled, `id` seconds into 2026.
pub(crate) fn killmail(id: i64) -> Killmail {
    let attacker = Attacker {
        character_id: Some(90_000_001),
        corporation_id: Some(98_000_001),
        alliance_id: Some(99_000_001),
        ship_type_id: Some(17_738),
        weapon_type_id: Some(2410),
        damage_done: 4000,
        final_blow: true,
        security_status: -4.75,
        ..Attacker::default()
    };
    let npc = Attacker {
        faction_id: Some(500_010),
        ship_type_id: Some(34_317),
        damage_done: 12,
        ..Attacker::default()
    };
    let content = Item {
        item_type_id: 34,
        quantity_destroyed: Some(1000),
        ..Item::default()
    };
    let container = Item {
        item_type_id: 3467,
        flag: 5,
        quantity_dropped: Some(1),
        items: vec![content],
        ..Item::default()
    };
    Killmail {
        killmail_id: id,
        hash: Some(format!("{id:040x}").parse().unwrap()),
        killmail_time: time("2026-01-01T00:00:00Z") + TimeDelta::seconds(id),
        solar_system_id: 30_000_142,
        moon_id: Some(40_009_077),
        war_id: Some(700_001),
        victim: Victim {
            character_id: Some(91_000_001),
            corporation_id: Some(98_000_002),
            alliance_id: Some(99_000_002),
            faction_id: Some(500_001),
            ship_type_id: Some(587),
            damage_taken: 4012,
            position: Some(Position {
                x: -107_303_387_231.25,
                y: 1.5,
                z: 4e10,
            }),
            items: vec![
                container,
                Item {
                    item_type_id: 2410,
                    flag: 27,
                    singleton: 1,
                    quantity_destroyed: Some(1),
                    ..Item::default()
                },
            ],
        },
        attackers: vec![npc, attacker],
        zkb: Some(zkb()),
    }
}

pub(crate) fn zkb() -> Zkb {
    Zkb {
        location_id: Some(40_009_082),
        fitted_value: Some(100.25),
        dropped_value: Some(50.5),
        destroyed_value: Some(100.0),
        total_value: Some(150.5),
        total_droppable_value: Some(75.25),
        points: Some(3),
        npc: Some(false),
        solo: Some(true),
        awox: Some(false),
        labels: Some(vec!["loc:highsec".to_owned(), "solo".to_owned()]),
    }
}

/// The killmail without zKillboard's block and hash, as ESI has it.
pub(crate) fn bare(killmail: &Killmail) -> Killmail {
    Killmail {
        hash: None,
        zkb: None,
        ..killmail.clone()
    }
}

pub(crate) fn enrichment() -> Enrichment {
    let mut enrichment = Enrichment::default();
    let key = EntityKey {
        kind: EntityKind::Character,
        id: 91_000_001,
    };
    let name = EntityName {
        name: "Aino Pilot".to_owned(),
        ticker: None,
    };
    enrichment.names.insert(key, Arc::new(name));
    let rifter = ShipType {
        type_id: 587,
        name: "Rifter".to_owned(),
        group_id: 25,
        group_name: "Frigate".to_owned(),
        category_id: 6,
        category_name: "Ship".to_owned(),
        published: true,
    };
    enrichment.ship_types.insert(587, Arc::new(rifter));
    let jita = SolarSystem {
        solar_system_id: 30_000_142,
        name: "Jita".to_owned(),
        constellation_id: 20_000_020,
        constellation_name: "Kimotoro".to_owned(),
        region_id: 10_000_002,
        region_name: "The Forge".to_owned(),
        security_status: 0.945_913,
        wormhole_class: None,
    };
    enrichment.solar_systems.insert(30_000_142, Arc::new(jita));
    enrichment
}

pub(crate) fn storable(killmail: Killmail) -> StorableKillmail {
    StorableKillmail {
        document: wire::document(&killmail, &enrichment()),
        killmail,
        pending_names: false,
    }
}

/// Upserts in a transaction of its own.
pub(crate) async fn upsert(store: &Store, killmails: Vec<Killmail>) -> Vec<Change> {
    let batch: Vec<StorableKillmail> = killmails.into_iter().map(storable).collect();
    let mut transaction = store.pool.begin().await.unwrap();
    let changes = killmails::upsert(&mut transaction, &batch, &enrichment())
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    changes
}

pub(crate) fn entry(killmail: &Killmail) -> FeedEntry {
    FeedEntry {
        killmail_id: killmail.killmail_id,
        killmail_time: killmail.killmail_time,
        solar_system_id: killmail.solar_system_id,
        kind: FeedKind::New,
    }
}

/// Stores killmails with ids `1..=count`, spread over three systems (30000001 to 30000003), and announces
/// each, in order.
pub(crate) async fn announce(store: &Store, count: i64) {
    let killmails: Vec<Killmail> = (1..=count)
        .map(|id| Killmail {
            solar_system_id: 30_000_001 + (id - 1) % 3,
            ..killmail(id)
        })
        .collect();
    upsert(store, killmails.clone()).await;
    append(store, &killmails).await;
}

pub(crate) async fn append(store: &Store, killmails: &[Killmail]) {
    let entries: Vec<FeedEntry> = killmails.iter().map(entry).collect();
    let mut transaction = store.pool.begin().await.unwrap();
    append_in(&mut transaction, &entries).await;
    transaction.commit().await.unwrap();
}

pub(crate) async fn append_in(conn: &mut PgConnection, entries: &[FeedEntry]) -> Option<i64> {
    wanderer_kills::store::feed::append(conn, entries)
        .await
        .unwrap()
        .map(|sequence| sequence.0)
}
