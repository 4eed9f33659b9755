//! Statistics the slow way: random killmails in memory, counted one by one. Nothing here knows how the service does it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use wanderer_kills::domain::{Attacker, Enrichment, Killmail, SolarSystem, Victim, Zkb, wire};
use wanderer_kills::store::killmails::StorableKillmail;

use crate::store_samples::time;

/// Systems 1 to 3 are in region 10, 4 and 5 in region 20; nobody knows 6.
pub(crate) const SYSTEMS: i64 = 6;
pub(crate) const REGIONS: [i64; 2] = [10, 20];
pub(crate) const CONSTELLATIONS: [i64; 3] = [100, 101, 102];
pub(crate) const SHIPS: i64 = 5;
pub(crate) const CHARACTERS: i64 = 9;
pub(crate) const CORPORATIONS: i64 = 4;
pub(crate) const ALLIANCES: i64 = 2;

/// The six days of all killmails, over the end of a year.
pub(crate) fn beginning() -> DateTime<Utc> {
    time("2025-12-29T00:00:00Z")
}

pub(crate) fn place(system: i64) -> Option<(i64, i64)> {
    match system {
        1 | 2 => Some((100, 10)),
        3 => Some((101, 10)),
        4 | 5 => Some((102, 20)),
        _ => None,
    }
}

fn solar_system(id: i64, (constellation_id, region_id): (i64, i64)) -> SolarSystem {
    SolarSystem {
        solar_system_id: id,
        name: format!("System {id}"),
        constellation_id,
        constellation_name: String::new(),
        region_id,
        region_name: String::new(),
        security_status: 0.5,
        wormhole_class: None,
    }
}

/// What is known of systems; `with_last` also knows the one that nobody knew.
pub(crate) fn enrichment(with_last: bool) -> Enrichment {
    let mut enrichment = Enrichment::default();
    for id in 1..=SYSTEMS {
        let place = place(id).or(with_last.then_some((102, 20)));
        if let Some(place) = place {
            let system = Arc::new(solar_system(id, place));
            enrichment.solar_systems.insert(id, system);
        }
    }
    enrichment
}

pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub(crate) fn up_to(&mut self, most: i64) -> i64 {
        self.0.random_range(1..=most)
    }

    pub(crate) fn one_in(&mut self, number: i64) -> bool {
        self.up_to(number) == 1
    }

    fn flag(&mut self) -> Option<bool> {
        (!self.one_in(3)).then(|| self.one_in(3))
    }

    pub(crate) fn values(&mut self) -> Option<Zkb> {
        if self.one_in(5) {
            return None;
        }
        let cents = self.0.random_range(0..=99_999_999_999_i64);
        let value = (!self.one_in(6)).then(|| to_isk(i128::from(cents)));
        Some(Zkb {
            // Some values are equal, so that ids have to decide.
            total_value: value.map(|value| if self.one_in(4) { 7.25 } else { value }),
            npc: self.flag(),
            solo: self.flag(),
            ..Zkb::default()
        })
    }

    pub(crate) fn killmail(&mut self, id: i64) -> Killmail {
        let seconds = self.0.random_range(0..6 * 86_400);
        let victim = self.up_to(CHARACTERS);
        let attackers = (0..self.up_to(5)).map(|_| self.attacker()).collect();
        Killmail {
            killmail_id: id,
            hash: None,
            killmail_time: beginning() + TimeDelta::seconds(seconds),
            solar_system_id: self.up_to(SYSTEMS),
            moon_id: None,
            war_id: None,
            victim: Victim {
                character_id: (!self.one_in(6)).then_some(victim),
                corporation_id: Some(corporation(victim)),
                alliance_id: alliance(victim),
                ship_type_id: (!self.one_in(9)).then(|| self.up_to(SHIPS)),
                ..Victim::default()
            },
            attackers,
            zkb: self.values(),
        }
    }

    fn attacker(&mut self) -> Attacker {
        if self.one_in(8) {
            return Attacker {
                faction_id: Some(500_010),
                ..Attacker::default()
            };
        }
        let character = self.up_to(CHARACTERS);
        Attacker {
            character_id: Some(character),
            corporation_id: Some(corporation(character)),
            alliance_id: alliance(character),
            ship_type_id: (!self.one_in(9)).then(|| self.up_to(SHIPS)),
            ..Attacker::default()
        }
    }
}

fn corporation(character: i64) -> i64 {
    character % CORPORATIONS + 1
}

fn alliance(character: i64) -> Option<i64> {
    let corporation = corporation(character);
    (corporation <= ALLIANCES).then_some(corporation)
}

pub(crate) fn storable(killmail: Killmail, enrichment: &Enrichment) -> StorableKillmail {
    StorableKillmail {
        document: wire::document(&killmail, enrichment),
        pending_names: true,
        killmail,
    }
}

fn to_isk(cents: i128) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let cents = cents as f64;
    cents / 100.0
}

#[expect(clippy::cast_possible_truncation, reason = "values have two decimals")]
fn to_cents(isk: f64) -> i128 {
    (isk * 100.0).round() as i128
}

/// All killmails, as a later source left them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Naive {
    pub(crate) killmails: BTreeMap<i64, Killmail>,
    /// The system that nobody knew is known, and its killmails have been completed.
    pub(crate) knows_last: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    killmails: i64,
    cents: i128,
    without_value: i64,
}

impl Count {
    fn add(&mut self, killmail: &Killmail) {
        self.killmails += 1;
        match killmail.zkb.as_ref().and_then(|zkb| zkb.total_value) {
            Some(value) => self.cents += to_cents(value),
            None => self.without_value += 1,
        }
    }

    fn json(self) -> Value {
        json!({
            "killmails": self.killmails,
            "isk": to_isk(self.cents),
            "without_value": self.without_value,
        })
    }
}

/// A question's window and flag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
    pub(crate) npc: Option<bool>,
}

impl Naive {
    /// What a later source says goes over what an earlier one said, except where it says nothing.
    pub(crate) fn merge(&mut self, killmail: Killmail) {
        let id = killmail.killmail_id;
        let Some(stored) = self.killmails.get_mut(&id) else {
            self.killmails.insert(id, killmail);
            return;
        };
        if let Some(new) = killmail.zkb {
            let old = stored.zkb.clone().unwrap_or_default();
            stored.zkb = Some(Zkb {
                total_value: new.total_value.or(old.total_value),
                npc: new.npc.or(old.npc),
                solo: new.solo.or(old.solo),
                ..old
            });
        }
    }

    fn place(&self, killmail: &Killmail) -> Option<(i64, i64)> {
        let known = place(killmail.solar_system_id);
        known.or(self.knows_last.then_some((102, 20)))
    }

    fn asked(&self, question: Question) -> impl Iterator<Item = &Killmail> {
        self.killmails.values().filter(move |killmail| {
            let time = killmail.killmail_time;
            let npc = killmail.zkb.as_ref().and_then(|zkb| zkb.npc) == Some(true);
            question.from <= time
                && time < question.to
                && question.npc.is_none_or(|wanted| wanted == npc)
        })
    }

    fn is_in(&self, killmail: &Killmail, kind: &str, id: i64) -> bool {
        let place = self.place(killmail);
        match kind {
            "system" => killmail.solar_system_id == id,
            "constellation" => place.is_some_and(|place| place.0 == id),
            "region" => place.is_some_and(|place| place.1 == id),
            _ => true,
        }
    }

    pub(crate) fn activity(&self, kind: &str, id: i64, hours: i64, question: Question) -> Value {
        let step = hours * 3600;
        let is_place = ["everywhere", "system", "constellation", "region"].contains(&kind);
        let mut buckets = Vec::new();
        let mut begins = question.from.timestamp() / step * step;
        while begins < question.to.timestamp() {
            let (mut kills, mut losses) = (Count::default(), Count::default());
            for killmail in self.asked(question) {
                if killmail.killmail_time.timestamp() / step * step != begins {
                    continue;
                }
                if is_place && self.is_in(killmail, kind, id) {
                    kills.add(killmail);
                }
                if !is_place && attackers(killmail, kind).contains(&id) {
                    kills.add(killmail);
                }
                if !is_place && victim(killmail, kind) == Some(id) {
                    losses.add(killmail);
                }
            }
            buckets.push(json!({
                "time": DateTime::from_timestamp(begins, 0).unwrap(),
                "kills": kills.json(),
                "losses": (!is_place).then(|| losses.json()),
            }));
            begins += step;
        }
        Value::Array(buckets)
    }

    pub(crate) fn top(
        &self,
        list: &str,
        scope: (&str, i64),
        limit: usize,
        question: Question,
    ) -> Value {
        let mut counts: BTreeMap<i64, Count> = BTreeMap::new();
        for killmail in self.asked(question) {
            if !self.is_in(killmail, scope.0, scope.1) {
                continue;
            }
            let ids: BTreeSet<i64> = match list {
                "systems" => [killmail.solar_system_id].into(),
                "ships_lost" => killmail.victim.ship_type_id.into_iter().collect(),
                "ships_used" => attackers(killmail, "ship_type"),
                "characters" => attackers(killmail, "character"),
                "corporations" => attackers(killmail, "corporation"),
                _ => attackers(killmail, "alliance"),
            };
            for id in ids {
                counts.entry(id).or_default().add(killmail);
            }
        }
        let mut counts: Vec<(i64, Count)> = counts.into_iter().collect();
        counts.sort_by_key(|(id, count)| (-count.killmails, -count.cents, *id));
        counts.truncate(limit);
        let entries = counts.into_iter().map(|(id, count)| {
            let mut entry = count.json();
            entry["id"] = id.into();
            entry
        });
        entries.collect()
    }

    /// Ids with values.
    pub(crate) fn valuable(
        &self,
        scope: (&str, i64),
        limit: usize,
        question: Question,
    ) -> Vec<(i64, f64)> {
        let mut valued: Vec<(i64, f64)> = self
            .asked(question)
            .filter(|killmail| self.is_in(killmail, scope.0, scope.1))
            .filter_map(|it| Some((it.killmail_id, it.zkb.as_ref()?.total_value?)))
            .collect();
        valued.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        valued.truncate(limit);
        valued
    }

    /// Kills, losses and active hours.
    pub(crate) fn summary(&self, kind: &str, id: i64, question: Question) -> Value {
        let mut hours = [0_i64; 24];
        let mut sides = Vec::new();
        for is_loss in [false, true] {
            let (mut count, mut solo) = (Count::default(), 0_i64);
            let mut ships: BTreeMap<i64, i64> = BTreeMap::new();
            for killmail in self.asked(question) {
                let flown: BTreeSet<i64> = if is_loss {
                    if victim(killmail, kind) != Some(id) {
                        continue;
                    }
                    killmail.victim.ship_type_id.into_iter().collect()
                } else {
                    if !attackers(killmail, kind).contains(&id) {
                        continue;
                    }
                    let own = killmail.attackers.iter();
                    own.filter(|attacker| attacker_id(attacker, kind) == Some(id))
                        .filter_map(|attacker| attacker.ship_type_id)
                        .collect()
                };
                count.add(killmail);
                let flag = killmail.zkb.as_ref().and_then(|zkb| zkb.solo);
                solo += i64::from(flag.unwrap_or(killmail.attackers.len() == 1));
                hours[killmail.killmail_time.hour() as usize] += 1;
                for ship in flown {
                    *ships.entry(ship).or_default() += 1;
                }
            }
            let mut ships: Vec<(i64, i64)> = ships.into_iter().collect();
            ships.sort_by_key(|(ship, killmails)| (-killmails, *ship));
            let mut side = count.json();
            side["solo"] = solo.into();
            side["ships"] = ships.into_iter().map(|it| json!([it.0, it.1])).collect();
            sides.push(side);
        }
        json!({ "kills": sides[0], "losses": sides[1], "active_hours": hours })
    }

    /// Ids in order of time.
    pub(crate) fn related(&self, id: i64, minutes: i64) -> Vec<i64> {
        let asked = &self.killmails[&id];
        let mut near: Vec<&Killmail> = self
            .killmails
            .values()
            .filter(|it| it.solar_system_id == asked.solar_system_id)
            .filter(|it| {
                let away = it.killmail_time - asked.killmail_time;
                away.abs() <= TimeDelta::minutes(minutes)
            })
            .collect();
        near.sort_by_key(|it| (it.killmail_time, it.killmail_id));
        near.into_iter().map(|it| it.killmail_id).collect()
    }
}

fn attacker_id(attacker: &Attacker, kind: &str) -> Option<i64> {
    match kind {
        "character" => attacker.character_id,
        "corporation" => attacker.corporation_id,
        "alliance" => attacker.alliance_id,
        _ => attacker.ship_type_id,
    }
}

fn attackers(killmail: &Killmail, kind: &str) -> BTreeSet<i64> {
    let attackers = killmail.attackers.iter();
    attackers
        .filter_map(|attacker| attacker_id(attacker, kind))
        .collect()
}

fn victim(killmail: &Killmail, kind: &str) -> Option<i64> {
    let victim = &killmail.victim;
    match kind {
        "character" => victim.character_id,
        "corporation" => victim.corporation_id,
        "alliance" => victim.alliance_id,
        _ => victim.ship_type_id,
    }
}
