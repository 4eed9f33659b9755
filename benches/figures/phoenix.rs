//! Thousands of Phoenix clients, with systems apart or with those of maps, which overlap: from commit to each of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use wanderer_kills::runtime::clock::{SharedClock, SystemClock};

use super::Options;
use super::corpus::Running;
use super::database::{Database, Server};
use super::latency::percentile;
use super::phoenix_client::{Client, Heard};
use super::phoenix_world::{Interests, World};
use super::report::{Aim, Report};
use super::serving::Process;
use super::websocket;

/// Clients.
const CLIENTS: u32 = 5_000;

/// Clients that join at the same time.
const JOINING: usize = 64;

/// Killmails committed in a second: a hundred times New Eden's usual pace.
const PACE: u64 = 200;

/// Longest wait for what was committed last.
const PATIENCE: Duration = Duration::from_mins(1);

const KILOBYTE: f64 = 1_000.0;
const MEGABYTE: f64 = 1_000_000.0;
const MICROSECONDS: f64 = 1_000_000.0;

/// Measures both kinds of interests.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    websocket::raise_descriptor_limit()?;
    let database = server.database("phoenix").await?;
    serve(&database, options, report, Interests::Apart).await?;
    let database = server.database("phoenix_maps").await?;
    serve(&database, options, report, Interests::Maps).await
}

async fn serve(
    database: &Database,
    options: &Options,
    report: &mut Report,
    interests: Interests,
) -> anyhow::Result<()> {
    let world = World::made(database, CLIENTS, PACE * options.seconds, interests).await?;
    let service = Process::start(database).await?;
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
    let kind = match interests {
        Interests::Apart => "Phoenix, systems apart: joins",
        Interests::Maps => "Phoenix, maps: joins",
    };
    report.add(kind, count / joined, "joins/s");
    let idle = service.resident().await?;
    report.aim(
        format!("resident per idle Phoenix client of {CLIENTS}"),
        (idle - alone) / count / KILOBYTE,
        "kB",
        Aim::Below(16.0),
    );
    let before = service.cpu_seconds().await?;
    let deliveries = load(&theirs, database, &world, clients, &clock).await?;
    let taken = service.cpu_seconds().await? - before;
    let delivered = deliveries.report(options.seconds, report)?;
    report.add(
        "… the service's CPU per delivery, counts included",
        taken / delivered * MICROSECONDS,
        "µs",
    );
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

    /// Reports how long they took; how many they are.
    fn report(&self, seconds: u64, report: &mut Report) -> anyhow::Result<f64> {
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
        Ok(count)
    }
}
