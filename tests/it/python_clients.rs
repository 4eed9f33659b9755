//! A Phoenix client of Python that others wrote, against the real binary and over a restart.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use crate::support::following::{all_systems, following, publish, stored};
use crate::support::scripts::{Client, Language};

/// Killmails published before, between and after.
const ROUND: usize = 20;

#[rstest]
#[case("1.0")]
#[case("2.0")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phoenix_client_of_python_survives_a_restart_and_misses_nothing(#[case] version: &str) {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let database = crate::support::postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let command = following(&simulator, folder.path()).env("DATABASE_URL", database.url());
    let service = command.start().await;
    publish(&simulator, ROUND);
    stored(command.listen(), i64::try_from(ROUND).unwrap()).await;
    let systems = all_systems();
    let arguments = [
        command.listen().to_string(),
        json!(systems).to_string(),
        version.to_owned(),
    ];
    let Some(mut client) = Client::start(Language::Python, "phoenix_channels.py", &arguments)
    else {
        return;
    };
    client.until("joined").await;
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
    let back = reply["subscribed_systems"].as_array().unwrap();
    assert_eq!(
        (back.len(), back.last()),
        (systems.len(), Some(&json!(first)))
    );

    service.kill().await;
    client.until("close").await;
    all.extend(publish(&simulator, ROUND));
    let service = command.start().await;
    client.until("open").await;
    all.extend(publish(&simulator, ROUND));
    client.sees(&all).await;
    client.saw_each_once(&all);
    assert_eq!(service.terminate().await, Some(0));
}
