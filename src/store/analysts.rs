//! Read-only roles for people who ask in SQL.
//!
//! A role is not made by a migration: it belongs to the whole server, and not every installation lets the service
//! make one. What a session can change for itself (its time-outs, that it only reads) keeps people from accidents;
//! what holds against anybody are the grants.

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{Error, Result};

/// What analysts may read in `public`: what killmails are made of. Neither subscriptions with their secrets and
/// addresses, nor who listens, nor what could not be read.
const TABLES: &str = "public.killmails, public.attackers, public.killmail_items, public.names, public.ship_types, \
    public.solar_systems, public.reference_data, public.backfill_days";

/// Tells roles that were made here from others.
const MARK: &str = "Reads killmails; made by wanderer-kills";

/// Longest that a transaction of an analyst may wait for its next statement: it keeps dead rows from being removed.
const IDLE_IN_TRANSACTION: &str = "5min";

/// A role that is to be made.
#[derive(Debug)]
pub struct Analyst {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: SecretString,
    /// Seconds that one of its statements may take unless its session says otherwise.
    pub statement_timeout_s: u32,
    /// Connections that it may have open.
    pub connections: u32,
}

/// Makes the role, all of it or nothing.
///
/// # Errors
/// When there is a role of this name, or the service's own may make none.
pub async fn create(conn: &mut PgConnection, analyst: &Analyst) -> Result<()> {
    let failed = || Error::query("making a read-only role");
    let mut transaction = conn.begin().await.map_err(failed())?;
    let connections = analyst.connections.to_string();
    let timeout = format!("{}s", analyst.statement_timeout_s);
    let name = analyst.name.as_str();
    let grant_tables = format!("GRANT SELECT ON {TABLES} TO %I");
    let password = analyst.password.expose_secret();
    let statements: [(&str, &[&str]); 10] = [
        (
            "CREATE ROLE %I LOGIN CONNECTION LIMIT %s PASSWORD %L",
            &[name, &connections, password],
        ),
        ("COMMENT ON ROLE %I IS %L", &[name, MARK]),
        (
            "ALTER ROLE %I SET default_transaction_read_only = on",
            &[name],
        ),
        (
            "ALTER ROLE %I SET statement_timeout = %L",
            &[name, &timeout],
        ),
        (
            "ALTER ROLE %I SET idle_in_transaction_session_timeout = %L",
            &[name, IDLE_IN_TRANSACTION],
        ),
        ("GRANT USAGE ON SCHEMA public, analytics TO %I", &[name]),
        (&grant_tables, &[name]),
        (
            "GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO %I",
            &[name],
        ),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT SELECT ON TABLES TO %I",
            &[name],
        ),
        (
            "ALTER ROLE %I SET application_name = 'wanderer-kills analyst'",
            &[name],
        ),
    ];
    for (template, values) in statements {
        run(&mut transaction, template, values)
            .await
            .map_err(failed())?;
    }
    transaction.commit().await.map_err(failed())
}

/// Drops a role that was made here, with all it was granted in this database; false where there is none.
///
/// # Errors
/// When it was granted something elsewhere, or the service's own role may drop none.
pub async fn drop(conn: &mut PgConnection, name: &str) -> Result<bool> {
    let failed = || Error::query("dropping a read-only role");
    let mut transaction = conn.begin().await.map_err(failed())?;
    let is_ours = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1
            AND shobj_description(oid, 'pg_authid') = $2) AS "is_ours!""#,
        name,
        MARK,
    )
    .fetch_one(&mut *transaction)
    .await
    .map_err(failed())?;
    if !is_ours {
        return Ok(false);
    }
    for template in [
        "REVOKE ALL ON ALL TABLES IN SCHEMA public, analytics FROM %I",
        "REVOKE ALL ON SCHEMA public, analytics FROM %I",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA analytics REVOKE ALL ON TABLES FROM %I",
        "DROP ROLE %I",
    ] {
        run(&mut transaction, template, &[name])
            .await
            .map_err(failed())?;
    }
    transaction.commit().await.map_err(failed())?;
    Ok(true)
}

/// Runs a statement that takes no parameters; the server puts the values in and quotes them.
async fn run(conn: &mut PgConnection, template: &str, values: &[&str]) -> Result<(), sqlx::Error> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    let statement = sqlx::query_scalar!(
        r#"SELECT format($1, VARIADIC $2::text[]) AS "statement!""#,
        template,
        &values,
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(conn)
        .await?;
    Ok(())
}
