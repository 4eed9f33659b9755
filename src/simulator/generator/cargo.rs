//! What a lost ship had fitted and on board.

use rand::RngExt;

use super::Generator;
use super::scene::is_capital;
use crate::domain::Item;
use crate::simulator::catalog::{self, Hull, Place, WARES, Ware};
use crate::simulator::number::{quantile, size};

/// Item lines of a ship; the share without any is decided by what was lost.
const LINES: [(f64, f64); 6] = [
    (0.0, 2.0),
    (0.30, 14.0),
    (0.72, 23.0),
    (0.93, 42.0),
    (0.994, 90.0),
    (1.0, 480.0),
];
const FLAG_CARGO: i64 = 5;
const FLAG_DRONE_BAY: i64 = 87;
const FLAG_IMPLANT: i64 = 89;
/// First flags of high, medium, low and rig slots.
const SLOTS: [(Place, i64); 4] = [
    (Place::High, 27),
    (Place::Medium, 19),
    (Place::Low, 11),
    (Place::Rig, 92),
];
/// About half of what is on board drops.
const DROP_CHANCE: f64 = 0.5;
const CONTAINER_CHANCE: f64 = 0.011;

impl Generator {
    pub(super) fn items(&mut self, hull: &Hull) -> Vec<Item> {
        let category = catalog::group(hull.group_id).map_or(0, |(_, category)| category);
        match category {
            // Deployables: only tractor units hold anything.
            22 if hull.group_id == 1_250 && self.chance(0.75) => self.hold(12),
            6 if matches!(hull.group_id, catalog::GROUP_CAPSULE) => self.implants(),
            6 | 65 => self.fitted(hull),
            23 if self.chance(0.6) => self.hold(3),
            _ => Vec::new(),
        }
    }

    /// Most capsules are empty; some pilots had implants.
    pub(super) fn implants(&mut self) -> Vec<Item> {
        if !self.chance(0.2) {
            return Vec::new();
        }
        let many = self.rng.random_range(1..7);
        (0..many)
            .filter_map(|_| self.ware(Place::Implant))
            .map(|ware| Item {
                item_type_id: ware.type_id,
                flag: FLAG_IMPLANT,
                quantity_destroyed: Some(1),
                ..Item::default()
            })
            .collect()
    }

    fn fitted(&mut self, hull: &Hull) -> Vec<Item> {
        let slots = catalog::class(hull.group_id).map_or([0; 4], |it| it.slots);
        let lines = size(quantile(&LINES, self.rng.random::<f64>()));
        let mut items = Vec::new();
        for ((place, first_flag), wanted) in SLOTS.into_iter().zip(slots) {
            self.fill_slots(place, first_flag, wanted, &mut items);
        }
        items.truncate(lines.max(3));
        let rest = lines.saturating_sub(items.len());
        let cargo = self.hold(rest);
        items.extend(cargo);
        if self.chance(CONTAINER_CHANCE) || (is_capital(hull.group_id) && self.chance(0.2)) {
            items.extend(self.container());
        }
        items
    }

    fn fill_slots(&mut self, place: Place, first_flag: i64, slots: usize, items: &mut Vec<Item>) {
        let Some(mut ware) = self.ware(place) else {
            return;
        };
        for flag in (first_flag..).take(slots) {
            if place != Place::High && self.chance(0.7) {
                ware = self.ware(place).unwrap_or(ware);
            }
            let item = self.stack(ware, flag, 1);
            items.push(item);
            // A weapon and what it was loaded with share the slot.
            if place == Place::High
                && self.chance(0.6)
                && let Some(charge) = self.ware(Place::Cargo)
            {
                let quantity = self.rng.random_range(20..200);
                let item = self.stack(charge, flag, quantity);
                items.push(item);
            }
        }
    }

    /// Loose things: cargo, drones, now and then a blueprint copy.
    fn hold(&mut self, lines: usize) -> Vec<Item> {
        let mut items = Vec::with_capacity(lines);
        for _ in 0..lines {
            let (place, flag) = match self.rng.random_range(0..1_000) {
                0..180 => (Place::Drone, FLAG_DRONE_BAY),
                180..195 => (Place::Blueprint, FLAG_CARGO),
                195..420 => (Place::Low, FLAG_CARGO),
                _ => (Place::Cargo, FLAG_CARGO),
            };
            let Some(ware) = self.ware(place) else {
                continue;
            };
            let quantity = self.quantity(ware);
            let item = self.stack(ware, flag, quantity);
            items.push(item);
        }
        items
    }

    fn quantity(&mut self, ware: &Ware) -> i64 {
        match ware.place {
            Place::Cargo if ware.price > 1_000_000.0 => self.rng.random_range(1..3),
            Place::Cargo => {
                let curve = [
                    (0.0, 1.0),
                    (0.5, 120.0),
                    (0.95, 9_000.0),
                    (1.0, 4_000_000.0),
                ];
                crate::simulator::number::count(quantile(&curve, self.rng.random::<f64>())).max(1)
            }
            Place::Drone => self.rng.random_range(1..6),
            Place::High
            | Place::Medium
            | Place::Low
            | Place::Rig
            | Place::Container
            | Place::Blueprint
            | Place::Implant => 1,
        }
    }

    /// A container with things inside: one level of nesting, as in practice.
    fn container(&mut self) -> Option<Item> {
        let ware = self.ware(Place::Container)?;
        let mut item = self.stack(ware, FLAG_CARGO, 1);
        let many = self.rng.random_range(1..14);
        item.items = self.hold(many);
        Some(item)
    }

    fn stack(&mut self, ware: &Ware, flag: i64, quantity: i64) -> Item {
        let drops = self.chance(DROP_CHANCE);
        Item {
            item_type_id: ware.type_id,
            flag,
            singleton: if ware.place == Place::Blueprint { 2 } else { 0 },
            quantity_destroyed: (!drops).then_some(quantity),
            quantity_dropped: drops.then_some(quantity),
            items: Vec::new(),
        }
    }

    fn ware(&mut self, place: Place) -> Option<&'static Ware> {
        self.weighted(WARES, |it| {
            let dear = it.price > 100_000_000.0 && place != Place::Implant;
            match (it.place == place, dear) {
                (false, _) => 0,
                (true, false) => 60,
                (true, true) => 1,
            }
        })
    }
}
