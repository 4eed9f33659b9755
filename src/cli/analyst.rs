//! `analyst create|drop`: read-only roles for people who ask in SQL.

use anyhow::Context as _;
use rand::RngExt as _;
use rand::distr::Alphanumeric;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::runtime::config::DatabaseConfig;
use crate::service::Database;
use crate::store::analysts::{self, Analyst};

/// Characters of a password: more than 180 bits.
const PASSWORD_LENGTH: usize = 32;
/// PostgreSQL cuts names behind this.
const LONGEST_NAME: usize = 63;

/// Make and drop read-only roles for people who ask in SQL.
#[derive(Debug, clap::Args)]
pub struct AnalystCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with a role.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Make a role that reads killmails, and print the URL to connect with. Its password is shown this once.
    Create(CreateArgs),
    /// Drop such a role.
    Drop(DropArgs),
}

/// A new role.
#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// Its name: lower-case letters, digits and underscores.
    #[arg(long, value_parser = name)]
    pub name: String,
    /// Seconds after which a statement of it is ended.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub statement_timeout_s: u32,
    /// Most connections that it may have open.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub connections: u32,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// A role that is no longer needed.
#[derive(Debug, clap::Args)]
pub struct DropArgs {
    /// Its name.
    #[arg(long, value_parser = name)]
    pub name: String,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// Opens the database (joining the server of a running service) and does it.
pub(super) async fn run(command: AnalystCommand) -> anyhow::Result<()> {
    match command.action {
        Action::Create(arguments) => {
            let database = Database::open(&arguments.database).await?;
            let created = create(&database, arguments).await;
            let closed = database.close().await;
            created.and(closed)
        }
        Action::Drop(arguments) => {
            let database = Database::open(&arguments.database).await?;
            let dropped = drop_role(&database, &arguments.name).await;
            let closed = database.close().await;
            dropped.and(closed)
        }
    }
}

async fn create(database: &Database, arguments: CreateArgs) -> anyhow::Result<()> {
    let analyst = Analyst {
        name: arguments.name,
        password: password(),
        statement_timeout_s: arguments.statement_timeout_s,
        connections: arguments.connections,
    };
    let mut conn = database.store.pool.acquire().await?;
    analysts::create(&mut conn, &analyst).await?;
    let url = url_of(database.url(), &analyst.name, &analyst.password)?;
    super::say(&url);
    if database.psql_command().is_some() {
        super::say(
            "The private server listens on its socket alone and asks nobody there for a password: whoever may enter the \
             socket's folder (root and the server's account) connects with this URL.",
        );
    }
    Ok(())
}

async fn drop_role(database: &Database, name: &str) -> anyhow::Result<()> {
    let mut conn = database.store.pool.acquire().await?;
    let dropped = analysts::drop(&mut conn, name).await?;
    anyhow::ensure!(dropped, "no role {name} was made by `analyst create`");
    super::say(&format!("{name} is dropped"));
    Ok(())
}

fn password() -> SecretString {
    let letters = rand::rng().sample_iter(Alphanumeric);
    let password: String = letters.take(PASSWORD_LENGTH).map(char::from).collect();
    password.into()
}

fn name(text: &str) -> Result<String, String> {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let is_name = text.len() <= LONGEST_NAME
        && text.starts_with(is_letter)
        && text.chars().all(|it| is_letter(it) || it.is_ascii_digit())
        && !text.starts_with("pg_");
    is_name.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "allowed are up to {LONGEST_NAME} lower-case letters, digits and underscores, no digit first, not pg_…"
        )
    })
}

/// The same database for another role.
fn url_of(url: &str, name: &str, password: &SecretString) -> anyhow::Result<String> {
    let mut url = Url::parse(url).context("reading the database's URL")?;
    let mut pairs: Vec<(String, String)> = (url.query_pairs().into_owned())
        .filter(|(key, _)| !["user", "password"].contains(&key.as_str()))
        .collect();
    let password = password.expose_secret();
    if url.set_username(name).is_err() || url.set_password(Some(password)).is_err() {
        // Over a socket there is no host that they could stand before.
        pairs.push(("user".to_owned(), name.to_owned()));
        pairs.push(("password".to_owned(), password.to_owned()));
    }
    // Where forms write `+` for a space, libpq reads a plus.
    let encoded = |text: &str| -> String {
        let parts = byte_serialize(text.as_bytes());
        parts.map(|part| part.replace('+', "%20")).collect()
    };
    let pairs: Vec<String> = (pairs.iter())
        .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)))
        .collect();
    url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["ann", "_a1"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        let long = "a".repeat(64);
        for bad in ["", "1a", "Ann", "a b", "a\"b", "a;drop", "pg_ann", &long] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn urls_keep_everything_but_the_role() {
        let password = SecretString::from("s3cret");
        let url = |text| url_of(text, "ann", &password).unwrap();
        assert_eq!(
            url("postgres:///kills?host=%2Fa%20b&port=5432&user=owner"),
            "postgres:///kills?host=%2Fa%20b&port=5432&user=ann&password=s3cret"
        );
        assert_eq!(
            url("postgres://owner:secret@db.example:5433/kills?sslmode=require"),
            "postgres://ann:s3cret@db.example:5433/kills?sslmode=require"
        );
    }
}
