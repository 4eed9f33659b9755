//! A websocket listener that costs the machine little: it counts killmails and looks at nothing else.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes read at once.
const READ_AHEAD: usize = 256 * 1024;

/// How a killmail's message begins.
const KILLMAIL: &[u8] = br#"{"type":"killmail""#;

thread_local! {
    /// Read into and looked at without a wait between, so that all listeners of a thread can share it.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_AHEAD]);
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
}

impl Listener {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let request = "GET /api/killfeed/ws HTTP/1.1\r\nHost: figures\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
        }
        ensure!(answer.starts_with(b"HTTP/1.1 101"), "no upgrade");
        let mut listener = Self {
            stream,
            frames: Frames::default(),
        };
        while listener.frames.complete == 0 {
            listener.receive().await?;
        }
        ensure!(
            listener.frames.killmails == 0,
            "a killmail before the greeting"
        );
        Ok(listener)
    }

    /// Reads until `killmails` have come. Returns itself and the bytes read.
    pub(crate) async fn read(mut self, killmails: usize) -> anyhow::Result<(Self, usize)> {
        let mut bytes = 0;
        while self.frames.killmails < killmails || !self.frames.between() {
            bytes += self.receive().await?;
        }
        Ok((self, bytes))
    }

    async fn receive(&mut self) -> anyhow::Result<usize> {
        loop {
            self.stream.readable().await?;
            let received = BUFFER.with_borrow_mut(|buffer| {
                let length = self.stream.try_read(buffer)?;
                self.frames.take(buffer.get(..length).unwrap_or_default());
                io::Result::Ok(length)
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

/// Frames of a byte stream, told apart piece by piece.
#[derive(Debug, Default)]
struct Frames {
    /// Header and first bytes of the frame that is being looked at.
    head: Vec<u8>,
    /// Bytes of it that are still to come and that nobody looks at.
    rest: usize,
    complete: usize,
    killmails: usize,
}

impl Frames {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
            } else if let Some((first, others)) = bytes.split_first() {
                self.head.push(*first);
                bytes = others;
                self.judge();
            }
        }
    }

    /// True when no frame is half read.
    fn between(&self) -> bool {
        self.rest == 0 && self.head.is_empty()
    }

    /// Looks at the frame once enough of it is there.
    fn judge(&mut self) {
        let (start, length) = match *self.head.as_slice() {
            [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
            [_, 127, _, _, _, _, a, b, c, d, ..] => {
                let length = u32::from_be_bytes([a, b, c, d]);
                (10, usize::try_from(length).unwrap_or(usize::MAX))
            }
            [_, 126 | 127, ..] => return,
            [_, short, ..] => (2, usize::from(short)),
            _ => return,
        };
        let looked_at = length.min(KILLMAIL.len());
        if self.head.len() < start + looked_at {
            return;
        }
        self.killmails += usize::from(self.head.ends_with(KILLMAIL));
        self.complete += 1;
        self.rest = length - looked_at;
        self.head.clear();
    }
}
