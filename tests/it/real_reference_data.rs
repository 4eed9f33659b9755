//! Real tables of the game through the real binary, and whether they name what the real killmails hold.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use sqlx::PgPool;
use tokio::process::Command;

use crate::support::postgres;
use crate::support::real_data::{FILES, data, documents, read};

/// Sets of tables that belong together, and how many types and systems they have.
const SETS: [(&[&str], i64, i64); 4] = [
    (
        &[
            "invTypes-2019-fuzzwork.csv.gz",
            "invGroups-2019-fuzzwork.csv",
            "invCategories-2026-01.csv",
        ],
        36_136,
        0,
    ),
    (
        &[
            "invTypes-2026-10-fuzzwork-layout.csv.gz",
            "invGroups-2026-10-fuzzwork-layout.csv",
            "categories-2026-10-eveshipfit.csv",
        ],
        53_288,
        0,
    ),
    (
        &[
            "types-2026-10-eveshipfit.csv.gz",
            "groups-2026-10-eveshipfit.csv",
            "categories-2026-10-eveshipfit.csv",
            "chrFactions-2026-01.csv",
            "crpNPCCorporations-2026-01.csv.gz",
        ],
        53_288,
        0,
    ),
    (
        &[
            "mapSolarSystems-2026-01.csv.gz",
            "mapConstellations-2026-01.csv",
            "mapRegions-2026-01.csv",
        ],
        53_288,
        8_437,
    ),
];

async fn update(folder: &Path, files: &[&str], url: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wanderer-kills"));
    command.args(["ship-types", "update"]);
    for file in files {
        command.arg("--from").arg(folder.join("sde").join(file));
    }
    command
        .env("DATABASE_URL", url)
        .env("WK_LOG", "warn")
        .env_remove("WK_CONTACT")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap()
}

async fn count(pool: &PgPool, table: &'static str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Type and system ids of a document, wherever they stand, without its items.
fn collect(value: &Value, types: &mut BTreeSet<i64>, systems: &mut BTreeSet<i64>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value.as_i64()) {
                    ("ship_type_id" | "weapon_type_id", Some(id)) if id > 0 => {
                        types.insert(id);
                    }
                    ("solar_system_id", Some(id)) => {
                        systems.insert(id);
                    }
                    _ => collect(value, types, systems),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|one| collect(one, types, systems)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Ids that no row has.
async fn unknown(pool: &PgPool, ids: &BTreeSet<i64>, query: &'static str) -> Vec<i64> {
    sqlx::query_scalar(query)
        .bind(ids.iter().copied().collect::<Vec<i64>>())
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_tables_name_every_ship_weapon_and_system() {
    let Some(folder) = data() else {
        return;
    };
    let database = postgres::database().await;
    for (files, types, systems) in SETS {
        let output = update(&folder, files, database.url()).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{files:?}: {said}{errors}");
        println!("{said}");
        let pool = PgPool::connect(database.url()).await.unwrap();
        // Types of 2019 that are gone since then stay.
        assert!(count(&pool, "ship_types").await >= types, "{said}");
        assert_eq!(count(&pool, "solar_systems").await, systems, "{said}");
        pool.close().await;
    }
    let again = update(&folder, SETS[3].0, database.url()).await;
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(
        said.contains("solar_systems: 8437 read, 0 new, 0 changed, 8437 unchanged"),
        "{said}"
    );
    let old = update(&folder, SETS[0].0, database.url()).await;
    let errors = String::from_utf8_lossy(&old.stderr).into_owned();
    assert!(
        !old.status.success() && errors.contains("ship_types was refused: it has 36136 rows"),
        "{errors}"
    );
    let jumps = update(
        &folder,
        &["mapSolarSystemJumps-2026-01.csv.gz"],
        database.url(),
    )
    .await;
    let errors = String::from_utf8_lossy(&jumps.stderr).into_owned();
    assert!(
        !jumps.status.success() && errors.contains("no table that is known"),
        "{errors}"
    );

    let (mut types, mut systems) = (BTreeSet::new(), BTreeSet::new());
    for (file, _) in FILES {
        for document in documents(&read(&folder.join(file)).await) {
            collect(&document, &mut types, &mut systems);
        }
    }
    assert!(types.len() > 1_000 && systems.len() > 1_000);
    let pool = PgPool::connect(database.url()).await.unwrap();
    let no_type = "SELECT id FROM unnest($1::bigint[]) AS id WHERE NOT EXISTS (SELECT FROM ship_types WHERE type_id = id)";
    assert_eq!(unknown(&pool, &types, no_type).await, Vec::<i64>::new());
    let no_system = "SELECT id FROM unnest($1::bigint[]) AS id \
        WHERE NOT EXISTS (SELECT FROM solar_systems WHERE solar_system_id = id)";
    assert_eq!(unknown(&pool, &systems, no_system).await, Vec::<i64>::new());
    println!(
        "{} types and {} systems of real killmails are known",
        types.len(),
        systems.len()
    );
}
