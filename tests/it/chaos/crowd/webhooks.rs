//! Listeners that are posted to. They leave by pausing their subscription, and come back by resuming it.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::polls::take;
use super::{Kind, Seat};

/// For one request of an owner.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// A subscription as its owner knows it.
#[derive(Debug, Clone)]
struct Owned {
    id: String,
    secret: String,
}

/// The receivers by number, and the ids of messages that came.
type Received = (HashMap<usize, Arc<Seat>>, Mutex<HashSet<String>>);

/// One server for all receivers, each with a path of its own.
pub(super) struct Hooks {
    address: SocketAddr,
    client: reqwest::Client,
    owned: Mutex<HashMap<usize, Owned>>,
    // Ends the server when dropped.
    _server: JoinSet<()>,
}

impl Hooks {
    pub(super) async fn start(seats: &[Arc<Seat>]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let receivers = seats
            .iter()
            .filter(|seat| seat.kind == Kind::Webhook)
            .map(|seat| (seat.number, Arc::clone(seat)))
            .collect();
        let router = Router::new()
            .route("/{number}", post(receive))
            .with_state(Arc::new((receivers, Mutex::default())));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        wanderer_kills::runtime::tls::install();
        let client = reqwest::Client::builder().no_proxy().timeout(REQUEST_LIMIT);
        Self {
            address,
            client: client.build().unwrap(),
            owned: Mutex::default(),
            _server: server,
        }
    }

    /// Makes the subscription.
    pub(super) async fn subscribe(&self, seat: &Seat, door: SocketAddr) -> anyhow::Result<()> {
        let body = json!({
            "callback_url": format!("http://{}/{}", self.address, seat.number),
            "subscriber_id": seat.name(),
            "filter": {"systems": seat.systems},
        });
        let url = format!("http://{door}/api/subscriptions");
        let answer = self.client.post(url).json(&body).send().await?;
        ensure!(answer.status() == 201, "{}", answer.text().await?);
        let made: Value = answer.json().await?;
        let text = |field: &str| made[field].as_str().map(str::to_owned).context("a text");
        let owned = Owned {
            id: text("id")?,
            secret: text("secret")?,
        };
        self.owned.lock().unwrap().insert(seat.number, owned);
        Ok(())
    }

    /// Resumes, and is there.
    pub(super) async fn visit(&self, seat: &Seat, door: SocketAddr) -> anyhow::Result<()> {
        self.set(seat, door, "resume").await?;
        seat.record().reached();
        std::future::pending().await
    }

    /// Pauses; one that can't simply stays.
    pub(super) async fn pause(&self, seat: &Seat, door: SocketAddr) {
        drop(self.set(seat, door, "pause").await);
    }

    async fn set(&self, seat: &Seat, door: SocketAddr, what: &str) -> anyhow::Result<()> {
        let owned = self.owned.lock().unwrap().get(&seat.number).cloned();
        let Owned { id, secret } = owned.context("subscribed")?;
        let url = format!("http://{door}/api/subscriptions/{id}/{what}");
        let answer = self.client.post(url).bearer_auth(secret).send().await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        Ok(())
    }
}

async fn receive(
    State(received): State<Arc<Received>>,
    Path(number): Path<usize>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> StatusCode {
    let (receivers, messages) = &*received;
    let (Some(seat), Some(id)) = (receivers.get(&number), headers.get("webhook-id")) else {
        return StatusCode::NOT_FOUND;
    };
    let id = id.to_str().unwrap_or_default().to_owned();
    let mut record = seat.record();
    if !messages.lock().unwrap().insert(id) {
        record.repeats += 1;
        return StatusCode::OK;
    }
    for event in body["events"].as_array().into_iter().flatten() {
        if let Err(error) = take(&mut record, event) {
            record.failed(&error);
            return StatusCode::BAD_REQUEST;
        }
    }
    StatusCode::OK
}
