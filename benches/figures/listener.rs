//! A websocket listener that costs the machine little: it counts killmails and looks at nothing else.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frames::Frames;

/// Bytes read at once.
const READ_AHEAD: usize = 256 * 1024;

/// How a killmail's message begins.
const KILLMAIL: &[u8] = br#"{"type":"killmail""#;

thread_local! {
    /// Read into and looked at without a wait between, so that all listeners of a thread can share it.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_AHEAD]);
}

/// Asks for an upgrade and reads the answer's head; nothing behind it.
pub(crate) async fn upgrade(address: SocketAddr, path: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: figures\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    ensure!(answer.starts_with(b"HTTP/1.1 101"), "no upgrade");
    Ok(stream)
}

/// Hands over what has arrived, as it lies in a buffer that all listeners of a thread share. Returns how much
/// it was.
pub(crate) fn try_take(stream: &TcpStream, take: impl FnOnce(&[u8])) -> io::Result<usize> {
    BUFFER.with_borrow_mut(|buffer| {
        let length = stream.try_read(buffer)?;
        take(buffer.get(..length).unwrap_or_default());
        Ok(length)
    })
}

/// Opens listeners that have been greeted.
pub(crate) async fn open(address: SocketAddr, number: u32) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for _ in 0..number {
        listeners.push(Listener::open(address).await?);
    }
    Ok(listeners)
}

/// One open websocket.
#[derive(Debug)]
pub(crate) struct Listener {
    stream: TcpStream,
    frames: Frames,
    complete: usize,
    killmails: usize,
}

impl Listener {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = upgrade(address, "/api/killfeed/ws").await?;
        let mut listener = Self {
            stream,
            frames: Frames::new(KILLMAIL.len()),
            complete: 0,
            killmails: 0,
        };
        while listener.complete == 0 {
            listener.receive().await?;
        }
        ensure!(listener.killmails == 0, "a killmail before the greeting");
        Ok(listener)
    }

    /// Reads until `killmails` have come. Returns itself and the bytes read.
    pub(crate) async fn read(mut self, killmails: usize) -> anyhow::Result<(Self, usize)> {
        let mut bytes = 0;
        while self.killmails < killmails || !self.frames.between() {
            bytes += self.receive().await?;
        }
        Ok((self, bytes))
    }

    async fn receive(&mut self) -> anyhow::Result<usize> {
        loop {
            self.stream.readable().await?;
            let Self {
                stream,
                frames,
                complete,
                killmails,
            } = self;
            let received = try_take(stream, |bytes| {
                frames.take(bytes, |head| {
                    *complete += 1;
                    *killmails += usize::from(head == KILLMAIL);
                });
            });
            match received {
                Ok(0) => bail!("connection closed"),
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("reading a websocket"),
            }
        }
    }
}
