//! WandererKills' known clients over restart after restart, from the upstream to their own counters. The number is
//! that of the compatibility checks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wanderer_kills::domain::Killmail;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use crate::support::binary::{ServiceCommand, ServiceProcess};
use crate::support::elixir_clients::{ElixirClient, Seen};
use crate::support::following::{all_systems, following, killmails, publish, recorded};
use crate::support::postgres;

/// Systems in which something happens. Between two connections of a client no system sees more than one preload
/// brings.
const SYSTEMS: usize = 40;
/// How often the service ends and starts again.
const RESTARTS: usize = 6;
/// Killmails published while all is well, right before the end, while nobody is there, and right after the start.
const ROUND: [usize; 4] = [10, 4, 10, 6];
/// The whole test ends by then, or fails.
const LIMIT: Duration = Duration::from_mins(4);

/// The pieces of the soak.
struct Soak {
    simulator: Simulator,
    command: ServiceCommand,
    /// Killmails published so far.
    published: Vec<i64>,
    clients: [ElixirClient; 2],
    systems: Vec<i64>,
    recorded: BTreeMap<i64, Killmail>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_32_known_clients_miss_nothing_and_count_right_over_restarts() {
    let soaked = tokio::time::timeout(LIMIT, soak()).await;
    soaked.expect("the test came to its end");
}

async fn soak() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::database().await;
    let systems = all_systems()[..SYSTEMS].to_vec();
    let count = RESTARTS * ROUND.iter().sum::<usize>() + 4 * systems.len();
    let killmails = killmails(32, count, &systems);
    let simulator = Simulator::start(SimulatorConfig {
        recorded: Some(recorded(folder.path(), &killmails)),
        ..SimulatorConfig::default()
    })
    .await
    .unwrap();
    let command = following(&simulator, folder.path()).env("DATABASE_URL", database.url());
    let mut service = command.start().await;
    let address = command.listen();
    let pilot = killmails[0].victim.character_id.into_iter().collect();
    let mut soak = Soak {
        simulator,
        command,
        published: Vec::new(),
        clients: [
            ElixirClient::wanderer(address, systems.clone()),
            ElixirClient::notifier(address, systems.clone(), pilot),
        ],
        systems,
        recorded: killmails
            .into_iter()
            .map(|it| (it.killmail_id, it))
            .collect(),
    };
    soak.all_joined(1).await;
    for restart in 0..RESTARTS {
        service = soak.round(restart, service).await;
    }
    soak.change_what_is_tracked().await;
    assert_eq!(service.terminate().await, Some(0));
    let service = soak.counts_of_a_new_process().await;
    soak.check();
    assert_eq!(service.terminate().await, Some(0));
}

impl Soak {
    fn publish(&mut self, count: usize) {
        self.published.extend(publish(&self.simulator, count));
    }

    /// One life of the service, ended by SIGTERM or SIGKILL while killmails are under way.
    async fn round(&mut self, restart: usize, service: ServiceProcess) -> ServiceProcess {
        let [well, before, away, after] = ROUND;
        self.publish(well);
        self.all_seen().await;
        self.publish(before);
        if restart.is_multiple_of(2) {
            service.kill().await;
        } else {
            assert_eq!(service.terminate().await, Some(0));
        }
        self.publish(away);
        let service = self.command.start().await;
        self.publish(after);
        self.all_seen().await;
        service
    }

    /// Both clients have seen all that was published in systems that they track.
    async fn all_seen(&self) {
        for client in &self.clients {
            client
                .until(|seen| missed(seen, &self.published).is_empty())
                .await;
        }
    }

    async fn all_joined(&self, connections: usize) {
        for client in &self.clients {
            client.until(|seen| seen.connections >= connections).await;
        }
    }

    /// Systems go and come back: by messages of one client, by joins of the other.
    async fn change_what_is_tracked(&mut self) {
        let joins = self.clients[1].seen().joins;
        for (turn, tracked) in [self.systems[1..].to_vec(), self.systems.clone()]
            .into_iter()
            .enumerate()
        {
            for client in &self.clients {
                client.track(tracked.clone());
            }
            self.clients[1]
                .until(|seen| seen.joins > joins + turn)
                .await;
        }
        self.publish(self.systems.len());
        self.all_seen().await;
    }

    /// A process that has told no count yet: the first one of a system tells all of its killmails.
    async fn counts_of_a_new_process(&mut self) -> ServiceProcess {
        let joined = self.clients.each_ref().map(|it| it.seen().connections);
        let service = self.command.start().await;
        for (client, joined) in self.clients.iter().zip(joined) {
            client.until(|seen| seen.connections > joined).await;
            client.seen().counts.clear();
        }
        self.publish(self.systems.len());
        self.all_seen().await;
        let mut expected: BTreeMap<i64, i64> = BTreeMap::new();
        for id in &self.published {
            *expected
                .entry(self.recorded[id].solar_system_id)
                .or_default() += 1;
        }
        for client in &self.clients {
            client
                .until(|seen| seen.counts.len() == expected.len())
                .await;
            assert_eq!(client.seen().counts, expected, "{}", client.kind);
        }
        service
    }

    fn check(&self) {
        let published: BTreeSet<i64> = self.published.iter().copied().collect();
        assert_eq!(published.len(), self.published.len());
        for client in &self.clients {
            let (kind, seen) = (client.kind, client.seen());
            assert_eq!(seen.problems, Vec::<String>::new(), "{kind}");
            let twice: Vec<_> = seen.live.iter().filter(|(_, times)| **times > 1).collect();
            assert!(twice.is_empty(), "{kind} saw these live again: {twice:?}");
            let all: BTreeSet<i64> = seen.live.keys().chain(&seen.preloaded).copied().collect();
            assert_eq!(all, published, "{kind}");
            assert!(!seen.preloaded.is_empty(), "{kind} had a gap to close");
            assert_eq!(seen.connections, RESTARTS + 2, "{kind}");
            assert!(seen.ends.contains(&1012), "{kind}: {:?}", seen.ends);
        }
    }
}

fn missed(seen: &Seen, published: &[i64]) -> BTreeSet<i64> {
    let missed = published
        .iter()
        .filter(|id| !seen.live.contains_key(id) && !seen.preloaded.contains(id));
    missed.copied().collect()
}
