//! All upstreams on one listener, each under a path of its own.

mod control;
mod days;
mod esi;
mod everef;
mod r2z2;
mod redisq;
mod ship_types;
mod watch;
mod zkb;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::archives::Shelf;
use super::config::SimulatorConfig;
use super::edition::Edition;
use super::etiquette::Watch;
use super::fault::Desk;
use super::journal::Journal;
use super::source::Error;
use super::world::World;
use crate::runtime::clock::SharedClock;

/// What all handlers share. Each part has its own lock, never held across an await.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: SimulatorConfig,
    world: Mutex<World>,
    shelf: Mutex<Shelf>,
    journal: Mutex<Journal>,
    faults: Mutex<Desk>,
    r2z2: Mutex<Watch>,
    redisq: Mutex<redisq::Queues>,
    zkb: Mutex<zkb::Patience>,
    esi: Mutex<esi::Budget>,
    edition: Mutex<Edition>,
    /// Woken by every publication.
    pub(crate) published: Notify,
    /// Cancelled when everything has to stop.
    pub(crate) stop: CancellationToken,
}

/// The handlers' state.
type Simulated = axum::extract::State<Arc<Shared>>;

impl Shared {
    pub(crate) fn new(config: SimulatorConfig) -> Result<Self, Error> {
        Ok(Self {
            world: Mutex::new(World::new(&config)?),
            shelf: Mutex::new(Shelf::new(config.archives.clone())),
            journal: Mutex::default(),
            faults: Mutex::new(Desk::new(config.faults.clone())),
            r2z2: Mutex::new(Watch::new(config.etiquette)),
            redisq: Mutex::default(),
            zkb: Mutex::default(),
            esi: Mutex::new(esi::Budget::new(&config)),
            edition: Mutex::default(),
            published: Notify::new(),
            stop: CancellationToken::new(),
            config,
        })
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.config.clock
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(crate) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.shelf)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Desk> {
        lock(&self.faults)
    }

    pub(crate) fn r2z2(&self) -> MutexGuard<'_, Watch> {
        lock(&self.r2z2)
    }

    /// Requests to ESI that went beyond one of its limits.
    pub(crate) fn esi_refusals(&self) -> usize {
        lock(&self.esi).refusals()
    }

    pub(crate) fn edition(&self) -> MutexGuard<'_, Edition> {
        lock(&self.edition)
    }

    /// Publishes so many killmails now, and wakes who waits for them.
    pub(crate) fn publish(&self, count: usize) -> Vec<super::Published> {
        let now = self.clock().now();
        let mut world = self.world();
        let published = (0..count).filter_map(|_| world.publish(now)).collect();
        drop(world);
        self.published.notify_waiters();
        published
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every server, with the journal and the faults before them.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .nest("/r2z2", r2z2::routes())
        .nest("/redisq", redisq::routes())
        .nest("/zkb", zkb::routes())
        .nest("/esi", esi::routes())
        .nest("/everef", everef::routes())
        .nest("/ship-types", ship_types::routes())
        .nest("/simulator", control::routes())
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&shared),
            watch::watch,
        ))
        .with_state(shared)
}

/// A JSON answer.
fn json(body: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}

/// A JSON answer with a status of its own.
fn json_status(status: StatusCode, body: &Value) -> Response {
    (status, json(body)).into_response()
}

/// A 404 such as object stores send.
fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "Not found").into_response()
}

/// A query parameter by name.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
