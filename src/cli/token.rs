//! `token create|list|revoke`: tokens for webhook subscriptions and for queries without a limit.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rand::RngExt as _;
use rand::distr::Alphanumeric;

use crate::runtime::clock::SystemClock;
use crate::runtime::config::DatabaseConfig;
use crate::service::Database;
use crate::store::api_tokens::{self, ApiToken, Scope};

/// Random characters of a token: more than 250 bits.
const TOKEN_LENGTH: usize = 43;
/// What tokens begin with, so that people and scanners of repositories know one when they see it.
const PREFIX: &str = "wk_";
/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Make, list and revoke API tokens.
#[derive(Debug, clap::Args)]
pub struct TokenCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with tokens.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Make a token and print it: it is shown this once.
    Create(CreateArgs),
    /// List all tokens, without the tokens themselves.
    List(ListArgs),
    /// Revoke a token: from now on it is good for nothing.
    Revoke(RevokeArgs),
}

/// A new token.
#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// Whom it is for.
    #[arg(long, value_parser = name)]
    pub name: String,
    /// What it is good for; may be given more than once.
    #[arg(long = "scope", required = true, value_parser = scope)]
    pub scopes: Vec<Scope>,
    /// Days after which it is good for nothing; without it, never.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=36_500))]
    pub days: Option<i64>,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// All tokens.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// A token that is no longer wanted.
#[derive(Debug, clap::Args)]
pub struct RevokeArgs {
    /// Whom it was for.
    #[arg(long, value_parser = name)]
    pub name: String,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// Opens the database (joining the server of a running service) and does it.
pub(super) async fn run(command: TokenCommand) -> anyhow::Result<()> {
    let config = match &command.action {
        Action::Create(CreateArgs { database, .. })
        | Action::List(ListArgs { database })
        | Action::Revoke(RevokeArgs { database, .. }) => database.clone(),
    };
    let database = Database::open(&config).await?;
    let now = SystemClock::shared().now();
    let done = match command.action {
        Action::Create(arguments) => create(&database, arguments, now).await,
        Action::List(_) => list(&database).await,
        Action::Revoke(arguments) => revoke(&database, &arguments.name, now).await,
    };
    let closed = database.close().await;
    done.and(closed)
}

async fn create(
    database: &Database,
    arguments: CreateArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let letters = rand::rng().sample_iter(Alphanumeric);
    let random: String = letters.take(TOKEN_LENGTH).map(char::from).collect();
    let token = format!("{PREFIX}{random}");
    let expires_at = arguments.days.map(|days| now + TimeDelta::days(days));
    let mut scopes = arguments.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let name = &arguments.name;
    let mut conn = database.store.pool.acquire().await?;
    let made = api_tokens::insert(&mut conn, name, &token, &scopes, now, expires_at).await?;
    anyhow::ensure!(
        made,
        "there is a token {name:?} already: revoke it first, or choose another name"
    );
    super::say(&token);
    Ok(())
}

async fn list(database: &Database) -> anyhow::Result<()> {
    for token in api_tokens::list(&database.store.pool).await? {
        super::say(&line(&token));
    }
    Ok(())
}

async fn revoke(database: &Database, name: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
    let revoked = api_tokens::revoke(&database.store.pool, name, now).await?;
    anyhow::ensure!(
        revoked,
        "there is no token {name:?}, or it is revoked already"
    );
    super::say(&format!("{name} is revoked"));
    Ok(())
}

/// One tab-separated line: name, scopes, and the times with their words.
fn line(token: &ApiToken) -> String {
    let told = |word: &str, time: Option<DateTime<Utc>>| {
        time.map(|time| {
            format!(
                "\t{word} {}",
                time.to_rfc3339_opts(SecondsFormat::Secs, true)
            )
        })
        .unwrap_or_default()
    };
    let ApiToken {
        name,
        scopes,
        created_at,
        expires_at,
        last_used_at,
        revoked_at,
    } = token;
    [
        format!("{name}\t{}", scopes.join(",")),
        told("made", Some(*created_at)),
        told("used", *last_used_at),
        told("expires", *expires_at),
        told("revoked", *revoked_at),
    ]
    .concat()
}

fn scope(text: &str) -> Result<Scope, String> {
    let mut all = Scope::ALL.into_iter();
    all.find(|scope| scope.as_str() == text).ok_or_else(|| {
        format!(
            "allowed are {}",
            Scope::ALL.map(Scope::as_str).join(" and ")
        )
    })
}

fn name(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty()
        && text.chars().count() <= LONGEST_NAME
        && !text.chars().any(char::is_control);
    is_name
        .then(|| text.to_owned())
        .ok_or_else(|| format!("allowed are 1 to {LONGEST_NAME} characters, no control characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_is_known() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let token = ApiToken {
            name: "a tool".into(),
            scopes: vec!["subscriptions".into(), "export".into()],
            created_at: time("2026-11-20T01:02:03Z"),
            expires_at: None,
            last_used_at: Some(time("2026-11-21T00:00:00Z")),
            revoked_at: None,
        };
        assert_eq!(
            line(&token),
            "a tool\tsubscriptions,export\tmade 2026-11-20T01:02:03Z\tused 2026-11-21T00:00:00Z"
        );
    }

    #[test]
    fn names_have_a_length_and_no_line_breaks() {
        assert_eq!(name("a tool").as_deref(), Ok("a tool"));
        for bad in ["", "a\nb", &"x".repeat(101)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
