//! The examples of docs/sql.md for pandas and `DuckDB`, run as they stand there by an analyst.

use serde_json::{Value, json};

use crate::analysts::fill;
use crate::store_samples::store;
use crate::support::binary::ServiceCommand;
use crate::support::scripts::python;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pandas_and_duckdb_answer_what_postgresql_does() {
    let (database, store) = store().await;
    fill(&store).await;
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(folder.path()).env("DATABASE_URL", database.url());
    let made = ["analyst", "create", "--name", "analyst_of_python"];
    let made = command.run(&made).await;
    assert!(made.status.success(), "{made:?}");
    let url = String::from_utf8(made.stdout).unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sql.md");
    let arguments = [url.trim().to_owned(), page.to_owned()];
    let Some(answers) = python("sql_examples.py", &arguments).await else {
        return;
    };

    let in_october = "SELECT count(*) FROM killmails WHERE killmail_time >= '2026-10-01'";
    let losses: i64 = sqlx::query_scalar(in_october)
        .fetch_one(&store.pool)
        .await
        .unwrap();
    let columns = [
        "ship_type_id",
        "ship_name",
        "ship_group_name",
        "losses",
        "total_value",
    ];
    let expected = json!({ "columns": columns, "losses": losses });
    assert_eq!(answers["pandas"], expected);

    // Among ships that were lost equally often any may come first.
    let by_ship = "SELECT count(*) FROM analytics.kills WHERE killmail_time >= '2026-10-01'
        GROUP BY ship_name ORDER BY 1 DESC LIMIT 10";
    let by_ship: Vec<i64> = sqlx::query_scalar(by_ship)
        .fetch_all(&store.pool)
        .await
        .unwrap();
    assert_eq!(column(&answers["duckdb"][0], 1), by_ship);
    let battle = "SELECT killmail_id FROM analytics.battle(140000001, 30)";
    let mut battle: Vec<i64> = sqlx::query_scalar(battle)
        .fetch_all(&store.pool)
        .await
        .unwrap();
    let mut told = column(&answers["duckdb"][1], 0);
    battle.sort_unstable();
    told.sort_unstable();
    assert!(!told.is_empty());
    assert_eq!(told, battle);
}

/// The numbers of one column.
fn column(rows: &Value, place: usize) -> Vec<i64> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[place].as_i64().unwrap()).collect()
}
