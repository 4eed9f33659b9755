//! The attackers: how many, who, and how the damage is shared among them.

use rand::RngExt;

use super::Generator;
use super::scene::Scene;
use crate::domain::ship_type::CATEGORY_SHIP;
use crate::domain::{Attacker, Killmail};
use crate::simulator::catalog::{self, HULLS, NPC_SHIPS, NpcShip, Pilot, System, WARES};
use crate::simulator::number::{amount, count, quantile, size};

/// Attackers per killmail of players: most are few, fleets are large, sieges enormous.
const PLAYERS: [(f64, f64); 10] = [
    (0.0, 1.0),
    (0.36, 1.0),
    (0.50, 2.0),
    (0.66, 4.0),
    (0.86, 9.0),
    (0.95, 24.0),
    (0.984, 63.0),
    (0.9982, 218.0),
    (0.999_95, 620.0),
    (1.0, 3_000.0),
];
/// NPC attackers on a mail without players.
const NPCS: [(f64, f64); 5] = [
    (0.0, 1.0),
    (0.55, 1.0),
    (0.8, 3.0),
    (0.97, 9.0),
    (1.0, 24.0),
];
/// Share of mails with players on which NPCs shot as well.
const NPCS_TOO: f64 = 0.13;
/// Capsules, shuttles, freighters and jump freighters attack nobody.
const UNARMED_GROUPS: [i64; 4] = [catalog::GROUP_CAPSULE, 31, 513, 902];
const CONCORD: i64 = 1_000_125;
const DRIFTERS: i64 = 500_024;
const TRIGLAVIANS: i64 = 500_026;

impl Generator {
    pub(super) fn add_attackers(&mut self, scene: Scene, system: &System, killmail: &mut Killmail) {
        if matches!(scene, Scene::Npc | Scene::Abyss) {
            self.add_npcs(scene, system, killmail);
        } else {
            self.add_players(killmail);
            if self.chance(NPCS_TOO) {
                let npc = self.npc_attacker(scene, system);
                killmail.attackers.push(npc);
            }
        }
        self.share_damage(killmail);
    }

    fn add_npcs(&mut self, scene: Scene, system: &System, killmail: &mut Killmail) {
        let many = size(quantile(&NPCS, self.rng.random::<f64>())).max(1);
        for _ in 0..many {
            let npc = self.npc_attacker(scene, system);
            killmail.attackers.push(npc);
        }
    }

    fn npc_attacker(&mut self, scene: Scene, system: &System) -> Attacker {
        let abyss = scene == Scene::Abyss;
        let secure = system.security_status >= 0.45;
        let picked = self.weighted(NPC_SHIPS, |it: &NpcShip| {
            let concord = it.corporation_id == CONCORD;
            let abyssal = matches!(it.faction_id, DRIFTERS | TRIGLAVIANS);
            u32::from((abyss == abyssal) && (!concord || secure))
        });
        let Some(npc) = picked else {
            return Attacker::default();
        };
        // Most NPCs are listed by faction alone.
        let listed = npc.corporation_id != 0 && (npc.corporation_id == CONCORD || self.chance(0.2));
        Attacker {
            corporation_id: listed.then_some(npc.corporation_id),
            faction_id: (npc.faction_id != 0).then_some(npc.faction_id),
            ship_type_id: Some(npc.type_id),
            ..Attacker::default()
        }
    }

    fn add_players(&mut self, killmail: &mut Killmail) {
        let many = size(quantile(&PLAYERS, self.rng.random::<f64>())).max(1);
        let leader = self.pilot();
        let mut crew: Vec<&'static Pilot> = vec![leader];
        let mates = Self::mates(leader, many);
        while crew.len() < many {
            let stranger = mates.is_empty() || self.chance(0.12);
            let mate = if stranger {
                Some(self.pilot())
            } else {
                let at = self.rng.random_range(0..mates.len());
                mates
                    .get(at)
                    .and_then(|at| catalog::population().pilots.get(*at))
            };
            crew.extend(mate);
        }
        let mut seen = std::collections::HashSet::new();
        seen.extend(killmail.victim.character_id);
        for pilot in crew {
            if seen.insert(pilot.id) {
                let attacker = self.player_attacker(pilot);
                killmail.attackers.push(attacker);
            }
        }
        if killmail.attackers.is_empty() {
            let attacker = self.player_attacker(leader);
            killmail.attackers.push(attacker);
        }
    }

    /// Whom a leader flies with: the corporation, or the alliance for larger fleets.
    fn mates(leader: &Pilot, many: usize) -> &'static [usize] {
        let people = catalog::population();
        let corporation = people
            .corporation(leader.corporation_id)
            .map_or(&[][..], |it| it.members.as_slice());
        let alliance = leader
            .alliance_id
            .and_then(|id| people.alliance(id))
            .map_or(&[][..], |it| it.members.as_slice());
        if many > 6 && alliance.len() > corporation.len() {
            alliance
        } else {
            corporation
        }
    }

    fn player_attacker(&mut self, pilot: &Pilot) -> Attacker {
        let ship = self
            .weighted(HULLS, |it| match catalog::group(it.group_id) {
                Some((_, CATEGORY_SHIP)) if !UNARMED_GROUPS.contains(&it.group_id) => it.weight,
                _ => 0,
            })
            .map(|it| it.type_id);
        let weapons = WARES.get(..18).unwrap_or(WARES);
        let weapon = self.weighted(weapons, |_| 1).map(|it| it.type_id);
        let ship_known = !self.chance(0.008);
        Attacker {
            character_id: Some(pilot.id),
            corporation_id: Some(pilot.corporation_id),
            alliance_id: pilot.alliance_id,
            faction_id: pilot.faction_id.filter(|_| pilot.alliance_id.is_none()),
            ship_type_id: ship.filter(|_| ship_known),
            weapon_type_id: if self.chance(0.12) { ship } else { weapon },
            damage_done: 0,
            final_blow: false,
            security_status: pilot.security_status,
        }
    }

    /// Shares the victim's damage out, largest first, and gives one attacker the final blow.
    pub(super) fn share_damage(&mut self, killmail: &mut Killmail) {
        let total = killmail.victim.damage_taken;
        let weights: Vec<f64> = killmail
            .attackers
            .iter()
            .map(|_| self.rng.random::<f64>().powi(3) + 0.001)
            .collect();
        let sum: f64 = weights.iter().sum();
        let mut left = total;
        for (attacker, weight) in killmail.attackers.iter_mut().zip(&weights) {
            attacker.damage_done = count(amount(total) * weight / sum).min(left);
            left -= attacker.damage_done;
            attacker.final_blow = false;
        }
        killmail
            .attackers
            .sort_by_key(|it| std::cmp::Reverse(it.damage_done));
        if let Some(first) = killmail.attackers.first_mut() {
            first.damage_done += left;
        }
        let last = killmail.attackers.len().clamp(1, 6);
        let at = self.rng.random_range(0..last);
        if let Some(striker) = killmail.attackers.get_mut(at) {
            striker.final_blow = true;
        }
        if self.chance(0.007)
            && let Some(last) = killmail.attackers.last_mut()
        {
            last.damage_done += 1;
        }
    }
}
