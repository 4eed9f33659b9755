use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::StatusCode;

use crate::runtime::tls;

/// An answer takes milliseconds; whoever asks has a limit of some seconds.
const PATIENCE: Duration = Duration::from_secs(4);

/// Ask a running service whether it answers; exit code 0 when it does. For containers, which need no other program
/// for it.
#[derive(Debug, clap::Args)]
pub struct HealthcheckArgs {
    /// Address and port on which the service listens.
    #[arg(long, env = "WK_LISTEN", default_value = "127.0.0.1:4004")]
    pub listen: SocketAddr,
    /// The certificate that the service has, if it has one: then it is asked by HTTPS.
    #[arg(long, env = "WK_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
}

pub(super) async fn run(args: HealthcheckArgs) -> anyhow::Result<()> {
    tls::install();
    let scheme = args.tls_cert.map_or("http", |_| "https");
    let url = format!("{scheme}://{}/ping", reachable(args.listen));
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        // The certificate names the service's public name, and this asks an address of its own machine.
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "asks our own service, not somebody's server"
    )]
    let answer = client.get(&url).send().await;
    let status = answer.with_context(|| format!("asking {url}"))?.status();
    ensure!(status == StatusCode::OK, "{url} answers {status}");
    super::say("ok");
    Ok(())
}

/// Where a service that listens on every address can be asked.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(match listen {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_asked_at_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:4004", "127.0.0.1:4004"),
            ("[::]:4004", "[::1]:4004"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
