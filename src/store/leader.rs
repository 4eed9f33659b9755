//! One process a duty and database: a session advisory lock on a connection of its own.

use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::pool::options;
use super::{Error, Result, Store};

/// How long the lock's connection may take to answer. With [`KEEPALIVE`] it bounds how long a database can
/// be without someone on duty.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// The server gives the lock of a machine that vanished free after 3 + 2 × 2 s.
const KEEPALIVE: [(&str, &str); 3] = [
    ("tcp_keepalives_idle", "3"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "2"),
];

/// Work that one process of all on a database does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Following the live source.
    Ingest,
    /// Completing and refreshing what is stored.
    Upkeep,
    /// Delivering to webhooks.
    Webhooks,
    /// Reading the past that is wanted.
    Preload,
    /// Filling days of history that were asked for.
    Backfill,
    /// Making statistics of days that changed.
    Statistics,
    /// Holding days against what others count.
    Reconcile,
    /// Deleting what is no longer kept.
    Retention,
}

impl Duty {
    /// The second half of the lock's key.
    fn key(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Upkeep => "upkeep",
            Self::Webhooks => "webhooks",
            Self::Preload => "preload",
            Self::Backfill => "backfill",
            Self::Statistics => "statistics",
            Self::Reconcile => "reconcile",
            Self::Retention => "retention",
        }
    }

    /// What the connection is called in `pg_stat_activity`.
    fn application_name(self) -> &'static str {
        match self {
            Self::Ingest => "wanderer-kills ingester",
            Self::Upkeep => "wanderer-kills upkeeper",
            Self::Webhooks => "wanderer-kills webhooks",
            Self::Preload => "wanderer-kills preloader",
            Self::Backfill => "wanderer-kills backfills",
            Self::Statistics => "wanderer-kills statistics",
            Self::Reconcile => "wanderer-kills reconciler",
            Self::Retention => "wanderer-kills retention",
        }
    }
}

/// Held while this process is on duty. Dropping it (or losing its connection) gives the lock up.
#[derive(Debug)]
pub struct Leadership {
    connection: PgConnection,
}

/// Between two tries to get a lock that another process has.
const CANDIDATE_PAUSE: Duration = Duration::from_secs(2);
/// Between two looks whether the lock is still held.
const WATCH_PAUSE: Duration = Duration::from_secs(1);

impl Leadership {
    /// Waits until no other process has the lock. The machine's timer: the lock belongs to the database's time.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn acquire(store: &Store, duty: Duty) -> Result<Self> {
        loop {
            if let Some(leadership) = Self::try_acquire(store, duty).await? {
                return Ok(leadership);
            }
            tokio::time::sleep(CANDIDATE_PAUSE).await;
        }
    }

    /// Ends when the lock is lost, with the reason.
    pub async fn lost(&mut self) -> Error {
        loop {
            tokio::time::sleep(WATCH_PAUSE).await;
            if let Err(error) = self.check().await {
                return error;
            }
        }
    }

    /// Tries once; `None` when another process has it.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn try_acquire(store: &Store, duty: Duty) -> Result<Option<Self>> {
        let options = options(store.url.expose_secret())?
            .application_name(duty.application_name())
            .options(KEEPALIVE);
        let mut connection = options
            .connect()
            .await
            .map_err(Error::query("connecting for a duty's lock"))?;
        let taken = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock(hashtext('wanderer_kills'), hashtext($1)) AS "taken!""#,
            duty.key(),
        )
        .fetch_one(&mut connection)
        .await
        .map_err(Error::query("asking for a duty's lock"))?;
        if taken {
            return Ok(Some(Self { connection }));
        }
        connection
            .close()
            .await
            .map_err(Error::query("closing the connection of a taken lock"))?;
        Ok(None)
    }

    /// Asks the lock's connection for a sign of life, within three seconds.
    ///
    /// # Errors
    /// When the connection, and with it the lock, is gone. There is no way back: acquire it anew.
    pub async fn check(&mut self) -> Result<()> {
        let answer = tokio::time::timeout(CHECK_TIMEOUT, self.connection.ping()).await;
        answer
            .map_err(|_| Error::LeaderSilent {
                seconds: CHECK_TIMEOUT.as_secs(),
            })?
            .map_err(Error::query("checking a duty's lock"))
    }

    /// Gives the lock up at once.
    ///
    /// # Errors
    /// When the connection is gone already.
    pub async fn release(mut self) -> Result<()> {
        sqlx::query!("SELECT pg_advisory_unlock_all()")
            .execute(&mut self.connection)
            .await
            .map_err(Error::query("giving a duty's lock up"))?;
        self.connection
            .close()
            .await
            .map_err(Error::query("closing the connection of a duty's lock"))
    }
}
