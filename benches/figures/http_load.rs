//! A small HTTP load: a fixed number of connections, kept alive, each with one request in flight.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use wanderer_kills::runtime::clock::SystemClock;

/// Connections of a load.
const CONNECTIONS: usize = 16;

/// What a load measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Requests per second that `address` answers, over `seconds`; each connection walks through `paths`.
pub(crate) async fn requests_per_second(
    address: SocketAddr,
    paths: &[String],
    seconds: u64,
) -> anyhow::Result<f64> {
    Ok(measure(address, paths, seconds).await?.per_second)
}

/// As [`requests_per_second`], with the times that requests took.
pub(crate) async fn measure(
    address: SocketAddr,
    paths: &[String],
    seconds: u64,
) -> anyhow::Result<Load> {
    let clock = SystemClock::shared();
    let until = clock.monotonic() + Duration::from_secs(seconds);
    let started = clock.monotonic();
    let loads = (0..CONNECTIONS).map(|number| {
        let clock = clock.clone();
        async move {
            let mut connection = Connection::open(address).await?;
            let mut took = Vec::new();
            for path in paths
                .iter()
                .cycle()
                .skip(number * paths.len() / CONNECTIONS)
            {
                let asked = clock.monotonic();
                connection.get(path).await?;
                took.push(clock.monotonic().saturating_sub(asked));
                if clock.monotonic() >= until {
                    break;
                }
            }
            anyhow::Ok(took)
        }
    });
    let took = futures::future::try_join_all(loads).await?;
    let elapsed = clock.monotonic().saturating_sub(started).as_secs_f64();
    let mut took = took.concat();
    took.sort_unstable();
    let percentile = |hundredths: usize| {
        let index = took.len().saturating_sub(1) * hundredths / 100;
        took.get(index).copied().unwrap_or_default().as_secs_f64() * 1_000.0
    };
    Ok(Load {
        per_second: f64::from(u32::try_from(took.len())?) / elapsed,
        p50_ms: percentile(50),
        p99_ms: percentile(99),
    })
}

/// A body that was read and not kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streamed {
    pub(crate) lines: usize,
    /// It ended as a whole body of chunks does.
    pub(crate) is_complete: bool,
}

/// One request with more headers, whose body comes in chunks.
pub(crate) async fn until_end(
    address: SocketAddr,
    path: &str,
    headers: &str,
) -> anyhow::Result<Streamed> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: figures\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut buffer = vec![0; 256 * 1024];
    let (mut lines, mut end) = (0, Vec::new());
    loop {
        let read = stream.read(&mut buffer).await?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            break;
        };
        // Rows of a table end with both characters, lines inside a field with one.
        lines += piece.split(|byte| *byte == b'\n').count() - 1;
        end.extend_from_slice(piece);
        end.drain(..end.len().saturating_sub(5));
    }
    Ok(Streamed {
        lines,
        is_complete: end == b"0\r\n\r\n",
    })
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
        let mut in_chunks = false;
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
            in_chunks |= name.eq_ignore_ascii_case("transfer-encoding");
        }
        if in_chunks {
            return self.read_chunks().await;
        }
        self.body
            .resize(length.context("an answer without content-length")?, 0);
        self.stream.read_exact(&mut self.body).await?;
        Ok(())
    }

    /// A body of unknown length. Only its last chunk is kept.
    async fn read_chunks(&mut self) -> anyhow::Result<()> {
        loop {
            let size = usize::from_str_radix(self.read_line().await?, 16)?;
            self.body.resize(size, 0);
            self.stream.read_exact(&mut self.body).await?;
            self.read_line().await?;
            if size == 0 {
                return Ok(());
            }
        }
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
