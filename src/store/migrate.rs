//! Applies the embedded migrations, over a short connection of its own, one process at a time.

use std::time::Duration;

use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Error, Result, partitions};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The oldest server that runs this schema.
const OLDEST_SERVER: (i32, &str) = (150_000, "15");

/// How often the migration lock is asked for; with [`LOCK_PAUSE`] about two minutes, which is longer than
/// any migration of a database with a few million rows.
const LOCK_ATTEMPTS: u32 = 240;

/// Between two attempts at the migration lock.
const LOCK_PAUSE: Duration = Duration::from_millis(500);

/// Why the database is not at the newest schema.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The server is too old.
    #[error("the server is PostgreSQL {found}, PostgreSQL {} or newer is needed", OLDEST_SERVER.1)]
    ServerTooOld {
        /// Its version, in its own words.
        found: String,
    },
    /// Another process has held the lock all the time.
    #[error("another process has been migrating this database for {} s", LOCK_ATTEMPTS / 2)]
    Locked,
    /// A migration was refused, or the database has one that this program doesn't know.
    #[error("a migration was refused")]
    Refused(#[source] Box<refinery_core::Error>),
}

/// Brings the database of `url` to the newest schema and creates the partitions that will be needed soon.
///
/// # Errors
/// When the server is too old, a migration fails, or another process holds the migration lock for too long.
pub async fn run(url: &str) -> Result<()> {
    let mut migrator = connect(url).await.map_err(boxed)?;
    refuse_old_server(&mut migrator.connection).await?;
    lock(&mut migrator.connection).await?;
    let outcome = apply(&mut migrator).await;
    // The lock goes with the connection, whatever became of the migrations.
    migrator.connection.close().await.map_err(boxed)?;
    outcome
}

/// Whether the database is at this program's schema, or at that of a newer one.
///
/// # Errors
/// When the database refuses.
pub async fn is_current(executor: impl sqlx::PgExecutor<'_>) -> Result<bool> {
    let runner = embedded::migrations::runner();
    let newest = runner
        .get_migrations()
        .iter()
        .map(|it| i64::from(it.version()))
        .max();
    let applied =
        sqlx::query_scalar!("SELECT max(version)::bigint AS version FROM refinery_schema_history")
            .fetch_one(executor)
            .await
            .map_err(Error::query("reading which migrations were applied"))?;
    Ok(applied >= newest)
}

async fn connect(url: &str) -> Result<Migrator, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let connection = options
        .application_name("wanderer-kills migrate")
        .connect()
        .await?;
    Ok(Migrator { connection })
}

async fn apply(migrator: &mut Migrator) -> Result<()> {
    let report = embedded::migrations::runner()
        .run_async(migrator)
        .await
        .map_err(|error| boxed(MigrateError::Refused(Box::new(error))))?;
    for migration in report.applied_migrations() {
        tracing::info!(%migration, "migration applied");
    }
    let now = sqlx::query_scalar!(r#"SELECT now() AS "now!""#)
        .fetch_one(&mut migrator.connection)
        .await
        .map_err(boxed)?;
    partitions::ensure(&mut migrator.connection, &partitions::years_ahead(now)).await
}

async fn refuse_old_server(connection: &mut PgConnection) -> Result<()> {
    let version = sqlx::query!(
        r#"
        SELECT current_setting('server_version_num')::integer AS "number!",
            current_setting('server_version') AS "words!"
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(boxed)?;
    if version.number < OLDEST_SERVER.0 {
        return Err(boxed(MigrateError::ServerTooOld {
            found: version.words,
        }));
    }
    Ok(())
}

/// Asks again and again instead of waiting in the server: a waiting statement would hold a snapshot, and
/// with it up a migration that waits for old snapshots to go.
async fn lock(connection: &mut PgConnection) -> Result<()> {
    for _ in 0..LOCK_ATTEMPTS {
        let taken = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock(hashtext('wanderer_kills'), hashtext('migrations')) AS "taken!""#
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(boxed)?;
        if taken {
            return Ok(());
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
    Err(boxed(MigrateError::Locked))
}

fn boxed(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Migrate {
        source: Box::new(source),
    }
}

/// Lets refinery speak through the driver that everything else uses, so that every URL that serves also
/// migrates: sockets, TLS and all.
struct Migrator {
    connection: PgConnection,
}

impl AsyncTransaction for Migrator {
    type Error = sqlx::Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        let mut count = 0;
        for query in queries {
            let statement = sqlx::raw_sql(AssertSqlSafe(query.to_owned()));
            transaction.execute(statement).await?;
            count += 1;
        }
        transaction.commit().await?;
        Ok(count)
    }
}

impl AsyncQuery<Vec<refinery_core::Migration>> for Migrator {
    async fn query<'a>(
        &'a mut self,
        query: &'a str,
    ) -> Result<Vec<refinery_core::Migration>, sqlx::Error> {
        let statement = sqlx::raw_sql(AssertSqlSafe(query.to_owned()));
        let rows = self.connection.fetch_all(statement).await?;
        rows.iter().map(applied).collect()
    }
}

impl AsyncMigrate for Migrator {}

/// A row of refinery's history table.
fn applied(row: &sqlx::postgres::PgRow) -> Result<refinery_core::Migration, sqlx::Error> {
    let decode = |source: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(source);
    let applied_on = OffsetDateTime::parse(row.try_get(2)?, &Rfc3339)
        .map_err(|error| decode(Box::new(error)))?;
    let checksum = row
        .try_get::<String, _>(3)?
        .parse()
        .map_err(|error| decode(Box::<std::num::ParseIntError>::new(error)))?;
    Ok(refinery_core::Migration::applied(
        row.try_get(0)?,
        row.try_get(1)?,
        applied_on,
        checksum,
    ))
}
