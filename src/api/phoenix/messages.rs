//! What clients ask, and the answers.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::channel::{Channel, Which, filter};
use super::frame::{Inbound, Status};
use super::ids::Refusal;
use super::join::{Join, fields};
use super::session::{Session, UNDECODABLE, timestamp};
use crate::api::client_socket::End;
use crate::api::error::ApiError;
use crate::api::limits::STREAM_BATCH_EVENTS;

/// The one topic.
pub(super) const LOBBY: &str = "killmails:lobby";

/// Topics that WandererKills has a channel for, though only the lobby can be joined.
const CHANNEL_TOPICS: &str = "killmails:";

const UNMATCHED: &str = "unmatched topic";
const CRASHED: &str = "join crashed";

impl Session {
    /// Answers one text frame.
    pub(super) async fn answer(&mut self, text: &str) -> Result<(), End> {
        let message = self.version.decode(text).map_err(|_| UNDECODABLE)?;
        match (&*message.topic, &*message.event) {
            ("phoenix", "heartbeat") => {
                let names = (message.reference, "phoenix");
                let reply = self.version.reply(None, names, Status::Ok, "{}");
                self.socket.say(reply).await
            }
            (_, "phx_reply") => self.unmatched(&message).await,
            (LOBBY, "phx_join") => self.join(&message).await,
            (topic, "phx_join") if topic.starts_with(CHANNEL_TOPICS) => {
                self.refuse_join(&message, CRASHED).await
            }
            (LOBBY, "phx_leave") => self.leave(&message).await,
            (_, "phx_leave") => self.reply(message.join_ref, &message, "{}").await,
            (LOBBY, event) if self.channel.is_some() => self.event(event, &message).await,
            _ => self.unmatched(&message).await,
        }
    }

    /// Joins, or joins anew: the old channel ends either way, after the answer.
    async fn join(&mut self, message: &Inbound<'_>) -> Result<(), End> {
        let old = self.channel.take();
        match self.open(message, old.as_deref()).await {
            Ok(channel) => {
                let welcome = channel.welcome().to_string();
                let mut channel = Box::new(channel);
                let first = std::mem::take(&mut channel.first);
                self.channel = Some(channel);
                self.reply(message.join_ref, message, &welcome).await?;
                self.close_channel(old).await?;
                self.deliver(&first).await
            }
            Err(reason) => {
                self.refuse_join(message, &reason).await?;
                self.close_channel(old).await
            }
        }
    }

    /// The channel that a join asks for, or the reason why there is none.
    async fn open(
        &mut self,
        message: &Inbound<'_>,
        old: Option<&Channel>,
    ) -> Result<Channel, String> {
        let join = Join::read(message.payload).map_err(|refusal| match refusal {
            Refusal::Malformed => CRASHED.to_owned(),
            Refusal::Reason(reason) => reason,
        })?;
        // What the old channel has not delivered yet is not lost with it.
        let resumed = old
            .filter(|old| old.listens())
            .map(|old| old.reader.cursor());
        let filter = filter(&join.systems, &join.character_ids);
        let mut reader = self.state.feed.reader(join.after.or(resumed), filter);
        let mut first = Vec::new();
        if join.after.is_some() && !reader.filter().is_everything() {
            let read = reader.next(STREAM_BATCH_EVENTS, Duration::ZERO);
            let batch = timeout(self.state.limits.request_timeout, read)
                .await
                .map_err(|_| ApiError::Timeout)
                .and_then(|batch| batch.map_err(ApiError::from))
                .map_err(|error| {
                    error.log();
                    format!("[{}] {}", error.code(), error.problem().detail())
                })?;
            first = batch.events;
        }
        let join_ref = message.join_ref.map(str::to_owned);
        let now = self.state.clock.monotonic();
        let counted = self.state.phoenix.joined();
        let mut channel = Channel::new(join_ref, &join, reader, now, counted);
        channel.first = first;
        Ok(channel)
    }

    async fn leave(&mut self, message: &Inbound<'_>) -> Result<(), End> {
        let Some(channel) = &self.channel else {
            return self.reply(message.join_ref, message, "{}").await;
        };
        if is_stale(message, channel) {
            return Ok(());
        }
        let old = self.channel.take();
        let join_ref = old.as_ref().and_then(|old| old.join_ref.as_deref());
        self.reply(join_ref, message, "{}").await?;
        self.close_channel(old).await
    }

    /// Any other event of the joined channel.
    async fn event(&mut self, event: &str, message: &Inbound<'_>) -> Result<(), End> {
        let Some(channel) = self.channel.as_deref_mut() else {
            return self.unmatched(message).await;
        };
        if is_stale(message, channel) {
            return Ok(());
        }
        let change = match event {
            "subscribe_systems" => Some((true, Which::Systems)),
            "unsubscribe_systems" => Some((false, Which::Systems)),
            "subscribe_characters" => Some((true, Which::Characters)),
            "unsubscribe_characters" => Some((false, Which::Characters)),
            _ => None,
        };
        let feed = &self.state.feed;
        let outcome = match change {
            Some((true, which)) => {
                ids(which, message.payload).and_then(|ids| channel.subscribe(which, &ids, feed))
            }
            Some((false, which)) => {
                ids(which, message.payload).map(|ids| channel.unsubscribe(which, &ids, feed))
            }
            None if event == "get_status" => {
                let connected_at = timestamp(self.connected_at);
                Ok(channel.status(&connected_at, &self.user_id))
            }
            None => Err("unknown event".to_owned()),
        };
        let join_ref = channel.join_ref.clone();
        self.conclude(join_ref.as_deref(), message, outcome).await
    }

    async fn conclude(
        &mut self,
        join_ref: Option<&str>,
        message: &Inbound<'_>,
        outcome: Result<Value, String>,
    ) -> Result<(), End> {
        match outcome {
            Ok(response) => self.reply(join_ref, message, &response.to_string()).await,
            Err(reason) => {
                let names = (message.reference, &*message.topic);
                let reply = self.version.refusal(join_ref, names, &reason);
                self.socket.say(reply).await
            }
        }
    }

    async fn reply(
        &mut self,
        join_ref: Option<&str>,
        message: &Inbound<'_>,
        response: &str,
    ) -> Result<(), End> {
        let names = (message.reference, &*message.topic);
        let reply = self.version.reply(join_ref, names, Status::Ok, response);
        self.socket.say(reply).await
    }

    async fn refuse_join(&mut self, message: &Inbound<'_>, reason: &str) -> Result<(), End> {
        let names = (message.reference, &*message.topic);
        let refusal = self.version.refusal(message.join_ref, names, reason);
        self.socket.say(refusal).await
    }

    async fn unmatched(&mut self, message: &Inbound<'_>) -> Result<(), End> {
        let names = (message.reference, &*message.topic);
        let refusal = self.version.refusal(None, names, UNMATCHED);
        self.socket.say(refusal).await
    }

    async fn close_channel(&mut self, channel: Option<Box<Channel>>) -> Result<(), End> {
        let Some(channel) = channel else {
            return Ok(());
        };
        let join_ref = channel.join_ref.as_deref();
        let frame = self.version.ended(join_ref, LOBBY, "phx_close");
        self.socket.say(frame).await
    }
}

/// Whether a message belongs to an earlier join. Clients may leave the join out.
fn is_stale(message: &Inbound<'_>, channel: &Channel) -> bool {
    match (message.join_ref, channel.join_ref.as_deref()) {
        (Some(named), Some(joined)) => named != joined,
        _ => false,
    }
}

/// The ids of a change, or the reason why they are not taken.
fn ids(which: Which, payload: &str) -> Result<Vec<i64>, String> {
    let kind = which.kind();
    let list = fields(payload).and_then(|fields| fields.get(kind.field).copied());
    match list.map(|list| kind.read(list)) {
        Some(Ok(ids)) => Ok(ids),
        Some(Err(Refusal::Reason(reason))) => Err(reason),
        Some(Err(Refusal::Malformed)) | None => Err(format!(
            "[validation:invalid_payload] {} must be a list of integers",
            kind.field
        )),
    }
}
