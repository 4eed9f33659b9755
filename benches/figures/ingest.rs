//! Killmails per second through the whole pipeline, beside plain COPY of the same rows.

use bytes::Bytes;
use futures::{SinkExt, TryStreamExt};
use wanderer_kills::domain::Killmail;
use wanderer_kills::runtime::clock::SystemClock;

use super::Options;
use super::corpus::{Running, killmails};
use super::database::{Connection, Database, Server};
use super::report::{Aim, Report};

/// Killmails that the rows of a filled database are copied from.
const SEED: usize = 5_000;

/// Ids of the measured killmails, above all that fill the database.
const MEASURED_FROM: i64 = 1_000_000_000;

/// Tables of a killmail's rows.
const TABLES: [&str; 2] = ["killmails", "attackers"];

/// Measures on an empty database, then on one with `options.rows` killmails.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let now = SystemClock::shared().now();
    let measured = killmails(MEASURED_FROM, options.killmails, now);
    let empty = server.database("ingest_empty").await?;
    measure_on(server, &empty, &measured, "empty database", report).await?;
    let filled = server.database("ingest_filled").await?;
    let connection = filled.connect().await?;
    let size = "SELECT pg_database_size(current_database())";
    let before = connection.number(size).await?;
    fill(&filled, options.rows).await?;
    let bytes = connection.number(size).await? - before;
    let stored = connection.number("SELECT count(*) FROM killmails").await?;
    let attackers = connection.number("SELECT count(*) FROM attackers").await?;
    let name = format!("{} killmails stored", options.rows);
    measure_on(server, &filled, &measured, &name, report).await?;
    report.add("bytes on disk per killmail", ratio(bytes, stored), "B");
    report.add("attackers per killmail", ratio(attackers, stored), "");
    Ok(())
}

async fn measure_on(
    server: &Server,
    database: &Database,
    measured: &[Killmail],
    name: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let connection = database.connect().await?;
    let running = Running::start(&database.store)?;
    let killmails = measured.to_vec();
    server.settle().await?;
    let started = clock.monotonic();
    running.send_all(killmails).await?;
    let ingest = clock.monotonic().saturating_sub(started);
    let rows = take_out(&connection, MEASURED_FROM).await?;
    server.settle().await?;
    let started = clock.monotonic();
    copy_in(&connection, &rows).await?;
    let copy = clock.monotonic().saturating_sub(started);
    let number = f64::from(u32::try_from(measured.len())?);
    report.aim(
        format!("ingest, {name}"),
        number / ingest.as_secs_f64(),
        "killmails/s",
        Aim::AtLeast(3_000.0),
    );
    report.add(
        format!("plain COPY, {name}"),
        number / copy.as_secs_f64(),
        "killmails/s",
    );
    report.add(
        format!("ingest to COPY, {name}"),
        copy.as_secs_f64() / ingest.as_secs_f64(),
        "×",
    );
    Ok(())
}

/// Takes the rows of ids from `first_id` on out of the database, so that COPY finds it as the pipeline did.
pub(crate) async fn take_out(
    connection: &Connection,
    first_id: i64,
) -> anyhow::Result<Vec<(String, Vec<Bytes>)>> {
    let mut taken = Vec::new();
    for table in TABLES {
        let columns = columns(connection, table).await?.join(", ");
        let query = format!(
            "COPY (SELECT {columns} FROM {table} WHERE killmail_id >= {first_id}) TO STDOUT"
        );
        let rows = connection.client.copy_out(&query).await?;
        let rows = rows.try_collect().await?;
        taken.push((format!("COPY {table} ({columns}) FROM STDIN"), rows));
    }
    for table in ["feed", "attackers", "killmails"] {
        let delete = format!("DELETE FROM {table} WHERE killmail_id >= {first_id}");
        connection.client.batch_execute(&delete).await?;
        connection
            .client
            .batch_execute(&format!("VACUUM {table}"))
            .await?;
    }
    Ok(taken)
}

/// Writes rows that were taken out, in one transaction.
pub(crate) async fn copy_in(
    connection: &Connection,
    rows: &[(String, Vec<Bytes>)],
) -> anyhow::Result<()> {
    connection.client.batch_execute("BEGIN").await?;
    for (statement, chunks) in rows {
        let sink = connection.client.copy_in::<_, Bytes>(statement).await?;
        let mut sink = std::pin::pin!(sink);
        for chunk in chunks {
            sink.send(chunk.clone()).await?;
        }
        sink.finish().await?;
    }
    connection.client.batch_execute("COMMIT").await?;
    Ok(())
}

/// Fills a database: a seed through the pipeline, then copies of its rows with other ids and earlier times.
pub(crate) async fn fill(database: &Database, rows: usize) -> anyhow::Result<()> {
    let now = SystemClock::shared().now();
    let seed = killmails(1, SEED.min(rows), now);
    let step = seed.last().map_or(1, |last| last.killmail_id + 1);
    Running::start(&database.store)?.send_all(seed).await?;
    let connection = database.connect().await?;
    let copies = rows.div_ceil(SEED).saturating_sub(1);
    for table in TABLES {
        let columns = columns(&connection, table).await?;
        let values: Vec<String> = (columns.iter())
            .map(|column| match column.as_str() {
                "killmail_id" => format!("killmail_id + {step} * copy"),
                "killmail_time" => "killmail_time - copy * interval '1 hour'".to_owned(),
                column => column.to_owned(),
            })
            .collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let insert = format!(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, \
             generate_series(1, {copies}) AS copy WHERE killmail_id < {step}"
        );
        connection.client.batch_execute(&insert).await?;
    }
    for table in TABLES {
        connection
            .client
            .batch_execute(&format!("VACUUM ANALYZE {table}"))
            .await?;
    }
    Ok(())
}

/// Columns that can be written.
async fn columns(connection: &Connection, table: &str) -> anyhow::Result<Vec<String>> {
    let query = "SELECT column_name::text FROM information_schema.columns \
        WHERE table_schema = current_schema() AND table_name::text = $1 AND is_generated = 'NEVER' \
        AND is_identity = 'NO' ORDER BY ordinal_position";
    let rows = connection.client.query(query, &[&table]).await?;
    let names = rows.iter().map(|row| row.try_get(0));
    Ok(names.collect::<Result<_, _>>()?)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a figure of three digits needs no more"
)]
fn ratio(bytes: i64, rows: i64) -> f64 {
    bytes as f64 / rows.max(1) as f64
}
