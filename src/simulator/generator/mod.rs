//! A seeded source of killmails whose shape comes near the real stream's.
//!
//! The same seed, the same first id and the same times give the same killmails, byte for byte.

mod cargo;
mod parties;
mod scene;
mod value;

use std::collections::VecDeque;

use chrono::{DateTime, Duration, Timelike, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{catalog, hash};
use crate::domain::Killmail;
use scene::Scene;

pub use value::assess;

/// How often the odd things happen, as shares of all killmails (0 to 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habits {
    /// Mails whose ship was lost hours, days or years ago.
    pub late: f64,
    /// Mails sent once more, with other labels.
    pub resent: f64,
}

impl Default for Habits {
    /// One in a hundred late, none sent again.
    fn default() -> Self {
        Self {
            late: 0.01,
            resent: 0.0,
        }
    }
}

impl Habits {
    /// Every killmail new and recent.
    pub const NONE: Self = Self {
        late: 0.0,
        resent: 0.0,
    };
}

/// One killmail off the generator.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The killmail, with hash and zKillboard's block.
    pub killmail: Killmail,
    /// True where the same killmail came before, with other labels.
    pub resent: bool,
}

/// Makes killmails, one after the other, with growing ids.
#[derive(Debug)]
pub struct Generator {
    rng: StdRng,
    habits: Habits,
    next_killmail_id: i64,
    /// The ship kill whose pilot has yet to lose his capsule.
    podded_next: Option<Killmail>,
    /// Candidates for being sent again.
    recent: VecDeque<Killmail>,
}

/// The first killmail id where nothing else is asked for.
pub const FIRST_KILLMAIL_ID: i64 = 140_000_001;

/// How many mails back a resent one may lie.
const RECENT: usize = 64;
/// Chance that a pilot killed by players loses his capsule too.
const POD_CHANCE: f64 = 0.52;

impl Generator {
    /// A generator with usual habits, starting at [`FIRST_KILLMAIL_ID`].
    pub fn new(seed: u64) -> Self {
        Self::with(seed, FIRST_KILLMAIL_ID, Habits::default())
    }

    /// A generator that starts at another id and has other habits.
    pub fn with(seed: u64, first_killmail_id: i64, habits: Habits) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            habits,
            next_killmail_id: first_killmail_id,
            podded_next: None,
            recent: VecDeque::new(),
        }
    }

    /// The next killmail, as it would be published at `time`: lost seconds to minutes before, or
    /// much longer where it is late.
    pub fn next(&mut self, time: DateTime<Utc>) -> Generated {
        if self.chance(self.habits.resent)
            && let Some(killmail) = self.again()
        {
            return Generated {
                killmail,
                resent: true,
            };
        }
        let lost_at = self.lost_at(time);
        let killmail = self.make(lost_at);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(killmail.clone());
        Generated {
            killmail,
            resent: false,
        }
    }

    /// A killmail of exactly this time, never a resent one. History is made of these.
    pub fn at(&mut self, lost_at: DateTime<Utc>) -> Killmail {
        self.make(lost_at)
    }

    /// A killmail sent again after its labels were looked at once more.
    fn again(&mut self) -> Option<Killmail> {
        let at = self.rng.random_range(0..self.recent.len().max(1));
        let mut killmail = self.recent.get(at).cloned()?;
        let labels = killmail.zkb.as_mut()?.labels.as_mut()?;
        if labels.iter().any(|it| it == "padding") {
            labels.retain(|it| it != "padding");
            labels.push("pvp".to_owned());
        } else {
            labels.retain(|it| it != "pvp" && it != "solo");
            labels.push("padding".to_owned());
        }
        Some(killmail)
    }

    fn lost_at(&mut self, time: DateTime<Utc>) -> DateTime<Utc> {
        let seconds = if self.chance(self.habits.late) {
            // Player-configured delays, manual posts of old mails, imports of years.
            const LATE: [i64; 6] = [3_600, 10_800, 28_800, 86_400, 259_200, 94_608_000];
            let at = self.rng.random_range(0..LATE.len());
            LATE.get(at).copied().unwrap_or(3_600) + self.rng.random_range(0..3_000)
        } else {
            self.rng.random_range(8..240)
        };
        let lost_at = time - Duration::seconds(seconds);
        lost_at.with_nanosecond(0).unwrap_or(lost_at)
    }

    fn make(&mut self, lost_at: DateTime<Utc>) -> Killmail {
        let lost_at = lost_at.with_nanosecond(0).unwrap_or(lost_at);
        let mut killmail = match self.podded_next.take() {
            Some(ship) => self.capsule(&ship),
            None => self.scene(lost_at),
        };
        killmail.killmail_id = self.next_killmail_id;
        self.next_killmail_id += self.rng.random_range(1..4);
        killmail.hash = hash::of(&killmail);
        killmail.zkb = Some(assess(&killmail));
        self.mark_ganked(&mut killmail);
        killmail
    }

    fn scene(&mut self, lost_at: DateTime<Utc>) -> Killmail {
        let scene = self.pick_scene();
        let killmail = self.play(scene, lost_at);
        let by_players = killmail
            .attackers
            .iter()
            .any(|it| it.character_id.is_some());
        if scene == Scene::Ship && by_players && self.chance(POD_CHANCE) {
            self.podded_next = Some(killmail.clone());
        }
        killmail
    }

    /// zKillboard labels a kill `ganked` where CONCORD then killed its attackers.
    fn mark_ganked(&mut self, killmail: &mut Killmail) {
        let secure = catalog::system(killmail.solar_system_id)
            .is_some_and(|it| it.security_status >= 0.45 && it.id < 31_000_000);
        let Some(zkb) = killmail.zkb.as_mut() else {
            return;
        };
        if secure
            && zkb.npc == Some(false)
            && killmail.war_id.is_none()
            && self.rng.random_bool(0.35)
            && let Some(labels) = zkb.labels.as_mut()
        {
            labels.push("ganked".to_owned());
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        self.rng.random_bool(share.clamp(0.0, 1.0))
    }

    /// One of `things`, by weight. `None` only where there is none.
    fn weighted<'a, T>(&mut self, things: &'a [T], weight: impl Fn(&T) -> u32) -> Option<&'a T> {
        let total: u32 = things.iter().map(&weight).sum();
        let mut left = self.rng.random_range(0..total.max(1));
        things.iter().find(|it| {
            let weight = weight(it);
            let here = left < weight;
            left = left.saturating_sub(weight);
            here
        })
    }
}

#[cfg(test)]
mod tests;
