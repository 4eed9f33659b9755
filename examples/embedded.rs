//! The service inside a Rust program: no HTTP, no live source, an embedded PostgreSQL.
//!
//! `cargo run --example embedded` stores one killmail and sees it arrive on the feed.

use futures::StreamExt as _;
use wanderer_kills::domain::{FeedSequence, Filter, Parsed, parse};
use wanderer_kills::runtime::config::{Config, DatabaseConfig, LiveConfig, LiveSource};
use wanderer_kills::service::Service;

const KILLMAIL: &str = r#"{
    "killmail_id": 131234567,
    "killmail_hash": "0f6c1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b",
    "killmail_time": "2026-11-23T18:20:55Z",
    "solar_system_id": 30000142,
    "victim": {"ship_type_id": 587, "damage_taken": 2847, "character_id": 95465499, "items": []},
    "attackers": [{"ship_type_id": 17918, "damage_done": 2847, "final_blow": true, "security_status": -1.2}]
}"#;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join("wanderer-kills-example");
    let service = Service::build(Config {
        database: DatabaseConfig {
            data_dir: Some(folder),
            ..DatabaseConfig::default()
        },
        live: LiveConfig {
            live_source: LiveSource::None,
            ..LiveConfig::default()
        },
        ..Config::default()
    })
    .await?;
    let handle = service.handle();

    let in_jita = Filter {
        systems: [30_000_142].into(),
        ..Filter::default()
    };
    let mut feed = std::pin::pin!(handle.feed(Some(FeedSequence::default()), in_jita));

    let Parsed::Killmail(killmail) = parse(KILLMAIL.as_bytes())? else {
        anyhow::bail!("the text is not a whole killmail");
    };
    println!("stored: {:?}", handle.ingest(*killmail).await?);

    if let Some(event) = feed.next().await {
        let event = event?;
        println!("event {}: killmail {}", event.sequence, event.killmail_id);
    }
    let stored = handle.killmail(131_234_567).await?;
    println!(
        "document: {}",
        stored.map(|stored| stored.document).unwrap_or_default()
    );
    service.stop().await
}
