//! The service is killed again and again, its database too, and nothing is lost, doubled or asked for twice.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sqlx::{Connection as _, PgConnection};
use wanderer_kills::simulator::{FaultPlan, Simulator, SimulatorConfig};

use crate::support::binary::{ServiceCommand, ServiceProcess};
use crate::support::listeners::Listener;

/// How often the service is killed.
const SERVICE_KILLS: usize = 20;
/// How often its database is killed.
const DATABASE_KILLS: usize = 3;
/// Killmails that have to arrive between two kills, at most.
const MOST_BETWEEN_KILLS: usize = 40;
/// Share of requests that meet a fault.
const FAULT_SHARE: f64 = 0.05;
/// The whole test ends by then, or fails.
const LIMIT: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_loses_nothing_and_repeats_nothing() {
    tokio::time::timeout(LIMIT, kill_again_and_again())
        .await
        .expect("the test came to its end");
}

/// A moment in which the service is dead.
struct Kill {
    /// Requests that the upstream had got by then.
    requests: usize,
    /// Killmails that some listener had seen by then.
    seen: BTreeSet<i64>,
}

impl Kill {
    fn now(simulator: &Simulator, listeners: &[Listener]) -> Self {
        Self {
            requests: simulator.requests().len(),
            seen: listeners
                .iter()
                .flat_map(Listener::events)
                .map(|event| event.2)
                .collect(),
        }
    }
}

async fn kill_again_and_again() {
    let folder = tempfile::Builder::new()
        .prefix("wk-restart")
        .tempdir()
        .unwrap();
    make_reachable(folder.path());
    let simulator = Simulator::start(SimulatorConfig {
        seed: 7,
        ..SimulatorConfig::default()
    })
    .await
    .unwrap();
    simulator.set_fault_plan(Some(FaultPlan::random(7, FAULT_SHARE)));
    let command = ServiceCommand::new(&folder.path().join("data"))
        .env("WK_R2Z2_URL", simulator.r2z2_url())
        .env("WK_R2Z2_START", SimulatorConfig::default().first_sequence)
        .env("WK_ESI_URL", simulator.esi_url())
        .env("WK_R2Z2_INTERVAL_MS", 1)
        .env("WK_R2Z2_IDLE_MS", 20);
    simulator.publish(30);
    let mut service = command.start().await;
    let listeners = [
        Listener::poll(command.listen()),
        Listener::sse(command.listen()),
        Listener::websocket(command.listen()),
    ];

    let mut random = StdRng::seed_from_u64(11);
    let mut cursors = Vec::new();
    let mut database_kills = 0;
    let mut kills = Vec::new();
    for kill in 0..SERVICE_KILLS {
        let fresh = random.random_range(1..=MOST_BETWEEN_KILLS);
        let target = listeners[0].distinct() + random.random_range(0..=fresh);
        simulator.publish(fresh);
        wait_for(&listeners[0], target).await;
        if kill % 7 == 3 && database_kills < DATABASE_KILLS {
            database_kills += 1;
            kill_database(&folder.path().join("data"));
            simulator.publish(5);
            wait_for(&listeners[0], target + 5).await;
        }
        service.kill().await;
        kills.push(Kill::now(&simulator, &listeners));
        service = command.start().await;
        cursors.push(stored_cursor(&folder.path().join("data")).await);
    }
    assert_eq!(database_kills, DATABASE_KILLS);

    let published: BTreeSet<i64> = simulator
        .published()
        .iter()
        .map(|published| published.killmail_id)
        .collect();
    for listener in &listeners {
        wait_for(listener, published.len()).await;
    }
    check_storage(&folder.path().join("data"), &published).await;
    check_listeners(&listeners, &published);
    assert!(cursors.is_sorted(), "a cursor went back: {cursors:?}");
    check_requests(&simulator, &kills);
    end(service, simulator).await;
}

/// The embedded server runs as another user when the test is root's: it has to get through the folder.
fn make_reachable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

async fn wait_for(listener: &Listener, distinct: usize) {
    while listener.distinct() < distinct {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn kill_database(data_dir: &Path) {
    let pid_file = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid")).unwrap();
    let pid: i32 = pid_file.lines().next().unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
}

async fn connect(data_dir: &Path) -> PgConnection {
    let socket = data_dir.join("run");
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .username("wanderer_kills")
        .database("wanderer_kills");
    PgConnection::connect_with(&options).await.unwrap()
}

async fn stored_cursor(data_dir: &Path) -> i64 {
    let mut connection = connect(data_dir).await;
    sqlx::query_scalar("select position from source_cursors where source = 'r2z2'")
        .fetch_optional(&mut connection)
        .await
        .unwrap()
        .unwrap_or(0)
}

async fn check_storage(data_dir: &Path, published: &BTreeSet<i64>) {
    let mut connection = connect(data_dir).await;
    let stored: Vec<i64> = sqlx::query_scalar("select killmail_id from killmails order by 1")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let stored_once: BTreeSet<i64> = stored.iter().copied().collect();
    assert_eq!(
        stored.len(),
        stored_once.len(),
        "a killmail is stored twice"
    );
    assert_eq!(&stored_once, published, "stored is what was published");
}

fn check_listeners(listeners: &[Listener], published: &BTreeSet<i64>) {
    for listener in listeners {
        let events = listener.events();
        let kind = listener.kind;
        assert!(
            listener.connections() > SERVICE_KILLS / 2,
            "{kind} lived through the kills"
        );
        let mut last = 0;
        let mut times_new: HashMap<i64, usize> = HashMap::new();
        for (sequence, change, killmail_id) in &events {
            assert_eq!(
                *sequence,
                last + 1,
                "{kind}: events come in order, each once"
            );
            last = *sequence;
            if change == "new" {
                *times_new.entry(*killmail_id).or_default() += 1;
            }
        }
        let seen: BTreeSet<i64> = times_new.keys().copied().collect();
        assert_eq!(&seen, published, "{kind} saw every killmail");
        assert!(
            times_new.values().all(|times| *times == 1),
            "{kind} saw a killmail as new twice"
        );
    }
}

/// What anyone had seen before a kill was stored, and is not asked for after it. One request may be: while the next
/// number stays missing, the last one is looked at again, because its place may have been given to another killmail.
fn check_requests(simulator: &Simulator, kills: &[Kill]) {
    let killmail_of: HashMap<i64, i64> = simulator
        .published()
        .iter()
        .map(|published| (published.sequence, published.killmail_id))
        .collect();
    let asked: Vec<Option<i64>> = simulator
        .requests()
        .iter()
        .map(|request| number_in(&request.path))
        .collect();
    for kill in kills {
        let mut since_then = HashSet::new();
        for number in asked[kill.requests..].iter().flatten() {
            since_then.insert(*number);
            let seen = killmail_of
                .get(number)
                .is_some_and(|killmail_id| kill.seen.contains(killmail_id));
            assert!(
                !seen || since_then.contains(&(number + 1)),
                "{number} was stored, and is asked for again before what comes next"
            );
        }
    }
    let answered = asked.iter().flatten().collect::<HashSet<_>>();
    assert!(
        killmail_of.keys().all(|number| answered.contains(number)),
        "the numbers are those of the documents"
    );
}

fn number_in(path: &str) -> Option<i64> {
    path.strip_prefix("/r2z2/ephemeral/")?
        .strip_suffix(".json")?
        .parse()
        .ok()
}

async fn end(service: ServiceProcess, simulator: Simulator) {
    assert_eq!(
        service.terminate().await,
        Some(0),
        "a clean end after SIGTERM"
    );
    simulator.shutdown().await;
}
