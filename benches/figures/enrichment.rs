//! What enrichment costs when memory is warm, how often memory answers on a realistic stream, and how large
//! it gets.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use flate2::read::GzDecoder;
use wanderer_kills::domain::names::{Subject, Wanted};
use wanderer_kills::domain::{
    EntityKey, EntityKind, EntityName, Killmail, Parsed, ShipType, SolarSystem, parse,
};
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::runtime::clock::{SharedClock, SystemClock};
use wanderer_kills::runtime::telemetry::exposition;
use wanderer_kills::store::{Store, names, ship_types, systems};

use super::Options;
use super::corpus::{Running, killmails};
use super::database::Server;
use super::report::{Aim, Report};

/// Killmails of one transaction, as the service has it by default.
const BATCH: usize = 500;
/// Rows written in one statement.
const ROWS: usize = 1_000;
/// Days of real killmails, where they lie beside the project.
const REAL_DAYS: [&str; 3] = [
    "esi/killmails-2021-11-28.jsonl.gz",
    "esi/killmails-2021-11-29.jsonl.gz",
    "esi/killmails-2021-11-30.jsonl.gz",
];
/// Ids of the killmails of the second measurement.
const OTHERS_FROM: i64 = 500_000_001;

/// Measures.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    cost(server, options, report).await?;
    realistic_stream(server, options, report).await
}

/// The share of warm look-ups in the time that ingest takes.
async fn cost(server: &Server, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let database = server.database("enrichment").await?;
    let stream = killmails(1, options.killmails, clock.now());
    let others = killmails(OTHERS_FROM, options.killmails, clock.now());
    name_everything(&database.store, stream.iter().chain(&others)).await?;
    let resolver = Resolver::local(database.store.clone(), clock.clone());
    let cold = look_up(&resolver, &stream, &clock).await?;
    let warm = look_up(&resolver, &stream, &clock).await?;
    let running = Running::start_with(&database.store, resolver)?;
    server.settle().await?;
    let started = clock.monotonic();
    running.send_all(others).await?;
    let ingest = clock.monotonic().saturating_sub(started);
    let number = f64::from(u32::try_from(stream.len())?);
    report.add(
        "look-ups, tables only",
        number / cold.as_secs_f64(),
        "killmails/s",
    );
    report.add(
        "look-ups, warm memory",
        number / warm.as_secs_f64(),
        "killmails/s",
    );
    report.add(
        "ingest with warm memory",
        number / ingest.as_secs_f64(),
        "killmails/s",
    );
    report.aim(
        "warm look-ups, share of ingest",
        100.0 * warm.as_secs_f64() / ingest.as_secs_f64(),
        "%",
        Aim::Below(15.0),
    );
    Ok(())
}

/// Time to look everything up and to see what is complete, batch by batch.
async fn look_up(
    resolver: &Resolver,
    stream: &[Killmail],
    clock: &SharedClock,
) -> anyhow::Result<Duration> {
    let started = clock.monotonic();
    let mut complete = 0_usize;
    for batch in stream.chunks(BATCH) {
        let known = resolver.known(&Wanted::of(batch)).await?;
        complete += batch.iter().filter(|it| known.is_complete(it)).count();
    }
    anyhow::ensure!(
        complete == stream.len(),
        "{complete} of {} complete",
        stream.len()
    );
    Ok(clock.monotonic().saturating_sub(started))
}

/// Hit rates of a service that runs for days, one killmail after the other.
async fn realistic_stream(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let (kind, stream) = match real_killmails()? {
        Some(real) => ("real", real),
        None => ("simulated", killmails(1, options.killmails, clock.now())),
    };
    let database = server.database("stream").await?;
    name_everything(&database.store, stream.iter()).await?;
    let resolver = Resolver::local(database.store.clone(), clock.clone());
    let earlier = exposition::render();
    for killmail in &stream {
        resolver.known(&Wanted::of([killmail])).await?;
    }
    let metrics = exposition::render();
    let count = |metric: &str, cache: &str| {
        counter(&metrics, metric, cache) - counter(&earlier, metric, cache)
    };
    report.add(
        format!("{kind} killmails streamed"),
        f64::from(u32::try_from(stream.len())?),
        "",
    );
    let mut counted = 0.0;
    for size in resolver.cache_sizes() {
        let hits = count("wanderer_kills_cache_hits_total", size.cache);
        let misses = count("wanderer_kills_cache_misses_total", size.cache);
        let bytes = f64::from(u32::try_from(size.bytes)?);
        counted += bytes;
        report.add(
            format!("memory answers, {}", size.cache),
            100.0 * hits / (hits + misses),
            "%",
        );
        report.add(
            format!("entries in memory, {}", size.cache),
            f64::from(u32::try_from(size.entries)?),
            "",
        );
    }
    report.aim(
        "memory of the caches, as they count",
        counted / 1e6,
        "MB",
        Aim::Below(38.0),
    );
    Ok(())
}

/// The value of a counter of one cache; 0 where it has not been counted.
fn counter(exposition: &str, metric: &str, cache: &str) -> f64 {
    let head = format!("{metric}{{cache=\"{cache}\"}} ");
    let value = exposition.lines().find_map(|line| line.strip_prefix(&head));
    value.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

/// Gives every id of `stream` a name as long as real ones.
async fn name_everything(
    store: &Store,
    stream: impl Iterator<Item = &Killmail>,
) -> anyhow::Result<()> {
    let wanted = Wanted::of(stream);
    let (mut entities, mut types, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for subject in wanted.subjects() {
        let name = format!("Some Name {:06}", subject.id() % 1_000_000);
        match subject {
            Subject::Entity(key) => entities.push(named(key, name)),
            Subject::ShipType(id) => types.push(ship_type(id, name)),
            Subject::SolarSystem(id) => places.push(solar_system(id, name)),
        }
    }
    for rows in entities.chunks(ROWS) {
        names::upsert(&store.pool, rows).await?;
    }
    ship_types::upsert(&store.pool, &types).await?;
    systems::upsert(&store.pool, &places).await?;
    Ok(())
}

fn named(key: EntityKey, name: String) -> (EntityKey, EntityName) {
    let has_ticker = matches!(key.kind, EntityKind::Corporation | EntityKind::Alliance);
    let ticker = has_ticker.then(|| "TICKR".to_owned());
    (key, EntityName { name, ticker })
}

fn ship_type(type_id: i64, name: String) -> ShipType {
    ShipType {
        type_id,
        name,
        group_id: 25,
        group_name: "Frigate".to_owned(),
        category_id: 6,
        category_name: "Ship".to_owned(),
        published: true,
    }
}

fn solar_system(solar_system_id: i64, name: String) -> SolarSystem {
    SolarSystem {
        solar_system_id,
        name,
        constellation_id: 20_000_020,
        constellation_name: "Kimotoro".to_owned(),
        region_id: 10_000_002,
        region_name: "The Forge".to_owned(),
        security_status: 0.945_913_116_665,
        wormhole_class: None,
    }
}

/// Three days of the game, in the order in which they happened.
fn real_killmails() -> anyhow::Result<Option<Vec<Killmail>>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    if !folder.is_dir() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for day in REAL_DAYS {
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(folder.join(day))?).read_to_string(&mut text)?;
        for line in text.lines() {
            if let Parsed::Killmail(killmail) = parse(line.as_bytes())? {
                all.push(*killmail);
            }
        }
    }
    all.sort_by_key(|it| it.killmail_time);
    Ok(Some(all))
}
