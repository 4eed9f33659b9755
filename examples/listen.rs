//! Prints every new killmail of a running service, by websocket, and comes back where it was.
//!
//! `cargo run --release --example listen -- 'ws://127.0.0.1:4004/api/killfeed/ws?min_value=100000000'`

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::connect_async;
use url::Url;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1);
    let mut url = Url::parse(
        address
            .as_deref()
            .unwrap_or("ws://127.0.0.1:4004/api/killfeed/ws"),
    )?;
    let filter: Vec<(String, String)> = url
        .query_pairs()
        .into_owned()
        .filter(|(key, _)| key != "after")
        .collect();
    loop {
        let (mut socket, _) = connect_async(url.as_str()).await?;
        while let Some(Ok(message)) = socket.next().await {
            let Ok(text) = message.to_text() else {
                continue;
            };
            let Ok(frame) = serde_json::from_str::<Value>(text) else {
                continue;
            };
            if let Some(killmail) = frame.pointer("/event/killmail") {
                let field = |path| killmail.pointer(path).unwrap_or(&Value::Null).to_string();
                println!(
                    "{} {} lost a {} in {}",
                    field("/kill_time"),
                    field("/victim/character_name"),
                    field("/victim/ship_name"),
                    field("/solar_system_name"),
                );
            }
            if let Some(cursor) = frame.get("cursor").and_then(Value::as_i64) {
                let mut query = url.query_pairs_mut();
                query
                    .clear()
                    .extend_pairs(&filter)
                    .append_pair("after", &cursor.to_string());
            }
        }
        println!("the connection ended; coming back in a second");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
