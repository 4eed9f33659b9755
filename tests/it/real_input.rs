//! Real killmails and real tables through the real binary: imported, read back over HTTP field by field and with
//! all that the tables know, imported again.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::Value;
use sqlx::PgPool;
use tokio::process::Command;

use crate::support::binary::ServiceCommand;
use crate::support::http::KeepAlive;
use crate::support::postgres;
use crate::support::real_data::{
    DISTINCT, FILES, TABLES, data, documents, expected, facts_only, read, same,
};
use crate::support::wanderer;

/// Connections that read everything back.
const READERS: usize = 4;

/// What is no killmail: a package whose hash is a word that its authors put there.
const REFUSED: &[&str] =
    &["package.zkb.hash is \"bliblablup\", allowed is a killmail hash of 40 hexadecimal digits"];

/// What the tables know.
#[derive(Debug)]
struct Known {
    types: HashSet<i64>,
    systems: HashSet<i64>,
}

/// What the database holds.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    killmails: i64,
    attackers: i64,
    announced: i64,
    dead_letters: i64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_real_killmail_is_stored_once_with_every_fact() {
    let Some(folder) = data() else {
        return;
    };
    let database = postgres::database().await;
    load_tables(&folder, database.url()).await;
    import(&folder, database.url()).await;
    let pool = PgPool::connect(database.url()).await.unwrap();
    let known = Arc::new(known(&pool).await);
    let first = counts(&pool).await;
    assert_eq!(
        first.killmails,
        i64::try_from(DISTINCT - REFUSED.len()).unwrap()
    );
    assert_eq!(first.announced, 0, "history is not announced");
    assert_eq!(refused(&pool).await, REFUSED);

    import(&folder, database.url()).await;
    assert_eq!(
        counts(&pool).await,
        first,
        "a second import changes nothing"
    );

    let scratch = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(scratch.path())
        .env("DATABASE_URL", database.url())
        .env("WK_LIVE_SOURCE", "none");
    let service = command.start().await;
    let compared = compare(&folder, command.listen(), &known).await;
    assert_eq!(compared, DISTINCT - REFUSED.len());
    assert_eq!(service.terminate().await, Some(0));
}

async fn load_tables(folder: &Path, url: &str) {
    let from = (TABLES.iter()).flat_map(|table| ["--from".into(), folder.join(table)]);
    run(
        url,
        ["ship-types".into(), "update".into()]
            .into_iter()
            .chain(from),
    )
    .await;
}

async fn import(folder: &Path, url: &str) {
    let files = FILES.iter().map(|(file, _)| folder.join(file));
    run(url, std::iter::once("import".into()).chain(files)).await;
}

async fn run(url: &str, arguments: impl Iterator<Item = PathBuf>) {
    let output = Command::new(env!("CARGO_BIN_EXE_wanderer-kills"))
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("WK_LOG", "warn")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn known(pool: &PgPool) -> Known {
    let ids = async |query: &'static str| {
        let ids: Vec<i64> = sqlx::query_scalar(query).fetch_all(pool).await.unwrap();
        ids.into_iter().collect()
    };
    Known {
        types: ids("select type_id from ship_types").await,
        systems: ids("select solar_system_id from solar_systems").await,
    }
}

async fn counts(pool: &PgPool) -> Counts {
    let row: (i64, i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from killmails), (select count(*) from attackers),
                (select count(*) from feed), (select count(*) from dead_letters)",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    Counts {
        killmails: row.0,
        attackers: row.1,
        announced: row.2,
        dead_letters: row.3,
    }
}

async fn refused(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("select reason from dead_letters")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// Every source document by killmail id, in the order of the import.
async fn sources(folder: &Path) -> HashMap<i64, Vec<Value>> {
    let mut by_id: HashMap<i64, Vec<Value>> = HashMap::new();
    for (file, _) in FILES {
        for document in documents(&read(&folder.join(file)).await) {
            if document
                .pointer("/package/zkb/hash")
                .is_some_and(|hash| hash == "bliblablup")
            {
                continue;
            }
            let document = expected(&document);
            let id = document["killmail_id"].as_i64().unwrap();
            by_id.entry(id).or_default().push(document);
        }
    }
    by_id
}

async fn compare(folder: &Path, service: SocketAddr, known: &Arc<Known>) -> usize {
    let sources: Vec<(i64, Vec<Value>)> = sources(folder).await.into_iter().collect();
    let share = sources.len().div_ceil(READERS);
    let mut readers = tokio::task::JoinSet::new();
    for part in sources.chunks(share).map(<[_]>::to_vec) {
        let known = Arc::clone(known);
        readers.spawn(async move {
            let mut connection = KeepAlive::open(service).await;
            for (id, documents) in &part {
                let path = format!("/api/killmails/{id}?include=items");
                let document = connection.get(&path).await.json();
                says_what_is_known(*id, &document, &known);
                compare_one(*id, documents, facts_only(document));
            }
            part.len()
        });
    }
    readers.join_all().await.into_iter().sum()
}

/// The body is the first source's; values may be any later one's.
fn compare_one(id: i64, sources: &[Value], mut actual: Value) {
    let mut wanted = sources[0].clone();
    if sources.len() > 1 {
        for document in [&mut wanted, &mut actual] {
            document.as_object_mut().unwrap().remove("zkb");
        }
    }
    wanted["victim"]
        .as_object_mut()
        .unwrap()
        .retain(|key, value| {
            key != "items" || value.as_array().is_some_and(|items| !items.is_empty())
        });
    if let Some(items) = actual["victim"]["items"].as_array()
        && items.is_empty()
    {
        actual["victim"].as_object_mut().unwrap().remove("items");
    }
    same(&wanted, &actual, &format!("killmail {id}"));
}

/// Wanderer's adapter takes the document and shows the ships that the tables know.
fn wanderer_takes(id: i64, document: &Value, known: &Known) {
    let taken = wanderer::kill(document).unwrap_or_else(|why| panic!("killmail {id}: {why}"));
    assert_eq!(taken.killmail_id, id);
    for party in taken.final_blow.iter().chain([&taken.victim]) {
        let is_known = party
            .ship_type_id
            .is_some_and(|ship| known.types.contains(&ship));
        assert!(
            party.ship_name.is_some() || !is_known,
            "killmail {id}: {party:?}"
        );
    }
}

/// Every ship and place that the tables know has its name in the document.
fn says_what_is_known(id: i64, document: &Value, known: &Known) {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    if known
        .systems
        .contains(&document["solar_system_id"].as_i64().unwrap())
    {
        for key in ["solar_system_name", "region_name", "constellation_name"] {
            assert!(is_text(&document[key]), "killmail {id}: {key}");
        }
        assert!(document["security_status"].is_f64(), "killmail {id}");
    }
    wanderer_takes(id, document, known);
    let attackers = document["attackers"].as_array().unwrap();
    for party in attackers.iter().chain([&document["victim"]]) {
        let ship = party["ship_type_id"].as_i64();
        if ship.is_some_and(|ship| known.types.contains(&ship)) {
            for key in ["ship_name", "ship_group_name"] {
                assert!(is_text(&party[key]), "killmail {id}: {key} of {ship:?}");
            }
        }
    }
}
