use tokio_util::sync::CancellationToken;

use crate::runtime::config::{Asks, Config, LiveSource};
use crate::service::Service;

/// Follow the live source, store, and serve.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// All options.
    #[command(flatten)]
    pub config: Config,
}

pub(super) async fn run(args: ServeArgs, shutdown: CancellationToken) -> anyhow::Result<()> {
    let asks = match args.config.live.live_source {
        LiveSource::R2z2 | LiveSource::Redisq => Asks::Upstreams,
        LiveSource::None => Asks::Nothing,
    };
    args.config.validate(asks)?;
    args.config.log();
    let service = Service::build(args.config).await?;
    if let Some(psql) = service.database().psql_command() {
        tracing::info!("SQL: {psql}");
    }
    service
        .run(shutdown, |address| {
            tracing::info!("listening on http://{address}");
        })
        .await
}
