//! Clients that others wrote, unmodified, against the real binary: the official Phoenix client and the npm
//! `EventSource`. They stay connected over a restart of the service and miss nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use wanderer_kills::simulator::{Simulator, SimulatorConfig, catalog};

use crate::support::binary::ServiceCommand;
use crate::support::http::KeepAlive;

const PATIENCE: Duration = Duration::from_mins(1);
/// Killmails published before, between and after.
const ROUND: usize = 20;

/// A script of `tests/clients` at work.
struct Client {
    lines: Lines<BufReader<ChildStdout>>,
    input: ChildStdin,
    /// How often each killmail was seen live.
    live: BTreeMap<i64, usize>,
    _process: Child,
}

impl Client {
    /// `None`, with the reason printed, where Node.js or its packages are not there.
    fn start(script: &str, arguments: &[String]) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        if !folder.join("node_modules").is_dir() {
            println!("skipped: `npm ci --prefix tests/clients` has not been run");
            return None;
        }
        let started = Command::new("node")
            .arg(folder.join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                println!("skipped: node can't be started: {error}");
                return None;
            }
        };
        Some(Self {
            lines: BufReader::new(process.stdout.take().unwrap()).lines(),
            input: process.stdin.take().unwrap(),
            live: BTreeMap::new(),
            _process: process,
        })
    }

    /// What it says next; live killmails are counted on the way.
    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("the client goes on").unwrap();
        let said: Value = serde_json::from_str(&line.expect("the client is there")).unwrap();
        if said["type"] == "killmail_update" && said["preload"] == false {
            for id in said["killmails"].as_array().unwrap() {
                *self.live.entry(id.as_i64().unwrap()).or_default() += 1;
            }
        }
        if said["type"] == "killmail" {
            let id = said["data"]["killmail"]["killmail_id"].as_i64().unwrap();
            *self.live.entry(id).or_default() += 1;
        }
        said
    }

    /// Reads on until it says something of this type.
    async fn until(&mut self, kind: &str) -> Value {
        loop {
            let said = self.next().await;
            if said["type"] == kind {
                return said;
            }
        }
    }

    /// Reads on until all of `ids` came live.
    async fn sees(&mut self, ids: &[i64]) {
        while !ids.iter().all(|id| self.live.contains_key(id)) {
            self.next().await;
        }
    }

    async fn push(&mut self, event: &str, payload: Value) -> Value {
        let line = format!("{}\n", json!({"push": event, "payload": payload}));
        self.input.write_all(line.as_bytes()).await.unwrap();
        self.until("reply").await["response"].take()
    }

    fn saw_each_once(&self, ids: &[i64]) {
        for id in ids {
            assert_eq!(self.live.get(id), Some(&1), "killmail {id}");
        }
    }
}

fn publish(simulator: &Simulator) -> Vec<i64> {
    let published = simulator.publish(ROUND);
    published.iter().map(|kill| kill.killmail_id).collect()
}

/// A service that follows the simulator.
fn following(simulator: &Simulator, folder: &Path) -> ServiceCommand {
    ServiceCommand::new(folder)
        .env("WK_R2Z2_URL", simulator.r2z2_url())
        .env("WK_R2Z2_START", SimulatorConfig::default().first_sequence)
        .env("WK_R2Z2_INTERVAL_MS", 1)
        .env("WK_R2Z2_IDLE_MS", 20)
        .env("WK_ESI_URL", simulator.esi_url())
        .env("WK_ESI_INTERVAL_MS", 1)
        .env("WK_FEED_POLL_MS", 50)
}

/// Waits until so many events stand in the feed.
async fn stored(address: SocketAddr, events: i64) {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phoenix_client_survives_a_restart_and_misses_nothing() {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let folder = crate::support::postgres::data_dir();
    let command = following(&simulator, folder.path());
    let service = command.start().await;
    publish(&simulator);
    stored(command.listen(), i64::try_from(ROUND).unwrap()).await;
    let systems: Vec<i64> = catalog::solar_systems()
        .iter()
        .map(|system| system.solar_system_id)
        .collect();
    let arguments = [command.listen().to_string(), json!(systems).to_string()];
    let Some(mut client) = Client::start("phoenix.mjs", &arguments) else {
        return;
    };
    let joined = client.until("joined").await;
    assert_eq!(joined["response"]["status"], "connected");
    assert_eq!(joined["response"]["subscribed_systems"], json!(systems));
    let preloaded = client.until("preload_complete").await;
    assert!(preloaded["total_kills"].as_i64().unwrap() > 0);
    assert_eq!(client.live, BTreeMap::new());

    let mut all = publish(&simulator);
    client.sees(&all).await;

    let first = systems[0];
    let reply = client
        .push("unsubscribe_systems", json!({"systems": [first]}))
        .await;
    assert_eq!(reply["subscribed_systems"], json!(systems[1..]));
    let reply = client
        .push("subscribe_systems", json!({"systems": [first]}))
        .await;
    assert_eq!(
        reply["subscribed_systems"].as_array().unwrap().len(),
        systems.len()
    );

    service.kill().await;
    all.extend(publish(&simulator));
    let service = command.start().await;
    all.extend(publish(&simulator));
    client.sees(&all).await;
    client.saw_each_once(&all);
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_source_resumes_over_a_restart_without_a_gap() {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let folder = crate::support::postgres::data_dir();
    let command = following(&simulator, folder.path());
    let service = command.start().await;
    let url = format!("http://{}/api/killfeed/stream?after=0", command.listen());
    let Some(mut client) = Client::start("eventsource.mjs", &[url]) else {
        return;
    };
    client.until("open").await;
    let mut all = publish(&simulator);
    client.sees(&all).await;
    service.kill().await;
    all.extend(publish(&simulator));
    let service = command.start().await;
    all.extend(publish(&simulator));
    client.sees(&all).await;
    client.saw_each_once(&all);
    assert_eq!(service.terminate().await, Some(0));
}
