//! What the embedded server is asked for before the service can connect: its role and its database.
//!
//! SQL stands in `store` otherwise; this has to run before there is a database that a store could open.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Error;
use super::cluster::SERVICE;

/// For one connection attempt.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// For all statements together; creating a database copies a few megabytes.
const CREATE_LIMIT: Duration = Duration::from_secs(30);

/// Whether the server accepts a connection to the service's database.
pub(super) async fn connects(url: &str) -> bool {
    let attempt = async { PgConnection::connect(url).await?.close().await };
    matches!(
        tokio::time::timeout(CONNECT_LIMIT, attempt).await,
        Ok(Ok(()))
    )
}

/// Makes the role and the database of the service unless they are there. The role may make databases and
/// roles (tests and the read-only role need that) but is no superuser.
pub(super) async fn create_service_database(url: &str) -> Result<(), Error> {
    tokio::time::timeout(CREATE_LIMIT, create(url))
        .await
        .map_err(|_| Error::Timeout {
            operation: "creating the service's database",
            limit: CREATE_LIMIT,
        })?
}

async fn create(url: &str) -> Result<(), Error> {
    let mut connection = PgConnection::connect(url)
        .await
        .map_err(refused("accept a connection"))?;
    for (question, statement, operation) in [
        (
            "SELECT 1 FROM pg_roles WHERE rolname = $1",
            format!("CREATE ROLE {SERVICE} LOGIN CREATEDB CREATEROLE"),
            "create the service's role",
        ),
        (
            "SELECT 1 FROM pg_database WHERE datname = $1",
            format!("CREATE DATABASE {SERVICE} OWNER {SERVICE}"),
            "create the service's database",
        ),
    ] {
        let found = sqlx::query(question)
            .bind(SERVICE)
            .fetch_optional(&mut connection)
            .await
            .map_err(refused(operation))?;
        if found.is_none() {
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut connection)
                .await
                .map_err(refused(operation))?;
        }
    }
    connection.close().await.map_err(refused("say goodbye"))
}

fn refused(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Query { operation, source }
}
