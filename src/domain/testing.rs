//! Killmails for property tests.

use chrono::DateTime;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Attacker, Item, Killmail, KillmailHash, Position, Victim, Zkb};

fn id() -> impl Strategy<Value = Option<i64>> {
    option::of(prop_oneof![1_i64..20, 1..=i64::MAX])
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("JSON has no such number", |number| number.is_finite()),
        (-1_000_000_i32..1_000_000).prop_map(f64::from),
    ]
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let leaf = (
        0..100_000_i64,
        any::<i64>(),
        0..3_i64,
        option::of(any::<i64>()),
        option::of(any::<i64>()),
    )
        .prop_map(|(item_type_id, flag, singleton, destroyed, dropped)| Item {
            item_type_id,
            flag,
            singleton,
            quantity_destroyed: destroyed,
            quantity_dropped: dropped,
            items: Vec::new(),
        });
    let nested = leaf.prop_recursive(3, 12, 4, |inner| {
        (inner.clone(), vec(inner, 0..4)).prop_map(|(item, items)| Item { items, ..item })
    });
    vec(nested, 0..4)
}

fn victim() -> impl Strategy<Value = Victim> {
    let position = (number(), number(), number()).prop_map(|(x, y, z)| Position { x, y, z });
    (
        (id(), id(), id(), id(), id()),
        any::<i64>(),
        option::of(position),
        items(),
    )
        .prop_map(|(ids, damage_taken, position, items)| Victim {
            character_id: ids.0,
            corporation_id: ids.1,
            alliance_id: ids.2,
            faction_id: ids.3,
            ship_type_id: ids.4,
            damage_taken,
            position,
            items,
        })
}

fn attacker() -> impl Strategy<Value = Attacker> {
    (
        (id(), id(), id(), id(), id(), id()),
        any::<i64>(),
        any::<bool>(),
        number(),
    )
        .prop_map(|(ids, damage_done, final_blow, security_status)| Attacker {
            character_id: ids.0,
            corporation_id: ids.1,
            alliance_id: ids.2,
            faction_id: ids.3,
            ship_type_id: ids.4,
            weapon_type_id: ids.5,
            damage_done,
            final_blow,
            security_status,
        })
}

fn zkb() -> impl Strategy<Value = Option<Zkb>> {
    let value = || option::of(number());
    let flag = || option::of(any::<bool>());
    let labels = option::of(vec("[a-z#]{1,4}:[0-9a-z+]{1,4}|[^\\p{C}]{0,4}", 0..4));
    let zkb = (
        (value(), value(), value(), value(), value()),
        (flag(), flag(), flag()),
        option::of(any::<i64>()),
        option::of(any::<i64>()),
        labels,
    )
        .prop_map(|(values, flags, location_id, points, labels)| Zkb {
            location_id,
            fitted_value: values.0,
            dropped_value: values.1,
            destroyed_value: values.2,
            total_value: values.3,
            total_droppable_value: values.4,
            points,
            npc: flags.0,
            solo: flags.1,
            awox: flags.2,
            labels,
        });
    option::of(zkb).prop_map(|zkb| zkb.filter(|zkb| *zkb != Zkb::default()))
}

/// Any killmail that the parser could have made.
pub(crate) fn killmail() -> impl Strategy<Value = Killmail> {
    let hash = "[0-9a-f]{40}".prop_map(|text| text.parse::<KillmailHash>().unwrap());
    let time = (946_684_800_i64..4_102_444_800)
        .prop_map(|time| DateTime::from_timestamp(time, 0).unwrap());
    (
        (1..=i64::MAX, option::of(hash), time, 1..=i64::MAX),
        (id(), id()),
        victim(),
        vec(attacker(), 0..5),
        zkb(),
    )
        .prop_map(
            |(head, (moon_id, war_id), victim, attackers, zkb)| Killmail {
                killmail_id: head.0,
                hash: head.1,
                killmail_time: head.2,
                solar_system_id: head.3,
                moon_id,
                war_id,
                victim,
                attackers,
                zkb,
            },
        )
}
