//! A Phoenix client as a map of Wanderer's opens one: joins once, beats, and notes when which killmail came.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use wanderer_kills::runtime::clock::SharedClock;

use super::frames::Frames;
use super::listener::{try_take, upgrade};

/// Bytes of a frame that tell which killmail it brings.
const LOOKED_AT: usize = 128;

/// How an update begins, up to its system.
const UPDATE: &[u8] = br#"["1",null,"killmails:lobby","killmail_update",{"system_id":"#;

/// What stands before the killmail's id.
const KILLMAIL: &[u8] = br#""killmails":[{"killmail_id":"#;

/// How the answer to a join begins that was granted.
const JOINED: &[u8] = br#"["1","1","killmails:lobby","phx_reply",{"status":"ok""#;

/// Between two heartbeats, as Phoenix' own client has it.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A killmail that came, and the monotonic time at which it did.
pub(crate) type Heard = (i64, Duration);

/// What a client is subscribed to.
#[derive(Debug, Clone)]
pub(crate) struct Interest {
    pub(crate) systems: Vec<i64>,
    pub(crate) characters: Vec<i64>,
}

/// One joined client.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    clock: SharedClock,
    frames: Frames,
    joined: bool,
    pub(crate) heard: Vec<Heard>,
}

impl Client {
    /// Connects, joins without a preload, and waits for the answer.
    pub(crate) async fn join(
        address: SocketAddr,
        interest: &Interest,
        clock: SharedClock,
    ) -> anyhow::Result<Self> {
        let mut stream = upgrade(address, "/socket/websocket?vsn=2.0.0").await?;
        let payload = serde_json::json!({
            "systems": interest.systems,
            "character_ids": interest.characters,
            "preload": { "enabled": false },
        });
        let join = format!(r#"["1","1","killmails:lobby","phx_join",{payload}]"#);
        stream.write_all(&masked(&join)?).await?;
        let mut client = Self {
            stream,
            clock,
            frames: Frames::new(LOOKED_AT),
            joined: false,
            heard: Vec::new(),
        };
        while !client.joined {
            client.stream.readable().await?;
            client.take()?;
        }
        Ok(client)
    }

    /// Reads until `killmails` have come, beating all the while. `phase` spreads the clients' beats.
    pub(crate) async fn read(mut self, killmails: usize, phase: f64) -> anyhow::Result<Self> {
        let mut beats = interval_at(Instant::now() + HEARTBEAT.mul_f64(phase), HEARTBEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.heard.len() < killmails || !self.frames.between() {
            tokio::select! {
                ready = self.stream.readable() => {
                    ready?;
                    self.take()?;
                }
                _ = beats.tick() => {
                    let beat = masked(r#"[null,"2","phoenix","heartbeat",{}]"#)?;
                    self.stream.write_all(&beat).await?;
                }
            }
        }
        Ok(self)
    }

    /// Takes what has arrived, if anything has.
    pub(crate) fn take(&mut self) -> anyhow::Result<()> {
        let Self {
            stream,
            clock,
            frames,
            joined,
            heard,
        } = self;
        let received = try_take(stream, |bytes| {
            let now = clock.monotonic();
            frames.take(bytes, |head| {
                *joined |= head.starts_with(JOINED);
                heard.extend(killmail_of(head).map(|id| (id, now)));
            });
        });
        match received {
            Ok(0) => bail!("the service closed a connection"),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error).context("reading a Phoenix connection"),
        }
    }
}

/// The killmail that a frame brings.
fn killmail_of(head: &[u8]) -> Option<i64> {
    let rest = head.strip_prefix(UPDATE)?;
    let at = rest.iter().position(|byte| *byte == b',')?;
    let digits = rest.get(at + 1..)?.strip_prefix(KILLMAIL)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

/// A text frame of a client; its mask is zero, which leaves the text as it is.
fn masked(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut frame = vec![0x81];
    if let Ok(short) = u8::try_from(text.len())
        && short < 126
    {
        frame.push(0x80 | short);
    } else {
        let length = u16::try_from(text.len()).context("a join that is too long")?;
        ensure!(length >= 126, "a length in its shortest form");
        frame.push(0xfe);
        frame.extend(length.to_be_bytes());
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    Ok(frame)
}
