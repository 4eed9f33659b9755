use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer takes milliseconds; whoever asks has a limit of some seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// More than the head of any answer; the body does not matter.
const MOST_BYTES: u64 = 4096;

/// Ask a running service whether it answers; exit code 0 when it does. For containers, which need no other program
/// for it.
#[derive(Debug, clap::Args)]
pub struct HealthcheckArgs {
    /// Address and port on which the service listens.
    #[arg(long, env = "WK_LISTEN", default_value = "127.0.0.1:4004")]
    pub listen: SocketAddr,
}

pub(super) async fn run(args: HealthcheckArgs) -> anyhow::Result<()> {
    let address = reachable(args.listen);
    let status = timeout(PATIENCE, ask(address))
        .await
        .with_context(|| format!("{address} takes longer than {PATIENCE:?}"))?
        .with_context(|| format!("asking {address}"))?;
    if !status.starts_with("HTTP/1.1 200") {
        bail!("{address} answers {status:?}");
    }
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

/// The first line of the answer.
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /ping HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
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
