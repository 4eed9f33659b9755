//! Years of history that are loaded apart: without most indexes, and unseen until they are attached.
//!
//! ```text
//! begin ─► batches of history, in the year's own tables ─► build_indexes ─► attach: a partition like any other
//! ```
//!
//! Everything survives a crash: a year that was begun is loaded further, or finished, by whoever comes next.

use chrono::{DateTime, Datelike as _, Utc};
use secrecy::ExposeSecret as _;
use sqlx::{
    Acquire, AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgExecutor, PgPool,
    Postgres, Transaction,
};

use super::pool::options;
use super::{Error, Result, Store};

/// How long beginning and attaching wait for readers and writers of killmails. Those who come meanwhile wait as long.
const PATIENCE: &str = "200ms";

/// Memory for the sorting of an index, two of which are built at a time: what is sorted in memory is not written and read
/// again.
const SORTING_MEMORY: &str = "256MB";

/// The years that are loaded apart, which stays so until the transaction of `conn` ends: nobody begins or attaches one
/// meanwhile.
///
/// # Errors
/// When the database refuses.
pub(super) async fn hold_years(conn: &mut PgConnection) -> Result<Vec<i32>> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock_shared(hashtext('wanderer_kills'), hashtext('loading'))"
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(Error::query("holding the years that are loaded apart"))?;
    years(conn).await
}

/// The years that are loaded apart at the moment.
///
/// # Errors
/// When the database refuses.
pub async fn years(executor: impl PgExecutor<'_>) -> Result<Vec<i32>> {
    sqlx::query_scalar!(
        r#"
        SELECT right(nspname, 4)::integer AS "year!" FROM pg_namespace
        WHERE nspname ~ '^loading_[0-9]{4}$'
        ORDER BY 1
        "#
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("listing the years that are loaded apart"))
}

/// The last year that is over at `horizon`; later ones have what is announced, and are not loaded apart.
pub fn last_year(horizon: DateTime<Utc>) -> i32 {
    horizon.year() - 1
}

/// From now on a year is loaded apart; false where that can't be, because it has killmails, somebody reads or writes
/// killmails for longer than one waits, or the database's role may not make a schema.
///
/// # Errors
/// When the database refuses otherwise.
pub async fn begin(pool: &PgPool, year: i32) -> Result<bool> {
    let begun = async {
        let mut transaction = patient(pool).await?;
        let begun = sqlx::query_scalar!(r#"SELECT begin_loading_year($1) AS "begun!""#, year)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(begun)
    };
    match begun
        .await
        .map_err(Error::query("beginning to load a year"))
    {
        Err(error) if error.is_lock_timeout() || error.is_insufficient_privilege() => Ok(false),
        begun => begun,
    }
}

/// Lets the statements of `conn` that name killmails and attackers mean those of a year that is loaded apart; the answer
/// is for [`leave`].
pub(super) async fn enter(conn: &mut PgConnection, year: i32) -> Result<String> {
    let usual = sqlx::query_scalar!(r#"SELECT current_setting('search_path') AS "path!""#)
        .fetch_one(&mut *conn)
        .await
        .map_err(Error::query("reading the search path"))?;
    leave(conn, &format!("loading_{year}, {usual}")).await?;
    Ok(usual)
}

/// They mean the usual ones again.
pub(super) async fn leave(conn: &mut PgConnection, usual: &str) -> Result<()> {
    sqlx::query!("SELECT set_config('search_path', $1, true)", usual)
        .fetch_one(conn)
        .await
        .map_err(Error::query("setting the search path"))?;
    Ok(())
}

/// Builds the indexes that a year lacks, those of killmails beside those of attackers, and tells the planner of its rows.
/// What was built stays, however this ends.
///
/// # Errors
/// When the database refuses.
pub async fn build_indexes(store: &Store, year: i32) -> Result<()> {
    tokio::try_join!(
        build_indexes_of(store, year, "killmails"),
        build_indexes_of(store, year, "attackers"),
    )?;
    Ok(())
}

async fn build_indexes_of(store: &Store, year: i32, table: &str) -> Result<()> {
    let failed = "building indexes of a loaded year";
    let mut conn = connect(store).await?;
    let lacking = sqlx::query_scalar!(
        r#"SELECT statement AS "statement!" FROM indexes_of_loaded_year($1) WHERE indexed = $2"#,
        year,
        table,
    )
    .fetch_all(&mut conn)
    .await
    .map_err(Error::query(failed))?;
    sqlx::query!(
        "SELECT set_config('maintenance_work_mem', $1, false) AS memory, set_config('statement_timeout', '0', false) AS timeout",
        SORTING_MEMORY
    )
    .fetch_one(&mut conn)
    .await
    .map_err(Error::query(failed))?;
    let analyze = (!lacking.is_empty()).then(|| format!("ANALYZE loading_{year}.{table}"));
    for statement in lacking.into_iter().chain(analyze) {
        // Made from the catalogue.
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut conn)
            .await
            .map_err(Error::query(failed))?;
    }
    conn.close().await.map_err(Error::query(failed))
}

/// Makes a year that was loaded apart a partition like any other; false where there is none. What others have stored of
/// that year meanwhile stays as they have it. Indexes that are lacking are built, while readers of the year wait.
///
/// # Errors
/// When the database refuses; transient where somebody reads or writes killmails for longer than one waits.
pub async fn attach(conn: impl Acquire<'_, Database = Postgres>, year: i32) -> Result<bool> {
    let attached = async {
        let mut transaction = patient(conn).await?;
        let attached = sqlx::query_scalar!(r#"SELECT attach_loaded_year($1) AS "attached!""#, year)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(attached)
    };
    attached
        .await
        .map_err(Error::query("attaching a loaded year"))
}

/// A transaction alone with the years that are loaded apart, whose statements wait for readers and writers of killmails no
/// longer than [`PATIENCE`]. For batches of history it waits as long as they take.
async fn patient<'c>(
    conn: impl Acquire<'c, Database = Postgres>,
) -> Result<Transaction<'c, Postgres>, sqlx::Error> {
    let mut transaction = conn.begin().await?;
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('wanderer_kills'), hashtext('loading'))")
        .fetch_one(&mut *transaction)
        .await?;
    sqlx::query!(
        "SELECT set_config('lock_timeout', $1, true) AS patience, set_config('statement_timeout', '0', true) AS timeout",
        PATIENCE
    )
    .fetch_one(&mut *transaction)
    .await?;
    Ok(transaction)
}

/// A connection for what takes long, as is to be expected: the pool's would warn of it, and be lacking elsewhere.
async fn connect(store: &Store) -> Result<PgConnection> {
    options(store.url.expose_secret())?
        .application_name("wanderer-kills loading")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(Error::query("connecting to load a year"))
}

/// Keeps those who load a year from those who finish it: session locks on a connection of its own, so that they end with
/// their process however that ends.
#[derive(Debug)]
pub struct YearLocks {
    connection: PgConnection,
}

impl YearLocks {
    /// Connects.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn open(store: &Store) -> Result<Self> {
        let connection = connect(store).await?;
        Ok(Self { connection })
    }

    /// The connection, for what is done under the locks.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Takes a year for loading, beside others who load it; false while somebody finishes it.
    ///
    /// # Errors
    /// When the connection is gone, and every lock with it.
    pub async fn load(&mut self, year: i32) -> Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock_shared(hashtext('wanderer_kills loading'), $1) AS "taken!""#,
            year,
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(Error::query("locking a year for loading"))
    }

    /// Takes a year for finishing it; false while somebody, this run included, loads or finishes it.
    ///
    /// # Errors
    /// When the connection is gone, and every lock with it.
    pub async fn finish(&mut self, year: i32) -> Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock(hashtext('wanderer_kills loading'), $1) AS "taken!""#,
            year,
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(Error::query("locking a year for finishing it"))
    }

    /// Gives up a year that was taken for loading.
    ///
    /// # Errors
    /// When the connection is gone, and every lock with it.
    pub async fn release(&mut self, year: i32) -> Result<()> {
        sqlx::query_scalar!(
            "SELECT pg_advisory_unlock_shared(hashtext('wanderer_kills loading'), $1)",
            year,
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(Error::query("giving a year up"))?;
        Ok(())
    }

    /// Gives everything up.
    ///
    /// # Errors
    /// When the connection is gone already, and every lock with it.
    pub async fn close(self) -> Result<()> {
        self.connection
            .close()
            .await
            .map_err(Error::query("giving years up"))
    }
}
