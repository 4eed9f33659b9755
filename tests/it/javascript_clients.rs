//! Clients that others wrote, unmodified, against the real binary: the official Phoenix client and the npm
//! `EventSource`. They stay connected over a restart of the service and miss nothing.

use std::collections::BTreeMap;

use serde_json::json;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use crate::support::following::{all_systems, following, publish, stored};
use crate::support::scripts::{Client, Language};

/// Killmails published before, between and after.
const ROUND: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phoenix_client_survives_a_restart_and_misses_nothing() {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let folder = crate::support::postgres::data_dir();
    let command = following(&simulator, folder.path());
    let service = command.start().await;
    publish(&simulator, ROUND);
    stored(command.listen(), i64::try_from(ROUND).unwrap()).await;
    let systems = all_systems();
    let arguments = [command.listen().to_string(), json!(systems).to_string()];
    let Some(mut client) = Client::start(Language::JavaScript, "phoenix.mjs", &arguments) else {
        return;
    };
    let joined = client.until("joined").await;
    assert_eq!(joined["response"]["status"], "connected");
    assert_eq!(joined["response"]["subscribed_systems"], json!(systems));
    let preloaded = client.until("preload_complete").await;
    assert!(preloaded["total_kills"].as_i64().unwrap() > 0);
    assert_eq!(client.live, BTreeMap::new());

    let mut all = publish(&simulator, ROUND);
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
    all.extend(publish(&simulator, ROUND));
    let service = command.start().await;
    all.extend(publish(&simulator, ROUND));
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
    let Some(mut client) = Client::start(Language::JavaScript, "eventsource.mjs", &[url]) else {
        return;
    };
    client.until("open").await;
    let mut all = publish(&simulator, ROUND);
    client.sees(&all).await;
    service.kill().await;
    all.extend(publish(&simulator, ROUND));
    let service = command.start().await;
    all.extend(publish(&simulator, ROUND));
    client.sees(&all).await;
    client.saw_each_once(&all);
    assert_eq!(service.terminate().await, Some(0));
}
