//! Thousands of Phoenix clients, each with the systems of a map of its own: from commit to each of them.
//!
//! New Eden has some 8,000 systems, and few of them see most kills. A map has 20 to 50: a quarter of them where
//! kills are frequent, the others anywhere; each tenth client follows five pilots besides.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use wanderer_kills::domain::names::EntityKind;
use wanderer_kills::domain::{Killmail, SolarSystem};
use wanderer_kills::runtime::clock::{SharedClock, SystemClock};
use wanderer_kills::simulator::catalog;
use wanderer_kills::store::systems;

use super::Options;
use super::corpus::{Running, killmails};
use super::database::{Database, Server};
use super::latency::percentile;
use super::phoenix_client::{Client, Heard, Interest};
use super::report::{Aim, Report};
use super::serving::Process;
use super::websocket;

/// Clients.
const CLIENTS: u32 = 5_000;

/// Clients that join at the same time.
const JOINING: usize = 64;

/// Killmails committed in a second: a hundred times New Eden's usual pace.
const PACE: u64 = 200;

/// Systems of New Eden, roughly.
const SYSTEMS: u32 = 8_000;

/// The first of them.
const FIRST_SYSTEM: i64 = 30_000_001;

/// Longest wait for what was committed last.
const PATIENCE: Duration = Duration::from_mins(1);

const KILOBYTE: f64 = 1_000.0;
const MEGABYTE: f64 = 1_000_000.0;

/// Measures.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    websocket::raise_descriptor_limit()?;
    let database = server.database("phoenix").await?;
    let world = World::made(&database, options.seconds).await?;
    let service = Process::start(&database).await?;
    let alone = service.resident().await?;
    // Clients have a thread of their own, so that they don't stand in the pipeline's way.
    let theirs = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let clock = SystemClock::shared();
    let began = clock.monotonic();
    let clients = join(&theirs, &service, &world, &clock).await?;
    let joined = clock.monotonic().saturating_sub(began).as_secs_f64();
    let count = f64::from(CLIENTS);
    report.add("Phoenix joins", count / joined, "joins/s");
    let idle = service.resident().await?;
    report.aim(
        format!("resident per idle Phoenix client of {CLIENTS}"),
        (idle - alone) / count / KILOBYTE,
        "kB",
        Aim::Below(16.0),
    );
    let deliveries = load(&theirs, &database, &world, clients, &clock).await?;
    deliveries.report(options.seconds, report)?;
    let after = service.resident().await?;
    report.add(
        "… resident per client after the load",
        (after - alone) / count / KILOBYTE,
        "kB",
    );
    report.add("… the whole service then", after / MEGABYTE, "MB");
    drop(deliveries);
    theirs.shutdown_background();
    service.stop().await
}

/// Killmails and who wants which.
struct World {
    killmails: Vec<Killmail>,
    interests: Vec<Interest>,
    /// Killmails that each client is owed.
    owed: Vec<usize>,
}

impl World {
    async fn made(database: &Database, seconds: u64) -> anyhow::Result<Self> {
        let mut rng = StdRng::seed_from_u64(7);
        let places = Places::new();
        systems::upsert(&database.store.pool, &places.systems()?).await?;
        let number = usize::try_from(PACE * seconds)?;
        let mut killmails = killmails(1, number, SystemClock::shared().now());
        for killmail in &mut killmails {
            killmail.solar_system_id = places.busy(&mut rng);
        }
        let pilots: Vec<i64> = catalog::names()
            .into_iter()
            .filter(|(key, _)| key.kind == EntityKind::Character)
            .map(|(key, _)| key.id)
            .collect();
        let interests: Vec<Interest> = (0..CLIENTS)
            .map(|client| {
                let followed = if client % 10 == 0 { 5 } else { 0 };
                Interest {
                    systems: places.map(&mut rng),
                    characters: (0..followed)
                        .filter_map(|_| pilots.get(rng.random_range(0..pilots.len())).copied())
                        .collect(),
                }
            })
            .collect();
        let owed = owed(&killmails, &interests);
        Ok(Self {
            killmails,
            interests,
            owed,
        })
    }
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

async fn join(
    theirs: &Runtime,
    service: &Process,
    world: &World,
    clock: &SharedClock,
) -> anyhow::Result<Vec<Client>> {
    let (address, interests, clock) = (service.address, world.interests.clone(), clock.clone());
    let joining = theirs.spawn(async move {
        futures::stream::iter(interests)
            .map(|interest| {
                let clock = clock.clone();
                async move { Client::join(address, &interest, clock).await }
            })
            .buffered(JOINING)
            .try_collect()
            .await
    });
    joining.await?
}

/// Commits killmails at their pace while all clients read.
async fn load(
    theirs: &Runtime,
    database: &Database,
    world: &World,
    clients: Vec<Client>,
    clock: &SharedClock,
) -> anyhow::Result<Deliveries> {
    let mut reading = JoinSet::new();
    let phases = (0..CLIENTS).map(|client| f64::from(client) / f64::from(CLIENTS));
    for ((client, owed), phase) in clients.into_iter().zip(&world.owed).zip(phases) {
        reading.spawn_on(client.read(*owed, phase), theirs.handle());
    }
    let running = Arc::new(Running::start(&database.store)?);
    let mut committing = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1).div_f64(f64::from(u32::try_from(PACE)?)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for killmail in world.killmails.iter().cloned() {
        ticks.tick().await;
        let (id, clock) = (killmail.killmail_id, clock.clone());
        let outcome = running.send(killmail).await?;
        committing.spawn(async move {
            outcome.await?;
            anyhow::Ok((id, clock.monotonic()))
        });
    }
    let mut committed = HashMap::new();
    while let Some(outcome) = committing.join_next().await {
        let (id, at) = outcome??;
        committed.insert(id, at);
    }
    let mut clients = Vec::new();
    let all = async {
        while let Some(client) = reading.join_next().await {
            clients.push(client??);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .context("clients are still owed killmails")??;
    for client in &mut clients {
        client.take()?;
    }
    Ok(Deliveries {
        committed,
        clients,
        owed: world.owed.iter().sum(),
    })
}

/// What came.
struct Deliveries {
    /// When each killmail was committed.
    committed: HashMap<i64, Duration>,
    clients: Vec<Client>,
    owed: usize,
}

impl Deliveries {
    fn heard(&self) -> impl Iterator<Item = &Heard> {
        self.clients.iter().flat_map(|client| &client.heard)
    }

    fn report(&self, seconds: u64, report: &mut Report) -> anyhow::Result<()> {
        let mut after_commit = Vec::new();
        let mut listeners: HashMap<i64, u32> = HashMap::new();
        for (id, at) in self.heard() {
            let committed = self.committed.get(id).context("an unknown killmail")?;
            after_commit.push(at.saturating_sub(*committed));
            *listeners.entry(*id).or_default() += 1;
        }
        ensure!(after_commit.len() == self.owed, "a killmail came twice");
        let most = listeners.values().max().copied().unwrap_or_default();
        let count = f64::from(u32::try_from(after_commit.len())?);
        let seconds = f64::from(u32::try_from(seconds)?);
        report.add("… deliveries", count / seconds, "/s");
        report.add("… most listeners of one killmail", f64::from(most), "");
        let twenty = Aim::Below(20.0);
        let p50 = percentile(&mut after_commit, 50);
        report.add("… commit to client, p50", p50, "ms");
        let p99 = percentile(&mut after_commit, 99);
        report.aim("… commit to client, p99", p99, "ms", twenty);
        report.add("… slowest", percentile(&mut after_commit, 100), "ms");
        Ok(())
    }
}
