//! Packed documents: what they save, and how their dictionary is made.

use std::sync::Arc;

use chrono::DateTime;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use wanderer_kills::domain::names::Wanted;
use wanderer_kills::domain::{Enrichment, EntityKind, EntityName, Killmail, wire};
use wanderer_kills::simulator::{FIRST_KILLMAIL_ID, Generator, Habits, catalog};
use wanderer_kills::store::killmails::{self, StorableKillmail};
use zstd::bulk::Compressor;

use crate::store_samples::store;

/// As packing has it.
const LEVEL: i32 = 3;
/// Bytes of a dictionary: more hardly saves anything.
const DICTIONARY_BYTES: usize = 64 * 1024;
/// Documents that one is made of: a hundred times its size.
const SAMPLES: usize = 3_000;
/// Killmails that lie between two samples, so that many battles, places and hours are among them.
const STRIDE: usize = 7;

/// Documents whose people nobody knows: a dictionary must learn how documents look, not who is in the simulator.
fn samples(seed: u64, number: usize) -> Vec<(Killmail, String)> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut generator = Generator::with(seed, FIRST_KILLMAIL_ID, Habits::NONE);
    let mut places = Enrichment::default();
    for it in catalog::ship_types() {
        places.ship_types.insert(it.type_id, Arc::new(it));
    }
    for it in catalog::solar_systems() {
        places
            .solar_systems
            .insert(it.solar_system_id, Arc::new(it));
    }
    (0..number)
        .map(|_| {
            let seconds = rng.random_range(1_200_000_000..1_800_000_000);
            let time = DateTime::from_timestamp(seconds, 0).unwrap();
            let killmail = (0..STRIDE).map(|_| generator.at(time)).last().unwrap();
            sample(killmail, places.clone(), &mut rng)
        })
        .collect()
}

fn sample(
    mut killmail: Killmail,
    mut enrichment: Enrichment,
    rng: &mut StdRng,
) -> (Killmail, String) {
    let mut someone = |id: &mut Option<i64>, lowest: i64| {
        if let Some(id) = id {
            *id = rng.random_range(lowest..lowest + 30_000_000);
        }
    };
    let victim = &mut killmail.victim;
    someone(&mut victim.character_id, 2_100_000_000);
    someone(&mut victim.corporation_id, 98_000_000);
    someone(&mut victim.alliance_id, 99_000_000);
    for attacker in &mut killmail.attackers {
        if attacker.character_id.is_some() {
            someone(&mut attacker.character_id, 90_000_000);
            someone(&mut attacker.corporation_id, 98_000_000);
            someone(&mut attacker.alliance_id, 99_000_000);
        }
    }
    for key in Wanted::of([&killmail]).entities {
        let named = EntityName {
            name: format!("{} {}", word(rng), word(rng)),
            ticker: match key.kind {
                EntityKind::Corporation | EntityKind::Alliance => Some(word(rng).to_uppercase()),
                EntityKind::Character | EntityKind::Faction => None,
            },
        };
        enrichment.names.insert(key, Arc::new(named));
    }
    let document = wire::document(&killmail, &enrichment);
    (killmail, document)
}

fn word(rng: &mut StdRng) -> String {
    let length = rng.random_range(3..8);
    (0..length)
        .map(|_| char::from(rng.random_range(b'a'..=b'z')))
        .collect()
}

#[tokio::test]
async fn documents_take_a_quarter_of_their_bytes_and_come_back() {
    let (_database, store) = store().await;
    let samples = samples(7, 100);
    let batch: Vec<StorableKillmail> = samples
        .iter()
        .map(|(killmail, document)| StorableKillmail {
            killmail: killmail.clone(),
            document: document.clone(),
            pending_names: false,
        })
        .collect();
    let mut conn = store.pool.acquire().await.unwrap();
    killmails::upsert(&mut conn, &batch, &Enrichment::default())
        .await
        .unwrap();
    let mut plain = 0;
    for (killmail, document) in &samples {
        let stored = killmails::get(&store.pool, killmail.killmail_id, false).await;
        assert_eq!(stored.unwrap().unwrap().document, *document);
        plain += document.len();
    }
    let packed: i64 =
        sqlx::query_scalar("SELECT sum(octet_length(packed_document)) FROM killmails")
            .fetch_one(&store.pool)
            .await
            .unwrap();
    let packed = usize::try_from(packed).unwrap();
    println!("{} bytes a document, {} packed", plain / 100, packed / 100);
    assert!(packed * 4 < plain, "{packed} of {plain} bytes");
}

#[test]
#[ignore = "writes a dictionary and a frame of it to the folder of temporary files"]
fn a_dictionary_is_made() {
    let samples = samples(1, SAMPLES);
    let documents: Vec<String> = samples.into_iter().map(|sample| sample.1).collect();
    let dictionary = zstd::dict::from_samples(&documents, DICTIONARY_BYTES).unwrap();
    let mut compressor = Compressor::with_dictionary(LEVEL, &dictionary).unwrap();
    let document = documents.first().unwrap();
    let folder = std::env::temp_dir();
    std::fs::write(folder.join("dictionary"), &dictionary).unwrap();
    std::fs::write(
        folder.join("frame"),
        compressor.compress(document.as_bytes()).unwrap(),
    )
    .unwrap();
    std::fs::write(folder.join("frame.json"), document).unwrap();
    println!("written to {}", folder.display());
}
