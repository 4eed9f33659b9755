//! Who is subscribed to what, and which killmails come.
//!
//! New Eden has some 8,000 systems, and few of them see most kills. Either each client has systems of its own, so that
//! a kill has one listener; or each is a map with 20 to 50 systems: a quarter of them where kills are frequent, the
//! others anywhere, and each tenth client follows five pilots besides.

use std::collections::{HashMap, HashSet};

use anyhow::ensure;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wanderer_kills::domain::names::EntityKind;
use wanderer_kills::domain::{Killmail, SolarSystem};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::simulator::catalog;
use wanderer_kills::store::systems;

use super::corpus::killmails;
use super::database::Database;
use super::phoenix_client::Interest;

/// Systems of New Eden, roughly.
const SYSTEMS: u32 = 8_000;

/// The first of them.
const FIRST_SYSTEM: i64 = 30_000_001;

/// Whose systems are whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interests {
    /// No two clients have a system in common.
    Apart,
    /// Maps, which overlap.
    Maps,
}

/// Killmails and who wants which.
pub(crate) struct World {
    pub(crate) killmails: Vec<Killmail>,
    pub(crate) interests: Vec<Interest>,
    /// Killmails that each client is owed.
    pub(crate) owed: Vec<usize>,
}

impl World {
    /// `number` killmails for so many clients, and their systems in the database.
    pub(crate) async fn made(
        database: &Database,
        clients: u32,
        number: u64,
        interests: Interests,
    ) -> anyhow::Result<Self> {
        let mut rng = StdRng::seed_from_u64(7);
        let places = Places::new();
        systems::upsert(&database.store.pool, &places.systems()?).await?;
        let number = usize::try_from(number)?;
        let mut killmails = killmails(1, number, SystemClock::shared().now());
        for killmail in &mut killmails {
            killmail.solar_system_id = places.busy(&mut rng);
        }
        let interests = match interests {
            Interests::Apart => apart(clients),
            Interests::Maps => maps(clients, &places, &mut rng),
        };
        let owed = owed(&killmails, &interests);
        Ok(Self {
            killmails,
            interests,
            owed,
        })
    }
}

/// Each system for one client.
fn apart(clients: u32) -> Vec<Interest> {
    let own = |client| (client..SYSTEMS).step_by(usize::try_from(clients).unwrap_or(usize::MAX));
    (0..clients)
        .map(|client| Interest {
            systems: own(client)
                .map(|rank| FIRST_SYSTEM + i64::from(rank))
                .collect(),
            characters: Vec::new(),
        })
        .collect()
}

/// A map for each client.
fn maps(clients: u32, places: &Places, rng: &mut StdRng) -> Vec<Interest> {
    let pilots: Vec<i64> = catalog::names()
        .into_iter()
        .filter(|(key, _)| key.kind == EntityKind::Character)
        .map(|(key, _)| key.id)
        .collect();
    (0..clients)
        .map(|client| {
            let followed = if client % 10 == 0 { 5 } else { 0 };
            Interest {
                systems: places.map(rng),
                characters: (0..followed)
                    .filter_map(|_| pilots.get(rng.random_range(0..pilots.len())).copied())
                    .collect(),
            }
        })
        .collect()
}

/// How many killmails match each interest, by system or by pilot.
fn owed(killmails: &[Killmail], interests: &[Interest]) -> Vec<usize> {
    let mut by_id: HashMap<i64, Vec<usize>> = HashMap::new();
    for (client, interest) in interests.iter().enumerate() {
        for id in interest.systems.iter().chain(&interest.characters) {
            by_id.entry(*id).or_default().push(client);
        }
    }
    let mut owed = vec![0; interests.len()];
    for killmail in killmails {
        let pilots = killmail.attackers.iter().map(|one| one.character_id);
        let pilots = pilots.chain([killmail.victim.character_id]).flatten();
        let wanted: HashSet<usize> = pilots
            .chain([killmail.solar_system_id])
            .filter_map(|id| by_id.get(&id))
            .flatten()
            .copied()
            .collect();
        for client in wanted {
            if let Some(count) = owed.get_mut(client) {
                *count += 1;
            }
        }
    }
    owed
}

/// Systems by how many kills they see.
struct Places {
    /// Shares of all kills, added up, busiest system first.
    shares: Vec<f64>,
}

impl Places {
    /// The busiest sees 1.4 % of all kills, as Jita does; the hundred busiest a quarter.
    fn new() -> Self {
        let mut sum = 0.0;
        let shares = (0..SYSTEMS)
            .map(|rank| {
                sum += (f64::from(rank) + 3.0).powf(-0.8);
                sum
            })
            .collect();
        Self { shares }
    }

    /// A system, as kills choose it.
    fn busy(&self, rng: &mut StdRng) -> i64 {
        let sum = self.shares.last().copied().unwrap_or_default();
        let at = rng.random::<f64>() * sum;
        let rank = self.shares.partition_point(|share| *share < at);
        FIRST_SYSTEM + i64::try_from(rank).unwrap_or_default()
    }

    /// The systems of a map.
    fn map(&self, rng: &mut StdRng) -> Vec<i64> {
        let size = rng.random_range(20..=50);
        let mut systems = HashSet::new();
        while systems.len() < size {
            systems.insert(if rng.random_bool(0.25) {
                self.busy(rng)
            } else {
                FIRST_SYSTEM + i64::from(rng.random_range(0..SYSTEMS))
            });
        }
        systems.into_iter().collect()
    }

    /// All of them, each where some system of the catalogue lies.
    fn systems(&self) -> anyhow::Result<Vec<SolarSystem>> {
        let known = catalog::solar_systems();
        let systems = known.iter().cycle().zip(FIRST_SYSTEM..);
        let systems: Vec<SolarSystem> = systems
            .take(self.shares.len())
            .map(|(known, solar_system_id)| SolarSystem {
                solar_system_id,
                ..known.clone()
            })
            .collect();
        ensure!(systems.len() == self.shares.len(), "an empty catalogue");
        Ok(systems)
    }
}
