//! The client's end of a Phoenix socket.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use wanderer_kills::domain::Killmail;
use wanderer_kills::store::killmails::StorableKillmail;

use super::app::{Socket, killmail, storable};
use super::served::Served;

pub(crate) const LOBBY: &str = "killmails:lobby";

/// A client that speaks V2 unless it writes its own frames.
pub(crate) struct Phoenix(pub(crate) Socket);

impl Phoenix {
    pub(crate) async fn v2(app: &impl Served) -> Self {
        Self::connect(app, "vsn=2.0.0&heartbeat=30000").await
    }

    pub(crate) async fn connect(app: &impl Served, query: &str) -> Self {
        let url = format!("ws://{}/socket/websocket?{query}", app.address());
        Self(Socket(connect_async(url).await.unwrap().0))
    }

    /// Tries to connect with another header. The status where it is refused.
    pub(crate) async fn status(app: &impl Served, query: &str, origin: Option<&str>) -> u16 {
        let url = format!("ws://{}/socket/websocket?{query}", app.address());
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            let headers = request.headers_mut();
            headers.insert("origin", origin.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((_, response)) => response.status().as_u16(),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                response.status().as_u16()
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.0.send(&frame.to_string()).await;
    }

    /// The next frame, whatever it is.
    pub(crate) async fn next(&mut self) -> Value {
        self.0.next().await
    }

    /// Sends a message of the lobby and returns the reply to it, passing over pushes.
    pub(crate) async fn ask(
        &mut self,
        join_ref: Value,
        reference: &str,
        event: &str,
        payload: Value,
    ) -> Value {
        self.send(json!([join_ref, reference, LOBBY, event, payload]))
            .await;
        loop {
            let frame = self.next().await;
            if frame[3] == "phx_reply" && frame[1] == reference {
                return frame;
            }
        }
    }

    /// Joins as `"1"` and returns the response of an ok reply.
    pub(crate) async fn join(&mut self, payload: Value) -> Value {
        let reply = self.ask(json!("1"), "1", "phx_join", payload).await;
        assert_eq!(reply[4]["status"], "ok", "{reply}");
        reply[4]["response"].clone()
    }

    /// The payload of the next push of this kind, passing over others.
    pub(crate) async fn push(&mut self, event: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame[3] == event {
                return frame[4].clone();
            }
        }
    }

    /// The payloads of all updates up to the one that brings this killmail.
    pub(crate) async fn updates_until(&mut self, killmail_id: i64) -> Vec<Value> {
        let mut updates = Vec::new();
        loop {
            let update = self.push("killmail_update").await;
            let found = ids(&update).contains(&killmail_id);
            updates.push(update);
            if found {
                return updates;
            }
        }
    }
}

/// The ids of an update's killmails.
pub(crate) fn ids(update: &Value) -> Vec<i64> {
    let killmails = update["killmails"].as_array().unwrap();
    killmails
        .iter()
        .map(|killmail| killmail["killmail_id"].as_i64().unwrap())
        .collect()
}

/// The ids of several updates' killmails.
pub(crate) fn all_ids(updates: &[Value]) -> Vec<i64> {
    updates.iter().flat_map(ids).collect()
}

/// A killmail of so many minutes ago.
pub(crate) fn aged(killmail_id: i64, system: i64, minutes: i64) -> Killmail {
    Killmail {
        killmail_time: Utc::now() - TimeDelta::minutes(minutes),
        ..killmail(killmail_id, system)
    }
}

/// The same, ready to be stored.
pub(crate) fn recent(killmail_id: i64, system: i64, minutes: i64) -> StorableKillmail {
    storable(aged(killmail_id, system, minutes))
}
