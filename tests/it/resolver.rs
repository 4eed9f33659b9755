//! What ids mean, asked of ESI: once, packed, remembered; and never for longer than a killmail may wait.

use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};
use wanderer_kills::domain::names::{Subject, Wanted};
use wanderer_kills::domain::{EntityKey, EntityKind};
use wanderer_kills::ingest::resolver::{Questions, Resolved, Resolver, Urgency};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};
use wanderer_kills::store::{Store, migrate};
use wanderer_kills::upstream::esi::EsiClient;
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};

use crate::support::postgres::{TestDatabase, database, execute};

const PILOT: i64 = 2_120_000_000;
const UNKNOWN: i64 = 2_129_000_000;
const PATIENCE: Duration = Duration::from_secs(30);

struct Scene {
    simulator: Simulator,
    database: TestDatabase,
    store: Store,
}

async fn scene() -> Scene {
    let database = database().await;
    migrate::run(database.url()).await.unwrap();
    let store = Store::connect(database.url(), &DatabaseConfig::default())
        .await
        .unwrap();
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    Scene {
        simulator,
        database,
        store,
    }
}

impl Scene {
    /// A process with nothing in memory.
    #[expect(clippy::disallowed_methods, reason = "the guard ends this task")]
    fn resolver(&self) -> (Resolver, DropGuard) {
        let clock = SystemClock::shared();
        let http = HttpClient::new(&HttpSettings::default(), clock.clone()).unwrap();
        let esi = EsiClient::new(http, self.simulator.esi_url());
        let token = CancellationToken::new();
        let (resolver, worker) = Resolver::with_esi(self.store.clone(), clock, esi, token.clone());
        tokio::spawn(worker);
        (resolver, token.drop_guard())
    }

    fn requests(&self) -> usize {
        self.simulator.request_count("/esi/")
    }
}

fn entity(kind: EntityKind, id: i64) -> Subject {
    Subject::Entity(EntityKey { kind, id })
}

fn pilot(id: i64) -> Subject {
    entity(EntityKind::Character, id)
}

async fn ask(resolver: &Resolver, subjects: &[Subject], wait: Duration) -> Resolved {
    let wanted: Wanted = subjects.iter().copied().collect();
    let mut known = resolver.known(&wanted).await.unwrap();
    let questions = Questions {
        foremost: Wanted::default(),
        rest: wanted,
        urgency: Urgency::Live,
    };
    resolver.ask(&mut known, questions, wait).await;
    known
}

#[tokio::test]
async fn all_is_learnt_once_and_known_after_a_restart() {
    let scene = scene().await;
    let subjects = [
        pilot(PILOT),
        entity(EntityKind::Corporation, 98_700_001),
        entity(EntityKind::Alliance, 99_020_001),
        Subject::ShipType(670),
        Subject::SolarSystem(30_000_142),
    ];
    let (resolver, _guard) = scene.resolver();
    let known = ask(&resolver, &subjects, PATIENCE).await;
    for subject in subjects {
        assert!(known.enrichment.knows(subject), "{subject:?}");
    }
    assert_eq!(scene.simulator.request_count("/esi/universe/names"), 1);
    let asked = scene.requests();
    let (restarted, _guard) = scene.resolver();
    let known = ask(&restarted, &subjects, PATIENCE).await;
    assert!(subjects.iter().all(|it| known.enrichment.knows(*it)));
    assert_eq!(scene.requests(), asked);
}

#[tokio::test]
async fn poison_costs_its_search_once() {
    let scene = scene().await;
    let mut subjects: Vec<Subject> = (PILOT..PILOT + 20).map(pilot).collect();
    subjects.push(pilot(UNKNOWN));
    let (resolver, _guard) = scene.resolver();
    let known = ask(&resolver, &subjects, PATIENCE).await;
    let (poison, good) = subjects.split_last().unwrap();
    assert!(good.iter().all(|it| known.enrichment.knows(*it)));
    assert!(!known.enrichment.knows(*poison));
    let asked = scene.requests();
    ask(&resolver, &subjects, PATIENCE).await;
    let (restarted, _guard) = scene.resolver();
    let known = ask(&restarted, &subjects, PATIENCE).await;
    assert!(known.resting.contains(poison));
    assert_eq!(scene.requests(), asked);
}

#[tokio::test]
async fn what_is_given_up_or_impossible_is_not_asked() {
    let scene = scene().await;
    execute(
        scene.database.url(),
        "INSERT INTO unresolved_ids (kind, id, reason) VALUES ('character', 2129000000, 'gone')",
    )
    .await
    .unwrap();
    let subjects = [pilot(UNKNOWN), pilot(0), pilot(-5)];
    let (resolver, _guard) = scene.resolver();
    let known = ask(&resolver, &subjects, PATIENCE).await;
    assert!(subjects.iter().all(|it| known.given_up.contains(it)));
    assert_eq!(scene.requests(), 0);
}

#[tokio::test]
async fn two_who_ask_share_a_request() {
    let scene = scene().await;
    let (resolver, _guard) = scene.resolver();
    let other = resolver.clone();
    let subjects = [pilot(PILOT), pilot(PILOT + 1)];
    let (one, two) = tokio::join!(
        ask(&resolver, &subjects, PATIENCE),
        ask(&other, &subjects, PATIENCE)
    );
    for known in [one, two] {
        assert!(subjects.iter().all(|it| known.enrichment.knows(*it)));
    }
    assert_eq!(scene.requests(), 1);
}
