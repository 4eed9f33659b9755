//! Applies the embedded migrations, over a short connection of its own, one process at a time.

use std::time::Duration;

use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::is_lock_timeout;
use super::{Error, Result, loading, partitions};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The oldest server that runs this schema.
const OLDEST_SERVER: (i32, &str) = (150_000, "15");

/// The schema since which years are loaded apart.
const FIRST_THAT_LOADS: i64 = 22;

/// How often the migration lock is asked for; with [`LOCK_PAUSE`] about two minutes, which is longer than
/// any migration of a database with a few million rows.
const LOCK_ATTEMPTS: u32 = 240;

/// Between two attempts at the migration lock.
const LOCK_PAUSE: Duration = Duration::from_millis(500);

/// How long a migration waits for a table before it lets everybody by and tries again: what is asked of the table in
/// the meantime stands in line behind it. Tried as often as the migration lock.
const TABLE_PATIENCE: &str = "SET LOCAL lock_timeout = '1s'";

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
    /// A newer program was here.
    #[error(
        "the database has schema {found} of a newer version of this program, which knows schemas up to {known}: run \
         that version, or restore a backup from before it"
    )]
    Newer {
        /// The database's.
        found: i64,
        /// The newest of this program.
        known: i64,
    },
    /// Another process has held the lock all the time.
    #[error("another process has been migrating this database for {} s", LOCK_ATTEMPTS / 2)]
    Locked,
    /// A migration was refused, or is not the one of its number that was applied.
    #[error("a migration was refused")]
    Refused(#[source] Box<refinery_core::Error>),
}

/// Brings the database of `url` to the newest schema and creates the partitions that will be needed soon.
///
/// # Errors
/// When the server is too old, the database is newer than this program, a migration fails, or somebody holds the
/// migration lock or a table for too long.
pub async fn run(url: &str) -> Result<()> {
    let mut migrator = connect(url).await.map_err(boxed)?;
    refuse_old_server(&mut migrator.connection).await?;
    lock(&mut migrator.connection).await?;
    let outcome = match is_behind(&mut migrator.connection).await {
        Ok(true) => attach_loaded(&mut migrator.connection).await,
        Ok(false) => Ok(()),
        Err(refused) => Err(refused),
    };
    let outcome = match outcome {
        Ok(()) => apply(&mut migrator).await,
        refused => refused,
    };
    // The lock goes with the connection, whatever became of the migrations.
    migrator.connection.close().await.map_err(boxed)?;
    outcome
}

/// Whether the database is at this program's schema, or at that of a newer one.
///
/// # Errors
/// When the database refuses.
pub async fn is_current(executor: impl sqlx::PgExecutor<'_>) -> Result<bool> {
    Ok(applied_version(executor).await? >= known_version())
}

async fn applied_version(executor: impl sqlx::PgExecutor<'_>) -> Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(max(version), 0)::bigint AS "version!" FROM refinery_schema_history"#
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("reading which migrations were applied"))
}

fn known_version() -> i64 {
    let runner = embedded::migrations::runner();
    let versions = runner
        .get_migrations()
        .iter()
        .map(|it| i64::from(it.version()));
    versions.max().unwrap_or_default()
}

/// Attaches every year that is loaded apart, before the tables change that it has to be like. Called by [`run`].
///
/// # Errors
/// When the database refuses, or somebody reads or writes killmails for too long.
pub async fn attach_loaded(connection: &mut PgConnection) -> Result<()> {
    for year in loading::years(&mut *connection).await? {
        let mut attempt = 1;
        while let Err(error) = loading::attach(&mut *connection, year).await {
            if attempt == LOCK_ATTEMPTS || !error.is_lock_timeout() {
                return Err(error);
            }
            attempt += 1;
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }
    Ok(())
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

/// Whether there are migrations to apply to a database whose years may be loaded apart. A newer database is refused.
async fn is_behind(connection: &mut PgConnection) -> Result<bool> {
    let is_new = sqlx::query_scalar!(
        r#"SELECT to_regclass('refinery_schema_history') IS NULL AS "is_new!""#
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(boxed)?;
    if is_new {
        return Ok(false);
    }
    let (found, known) = (applied_version(connection).await?, known_version());
    if found > known {
        return Err(boxed(MigrateError::Newer { found, known }));
    }
    Ok((FIRST_THAT_LOADS..known).contains(&found))
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
        let queries: Vec<&str> = queries.collect();
        let mut attempt = 1;
        loop {
            match self.execute_once(&queries).await {
                Err(error) if attempt < LOCK_ATTEMPTS && is_lock_timeout(&error) => {
                    tracing::debug!(attempt, "a table is in use, the migration tries again");
                    attempt += 1;
                    tokio::time::sleep(LOCK_PAUSE).await;
                }
                outcome => return outcome.map(|()| queries.len()),
            }
        }
    }
}

impl Migrator {
    async fn execute_once(&mut self, queries: &[&str]) -> Result<(), sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        transaction.execute(TABLE_PATIENCE).await?;
        for query in queries {
            let statement = sqlx::raw_sql(AssertSqlSafe((*query).to_owned()));
            transaction.execute(statement).await?;
        }
        transaction.commit().await
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
