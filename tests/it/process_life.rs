//! The real program: how it starts, ends, is killed, and shares a database with others of its kind.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use crate::support::binary::ServiceCommand;
use crate::support::blockade::Blockade;
use crate::support::listeners::Listener;
use crate::support::postgres::{TestDatabase, data_dir, database, text};

/// Nothing here waits for real, except for programs to start and to end.
const TOO_LONG: Duration = Duration::from_secs(90);

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(TOO_LONG, work)
        .await
        .unwrap_or_else(|_| panic!("{what} takes too long"))
}

async fn simulator() -> Simulator {
    Simulator::start(SimulatorConfig {
        seed: 23,
        ..SimulatorConfig::default()
    })
    .await
    .unwrap()
}

/// A service that follows the simulator as fast as it can.
fn service(folder: &Path, simulator: &Simulator) -> ServiceCommand {
    ServiceCommand::new(folder)
        .env("WK_R2Z2_URL", simulator.r2z2_url())
        .env("WK_R2Z2_START", SimulatorConfig::default().first_sequence)
        .env("WK_ESI_URL", simulator.esi_url())
        .env("WK_R2Z2_INTERVAL_MS", 1)
        .env("WK_R2Z2_IDLE_MS", 20)
}

async fn has(listener: &Listener, distinct: usize) {
    within(listener.kind, async {
        while listener.distinct() < distinct {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// Everything that was published is there once, in order.
fn saw_everything_once(listener: &Listener, simulator: &Simulator) {
    let published = simulator.published();
    let published: BTreeSet<i64> = published.iter().map(|kill| kill.killmail_id).collect();
    let events = listener.events();
    assert!(
        events.is_sorted_by(|left, right| left.0 + 1 == right.0),
        "{}: in order, each once",
        listener.kind
    );
    let new: Vec<i64> = (events.iter())
        .filter(|event| event.1 == "new")
        .map(|event| event.2)
        .collect();
    assert_eq!(new.len(), published.len());
    assert_eq!(new.into_iter().collect::<BTreeSet<_>>(), published);
}

async fn stored(database: &TestDatabase) -> i64 {
    let count = "SELECT count(*)::text FROM killmails";
    text(database.url(), count).await.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_a_busy_stream_drains_and_loses_nothing() {
    let (database, simulator) = (database().await, simulator().await);
    let folder = tempfile::tempdir().unwrap();
    let command = service(folder.path(), &simulator).env("DATABASE_URL", database.url());
    simulator.publish(600);
    let mut running = command.start().await;
    let listener = Listener::poll(command.listen());
    for target in [50, 150, 300] {
        has(&listener, target).await;
        assert_eq!(within("the drain", running.terminate()).await, Some(0));
        running = command.start().await;
    }
    has(&listener, 600).await;
    assert_eq!(within("the drain", running.terminate()).await, Some(0));
    saw_everything_once(&listener, &simulator);
    assert_eq!(stored(&database).await, 600);
    let asked = simulator.request_count("/r2z2/ephemeral/9");
    assert!(asked < 1_000, "little is asked for twice: {asked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_fetch_and_commit_it_fetches_again() {
    let (database, simulator) = (database().await, simulator().await);
    let folder = tempfile::tempdir().unwrap();
    let command = service(folder.path(), &simulator).env("DATABASE_URL", database.url());
    let running = command.start().await;
    let blockade = Blockade::of(&database, "killmails").await;
    simulator.publish(40);
    blockade.holds().await;
    running.kill().await;
    blockade.end().await;
    assert_eq!(stored(&database).await, 0);
    let running = command.start().await;
    let listener = Listener::websocket(command.listen());
    has(&listener, 40).await;
    saw_everything_once(&listener, &simulator);
    assert_eq!(running.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once() {
    let (database, simulator) = (database().await, simulator().await);
    let folder = tempfile::tempdir().unwrap();
    let command = service(folder.path(), &simulator).env("DATABASE_URL", database.url());
    let running = command.start().await;
    let blockade = Blockade::of(&database, "killmails").await;
    simulator.publish(40);
    blockade.holds().await;
    running.ask_to_stop();
    // The drain has begun when nobody is let in any more; the blockade keeps it from ending.
    within("the listener's end", async {
        while tokio::net::TcpStream::connect(command.listen())
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(
        within("the end", running.terminate()).await,
        Some(1),
        "ended while it could not drain"
    );
    blockade.end().await;
}

/// A file of killmails as ESI has them, one a line.
fn file_of(folder: &Path, ids: std::ops::Range<i64>) -> String {
    let path = folder.join(format!("{}.jsonl", ids.start));
    let mut file = std::fs::File::create(&path).unwrap();
    for id in ids {
        let killmail = json!({
            "killmail_id": id,
            "killmail_time": "2026-06-01T12:00:00Z",
            "solar_system_id": 30_000_142,
            "victim": { "ship_type_id": 587, "damage_taken": 1, "corporation_id": 98_000_001 },
            "attackers": [{ "damage_done": 1, "final_blow": true, "security_status": 0.5 }],
        });
        writeln!(file, "{killmail}").unwrap();
    }
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_works_beside_the_service_that_owns_the_database() {
    let simulator = simulator().await;
    let (folder, files) = (data_dir(), tempfile::tempdir().unwrap());
    let command = service(&folder.path().join("data"), &simulator);
    simulator.publish(20);
    let running = command.start().await;
    let listener = Listener::sse(command.listen());
    has(&listener, 20).await;

    let quiet = file_of(files.path(), 1_000..1_300);
    let output = command.run(&["import", &quiet]).await;
    assert!(output.status.success(), "{output:?}");
    let loud = file_of(files.path(), 2_000..2_300);
    let output = command.run(&["import", "--announce", &loud]).await;
    assert!(output.status.success(), "{output:?}");
    // The same again is nothing new.
    let output = command.run(&["import", "--announce", &loud]).await;
    assert!(output.status.success(), "{output:?}");
    has(&listener, 320).await;
    simulator.publish(20);
    has(&listener, 340).await;

    let events = listener.events();
    assert_eq!(events.len(), 340, "each once");
    assert!(
        events
            .iter()
            .all(|event| !(1_000..1_300).contains(&event.2))
    );
    let path = "/api/killmails/1299";
    let answer = crate::support::http::get(command.listen(), path)
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert_eq!(running.terminate().await, Some(0));
}

#[tokio::test]
async fn without_a_contact_it_asks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(&folder.path().join("data"));
    let output = command.run(&["serve"]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(said.contains("WK_CONTACT is missing"), "{said}");
    assert!(!folder.path().join("data").exists(), "nothing was started");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_services_on_one_folder_take_the_database_over_from_each_other() {
    let simulator = simulator().await;
    let folder = data_dir();
    let first_command = service(&folder.path().join("data"), &simulator);
    let second_command = service(&folder.path().join("data"), &simulator);
    simulator.publish(20);
    let first = first_command.start().await;
    let second = second_command.start().await;
    let listeners = [
        Listener::websocket(second_command.listen()),
        Listener::poll(first_command.listen()),
    ];
    has(&listeners[0], 20).await;

    // A third one on a port that is taken says so, and harms nobody.
    let third = second_command.spawn();
    assert_eq!(within("the refusal", third.ended()).await, Some(1));

    // The first one started PostgreSQL. It goes in order.
    assert_eq!(within("the drain", first.terminate()).await, Some(0));
    simulator.publish(20);
    has(&listeners[0], 40).await;
    let first = first_command.start().await;
    has(&listeners[1], 40).await;

    // Now the second one has it. It goes without a word.
    second.kill().await;
    simulator.publish(20);
    has(&listeners[1], 60).await;
    let second = second_command.start().await;
    has(&listeners[0], 60).await;
    for listener in &listeners {
        saw_everything_once(listener, &simulator);
    }
    assert_eq!(within("the drain", second.terminate()).await, Some(0));
    assert_eq!(within("the drain", first.terminate()).await, Some(0));
}
