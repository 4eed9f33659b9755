//! Every migration, in order, over tables that hold rows; and the whole set by several processes at once.

use std::fs;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::time::timeout;
use wanderer_kills::store::{Error, migrate};

use crate::support::live::TOO_LONG;
use crate::support::postgres::{empty_database, execute, text, until_answers};

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn each_migration_runs_over_rows_of_the_ones_before() {
    let database = empty_database().await;
    let mut conn = PgConnection::connect(database.url()).await.unwrap();
    let samples = files("tests/fixtures/migrations");
    for (name, sql) in files("migrations") {
        assert!(sql.starts_with("-- "), "{name} says on top why it is there");
        let mut transaction = conn.begin().await.unwrap();
        transaction
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        transaction.commit().await.unwrap();
        let sample = samples.iter().find(|(sample, _)| *sample == name);
        let (_, rows) = sample.unwrap_or_else(|| panic!("tests/fixtures/migrations has no {name}"));
        conn.execute(sqlx::raw_sql(AssertSqlSafe(rows.clone())))
            .await
            .unwrap_or_else(|error| panic!("sample rows of {name}: {error}"));
    }
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    for table in tables {
        let any = format!("SELECT EXISTS (SELECT FROM {table})");
        let has_rows: bool = sqlx::query_scalar(AssertSqlSafe(any))
            .fetch_one(&mut conn)
            .await
            .unwrap();
        assert!(has_rows, "{table} has no sample rows");
    }
}

#[tokio::test]
async fn every_table_and_column_says_what_it_holds() {
    let database = empty_database().await;
    migrate::run(database.url()).await.unwrap();
    let mut conn = PgConnection::connect(database.url()).await.unwrap();
    let silent: Vec<String> = sqlx::query_scalar(
        "SELECT n.nspname || '.' || c.relname || coalesce('.' || a.attname, '')
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN LATERAL (
             SELECT 0::int2 AS attnum, NULL::name AS attname
             UNION ALL
             SELECT attnum, attname FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
         ) a ON true
         WHERE n.nspname IN ('public', 'analytics') AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
           AND c.relname <> 'refinery_schema_history'
           AND col_description(c.oid, a.attnum) IS NULL
           AND (a.attnum > 0 OR obj_description(c.oid, 'pg_class') IS NULL)
         UNION ALL
         SELECT p.oid::regprocedure::text FROM pg_proc p
         WHERE p.pronamespace IN ('public'::regnamespace, 'analytics'::regnamespace)
           AND obj_description(p.oid, 'pg_proc') IS NULL
         UNION ALL
         SELECT nspname FROM pg_namespace
         WHERE nspname IN ('public', 'analytics') AND obj_description(oid, 'pg_namespace') IS NULL",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(silent, Vec::<String>::new());
}

#[tokio::test]
async fn several_processes_may_start_at_once_and_again() {
    let database = empty_database().await;
    let url = database.url();
    let (a, b, c) = tokio::join!(migrate::run(url), migrate::run(url), migrate::run(url));
    a.and(b).and(c).unwrap();
    migrate::run(url).await.unwrap();
    let mut conn = PgConnection::connect(url).await.unwrap();
    let applied: i64 = sqlx::query_scalar("SELECT count(*) FROM refinery_schema_history")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(usize::try_from(applied).unwrap(), files("migrations").len());
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let database = empty_database().await;
    migrate::run(database.url()).await.unwrap();
    let mut conn = PgConnection::connect(database.url()).await.unwrap();
    conn.execute(
        "INSERT INTO refinery_schema_history VALUES (9999, 'of_the_future', '2030-01-01T00:00:00Z', '1')",
    )
    .await
    .unwrap();
    let error = migrate::run(database.url()).await.unwrap_err();
    let Error::Migrate { source } = &error else {
        panic!("{error:?}");
    };
    let sentence = source.to_string();
    assert!(
        sentence.contains("schema 9999 of a newer version"),
        "{sentence}"
    );
    assert!(sentence.contains("run that version"), "{sentence}");
    assert!(!error.is_transient());
}

/// Makes the schema before V0021 of the newest one, with an attacker.
const A_KEY_TO_DROP: &str = "
    INSERT INTO attackers (killmail_id, killmail_time, damage_done, security_status, ordinal, final_blow)
    VALUES (1, now(), 1, 0.5, 0, true);
    ALTER TABLE attackers ADD CONSTRAINT attackers_pkey PRIMARY KEY (killmail_id, ordinal, killmail_time);
    DROP FUNCTION begin_loading_year, indexes_of_loaded_year, attach_loaded_year, ship_group_codes;
    DROP INDEX killmails_region_contents;
    ALTER TABLE killmails DROP COLUMN ship_group_codes;
    DROP INDEX killmails_in_time;
    CREATE INDEX killmails_region ON killmails (region_id);
    CREATE INDEX killmails_time ON killmails (killmail_time);
    DELETE FROM refinery_schema_history WHERE version >= 21";

#[tokio::test]
async fn years_that_are_loaded_apart_are_attached_before_tables_change() {
    let database = empty_database().await;
    migrate::run(database.url()).await.unwrap();
    let load = "SELECT begin_loading_year(2004);
        INSERT INTO loading_2004.killmails
            (killmail_id, killmail_time, solar_system_id, damage_taken, attacker_count, document)
        VALUES (1, '2004-02-29T12:00:00Z', 30000142, 1, 0, '{}')";
    execute(database.url(), load).await.unwrap();
    let mut conn = PgConnection::connect(database.url()).await.unwrap();
    migrate::attach_loaded(&mut conn).await.unwrap();
    let seen = text(database.url(), "SELECT count(*)::text FROM killmails").await;
    assert_eq!(seen.unwrap(), "1");
}

#[tokio::test]
async fn the_old_version_reads_on_while_a_migration_waits_for_its_table() {
    let database = empty_database().await;
    let url = database.url().to_owned();
    migrate::run(&url).await.unwrap();
    execute(&url, A_KEY_TO_DROP).await.unwrap();

    let mut long_query = PgConnection::connect(&url).await.unwrap();
    let mut open = long_query.begin().await.unwrap();
    open.execute("SELECT count(*) FROM attackers")
        .await
        .unwrap();
    let migrating = tokio::spawn(async move { migrate::run(&url).await });
    until_answers(
        database.url(),
        "SELECT (count(*) > 0)::text FROM pg_locks WHERE NOT granted AND relation = 'attackers'::regclass",
        "true",
    )
    .await;
    // Stands in line behind the migration, which has to step back for it.
    let read = timeout(
        TOO_LONG,
        text(database.url(), "SELECT count(*)::text FROM attackers"),
    )
    .await;
    assert_eq!(read.expect("readers wait for the migration").unwrap(), "1");

    open.commit().await.unwrap();
    timeout(TOO_LONG, migrating)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let keys = "SELECT count(*)::text FROM pg_constraint WHERE conname = 'attackers_pkey'";
    assert_eq!(text(database.url(), keys).await.unwrap(), "0");
}
