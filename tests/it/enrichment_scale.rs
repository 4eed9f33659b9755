//! Ten thousand killmails with sixty thousand pilots that nobody has seen before, through ESI's budgets.

use wanderer_kills::domain::{Attacker, Killmail, Victim};
use wanderer_kills::ingest::Outcome;
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::runtime::config::IngestConfig;
use wanderer_kills::simulator::{Simulator, SimulatorConfig, catalog};
use wanderer_kills::store::document::Document;
use wanderer_kills::store::killmails::Change;

use crate::support::enriching::{Enriching, Tables};

const KILLMAILS: i64 = 10_000;
/// Victim and attackers.
const PARTICIPANTS: i64 = 6;
const CORPORATIONS: i64 = 600;
const ALLIANCES: i64 = 60;
const FIRST_KILLMAIL: i64 = 150_000_000;
/// Where the simulator's endless populations begin.
const FIRST_PILOT: i64 = 2_120_000_000;
const FIRST_CORPORATION: i64 = 98_700_000;
const FIRST_ALLIANCE: i64 = 99_020_000;
const FIRST_UNKNOWN: i64 = 2_129_000_000;
/// Killmails, from the first on, whose victim nobody knows: each poisons a batch of names.
const UNKNOWN: i64 = 3;
/// Most requests that finding one bad id among 1,000 takes: the whole, 10 halvings, the id alone, the remainder.
const REQUESTS_PER_BAD_ID: usize = 13;

struct Cast {
    ships: Vec<i64>,
    systems: Vec<i64>,
}

impl Cast {
    fn killmail(&self, number: i64) -> Killmail {
        let pick = |list: &[i64], index: i64| {
            let index = usize::try_from(index).unwrap();
            list[index % list.len()]
        };
        let pilot = |position: i64| FIRST_PILOT + number * PARTICIPANTS + position;
        let corporation = |position: i64| FIRST_CORPORATION + (number + position) % CORPORATIONS;
        let alliance = |position: i64| FIRST_ALLIANCE + (number + position) % ALLIANCES;
        let attacker = |position: i64| Attacker {
            character_id: Some(pilot(position)),
            corporation_id: Some(corporation(position)),
            alliance_id: Some(alliance(position)),
            ship_type_id: Some(pick(&self.ships, number + position)),
            damage_done: 100,
            final_blow: position == 1,
            ..Attacker::default()
        };
        let victim = if number < UNKNOWN {
            FIRST_UNKNOWN + number
        } else {
            pilot(0)
        };
        Killmail {
            killmail_id: FIRST_KILLMAIL + number,
            hash: None,
            killmail_time: SystemClock::shared().now(),
            solar_system_id: pick(&self.systems, number),
            moon_id: None,
            war_id: None,
            victim: Victim {
                character_id: Some(victim),
                corporation_id: Some(corporation(0)),
                alliance_id: Some(alliance(0)),
                ship_type_id: Some(pick(&self.ships, number)),
                damage_taken: 500,
                ..Victim::default()
            },
            attackers: (1..PARTICIPANTS).map(attacker).collect(),
            zkb: None,
        }
    }
}

/// Hands all in and waits for their commits. Returns how many were new.
async fn ingest(service: &Enriching, killmails: &[Killmail]) -> usize {
    let mut outcomes = Vec::with_capacity(killmails.len());
    for killmail in killmails {
        outcomes.push(service.send(killmail.clone()).await);
    }
    let mut new = 0;
    for outcome in outcomes {
        if let Outcome::Stored { change, .. } = outcome.await.unwrap() {
            new += usize::from(change == Change::New);
        }
    }
    new
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_thousand_pilots_take_packed_requests_and_none_after_a_restart() {
    let tables = Tables::new().await;
    let clock = SystemClock::shared();
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let cast = Cast {
        ships: catalog::ship_types()
            .iter()
            .filter(|ship| ship.is_ship())
            .map(|ship| ship.type_id)
            .collect(),
        systems: catalog::solar_systems()
            .iter()
            .map(|system| system.solar_system_id)
            .collect(),
    };
    let killmails: Vec<Killmail> = (0..KILLMAILS).map(|number| cast.killmail(number)).collect();
    // The bound on a killmail's wait is for slow servers; a loaded test machine is one.
    let config = || IngestConfig {
        enrich_wait_ms: 60_000,
        ..IngestConfig::default()
    };

    let service = Enriching::start(&tables, &simulator, &clock, config());
    assert_eq!(ingest(&service, &killmails).await, killmails.len());
    drop(service);

    let pending = "SELECT count(*) FROM killmails WHERE pending_names";
    assert_eq!(tables.count(pending).await, UNKNOWN);
    let named = sqlx::query_scalar::<_, Document>(
        "SELECT packed_document FROM killmails WHERE killmail_id >= $1",
    )
    .bind(FIRST_KILLMAIL + UNKNOWN)
    .fetch_all(&tables.store.pool)
    .await
    .unwrap();
    for Document(document) in named {
        for name in [
            r#""character_name":"Pilot "#,
            r#""corporation_ticker":"#,
            r#""alliance_ticker":"#,
            r#""ship_name":"#,
        ] {
            assert!(document.contains(name), "no {name} in {document}");
        }
    }

    let requests = simulator.request_count("/esi/universe/names");
    let distinct = KILLMAILS * PARTICIPANTS + CORPORATIONS + ALLIANCES;
    let packed = usize::try_from(distinct * 12).unwrap().div_ceil(10 * 1000);
    let bisections = usize::try_from(UNKNOWN).unwrap() * REQUESTS_PER_BAD_ID;
    let all = simulator.request_count("/esi/");
    println!(
        "{distinct} distinct ids: {requests} name requests, at most {packed} packed ones and {bisections} of bisections; {all} requests in all"
    );
    assert!(requests <= packed + bisections, "{requests} requests");
    assert_eq!(simulator.esi_refusals(), 0, "over ESI's budget");

    let restarted = Enriching::start(&tables, &simulator, &clock, config());
    assert_eq!(ingest(&restarted, &killmails).await, 0);
    assert_eq!(simulator.request_count("/esi/"), all, "asked again");
}
