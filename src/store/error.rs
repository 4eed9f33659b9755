/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A statement failed.
    #[error("{operation} failed")]
    Query {
        /// What was being done.
        operation: &'static str,
        /// The database's answer.
        #[source]
        source: sqlx::Error,
    },
    /// A row of ours holds what it must not.
    #[error("{table} row {key} holds a bad {column}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        key: String,
    },
    /// Another process has become the ingester.
    #[error("another process took over the ingest of {source_name}")]
    Fenced {
        /// The source whose cursor was to be written.
        source_name: String,
    },
    /// This process is no longer the ingester: the connection that held the lock does not answer.
    #[error("the connection that holds the ingest lock did not answer within {seconds} s")]
    LeaderSilent {
        /// How long it was given.
        seconds: u64,
    },
    /// More than is kept of one thing.
    #[error("too many {what}, at most {limit} are kept")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: i64,
    },
    /// Migrations could not be applied.
    #[error("migrating the database failed")]
    Migrate {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// SQLSTATE classes after which the same call may work: connection, resources, transaction rollback,
/// operator intervention (shutdown, start-up, cancelled statement), system error.
const TRANSIENT_CLASSES: [&str; 5] = ["08", "40", "53", "57", "58"];

/// Single SQLSTATEs of the same kind: lock not available, object in use, a server that has just become a
/// standby, a transaction that idled for too long.
const TRANSIENT_STATES: [&str; 4] = ["55P03", "55006", "25006", "25P03"];

/// SQLSTATE of a statement that was ended: by its time-out, or by the operator.
const QUERY_CANCELED: &str = "57014";

/// SQLSTATE of something that the role may not do.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// SQLSTATE of a lock that was waited for in vain.
const LOCK_NOT_AVAILABLE: &str = "55P03";

impl Error {
    /// Wraps the database's answer to `operation`.
    pub(super) fn query(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { operation, source }
    }

    /// True where the same call may work in a moment: no connection, a server that restarts, a deadlock.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Query { source, .. } => is_transient(source),
            Self::Migrate { source } => source
                .downcast_ref::<sqlx::Error>()
                .is_some_and(is_transient),
            Self::LeaderSilent { .. } => true,
            Self::BadRow { .. } | Self::Fenced { .. } | Self::TooMany { .. } => false,
        }
    }

    /// True where a row with the same key is there already.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Query { source: sqlx::Error::Database(answer), .. } if answer.is_unique_violation())
    }

    /// True where the database ended a statement that took longer than it may.
    pub fn is_statement_timeout(&self) -> bool {
        let Self::Query { source, .. } = self else {
            return false;
        };
        let answer = source.as_database_error();
        answer.is_some_and(|answer| answer.code().as_deref() == Some(QUERY_CANCELED))
    }

    /// True where a lock was not to be had within the time that was set for it.
    pub fn is_lock_timeout(&self) -> bool {
        let Self::Query { source, .. } = self else {
            return false;
        };
        is_lock_timeout(source)
    }

    /// True where the role may not do that.
    pub fn is_insufficient_privilege(&self) -> bool {
        let Self::Query { source, .. } = self else {
            return false;
        };
        let answer = source.as_database_error();
        answer.is_some_and(|answer| answer.code().as_deref() == Some(INSUFFICIENT_PRIVILEGE))
    }

    /// True where every connection of the pool was taken.
    pub fn is_pool_exhausted(&self) -> bool {
        matches!(
            self,
            Self::Query {
                source: sqlx::Error::PoolTimedOut,
                ..
            }
        )
    }
}

/// True for a lock that was waited for in vain.
pub(super) fn is_lock_timeout(source: &sqlx::Error) -> bool {
    let answer = source.as_database_error();
    answer.is_some_and(|answer| answer.code().as_deref() == Some(LOCK_NOT_AVAILABLE))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the driver's error list is open; what is not known is taken as permanent"
)]
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        // A connection that ends while it is being opened looks like an answer that makes no sense.
        | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(answer) => answer
            .code()
            .is_some_and(|state| is_transient_state(&state)),
        _ => false,
    }
}

fn is_transient_state(state: &str) -> bool {
    TRANSIENT_STATES.contains(&state)
        || TRANSIENT_CLASSES
            .iter()
            .any(|class| state.starts_with(class))
}

/// The store's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sqlx::{Connection as _, PgConnection};
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[rstest]
    #[case("08006", true)]
    #[case("40P01", true)]
    #[case("57P01", true)]
    #[case("53300", true)]
    #[case("55P03", true)]
    #[case("23505", false)]
    #[case("42P01", false)]
    #[case("22021", false)]
    fn states(#[case] state: &str, #[case] transient: bool) {
        assert_eq!(is_transient_state(state), transient);
    }

    #[tokio::test]
    async fn a_connection_that_ends_while_it_opens_may_work_in_a_moment() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://me@{}/here", listener.local_addr().unwrap());
        let (opened, ()) = tokio::join!(PgConnection::connect(&url), async {
            let (mut client, _) = listener.accept().await.unwrap();
            // The whole request for TLS: the end would be a reset otherwise.
            client.read_exact(&mut [0; 8]).await.unwrap();
        });
        let error = Error::query("connecting")(opened.unwrap_err());
        assert!(error.is_transient(), "{error:?}");
    }

    #[test]
    fn pool() {
        let error = Error::query("reading")(sqlx::Error::PoolTimedOut);
        assert!(error.is_pool_exhausted() && error.is_transient());
        let error = Error::query("reading")(sqlx::Error::RowNotFound);
        assert!(!error.is_pool_exhausted() && !error.is_transient());
    }
}
