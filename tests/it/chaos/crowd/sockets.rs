//! Listeners on websockets.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Seat;
use super::polls::take;
use crate::support::phoenix::LOBBY;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) async fn websocket(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    let (after, systems) = (seat.record().cursor, seat.query("&systems"));
    let url = format!("ws://{address}/api/killfeed/ws?after={after}{systems}");
    let (mut socket, _) = connect_async(url).await?;
    seat.record().reached();
    loop {
        let frame = next(&mut socket).await?;
        match frame["type"].as_str().unwrap_or_default() {
            "killmail" => take(&mut seat.record(), &frame["event"])?,
            "hello" => {}
            "cursor" => seat.record().cursor = frame["cursor"].as_i64().context("cursor")?,
            _ => bail!("{frame}"),
        }
    }
}

pub(super) async fn phoenix(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    let url = format!("ws://{address}/socket/websocket?vsn=2.0.0");
    let (mut socket, _) = connect_async(url).await?;
    let payload = json!({"systems": seat.systems, "after": seat.record().cursor});
    let join = json!(["1", "1", LOBBY, "phx_join", payload]);
    socket.send(Message::text(join.to_string())).await?;
    loop {
        let frame = next(&mut socket).await?;
        let payload = &frame[4];
        match frame[3].as_str().unwrap_or_default() {
            "phx_reply" => {
                ensure!(payload["status"] == "ok", "{payload}");
                seat.record().reached();
            }
            "killmail_update" => {
                for killmail in payload["killmails"].as_array().context("killmails")? {
                    let killmail = killmail["killmail_id"].as_i64().context("killmail_id")?;
                    let cursor = payload["cursor"].as_i64().context("cursor")?;
                    seat.record().takes(cursor, killmail);
                }
            }
            "kill_count_update" => {}
            _ => bail!("{frame}"),
        }
    }
}

/// The next text frame; the end of the connection is a failure.
async fn next(socket: &mut Socket) -> anyhow::Result<Value> {
    loop {
        let message = socket.next().await.context("the connection ended")??;
        if let Message::Text(text) = &message {
            return Ok(serde_json::from_str(text)?);
        }
        ensure!(!message.is_close(), "{message}");
    }
}
