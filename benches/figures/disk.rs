//! Bytes on disk of each killmail, by table and index.

use super::Options;
use super::database::Server;
use super::report::{Aim, Report};
use super::stored;

/// With items, indexes and statistics.
const AIM: f64 = 3_600.0;

/// Sizes of what belongs to killmails, partitions under their table's name. What lies out of line is with its table.
const SIZES: &str = "
    SELECT t.name, sum(t.bytes)::bigint
    FROM (
        SELECT coalesce(p.relname, c.relname)::text AS name,
            CASE WHEN c.relkind = 'i' THEN pg_relation_size(c.oid) ELSE pg_table_size(c.oid) END AS bytes
        FROM pg_class AS c
        LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
        LEFT JOIN pg_class AS p ON p.oid = i.inhparent
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')
    ) AS t
    WHERE t.name ~ '^(killmails|attackers|statistics)'
    GROUP BY 1
    ORDER BY 2 DESC";

/// Least bytes of a killmail that get a line of their own.
const WORTH_A_LINE: f64 = 2.0;

/// Measures the database with `options.rows` killmails.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let stored = stored::open(server, options, report).await?;
    let connection = stored.database.connect().await?;
    let rows = f64::from(u32::try_from(options.rows)?.max(1));
    let attackers = connection.number("SELECT count(*) FROM attackers").await?;
    report.add(
        "attackers per killmail",
        f64::from(u32::try_from(attackers)?) / rows,
        "",
    );
    let mut total = 0.0;
    for row in connection.client.query(SIZES, &[]).await? {
        let name: String = row.try_get(0)?;
        let kilobytes = row.try_get::<_, i64>(1)? / 1024;
        let each = f64::from(u32::try_from(kilobytes)?) * 1024.0 / rows;
        total += each;
        if each >= WORTH_A_LINE {
            report.add(format!("bytes per killmail: {name}"), each, "B");
        }
    }
    report.aim("bytes per killmail, all", total, "B", Aim::Below(AIM));
    Ok(())
}
