//! The real binary as it follows a simulator.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use wanderer_kills::domain::{Killmail, wire};
use wanderer_kills::simulator::{
    FIRST_KILLMAIL_ID, Generator, Habits, Simulator, SimulatorConfig, catalog,
};

use super::binary::ServiceCommand;
use super::http::KeepAlive;

const PATIENCE: Duration = Duration::from_mins(1);

/// A service that follows the simulator, quickly.
pub(crate) fn following(simulator: &Simulator, folder: &Path) -> ServiceCommand {
    ServiceCommand::new(folder)
        .env("WK_R2Z2_URL", simulator.r2z2_url())
        .env("WK_R2Z2_START", SimulatorConfig::default().first_sequence)
        .env("WK_R2Z2_INTERVAL_MS", 1)
        .env("WK_R2Z2_IDLE_MS", 20)
        .env("WK_ESI_URL", simulator.esi_url())
        .env("WK_ESI_INTERVAL_MS", 1)
        .env("WK_FEED_POLL_MS", 50)
}

/// Publishes so many killmails; their ids.
pub(crate) fn publish(simulator: &Simulator, count: usize) -> Vec<i64> {
    let published = simulator.publish(count);
    published.iter().map(|kill| kill.killmail_id).collect()
}

/// Killmails of every kind, one system after the other, a second apart, the first half an hour ago.
pub(crate) fn killmails(seed: u64, count: usize, systems: &[i64]) -> Vec<Killmail> {
    let mut generator = Generator::with(seed, FIRST_KILLMAIL_ID, Habits::NONE);
    let begin = Utc::now() - TimeDelta::minutes(30);
    (0..count)
        .zip(systems.iter().cycle())
        .map(|(number, system)| {
            let time = begin + TimeDelta::seconds(i64::try_from(number).unwrap());
            Killmail {
                solar_system_id: *system,
                ..generator.at(time)
            }
        })
        .collect()
}

/// A file of these killmails in a folder, for a simulator to play.
pub(crate) fn recorded(folder: &Path, killmails: &[Killmail]) -> PathBuf {
    let lines = killmails.iter().map(|killmail| {
        let document = json!({
            "killmail_id": killmail.killmail_id,
            "hash": killmail.hash,
            "esi": wire::EsiBody(killmail),
            "zkb": wire::ZkbBlock(killmail),
        });
        format!("{document}\n")
    });
    let path = folder.join("killmails.jsonl");
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    path
}

/// Every system in which the simulator's killmails happen.
pub(crate) fn all_systems() -> Vec<i64> {
    catalog::solar_systems()
        .iter()
        .map(|system| system.solar_system_id)
        .collect()
}

/// Waits until so many events stand in the feed.
pub(crate) async fn stored(address: SocketAddr, events: i64) {
    let mut connection = KeepAlive::open(address).await;
    let all = async {
        while connection.get("/api/killfeed?limit=1000").await.json()["cursor"]
            .as_i64()
            .is_none_or(|cursor| cursor < events)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
}
