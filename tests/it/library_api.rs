//! The service inside a Rust program.

use futures::StreamExt as _;
use secrecy::SecretString;
use wanderer_kills::domain::{FeedSequence, Filter};
use wanderer_kills::ingest::Outcome;
use wanderer_kills::runtime::config::{Config, DatabaseConfig, LiveConfig, LiveSource};
use wanderer_kills::service::Service;
use wanderer_kills::simulator::Generator;
use wanderer_kills::store::killmails::Change;

use crate::support::postgres;

fn config(url: &str) -> Config {
    Config {
        database: DatabaseConfig {
            database_url: Some(SecretString::from(url.to_owned())),
            ..DatabaseConfig::default()
        },
        live: LiveConfig {
            live_source: LiveSource::None,
            ..LiveConfig::default()
        },
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_program_ingests_reads_and_follows_the_feed() {
    let database = postgres::database().await;
    let service = Service::build(config(database.url())).await.unwrap();
    let handle = service.handle();
    let mut generator = Generator::new(5);
    let time = "2026-11-23T12:00:00Z".parse().unwrap();
    let killmail = generator.next(time).killmail;
    let other = generator.next(time).killmail;

    let wanted = Filter {
        systems: [killmail.solar_system_id].into(),
        ..Filter::default()
    };
    let mut feed = std::pin::pin!(handle.feed(Some(FeedSequence(0)), wanted));
    let first = handle.ingest(killmail.clone()).await.unwrap();
    assert_eq!(
        first,
        Outcome::Stored {
            killmail_id: killmail.killmail_id,
            change: Change::New,
            sequence: Some(FeedSequence(1)),
        }
    );
    let again = handle.ingest(killmail.clone()).await.unwrap();
    assert_eq!(
        again,
        Outcome::Stored {
            killmail_id: killmail.killmail_id,
            change: Change::Unchanged,
            sequence: None,
        }
    );
    handle.ingest(other).await.unwrap();

    let event = feed.next().await.unwrap().unwrap();
    assert_eq!(
        (event.sequence, event.killmail_id),
        (FeedSequence(1), killmail.killmail_id)
    );
    let stored = handle
        .killmail(killmail.killmail_id)
        .await
        .unwrap()
        .unwrap();
    let read = wanderer_kills::domain::wire::read(&stored.document, stored.items.as_deref());
    assert_eq!(read.unwrap(), killmail);
    assert!(handle.killmail(1).await.unwrap().is_none());

    service.stop().await.unwrap();
    assert!(
        handle.ingest(killmail).await.is_err(),
        "a stopped service takes nothing"
    );
}
