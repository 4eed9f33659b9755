//! Historical queries over HTTP: how long they take with 16 clients at once, and how fast an export runs.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use wanderer_kills::domain::{Killmail, wire};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::store::document::Document;

use super::Options;
use super::database::{Database, Server};
use super::http_load::{self, Load};
use super::report::{Aim, Report};
use super::serving::Process;
use super::stored;

/// Killmails whose participants and places are asked for.
pub(crate) const SAMPLE: usize = 2_000;

/// Longest time of 99 in a hundred requests that is aimed at, milliseconds.
pub(crate) const AIM: f64 = 50.0;

/// Measures on a database with `options.rows` killmails.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let stored = stored::open(server, options, report).await?;
    let service = Process::start(&stored.database).await?;
    let asked = Asked::of(&sample(&stored.database).await?, stored.newest);
    for (name, paths) in asked.paths() {
        let first = http_load::measure(service.address, &paths, options.seconds).await?;
        tell(report, &format!("{name}, first round"), &first, None);
        let load = http_load::measure(service.address, &paths, options.seconds).await?;
        tell(report, &name, &load, Some(AIM));
    }
    export(service.address, report).await?;
    report.add("rows of that database", count(options.rows), "");
    service.stop().await
}

pub(crate) fn tell(report: &mut Report, name: &str, load: &Load, aim: Option<f64>) {
    report.add(format!("{name}: requests"), load.per_second, "/s");
    report.add(format!("{name}: p50"), load.p50_ms, "ms");
    let p99 = format!("{name}: p99");
    match aim {
        Some(aim) => report.aim(p99, load.p99_ms, "ms", Aim::Below(aim)),
        None => report.add(p99, load.p99_ms, "ms"),
    }
}

/// Stored killmails from all of the time, evenly.
pub(crate) async fn sample(database: &Database) -> anyhow::Result<Vec<Killmail>> {
    let documents: Vec<Document> = sqlx::query_scalar(
        "SELECT k.document FROM generate_series(0, $1 - 1) AS s (place) CROSS JOIN LATERAL (
             SELECT coalesce(packed_document, convert_to(document, 'UTF8')) AS document FROM killmails
             WHERE killmail_id >= (SELECT max(killmail_id) FROM killmails) * s.place / $1
             ORDER BY killmail_id LIMIT 1) AS k",
    )
    .bind(i32::try_from(SAMPLE)?)
    .fetch_all(&database.store.pool)
    .await?;
    let read = documents
        .iter()
        .map(|document| wire::read(&document.0, None));
    Ok(read.collect::<Result<_, _>>()?)
}

/// What is asked for: ids as often as they occur in killmails, which is unevenly.
pub(crate) struct Asked {
    newest: DateTime<Utc>,
    ids: Vec<i64>,
    systems: Vec<i64>,
    pub(crate) characters: Vec<i64>,
    groups: Vec<i64>,
    pub(crate) regions: Vec<i64>,
}

/// Chooses what is asked for.
pub(crate) struct Dice(pub(crate) StdRng);

impl Dice {
    pub(crate) fn any(&mut self, ids: &[i64]) -> i64 {
        let index = self.0.random_range(0..ids.len().max(1));
        ids.get(index).copied().unwrap_or(1)
    }
}

impl Asked {
    pub(crate) fn of(sample: &[Killmail], newest: DateTime<Utc>) -> Self {
        let systems: Vec<i64> = sample.iter().map(|it| it.solar_system_id).collect();
        let characters = sample.iter().flat_map(|it| {
            let attackers = it.attackers.iter().map(|attacker| attacker.character_id);
            attackers.chain([it.victim.character_id]).flatten()
        });
        let types: BTreeSet<i64> = sample
            .iter()
            .filter_map(|it| it.victim.ship_type_id)
            .collect();
        let catalog = wanderer_kills::simulator::catalog::ship_types();
        let of_types = catalog.iter().filter(|it| types.contains(&it.type_id));
        let known: BTreeSet<i64> = systems.iter().copied().collect();
        let regions = wanderer_kills::simulator::catalog::solar_systems()
            .into_iter()
            .filter(|system| known.contains(&system.solar_system_id))
            .map(|system| system.region_id);
        Self {
            newest,
            ids: sample.iter().map(|it| it.killmail_id).collect(),
            characters: characters.collect(),
            groups: of_types.map(|it| it.group_id).collect(),
            regions: regions.collect(),
            systems,
        }
    }

    fn paths(&self) -> [(String, Vec<String>); 4] {
        let mut dice = Dice(StdRng::seed_from_u64(1));
        let mut each = |path: &dyn Fn(&mut Dice) -> String| -> Vec<String> {
            (0..SAMPLE).map(|_| path(&mut dice)).collect()
        };
        let since = (self.newest - TimeDelta::hours(24)).format("%Y-%m-%dT%H:%M:%SZ");
        [
            (
                "system, last 24 h".to_owned(),
                each(&|dice| {
                    format!(
                        "/api/killmails?systems={}&from={since}",
                        dice.any(&self.systems)
                    )
                }),
            ),
            (
                "newest 50 of a character".to_owned(),
                each(&|dice| {
                    format!(
                        "/api/killmails?characters={}&limit=50",
                        dice.any(&self.characters)
                    )
                }),
            ),
            (
                "region, value and ship group".to_owned(),
                each(&|dice| {
                    format!(
                        "/api/killmails?regions={}&ship_groups={}&min_value=100000000&limit=50",
                        dice.any(&self.regions),
                        dice.any(&self.groups)
                    )
                }),
            ),
            (
                "one killmail".to_owned(),
                each(&|dice| format!("/api/killmails/{}", dice.any(&self.ids))),
            ),
        ]
    }
}

/// Rows per second of everything as CSV.
async fn export(address: SocketAddr, report: &mut Report) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let headers = format!(
        "Accept: text/csv\r\nAuthorization: Bearer {}\r\n",
        super::serving::ADMIN_TOKEN
    );
    let started = clock.monotonic();
    let body = http_load::until_end(address, "/api/killmails?limit=all", &headers).await?;
    let took = clock.monotonic().saturating_sub(started).as_secs_f64();
    ensure!(body.is_complete, "the export broke off");
    report.add("CSV export", count(body.lines) / took, "rows/s");
    Ok(())
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
