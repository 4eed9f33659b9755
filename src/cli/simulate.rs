use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;

use crate::simulator::{Simulator, SimulatorConfig};

/// Run the stand-in upstream alone.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:4005")]
    pub listen: SocketAddr,
    /// Killmails published a second.
    #[arg(long, default_value_t = 1.0)]
    pub rate: f64,
    /// Seed of the generator: the same seed gives the same killmails.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Publish the killmails of this file (NDJSON) instead of generated ones.
    #[arg(long)]
    pub recorded: Option<std::path::PathBuf>,
}

pub(super) async fn run(args: SimulateArgs, shutdown: CancellationToken) -> anyhow::Result<()> {
    let simulator = Simulator::start(SimulatorConfig {
        listen: args.listen,
        rate_per_second: Some(args.rate),
        seed: args.seed,
        recorded: args.recorded,
        ..SimulatorConfig::default()
    })
    .await?;
    super::say(&format!("R2Z2    {}", simulator.r2z2_url()));
    super::say(&format!("RedisQ  {}", simulator.redisq_url()));
    super::say(&format!("zKB     {}", simulator.zkb_url()));
    super::say(&format!("ESI     {}", simulator.esi_url()));
    super::say(&format!("EVE Ref {}", simulator.everef_url()));
    shutdown.cancelled().await;
    simulator.shutdown().await;
    Ok(())
}
