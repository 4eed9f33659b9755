//! The two known clients of WandererKills, played from what their sources do: Wanderer's `phoenix_gen_socket_client`
//! (V2) and Wanderer Notifier's `WebSockex` module (V1). Frames, references, pings and heartbeats, re-joins, what ends a
//! connection and what is passed over are theirs; every wait is a hundredth of theirs. The libraries themselves need
//! Erlang.

mod notifier;
mod wanderer;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::wanderer as adapter;

const LOBBY: &str = "killmails:lobby";

/// A hundredth of so many seconds.
const fn hundredth(seconds: u64) -> Duration {
    Duration::from_millis(seconds * 10)
}

/// What one client has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How often each killmail came live.
    pub(crate) live: BTreeMap<i64, usize>,
    /// What came with a preload.
    pub(crate) preloaded: BTreeSet<i64>,
    /// What the present join brought, in whichever way.
    this_join: BTreeSet<i64>,
    /// Systems subscribed to after the join: they bring their past, perhaps again.
    taken_again: BTreeSet<i64>,
    /// The last `kill_count_update` of each system.
    pub(crate) counts: BTreeMap<i64, i64>,
    /// Connections that were joined.
    pub(crate) connections: usize,
    /// Joins that were confirmed.
    pub(crate) joins: usize,
    /// How its connections ended: close codes, 0 where there was none.
    pub(crate) ends: BTreeSet<u16>,
    /// What this client can't live with.
    pub(crate) problems: Vec<String>,
}

impl Seen {
    fn joined(&mut self) {
        self.this_join.clear();
        self.taken_again.clear();
        self.joins += 1;
    }

    fn update(&mut self, payload: &Value) {
        let killmails = match adapter::update(payload) {
            Ok(killmails) => killmails,
            Err(problem) => return self.problems.push(problem),
        };
        for killmail in killmails {
            let id = killmail.killmail_id;
            if killmail.solar_system_id != payload["system_id"] {
                self.problems.push(format!("{id} is of another system"));
            }
            let is_preload = payload["preload"] == true;
            let may_repeat = is_preload && self.taken_again.contains(&killmail.solar_system_id);
            if !self.this_join.insert(id) && !may_repeat {
                self.problems.push(format!("{id} came twice in one join"));
            }
            if is_preload {
                self.preloaded.insert(id);
            } else {
                *self.live.entry(id).or_default() += 1;
            }
        }
    }

    fn count(&mut self, payload: &Value) {
        match adapter::count(payload) {
            Ok((system, count)) => drop(self.counts.insert(system, count)),
            Err(problem) => self.problems.push(problem),
        }
    }
}

/// A client at work until it is dropped.
pub(crate) struct ElixirClient {
    pub(crate) kind: &'static str,
    seen: Arc<Mutex<Seen>>,
    systems: watch::Sender<Vec<i64>>,
    task: JoinHandle<()>,
}

impl Drop for ElixirClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ElixirClient {
    /// Wanderer, with these systems on its maps.
    pub(crate) fn wanderer(address: SocketAddr, systems: Vec<i64>) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (sender, receiver) = watch::channel(systems);
        let client = wanderer::Wanderer::new(address, receiver, Arc::clone(&seen));
        Self {
            kind: "Wanderer",
            seen,
            systems: sender,
            task: tokio::task::spawn(client.run()),
        }
    }

    /// Wanderer Notifier, with these systems and characters tracked.
    pub(crate) fn notifier(address: SocketAddr, systems: Vec<i64>, characters: Vec<i64>) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (sender, receiver) = watch::channel(systems);
        let client = notifier::Notifier::new(address, receiver, characters, Arc::clone(&seen));
        Self {
            kind: "Wanderer Notifier",
            seen,
            systems: sender,
            task: tokio::task::spawn(client.run()),
        }
    }

    /// Its user changes what is tracked.
    pub(crate) fn track(&self, systems: Vec<i64>) {
        self.systems.send_replace(systems);
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Waits until it has seen what is wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Seen) -> bool) {
        while !wanted(&self.seen()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Waits until something else than `known` is tracked.
async fn changed(systems: &mut watch::Receiver<Vec<i64>>, known: &[i64]) -> Vec<i64> {
    let changed = systems.wait_for(|systems| systems != known).await;
    match changed.map(|systems| systems.clone()) {
        Ok(systems) => systems,
        Err(_) => std::future::pending().await,
    }
}
