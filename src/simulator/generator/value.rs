//! zKillboard's block: values, flags and labels, by its rules.

use chrono::Timelike;

use super::scene::is_capital;
use crate::domain::{Item, Killmail, Zkb};
use crate::simulator::catalog::{self, NPC_SHIPS, WARES};
use crate::simulator::number::{amount, cents};

/// Prices of things that are not in the catalogue, ISK.
const OTHER_SHIP: f64 = 25_000_000.0;
const OTHER_ITEM: f64 = 350_000.0;
const BLUEPRINT_COPY: f64 = 0.01;
const POCHVEN: i64 = 10_000_070;

/// What zKillboard would say of this killmail.
pub fn assess(killmail: &Killmail) -> Zkb {
    let mut destroyed = hull_price(killmail.victim.ship_type_id.unwrap_or_default());
    let mut fitted = destroyed;
    let mut dropped = 0.0;
    for item in &killmail.victim.items {
        let (lost, left) = item_values(item);
        destroyed += lost;
        dropped += left;
        if is_slot(item.flag) {
            fitted += lost + left;
        }
    }
    let (destroyed, dropped) = (cents(destroyed), cents(dropped));
    let total = cents(destroyed + dropped);
    let npc = is_npc(killmail);
    let solo = is_solo(killmail, npc);
    let awox = is_awox(killmail, npc);
    let mut zkb = Zkb {
        location_id: location(killmail),
        fitted_value: Some(cents(fitted)),
        dropped_value: Some(dropped),
        destroyed_value: Some(destroyed),
        total_value: Some(total),
        total_droppable_value: Some(cents(total - hull_price_of(killmail))),
        points: Some(points(killmail, npc)),
        npc: Some(npc),
        solo: Some(solo),
        awox: Some(awox),
        labels: None,
    };
    zkb.labels = Some(labels(killmail, &zkb));
    zkb
}

fn hull_price_of(killmail: &Killmail) -> f64 {
    hull_price(killmail.victim.ship_type_id.unwrap_or_default())
}

fn hull_price(type_id: i64) -> f64 {
    catalog::hull(type_id)
        .and_then(|it| catalog::class(it.group_id))
        .map_or(OTHER_SHIP, |it| it.price)
}

/// Destroyed and dropped value of an item with everything inside.
fn item_values(item: &Item) -> (f64, f64) {
    let price = if item.singleton == 2 {
        BLUEPRINT_COPY
    } else {
        WARES
            .iter()
            .find(|it| it.type_id == item.item_type_id)
            .map_or(OTHER_ITEM, |it| it.price)
    };
    let own = (
        price * amount(item.quantity_destroyed.unwrap_or_default()),
        price * amount(item.quantity_dropped.unwrap_or_default()),
    );
    item.items
        .iter()
        .map(item_values)
        .fold(own, |sum, it| (sum.0 + it.0, sum.1 + it.1))
}

fn is_slot(flag: i64) -> bool {
    matches!(flag, 11..=34 | 92..=99 | 125..=132 | 164..=171)
}

/// Nearest celestial: absent without position, 0 in the abyss.
fn location(killmail: &Killmail) -> Option<i64> {
    killmail.victim.position?;
    if killmail.solar_system_id >= 32_000_000 {
        return Some(0);
    }
    Some(40_000_000 + (killmail.solar_system_id - 30_000_000) % 500_000)
}

fn is_npc(killmail: &Killmail) -> bool {
    killmail.attackers.iter().all(|it| {
        it.character_id.is_none_or(|id| id <= 3_999_999)
            && it.corporation_id.is_none_or(|id| id <= 1_999_999)
    })
}

fn is_solo(killmail: &Killmail, npc: bool) -> bool {
    let players = killmail
        .attackers
        .iter()
        .filter(|it| it.character_id.is_some())
        .count();
    let group = killmail
        .victim
        .ship_type_id
        .and_then(catalog::hull)
        .map_or(0, |it| it.group_id);
    let ship = catalog::group(group).is_some_and(|(_, category)| category == 6);
    !npc && players == 1 && ship && !matches!(group, 29 | 31 | 237)
}

fn is_awox(killmail: &Killmail, npc: bool) -> bool {
    let corporation = killmail.victim.corporation_id.filter(|id| *id > 1_999_999);
    !npc && corporation.is_some()
        && killmail
            .attackers
            .iter()
            .any(|it| it.final_blow && it.corporation_id == corporation)
}

fn points(killmail: &Killmail, npc: bool) -> i64 {
    if npc {
        return 1;
    }
    let attackers = i64::try_from(killmail.attackers.len()).unwrap_or(1).max(1);
    (killmail.victim.damage_taken / 1_000 / attackers).clamp(1, 500)
}

fn labels(killmail: &Killmail, zkb: &Zkb) -> Vec<String> {
    let mut labels = vec![format!("tz:{}", zone(killmail.killmail_time.hour()))];
    let group = killmail
        .victim
        .ship_type_id
        .and_then(catalog::hull)
        .map(|it| it.group_id);
    if let Some((_, category)) = group.and_then(catalog::group) {
        labels.push(format!("cat:{category}"));
    }
    if zkb.solo == Some(true) {
        labels.push("solo".to_owned());
    } else {
        labels.push(format!("#:{}", crowd(killmail.attackers.len())));
    }
    let player_kill = if zkb.npc == Some(true) { "npc" } else { "pvp" };
    labels.push(player_kill.to_owned());
    if zkb.awox == Some(true) {
        labels.push("awox".to_owned());
    }
    labels.extend(space(killmail.solar_system_id).map(|it| format!("loc:{it}")));
    labels.push(format!(
        "isk:{}",
        worth(zkb.total_value.unwrap_or_default())
    ));
    if group.is_some_and(is_capital) {
        labels.push("capital".to_owned());
    }
    labels.extend(warfare(killmail));
    labels
}

fn zone(hour: u32) -> &'static str {
    match hour {
        0..4 => "use",
        4..8 => "usw",
        8..12 => "au",
        12..16 => "ru",
        _ => "eu",
    }
}

fn crowd(attackers: usize) -> &'static str {
    match attackers {
        0 | 1 => "1",
        2..5 => "2+",
        5..10 => "5+",
        10..25 => "10+",
        25..50 => "25+",
        50..100 => "50+",
        100..1_000 => "100+",
        _ => "1000+",
    }
}

fn space(solar_system_id: i64) -> Option<&'static str> {
    match solar_system_id {
        32_000_000.. => return Some("abyssal"),
        31_000_000.. => return Some("w-space"),
        _ => {}
    }
    let system = catalog::system(solar_system_id)?;
    let (_, region) = catalog::constellation(system.constellation_id)?;
    match system.security_status {
        _ if region == POCHVEN => None,
        it if it >= 0.45 => Some("highsec"),
        it if it >= 0.0 => Some("lowsec"),
        _ => Some("nullsec"),
    }
}

fn worth(isk: f64) -> &'static str {
    match isk {
        it if it >= 1e12 => "1t+",
        it if it >= 1e11 => "100b+",
        it if it >= 1e10 => "10b+",
        it if it >= 5e9 => "5b+",
        it if it >= 1e9 => "1b+",
        _ => "under1b",
    }
}

/// Faction warfare: the victim's militia, and which of the two fronts it is.
fn warfare(killmail: &Killmail) -> Vec<String> {
    let npc_only = killmail.attackers.iter().all(|it| {
        NPC_SHIPS
            .iter()
            .any(|npc| Some(npc.type_id) == it.ship_type_id)
    });
    let (militia, front) = match killmail.victim.faction_id {
        Some(500_001) => ("caldari", "calgal"),
        Some(500_002) => ("minmatar", "amamin"),
        Some(500_003) => ("amarr", "amamin"),
        Some(500_004) => ("gallente", "calgal"),
        _ => return Vec::new(),
    };
    if npc_only {
        return Vec::new();
    }
    vec![format!("fw:{militia}"), format!("fw:{front}")]
}
