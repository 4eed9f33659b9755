//! RedisQ as it was in the end, and the poll of the relay that carries on.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::{Shared, Simulated, parameter};
use crate::domain::Killmail;
use crate::simulator::render;

/// A queue that nobody has polled for so long is forgotten.
const MEMORY: Duration = Duration::from_hours(3);
/// The most queues remembered; beyond that the one not polled for longest goes.
const MAX_QUEUES: usize = 1_000;
/// The most killmails in one answer of the relay.
const POLL_BATCH: usize = 100;
/// The longest queue id.
const MAX_QUEUE_ID: usize = 128;
const DEFAULT_WAIT: u64 = 10;
const RELAY_WAIT: u64 = 60;

/// The queues with their positions.
#[derive(Debug, Default)]
pub(super) struct Queues {
    queues: HashMap<String, Queue>,
}

#[derive(Debug)]
struct Queue {
    /// The next number to hand out.
    next: i64,
    /// When it was last polled, monotonic.
    polled: Duration,
    /// Someone waits on it.
    busy: bool,
}

impl Queues {
    /// Takes a queue for one poll; `None` where someone waits on it already. A new one starts at `head`.
    fn take(&mut self, id: &str, head: i64, now: Duration) -> Option<i64> {
        self.queues
            .retain(|_, it| it.busy || now.saturating_sub(it.polled) < MEMORY);
        if self.queues.len() >= MAX_QUEUES && !self.queues.contains_key(id) {
            let oldest = self.queues.iter().min_by_key(|(_, it)| it.polled);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.queues.remove(&oldest);
            }
        }
        let queue = self.queues.entry(id.to_owned()).or_insert(Queue {
            next: head,
            polled: now,
            busy: false,
        });
        if queue.busy {
            return None;
        }
        queue.busy = true;
        Some(queue.next)
    }
}

/// Gives a queue back, also where its client went away.
struct Taken<'a> {
    shared: &'a Shared,
    id: &'a str,
    next: i64,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let now = self.shared.clock().monotonic();
        let mut queues = super::lock(&self.shared.redisq);
        if let Some(queue) = queues.queues.get_mut(self.id) {
            queue.busy = false;
            queue.next = self.next;
            queue.polled = now;
        }
    }
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/listen.php", get(listen))
        .route("/object.php", get(object))
        .route("/poll/{queue}", get(poll))
}

/// Always redirects: to a package, or to none once the wait is over.
async fn listen(State(shared): Simulated, RawQuery(query): RawQuery) -> Response {
    let id = parameter(query.as_deref(), "queueID").unwrap_or_default();
    if id.is_empty() || id.len() > MAX_QUEUE_ID {
        return refused("queueID is missing");
    }
    let wait = parameter(query.as_deref(), "ttw")
        .and_then(|it| it.parse::<u64>().ok())
        .unwrap_or(DEFAULT_WAIT)
        .clamp(1, DEFAULT_WAIT);
    let Some(killmails) = wait_for(&shared, &id, Duration::from_secs(wait), 1).await else {
        return refused("this queue is being listened to already");
    };
    let object = killmails
        .first()
        .map_or("null".to_owned(), |it| it.killmail_id.to_string());
    let place = format!("object.php?objectID={object}");
    (StatusCode::FOUND, [(header::LOCATION, place)]).into_response()
}

fn refused(why: &str) -> Response {
    super::json_status(StatusCode::TOO_MANY_REQUESTS, &json!({ "error": why }))
}

async fn object(State(shared): Simulated, RawQuery(query): RawQuery) -> Response {
    let id = parameter(query.as_deref(), "objectID").unwrap_or_default();
    if id == "null" {
        return super::json(&json!({ "package": null }));
    }
    let killmail = id.parse().ok().and_then(|id| shared.world().killmail(id));
    match killmail {
        Some(it) => super::json(&render::redisq(&it, shared.config.redisq_with_body)),
        None => super::not_found(),
    }
}

/// The relay's long poll: an array of up to 100 killmails in their flat form.
async fn poll(State(shared): Simulated, Path(queue): Path<String>) -> Response {
    let wait = Duration::from_secs(RELAY_WAIT);
    match wait_for(&shared, &queue, wait, POLL_BATCH).await {
        Some(killmails) => {
            let rows = killmails.iter().map(|it| render::flat(it)).collect();
            super::json(&Value::Array(rows))
        }
        None => refused("this queue is being polled already"),
    }
}

/// Waits for killmails of a queue, in real time; `None` where the queue is taken.
async fn wait_for(
    shared: &Shared,
    id: &str,
    wait: Duration,
    limit: usize,
) -> Option<Vec<Arc<Killmail>>> {
    let head = shared.world().next_sequence();
    let now = shared.clock().monotonic();
    let next = shared
        .redisq
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take(id, head, now)?;
    let mut taken = Taken { shared, id, next };
    let over = tokio::time::sleep(wait.min(shared.config.longest_poll));
    tokio::pin!(over);
    loop {
        let woken = shared.published.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let found = shared.world().documents_from(taken.next, limit);
        if let Some((last, _)) = found.last() {
            taken.next = last + 1;
            return Some(found.into_iter().map(|(_, it)| it).collect());
        }
        tokio::select! {
            () = &mut over => return Some(Vec::new()),
            () = shared.stop.cancelled() => return Some(Vec::new()),
            () = woken => {}
        }
    }
}
