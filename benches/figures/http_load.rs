//! A small HTTP load: a fixed number of connections, kept alive, each with one request in flight.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use wanderer_kills::runtime::clock::SystemClock;

/// Connections of a load.
const CONNECTIONS: usize = 16;

/// Requests per second that `address` answers, over `seconds`; each connection walks through `paths`.
pub(crate) async fn requests_per_second(
    address: SocketAddr,
    paths: &[String],
    seconds: u64,
) -> anyhow::Result<f64> {
    let clock = SystemClock::shared();
    let until = clock.monotonic() + Duration::from_secs(seconds);
    let started = clock.monotonic();
    let loads = (0..CONNECTIONS).map(|number| {
        let clock = clock.clone();
        async move {
            let mut connection = Connection::open(address).await?;
            let mut answered = 0_u32;
            for path in paths
                .iter()
                .cycle()
                .skip(number * paths.len() / CONNECTIONS)
            {
                connection.get(path).await?;
                answered += 1;
                if clock.monotonic() >= until {
                    break;
                }
            }
            anyhow::Ok(answered)
        }
    });
    let answered = futures::future::try_join_all(loads).await?;
    let elapsed = clock.monotonic().saturating_sub(started).as_secs_f64();
    Ok(f64::from(answered.iter().sum::<u32>()) / elapsed)
}

/// One request on a connection of its own; the body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(address).await?;
    connection.get(path).await?;
    Ok(connection.body)
}

/// A connection that is kept alive.
struct Connection {
    stream: BufStream<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufStream::new(stream),
            line: String::new(),
            body: Vec::new(),
        })
    }

    async fn get(&mut self, path: &str) -> anyhow::Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: figures\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        self.stream.flush().await?;
        let status = self.read_line().await?.to_owned();
        ensure!(status.starts_with("HTTP/1.1 200"), "{path}: {status}");
        let mut length = None;
        loop {
            let line = self.read_line().await?;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else {
                bail!("{path}: odd header {line}");
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse()?);
            }
        }
        self.body
            .resize(length.context("an answer without content-length")?, 0);
        self.stream.read_exact(&mut self.body).await?;
        Ok(())
    }

    async fn read_line(&mut self) -> anyhow::Result<&str> {
        self.line.clear();
        ensure!(
            self.stream.read_line(&mut self.line).await? > 0,
            "connection closed"
        );
        Ok(self.line.trim_end())
    }
}
