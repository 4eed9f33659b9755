//! What a joined channel pushes: live killmails, counts, and a sign of life.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::messages::LOBBY;
use super::session::{Session, timestamp};
use crate::api::client_socket::End;
use crate::api::events::{Pushed, since_commit};
use crate::api::limits::{DATABASE_PAUSE, FLUSH_BYTES};
use crate::feed::{self, Batch, FeedEvent};
use crate::store::feed::FeedKind;

impl Session {
    /// Takes what the reader gave. A channel whose place in the feed is lost ends with `phx_error`: clients
    /// join again.
    pub(super) async fn batch(&mut self, batch: feed::Result<Batch>) -> Result<(), End> {
        let error = match batch {
            Ok(batch) => return self.deliver(&batch.events).await,
            Err(error) => error,
        };
        match error {
            feed::Error::Closed => return Err(End::RESTART),
            feed::Error::Store(error) => {
                tracing::debug!(
                    error = &error as &(dyn std::error::Error + 'static),
                    "a channel could not read the feed"
                );
                if let Some(channel) = &mut self.channel {
                    channel.paused_until = self.state.clock.monotonic() + DATABASE_PAUSE;
                }
                return Ok(());
            }
            feed::Error::Expired { .. } | feed::Error::Ahead { .. } => {}
        }
        let Some(channel) = self.channel.take() else {
            return Ok(());
        };
        tracing::debug!(%error, "a channel lost its place in the feed");
        let join_ref = channel.join_ref.as_deref();
        let frame = self.version.ended(join_ref, LOBBY, "phx_error");
        self.socket.say(frame).await
    }

    /// Pushes new killmails, each once, and then the counts of their systems.
    pub(super) async fn deliver(&mut self, events: &[Arc<FeedEvent>]) -> Result<(), End> {
        let now = self.state.clock.monotonic();
        let Some(channel) = self.channel.as_deref_mut() else {
            return Ok(());
        };
        let (mut waiting, mut killmails) = (0, 0);
        for event in events {
            let system = event.solar_system_id;
            if event.kind != FeedKind::New || !channel.seam.push(event.killmail_id, system) {
                continue;
            }
            let payload = Payload::of(event);
            let join_ref = channel.join_ref.as_deref();
            let frame = payload.push(|pieces| {
                self.version
                    .push(join_ref, LOBBY, "killmail_update", pieces)
            });
            waiting += frame.len();
            killmails += 1;
            channel.told = now;
            if channel.has_system(system) {
                let every = self.state.limits.count_every;
                channel.counts.pushed(system, event.sequence, now, every);
            }
            self.socket.feed(frame).await?;
            if waiting >= FLUSH_BYTES {
                self.socket.flush().await?;
                waiting = 0;
            }
        }
        channel.seam.moved(channel.reader.cursor());
        if waiting > 0 {
            self.socket.flush().await?;
        }
        Pushed {
            protocol: "phoenix",
            killmails,
            waited: since_commit(&self.state.clock, events),
        }
        .emit();
        self.tell_counts(now).await
    }

    /// Tells the counts that are due.
    pub(super) async fn tell_counts(&mut self, now: Duration) -> Result<(), End> {
        let Some(channel) = self.channel.as_deref_mut() else {
            return Ok(());
        };
        let counts = channel.counts.take_due(&self.state, now).await;
        if counts.is_empty() {
            return Ok(());
        }
        channel.told = now;
        let timestamp = timestamp(self.state.clock.now());
        for (system_id, count) in counts {
            let payload =
                format!(r#"{{"system_id":{system_id},"count":{count},"timestamp":"{timestamp}"}}"#);
            let frame = self.push("kill_count_update", &[payload.as_bytes()]);
            self.socket.feed(frame).await?;
        }
        self.socket.flush().await
    }

    /// After a long silence, an update without killmails: Wanderer would take more of it for a broken
    /// connection.
    pub(super) async fn break_silence(&mut self, now: Duration) -> Result<(), End> {
        let keep_alive = self.state.limits.phoenix_keep_alive;
        let Some(channel) = self.channel.as_deref_mut() else {
            return Ok(());
        };
        let Some(system) = channel.any_system() else {
            return Ok(());
        };
        if now < channel.told + keep_alive {
            return Ok(());
        }
        channel.told = now;
        let payload = self.update(system, "", false);
        self.say_push("killmail_update", &payload).await
    }

    /// The payload of an update without a cursor: `killmails` are documents with commas between them.
    pub(super) fn update(&self, system: i64, killmails: &str, preload: bool) -> String {
        let timestamp = timestamp(self.state.clock.now());
        format!(
            r#"{{"system_id":{system},"killmails":[{killmails}],"timestamp":"{timestamp}","preload":{preload}}}"#
        )
    }

    /// Tells that a preload is over.
    pub(super) async fn preloaded(
        &mut self,
        killmails: usize,
        systems: usize,
        errors: &HashSet<&'static str>,
    ) -> Result<(), End> {
        let payload = json!({
            "total_kills": killmails,
            "systems_processed": systems,
            "errors": errors,
        });
        self.say_push("preload_complete", &payload.to_string())
            .await
    }

    async fn say_push(&mut self, event: &str, payload: &str) -> Result<(), End> {
        let frame = self.push(event, &[payload.as_bytes()]);
        self.socket.feed(frame).await?;
        self.socket.flush().await
    }

    /// A frame of the joined channel.
    pub(super) fn push(&self, event: &str, payload: &[&[u8]]) -> Bytes {
        let join_ref = self.channel.as_ref().and_then(|it| it.join_ref.as_deref());
        self.version.push(join_ref, LOBBY, event, payload)
    }
}

/// A live killmail's update: the document's bytes are shared until they are written into the frame.
struct Payload<'a> {
    head: String,
    document: &'a [u8],
    tail: String,
}

impl<'a> Payload<'a> {
    fn of(event: &'a FeedEvent) -> Self {
        Self {
            head: format!(r#"{{"system_id":{},"killmails":["#, event.solar_system_id),
            document: &event.document,
            tail: format!(
                r#"],"timestamp":"{}","preload":false,"cursor":{}}}"#,
                timestamp(event.committed_at),
                event.sequence
            ),
        }
    }

    fn push(&self, frame: impl FnOnce(&[&[u8]]) -> Bytes) -> Bytes {
        frame(&[self.head.as_bytes(), self.document, self.tail.as_bytes()])
    }
}
