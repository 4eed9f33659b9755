//! Listeners to server-sent events.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};

use super::Seat;
use super::polls::take;
use crate::support::sse::{BareBlocks, Block};

pub(super) async fn killfeed(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    let path = format!("/api/killfeed/stream?{}", seat.query("systems"));
    listen(seat, address, &path, |block| {
        match block.event.as_str() {
            "" => take(&mut seat.record(), &serde_json::from_str(&block.data)?)?,
            "cursor" => {}
            other => bail!("{other}: {}", block.data),
        }
        Ok(())
    })
    .await
}

pub(super) async fn v1(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    let path = format!("/api/v1/kills/stream?{}", seat.query("system_ids"));
    listen(seat, address, &path, |block| {
        let killmail: serde_json::Value = serde_json::from_str(&block.data)?;
        let killmail = killmail["killmail_id"].as_i64().context("killmail_id")?;
        seat.record().takes(block.id.context("an id")?, killmail);
        Ok(())
    })
    .await
}

/// Reads blocks until the stream ends, which is a failure: streams have no end.
async fn listen(
    seat: &Seat,
    address: SocketAddr,
    path: &str,
    mut heard: impl FnMut(&Block) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let after = seat.record().cursor;
    let mut blocks = BareBlocks::open(address, path, after).await?;
    seat.record().reached();
    while let Some(block) = blocks.next().await? {
        if !block.data.is_empty() {
            heard(&block)?;
        }
        if let Some(id) = block.id {
            seat.record().cursor = id;
        }
    }
    bail!("the stream ended")
}
