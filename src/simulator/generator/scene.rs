//! What kind of loss it is, where it happens and who is there.

use chrono::{DateTime, Utc};
use rand::RngExt;

use super::Generator;
use crate::domain::ship_type::CATEGORY_SHIP;
use crate::domain::{Killmail, Position, Victim};
use crate::simulator::catalog::{self, CAPSULE, GROUPS, HULLS, Hull, SYSTEMS, System};
use crate::simulator::number::{amount, quantile};

/// The kinds of losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    /// Players kill a ship.
    Ship,
    /// NPCs kill a ship; no player takes part.
    Npc,
    /// The abyss ends a run.
    Abyss,
    /// A tractor unit, a depot, a bubble …
    Deployable,
    /// A citadel, a refinery …
    Structure,
    /// A control tower at a moon.
    Starbase,
    /// A customs office.
    Orbital,
    /// A fighter squadron.
    Fighter,
    /// A drone.
    Drone,
}

/// Parts in ten thousand of all scenes. A capsule follows many ship kills, so that ships are fewer
/// here than among all mails.
const SCENES: [(Scene, u32); 9] = [
    (Scene::Ship, 6_720),
    (Scene::Npc, 1_580),
    (Scene::Abyss, 790),
    (Scene::Deployable, 560),
    (Scene::Structure, 52),
    (Scene::Starbase, 36),
    (Scene::Orbital, 25),
    (Scene::Fighter, 34),
    (Scene::Drone, 5),
];

/// Abyssal and void systems begin here.
const FIRST_ABYSSAL: i64 = 32_000_000;
/// About 70 astronomical units: most kills happen within them.
const FARTHEST: f64 = 1.0e13;
const FIRST_WAR: i64 = 741_000;
const FIRST_MOON: i64 = 40_009_000;

impl Generator {
    pub(super) fn pick_scene(&mut self) -> Scene {
        self.weighted(&SCENES, |(_, weight)| *weight)
            .map_or(Scene::Ship, |(scene, _)| *scene)
    }

    pub(super) fn play(&mut self, scene: Scene, lost_at: DateTime<Utc>) -> Killmail {
        let system = self.place(scene);
        let hull = self.hull(scene, system);
        let victim = self.victim(scene, hull);
        let (war_id, moon_id) = self.circumstances(scene, system);
        let mut killmail = Killmail {
            killmail_id: 0,
            hash: None,
            killmail_time: lost_at,
            solar_system_id: system.id,
            moon_id,
            war_id,
            victim,
            attackers: Vec::new(),
            zkb: None,
        };
        self.add_attackers(scene, system, &mut killmail);
        killmail
    }

    /// The same attackers, seconds later, and what was in the pilot's head.
    pub(super) fn capsule(&mut self, ship: &Killmail) -> Killmail {
        let mut pod = ship.clone();
        pod.killmail_time += chrono::Duration::seconds(self.rng.random_range(2..25));
        pod.moon_id = None;
        pod.victim.ship_type_id = Some(CAPSULE);
        pod.victim.damage_taken = self.rng.random_range(400..560);
        pod.victim.items = self.implants();
        let nearby = self.rng.random_range(1..=pod.attackers.len().clamp(1, 8));
        if pod.attackers.len() > 4 && self.chance(0.8) {
            pod.attackers.truncate(nearby);
        }
        self.share_damage(&mut pod);
        pod
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the table of systems is never empty"
    )]
    fn place(&mut self, scene: Scene) -> &'static System {
        let abyss = scene == Scene::Abyss;
        let anchored = matches!(scene, Scene::Structure | Scene::Starbase);
        let picked = self.weighted(SYSTEMS, |it| {
            let barred = (anchored && it.id >= 31_000_000)
                || (scene == Scene::Fighter && it.security_status > 0.45);
            let fits = (it.id >= FIRST_ABYSSAL) == abyss;
            if fits && !barred { it.weight } else { 0 }
        });
        picked.unwrap_or(&SYSTEMS[0])
    }

    #[expect(clippy::indexing_slicing, reason = "the table of hulls is never empty")]
    fn hull(&mut self, scene: Scene, system: &System) -> &'static Hull {
        let category = match scene {
            Scene::Ship | Scene::Npc | Scene::Abyss => CATEGORY_SHIP,
            Scene::Deployable => 22,
            Scene::Structure => 65,
            Scene::Starbase => 23,
            Scene::Orbital => 46,
            Scene::Fighter => 87,
            Scene::Drone => 18,
        };
        let secure = system.security_status >= 0.45;
        let picked = self.weighted(HULLS, |it| {
            let fits = in_category(it.group_id, category);
            let capital = is_capital(it.group_id);
            let small = matches!(it.group_id, 25 | 26 | 358 | 420 | 324);
            let barred =
                (capital && (secure || scene == Scene::Npc)) || (scene == Scene::Abyss && !small);
            if fits && !barred { it.weight } else { 0 }
        });
        picked.unwrap_or(&HULLS[0])
    }

    fn victim(&mut self, scene: Scene, hull: &Hull) -> Victim {
        let owner = self.pilot();
        let owned_by_corporation =
            matches!(scene, Scene::Structure | Scene::Starbase | Scene::Orbital)
                || self.chance(0.006);
        let bears = catalog::class(hull.group_id).map_or(1_000, |it| it.hit_points);
        let percent = self.rng.random_range(85..135);
        let mut victim = Victim {
            character_id: (!owned_by_corporation).then_some(owner.id),
            corporation_id: Some(owner.corporation_id),
            alliance_id: owner.alliance_id,
            faction_id: owner.faction_id.filter(|it| *it < 500_005),
            ship_type_id: Some(hull.type_id),
            // Structures unanchored or burnt without a shot, self-destructs.
            damage_taken: if self.chance(0.008) {
                0
            } else {
                bears * percent / 100
            },
            position: Some(self.position()),
            items: Vec::new(),
        };
        victim.items = self.items(hull);
        victim
    }

    fn position(&mut self) -> Position {
        let curve = [
            (0.0, 1.0e8),
            (0.2, 2.0e10),
            (0.6, 6.0e11),
            (0.95, 6.0e12),
            (1.0, FARTHEST),
        ];
        let distance = quantile(&curve, self.rng.random::<f64>());
        let turn = self.rng.random_range(0.0..std::f64::consts::TAU);
        let tilt = self.rng.random_range(-0.2..0.2);
        Position {
            x: distance * turn.cos(),
            y: distance * tilt,
            z: distance * turn.sin(),
        }
    }

    /// War and moon, where there is one.
    fn circumstances(&mut self, scene: Scene, system: &System) -> (Option<i64>, Option<i64>) {
        let war = system.id < 31_000_000
            && !matches!(scene, Scene::Npc | Scene::Abyss)
            && self.chance(0.017);
        let war_id = war.then(|| FIRST_WAR + self.rng.random_range(0..2_000));
        let moon = scene == Scene::Starbase;
        let moon_id = moon.then(|| FIRST_MOON + self.rng.random_range(0..300_000));
        (war_id, moon_id)
    }

    /// A pilot; the first ones are the keenest.
    #[expect(clippy::indexing_slicing, reason = "the population is never empty")]
    pub(super) fn pilot(&mut self) -> &'static catalog::Pilot {
        let pilots = &catalog::population().pilots;
        let draw: f64 = self.rng.random();
        let last = amount(i64::try_from(pilots.len()).unwrap_or(1) - 1);
        let at = crate::simulator::number::size(draw * draw * last);
        pilots.get(at).unwrap_or(&pilots[0])
    }
}

fn in_category(group_id: i64, category: i64) -> bool {
    GROUPS
        .iter()
        .any(|(id, _, of)| *id == group_id && *of == category)
}

/// Dreadnoughts, carriers, auxiliaries, supercarriers, titans and Rorquals.
pub(super) fn is_capital(group_id: i64) -> bool {
    matches!(group_id, 30 | 485 | 547 | 659 | 883 | 1_538)
}
