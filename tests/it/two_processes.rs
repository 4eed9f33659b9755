//! Two services on one database: each serves everything, one ingests, and the other takes over.

use std::collections::BTreeSet;
use std::time::Duration;

use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use crate::support::binary::ServiceCommand;
use crate::support::listeners::Listener;
use crate::support::postgres;

/// The other process has taken over by then.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(10);
/// Killmails published before, between and after.
const PUBLISHED_EACH: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_process_serves_everything_and_the_other_takes_over() {
    let database = postgres::database().await;
    let simulator = Simulator::start(SimulatorConfig {
        seed: 3,
        ..SimulatorConfig::default()
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let command = || {
        ServiceCommand::new(folder.path())
            .env("DATABASE_URL", database.url())
            .env("WK_R2Z2_URL", simulator.r2z2_url())
            .env("WK_R2Z2_START", SimulatorConfig::default().first_sequence)
            .env("WK_ESI_URL", simulator.esi_url())
            .env("WK_R2Z2_INTERVAL_MS", 1)
            .env("WK_R2Z2_IDLE_MS", 20)
    };
    let (first_command, second_command) = (command(), command());
    simulator.publish(PUBLISHED_EACH);
    let first = first_command.start().await;
    let second = second_command.start().await;
    let listeners = [
        Listener::poll(first_command.listen()),
        Listener::websocket(second_command.listen()),
        Listener::sse(second_command.listen()),
    ];
    simulator.publish(PUBLISHED_EACH);
    all_have(&listeners, 2 * PUBLISHED_EACH).await;

    // The first one was up first, so it is the ingester.
    first.kill().await;
    simulator.publish(PUBLISHED_EACH);
    tokio::time::timeout(
        TAKEOVER_LIMIT,
        all_have(&listeners[1..], 3 * PUBLISHED_EACH),
    )
    .await
    .expect("the second process took over");
    let first = first_command.start().await;
    all_have(&listeners, 3 * PUBLISHED_EACH).await;

    let published: BTreeSet<i64> = simulator
        .published()
        .iter()
        .map(|published| published.killmail_id)
        .collect();
    for listener in &listeners {
        let events = listener.events();
        let new: Vec<i64> = events
            .iter()
            .filter(|event| event.1 == "new")
            .map(|event| event.2)
            .collect();
        assert_eq!(new.len(), published.len(), "{}: each once", listener.kind);
        assert_eq!(
            new.into_iter().collect::<BTreeSet<_>>(),
            published,
            "{}",
            listener.kind
        );
        assert!(
            events.is_sorted_by(|left, right| left.0 + 1 == right.0),
            "{}",
            listener.kind
        );
    }
    drop(listeners);
    assert_eq!(first.terminate().await, Some(0));
    assert_eq!(second.terminate().await, Some(0));
    simulator.shutdown().await;
}

async fn all_have(listeners: &[Listener], distinct: usize) {
    for listener in listeners {
        while listener.distinct() < distinct {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
