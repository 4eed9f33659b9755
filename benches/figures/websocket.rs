//! Websocket messages per second to many listeners.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use wanderer_kills::runtime::clock::SystemClock;

use super::corpus::{Running, killmails};
use super::database::Server;
use super::report::{Aim, Report};
use super::serving::Process;

/// Descriptors this program wants: two thousand above the most listeners.
const DESCRIPTORS: u64 = 8_000;

/// Killmails sent to all listeners.
const BURST: usize = 100;

/// Bytes read ahead by one listener.
const READ_AHEAD: usize = 64 * 1024;

/// Measures.
pub(crate) async fn measure(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    raise_descriptor_limit()?;
    for listeners in [1_000_u32, 5_000] {
        let database = server.database(&format!("websocket_{listeners}")).await?;
        let service = Process::start(&database).await?;
        let mut reading = JoinSet::new();
        for listener in open(service.address, listeners).await? {
            reading.spawn(listener.read(BURST));
        }
        let clock = SystemClock::shared();
        let burst = killmails(1, BURST, clock.now());
        let running = Running::start(&database.store)?;
        let started = clock.monotonic();
        running.send_all(burst).await?;
        while let Some(read) = reading.join_next().await {
            read??;
        }
        let elapsed = clock.monotonic().saturating_sub(started).as_secs_f64();
        let messages = f64::from(listeners) * f64::from(u32::try_from(BURST)?);
        report.aim(
            format!("websocket messages to {listeners} listeners, commit included"),
            messages / elapsed,
            "messages/s",
            Aim::AtLeast(250_000.0),
        );
        service.stop().await?;
    }
    Ok(())
}

/// Raises this process's limit, and that of what it starts, as far as it may.
pub(crate) fn raise_descriptor_limit() -> anyhow::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < DESCRIPTORS {
        setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS.min(hard), hard)?;
    }
    Ok(())
}

/// Opens listeners that have been greeted.
pub(crate) async fn open(address: SocketAddr, number: u32) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for _ in 0..number {
        listeners.push(Listener::open(address).await?);
    }
    Ok(listeners)
}

/// A listener that reads frames and looks at nothing but their kind.
pub(crate) struct Listener {
    stream: BufReader<TcpStream>,
    payload: Vec<u8>,
}

impl Listener {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let request = "GET /api/killfeed/ws HTTP/1.1\r\nHost: figures\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut listener = Self {
            stream: BufReader::with_capacity(READ_AHEAD, stream),
            payload: Vec::new(),
        };
        let mut line = String::new();
        listener.stream.read_line(&mut line).await?;
        ensure!(line.starts_with("HTTP/1.1 101"), "no upgrade: {line}");
        while line != "\r\n" {
            line.clear();
            listener.stream.read_line(&mut line).await?;
        }
        ensure!(!listener.frame().await?, "a killmail before the greeting");
        Ok(listener)
    }

    /// Reads until `killmails` have come.
    async fn read(mut self, killmails: usize) -> anyhow::Result<()> {
        let mut read = 0;
        while read < killmails {
            read += usize::from(self.frame().await?);
        }
        Ok(())
    }

    /// Reads one frame; true for a killmail.
    async fn frame(&mut self) -> anyhow::Result<bool> {
        let _flags = self.stream.read_u8().await?;
        let length = match self.stream.read_u8().await? {
            126 => u64::from(self.stream.read_u16().await?),
            127 => self.stream.read_u64().await?,
            short => u64::from(short),
        };
        let length = usize::try_from(length).context("an absurd frame")?;
        self.payload.resize(length, 0);
        self.stream.read_exact(&mut self.payload).await?;
        Ok(self.payload.starts_with(br#"{"type":"killmail""#))
    }
}
