use tokio_util::sync::CancellationToken;

use crate::runtime::config::DatabaseConfig;
use crate::service::Database;

/// Bring the database to the newest schema and end.
#[derive(Debug, clap::Args)]
pub struct MigrateArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// Print the database's URL and keep it (an embedded server too) until Ctrl-C or SIGTERM.
    #[arg(long)]
    pub hold: bool,
}

pub(super) async fn run(args: MigrateArgs, shutdown: CancellationToken) -> anyhow::Result<()> {
    let database = Database::open(&args.database).await?;
    if args.hold {
        super::say(database.url());
        shutdown.cancelled().await;
    } else {
        super::say("the database has the newest schema");
    }
    database.close().await
}
