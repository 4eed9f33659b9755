//! The past of newly subscribed systems, by pages. The feed waits meanwhile, so that the seam can tell what
//! both would bring.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::timeout;

use super::join::PreloadOptions;
use super::session::Session;
use crate::api::ApiState;
use crate::api::client_socket::End;
use crate::api::limits::{
    MAX_PRELOAD_BYTES, MAX_PRELOAD_KILLMAILS, PRELOAD_PAGE_KILLMAILS, STREAM_BATCH_EVENTS,
};
use crate::domain::FeedSequence;
use crate::store::killmails::{self, RecentKillmail};
use crate::store::{self, feed};

/// A preload that is going on.
#[derive(Debug)]
pub(super) struct Preload {
    options: PreloadOptions,
    /// Systems still to read. Bounded by what may be subscribed.
    systems: VecDeque<i64>,
    processed: usize,
    killmails: usize,
    bytes: usize,
    errors: HashSet<&'static str>,
}

impl Preload {
    /// A preload of nothing yet.
    pub(super) fn new(options: PreloadOptions) -> Self {
        Self {
            options,
            systems: VecDeque::new(),
            processed: 0,
            killmails: 0,
            bytes: 0,
            errors: HashSet::new(),
        }
    }

    /// More systems, after those that are there.
    pub(super) fn add(&mut self, systems: &[i64]) {
        self.systems.extend(systems);
    }

    /// Systems that the client gave up.
    pub(super) fn leave_out(&mut self, systems: &HashSet<i64>) {
        self.systems.retain(|system| !systems.contains(system));
    }

    /// As many systems as one statement may read.
    fn next_page(&mut self) -> Vec<i64> {
        if self.killmails >= MAX_PRELOAD_KILLMAILS || self.bytes >= MAX_PRELOAD_BYTES {
            self.errors
                .insert("the preload was cut: too many killmails");
            self.systems.clear();
        }
        let limit = usize::try_from(self.options.limit_per_system).unwrap_or(1);
        let size = (PRELOAD_PAGE_KILLMAILS / limit.max(1)).max(1);
        let page: Vec<i64> = self.systems.drain(..size.min(self.systems.len())).collect();
        self.processed += page.len();
        page
    }
}

impl Session {
    /// Reads and pushes one page; after the last, tells so.
    pub(super) async fn preload_page(&mut self) -> Result<(), End> {
        let Some(preload) = self.channel.as_mut().and_then(|it| it.preload.as_mut()) else {
            return Ok(());
        };
        let page = preload.next_page();
        if page.is_empty() {
            return self.finish_preload().await;
        }
        let options = preload.options;
        let Some(killmails) = read(&self.state, &page, options).await else {
            preload.errors.insert("the database could not be read");
            return Ok(());
        };
        for killmails in killmails.chunk_by(|a, b| a.solar_system_id == b.solar_system_id) {
            self.preload_system(killmails).await?;
        }
        self.socket.flush().await
    }

    /// Pushes one system's killmails in one update.
    async fn preload_system(&mut self, killmails: &[RecentKillmail]) -> Result<(), End> {
        let now = self.state.clock.monotonic();
        let Some(channel) = self.channel.as_deref_mut() else {
            return Ok(());
        };
        let new: Vec<&str> = killmails
            .iter()
            .filter(|killmail| channel.seam.preload(killmail.killmail_id))
            .map(|killmail| killmail.document.as_str())
            .collect();
        let Some(first) = killmails.first().filter(|_| !new.is_empty()) else {
            return Ok(());
        };
        channel.told = now;
        if let Some(preload) = &mut channel.preload {
            preload.killmails += new.len();
            preload.bytes += new.iter().map(|document| document.len()).sum::<usize>();
        }
        let payload = self.update(first.solar_system_id, &new.join(","), true);
        let frame = self.push("killmail_update", &[payload.as_bytes()]);
        self.socket.feed(frame).await
    }

    /// Lets the feed go on.
    async fn finish_preload(&mut self) -> Result<(), End> {
        let head = head(&self.state).await;
        let Some(channel) = self.channel.as_deref_mut() else {
            return Ok(());
        };
        let Some(preload) = channel.preload.take() else {
            return Ok(());
        };
        if let Some(head) = head {
            channel.seam.settle(head);
        }
        self.preloaded(preload.killmails, preload.processed, &preload.errors)
            .await?;
        self.catch_up().await
    }

    /// Takes what the feed has already, so that the seam can be forgotten soon.
    async fn catch_up(&mut self) -> Result<(), End> {
        let Some(channel) = self.channel.as_deref_mut().filter(|it| it.listens()) else {
            return Ok(());
        };
        let reading = channel.reader.next(STREAM_BATCH_EVENTS, Duration::ZERO);
        let Ok(batch) = timeout(self.state.limits.request_timeout, reading).await else {
            return Ok(());
        };
        self.batch(batch).await
    }
}

/// The newest killmails of these systems; `None` when the database does not give them in time.
async fn read(
    state: &ApiState,
    systems: &[i64],
    options: PreloadOptions,
) -> Option<Vec<RecentKillmail>> {
    let since = state.clock.now() - TimeDelta::hours(options.since_hours);
    let reading = async {
        // The semaphore is never closed; without a turn the page is read all the same.
        let _turn = state.phoenix.preload_turns.acquire().await.ok();
        let limit = options.limit_per_system;
        killmails::recent(&state.store.pool, systems, since, limit).await
    };
    in_time(state, reading).await
}

/// The log's newest event. Read after the pages, it is not before the event of anything in them.
async fn head(state: &ApiState) -> Option<FeedSequence> {
    let bounds = in_time(state, feed::bounds(&state.store.pool)).await?;
    Some(bounds.head)
}

async fn in_time<T>(
    state: &ApiState,
    reading: impl Future<Output = store::Result<T>>,
) -> Option<T> {
    let reading = tokio::select! {
        reading = timeout(state.limits.request_timeout, reading) => reading,
        () = state.shutdown.cancelled() => return None,
    };
    match reading {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            tracing::warn!(
                error = &error as &(dyn std::error::Error + 'static),
                "a preload could not be read"
            );
            None
        }
        Err(_) => {
            tracing::warn!("a preload took too long");
            None
        }
    }
}
