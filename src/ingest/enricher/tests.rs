use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::*;
use crate::domain::{EntityKey, EntityKind, EntityName, ShipType, SolarSystem};
use crate::ingest::envelope::Payload;
use crate::ingest::fixtures::{envelope, killmail, noon};
use crate::ingest::resolver::tables::{Found, LookUp};
use crate::ingest::stage::{Item, Ticket};
use crate::runtime::clock::TestClock;
use crate::store::{self, Error};

/// Answers from a script, then with everything that was asked for.
#[derive(Debug, Default)]
struct Script {
    failures: Mutex<VecDeque<Error>>,
    knows: bool,
    asked: Mutex<Vec<Wanted>>,
}

impl LookUp for Script {
    fn find<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, store::Result<Found>> {
        self.asked.lock().unwrap().push(wanted.clone());
        let answer = match self.failures.lock().unwrap().pop_front() {
            Some(error) => Err(error),
            None if self.knows => Ok(Found {
                enrichment: everything(wanted),
                ..Found::default()
            }),
            None => Ok(Found::default()),
        };
        async { answer }.boxed()
    }
}

fn everything(wanted: &Wanted) -> Enrichment {
    let name = |key: &EntityKey| EntityName {
        name: format!("{} {}", key.kind.as_str(), key.id),
        ticker: None,
    };
    Enrichment {
        names: (wanted.entities.iter())
            .map(|key| (*key, Arc::new(name(key))))
            .collect(),
        ship_types: (wanted.types.iter())
            .map(|id| (*id, Arc::new(ship_type(*id))))
            .collect(),
        solar_systems: (wanted.solar_systems.iter())
            .map(|id| (*id, Arc::new(system(*id))))
            .collect(),
    }
}

fn ship_type(type_id: i64) -> ShipType {
    ShipType {
        type_id,
        name: "Rifter".to_owned(),
        group_id: 25,
        group_name: "Frigate".to_owned(),
        category_id: 6,
        category_name: "Ship".to_owned(),
        published: true,
    }
}

fn system(solar_system_id: i64) -> SolarSystem {
    SolarSystem {
        solar_system_id,
        name: "Jita".to_owned(),
        constellation_id: 20_000_020,
        constellation_name: "Kimotoro".to_owned(),
        region_id: 10_000_002,
        region_name: "The Forge".to_owned(),
        security_status: 0.945_913_116_665,
        wormhole_class: None,
    }
}

fn query_failure(source: sqlx::Error) -> Error {
    Error::Query {
        operation: "loading names",
        source,
    }
}

fn read(killmail_id: i64) -> Processed {
    let (ticket, _) = Ticket::split(envelope("fixture", Payload::Empty));
    Item {
        ticket,
        content: Content::Killmail(ReadKillmail {
            killmail: Box::new(killmail(killmail_id)),
            raw: None,
        }),
    }
}

/// Feeds the stage and reads all that comes out.
async fn enrich(look_up: &Arc<Script>, items: Vec<Processed>, batch_size: usize) -> Vec<Ready> {
    let (input, receiver) = mpsc::channel(items.len());
    let (sender, mut output) = mpsc::channel(items.len());
    for item in items {
        input.send(item).await.unwrap();
    }
    drop(input);
    let enricher = Enricher {
        resolver: Resolver::looking_up(Arc::clone(look_up) as Arc<dyn LookUp>),
        config: IngestConfig {
            batch_size: NonZeroUsize::new(batch_size).unwrap(),
            ..IngestConfig::default()
        },
        clock: TestClock::at(noon()),
    };
    enricher.run(receiver, sender).await;
    let mut ready = Vec::new();
    while let Ok(item) = output.try_recv() {
        ready.push(item);
    }
    ready
}

fn pending(items: &[Ready]) -> Vec<bool> {
    let storables = items.iter().filter_map(|item| match &item.content {
        Content::Killmail(ready) => Some(ready.storable.pending_names),
        Content::DeadLetter(_) | Content::Deferred | Content::Expired | Content::Nothing => None,
    });
    storables.collect()
}

#[tokio::test]
async fn what_is_waiting_is_looked_up_together() {
    let look_up = Arc::new(Script {
        knows: true,
        ..Script::default()
    });
    let items = enrich(&look_up, vec![read(1), read(2), read(3)], 10).await;
    assert_eq!(pending(&items), [false, false, false]);
    let asked = look_up.asked.lock().unwrap();
    let [wanted] = asked.as_slice() else {
        panic!("asked {} times", asked.len());
    };
    assert_eq!(wanted.entities.len(), 2);
    assert!(
        wanted
            .entities
            .iter()
            .all(|key| key.kind == EntityKind::Character)
    );
}

#[tokio::test]
async fn known_and_unknown_are_not_asked_for_twice() {
    for knows in [true, false] {
        let look_up = Arc::new(Script {
            knows,
            ..Script::default()
        });
        let items = enrich(&look_up, vec![read(1), read(2)], 1).await;
        assert_eq!(pending(&items), [!knows, !knows]);
        assert_eq!(look_up.asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let away = || query_failure(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()));
    let look_up = Arc::new(Script {
        knows: true,
        failures: Mutex::new([away(), away()].into()),
        ..Script::default()
    });
    let items = enrich(&look_up, vec![read(1)], 10).await;
    assert_eq!(pending(&items), [false]);
    assert_eq!(look_up.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_refusal_for_good_leaves_names_pending_and_is_not_remembered() {
    let refused = query_failure(sqlx::Error::ColumnNotFound("name".to_owned()));
    let look_up = Arc::new(Script {
        knows: true,
        failures: Mutex::new([refused].into()),
        ..Script::default()
    });
    let items = enrich(&look_up, vec![read(1), read(2)], 1).await;
    assert_eq!(pending(&items), [true, false]);
}
