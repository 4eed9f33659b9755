//! Who is at which day.

use chrono::NaiveDate;
use secrecy::ExposeSecret;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::store::pool::options;
use crate::store::{Error, Result, Store};

/// Keeps several runs off the same day: session locks on a connection of their own, so that they end with their
/// process however it ends. Losing them costs double work, never data.
#[derive(Debug)]
pub struct DayLocks {
    connection: PgConnection,
}

impl DayLocks {
    /// Connects.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn open(store: &Store) -> Result<Self> {
        let connection = options(store.url.expose_secret())?
            .application_name("wanderer-kills backfill")
            .connect()
            .await
            .map_err(Error::query("connecting for the locks of days"))?;
        Ok(Self { connection })
    }

    /// Takes a day; false where another run has it.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn take(&mut self, source: &str, day: NaiveDate) -> Result<bool> {
        sqlx::query_scalar!(
            r#"
            SELECT pg_try_advisory_lock(hashtext('wanderer_kills backfill ' || $1), $2::date - '2000-01-01'::date)
                AS "taken!"
            "#,
            source,
            day,
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(Error::query("locking a day of history"))
    }

    /// Gives a day up.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn release(&mut self, source: &str, day: NaiveDate) -> Result<()> {
        sqlx::query_scalar!(
            "SELECT pg_advisory_unlock(hashtext('wanderer_kills backfill ' || $1), $2::date - '2000-01-01'::date)",
            source,
            day,
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(Error::query("unlocking a day of history"))?;
        Ok(())
    }

    /// Gives all up.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn close(self) -> Result<()> {
        self.connection
            .close()
            .await
            .map_err(Error::query("closing the connection of the locks of days"))
    }
}
