//! The whole HTTP surface on a real socket, over a database of its own.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use wanderer_kills::api::probe::{LiveStanding, Probe, Probes};
use wanderer_kills::api::{ApiState, Limits, MetricsRenderer, serve};
use wanderer_kills::domain::{Attacker, Enrichment, FeedSequence, Item, Killmail, Victim, wire};
use wanderer_kills::feed::Feed;
use wanderer_kills::runtime::clock::{SharedClock, SystemClock};
use wanderer_kills::runtime::config::{ApiConfig, DatabaseConfig, FeedConfig};
use wanderer_kills::runtime::supervisor::Supervisor;
use wanderer_kills::store::feed::{FeedEntry, FeedKind};
use wanderer_kills::store::killmails::StorableKillmail;
use wanderer_kills::store::{self, Store};

use super::postgres::{TestDatabase, database};

/// Longest wait for something that has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Jita, where nothing else is asked for.
pub(crate) const JITA: i64 = 30_000_142;

/// A running server.
pub(crate) struct TestApp {
    pub(crate) state: ApiState,
    address: SocketAddr,
    supervisor: Supervisor,
    token: CancellationToken,
    server: JoinHandle<anyhow::Result<()>>,
    client: reqwest::Client,
    url: String,
    connections: DatabaseConfig,
    /// Absent where the database is someone else's.
    database: Option<TestDatabase>,
}

/// What servers may have different.
struct Setup {
    config: ApiConfig,
    database: DatabaseConfig,
    limits: Limits,
    clock: SharedClock,
    probes: Probes,
}

impl Setup {
    fn on(clock: SharedClock) -> Self {
        Self {
            config: ApiConfig::default(),
            database: DatabaseConfig::default(),
            limits: Limits::default(),
            clock,
            probes: Probes::default(),
        }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::on(SystemClock::shared())
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        let database = database().await;
        let url = database.url().to_owned();
        let setup = Setup {
            limits,
            ..Setup::default()
        };
        Self::configured(Some(database), url, setup).await
    }

    /// With another configuration and other limits than the usual ones.
    pub(crate) async fn with_config(config: ApiConfig, limits: Limits) -> Self {
        let database = database().await;
        let url = database.url().to_owned();
        let setup = Setup {
            config,
            limits,
            ..Setup::default()
        };
        Self::configured(Some(database), url, setup).await
    }

    /// As [`TestApp::start`], where a statement of a historical query may take so long.
    pub(crate) async fn with_query_timeout(query_timeout_ms: u64) -> Self {
        let database = database().await;
        let url = database.url().to_owned();
        let mut setup = Setup::default();
        setup.database.query_timeout_ms = query_timeout_ms;
        Self::configured(Some(database), url, setup).await
    }

    /// A server over a migrated database that belongs to someone else, on this clock. Someone else also reads
    /// the past that is wanted.
    pub(crate) async fn serving(url: &str, clock: SharedClock) -> Self {
        Self::configured(None, url.to_owned(), Setup::on(clock)).await
    }

    /// The same, where the live source stands like that.
    pub(crate) async fn probed(url: &str, clock: SharedClock, live: Probe<LiveStanding>) -> Self {
        let mut setup = Setup::on(clock);
        setup.probes.live = live;
        Self::configured(None, url.to_owned(), setup).await
    }

    /// As [`TestApp::start`], for a client that looks at redirects and packed bodies itself.
    pub(crate) async fn without_redirects() -> Self {
        let mut app = Self::start().await;
        let client = reqwest::Client::builder().no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).no_gzip();
        app.client = client.build().unwrap();
        app
    }

    /// As [`TestApp::start`], with webhooks allowed to a network.
    pub(crate) async fn with_webhooks_to(network: &str) -> Self {
        let database = database().await;
        let config = ApiConfig {
            webhook_allow: vec![network.parse().unwrap()],
            ..ApiConfig::default()
        };
        let setup = Setup {
            config,
            ..Setup::default()
        };
        let url = database.url().to_owned();
        Self::configured(Some(database), url, setup).await
    }

    /// Over a database that is there already.
    pub(crate) async fn on(database: TestDatabase) -> Self {
        let url = database.url().to_owned();
        Self::configured(Some(database), url, Setup::default()).await
    }

    /// Stops this server and starts another over the same database.
    pub(crate) async fn restart(self) -> Self {
        let url = self.url.clone();
        let setup = Setup {
            config: self.state.config.clone(),
            database: self.connections.clone(),
            limits: (*self.state.limits).clone(),
            clock: self.state.clock.clone(),
            probes: self.state.probes.clone(),
        };
        let database = self.stop().await;
        Self::configured(database, url, setup).await
    }

    /// Stops the server; fails when it does not end in order.
    pub(crate) async fn stop(self) -> Option<TestDatabase> {
        self.token.cancel();
        tokio::time::timeout(PATIENCE, self.server)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        self.supervisor.shut_down();
        self.database
    }

    async fn configured(database: Option<TestDatabase>, url: String, setup: Setup) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let store = Store::connect(&url, &setup.database).await.unwrap();
        let supervisor = Supervisor::new();
        // The feed's hourly rounds would spin on a clock whose waits pass at once.
        let feed_clock = SystemClock::shared();
        let feed = Feed::start(store.clone(), feed_config(), feed_clock, &supervisor)
            .await
            .unwrap();
        let token = CancellationToken::new();
        let metrics = MetricsRenderer::new(|| "# no metrics\n".to_owned());
        let Setup {
            config,
            database: connections,
            limits,
            clock,
            probes,
        } = setup;
        let state = ApiState::new(feed, store, clock, config, metrics, token.clone())
            .with_limits(limits)
            .with_probes(probes)
            .with_preloading(database.is_none());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self {
            server: tokio::spawn(serve(listener, state.clone(), token.clone())),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            state,
            address,
            supervisor,
            token,
            url,
            connections,
            database,
        }
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.url
    }

    pub(crate) fn base_url(&self) -> url::Url {
        format!("http://{}/", self.address).parse().unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.request(reqwest::Method::GET, path)).await
    }

    /// Stores killmails with these ids and puts them on the feed. Returns the last event's cursor.
    pub(crate) async fn append(&self, ids: impl IntoIterator<Item = i64>, system: i64) -> i64 {
        let batch: Vec<StorableKillmail> = ids
            .into_iter()
            .map(|id| storable(killmail(id, system)))
            .collect();
        self.append_batch(&batch).await
    }

    /// The same with killmails of an hour ago.
    pub(crate) async fn append_recent(
        &self,
        ids: impl IntoIterator<Item = i64>,
        system: i64,
    ) -> i64 {
        let recent = |id| Killmail {
            killmail_time: chrono::Utc::now() - chrono::TimeDelta::hours(1),
            ..killmail(id, system)
        };
        let batch: Vec<StorableKillmail> = ids.into_iter().map(|id| storable(recent(id))).collect();
        self.append_batch(&batch).await
    }

    pub(crate) async fn append_batch(&self, batch: &[StorableKillmail]) -> i64 {
        let last = store_batch(&self.state.store, batch).await;
        assert!(self.state.feed.wait_for(last, PATIENCE).await);
        let FeedSequence(last) = last;
        last
    }

    /// A websocket with this query.
    pub(crate) async fn websocket(&self, query: &str) -> Socket {
        let url = format!("ws://{}/api/killfeed/ws?{query}", self.address);
        Socket(connect_async(url).await.unwrap().0)
    }

    /// An SSE stream with this query.
    pub(crate) async fn stream(&self, query: &str, last_event_id: Option<i64>) -> EventStream {
        let path = format!("/api/killfeed/stream?{query}");
        let mut request = self.request(reqwest::Method::GET, &path);
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = send(request).await;
        assert_eq!(response.status(), 200);
        EventStream {
            response,
            text: String::new(),
        }
    }
}

/// Stores killmails and puts them on the feed. Returns the last event's number.
pub(crate) async fn store_batch(store: &Store, batch: &[StorableKillmail]) -> FeedSequence {
    let entries: Vec<FeedEntry> = batch
        .iter()
        .map(|one| FeedEntry {
            killmail_id: one.killmail.killmail_id,
            killmail_time: one.killmail.killmail_time,
            solar_system_id: one.killmail.solar_system_id,
            kind: FeedKind::New,
        })
        .collect();
    let mut transaction = store.pool.begin().await.unwrap();
    store::killmails::upsert(&mut transaction, batch, &Enrichment::default())
        .await
        .unwrap();
    let last = store::feed::append(&mut transaction, &entries)
        .await
        .unwrap()
        .unwrap_or_default();
    transaction.commit().await.unwrap();
    last
}

fn feed_config() -> FeedConfig {
    #[derive(clap::Parser)]
    struct Defaults {
        #[command(flatten)]
        feed: FeedConfig,
    }
    <Defaults as clap::Parser>::parse_from(["test"]).feed
}

/// A small killmail.
pub(crate) fn killmail(killmail_id: i64, solar_system_id: i64) -> Killmail {
    Killmail {
        killmail_id,
        hash: None,
        killmail_time: "2026-06-01T12:00:00Z".parse().unwrap(),
        solar_system_id,
        moon_id: None,
        war_id: None,
        victim: Victim {
            character_id: Some(95_465_499),
            corporation_id: Some(98_000_001),
            ship_type_id: Some(587),
            damage_taken: 100,
            items: vec![Item {
                item_type_id: 3_436,
                flag: 87,
                quantity_dropped: Some(1),
                ..Item::default()
            }],
            ..Victim::default()
        },
        attackers: vec![Attacker {
            character_id: Some(90_379_338),
            damage_done: 100,
            final_blow: true,
            ..Attacker::default()
        }],
        zkb: None,
    }
}

/// The same, ready to be stored.
pub(crate) fn storable(killmail: Killmail) -> StorableKillmail {
    let document = wire::document(&killmail, &Enrichment::default());
    StorableKillmail {
        killmail,
        document,
        pending_names: false,
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is a client from outside")]
pub(crate) async fn send(request: reqwest::RequestBuilder) -> reqwest::Response {
    tokio::time::timeout(PATIENCE, request.send())
        .await
        .unwrap()
        .unwrap()
}

pub(crate) async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = send(request).await;
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.unwrap(),
    }
}

/// The client's end of an SSE stream.
pub(crate) struct EventStream {
    response: reqwest::Response,
    text: String,
}

/// One dispatched event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ServerSent {
    pub(crate) id: Option<i64>,
    pub(crate) event: String,
    pub(crate) data: String,
}

impl EventStream {
    /// The next block with data; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<ServerSent> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse_block(block);
                self.text = rest.to_owned();
                if !event.data.is_empty() {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk());
            let chunk = chunk.await.unwrap().unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

fn parse_block(block: &str) -> ServerSent {
    let mut event = ServerSent::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => event.id = Some(id.parse().unwrap()),
            Some(("event", name)) => event.event = name.to_owned(),
            Some(("data", data)) => event.data = data.to_owned(),
            _ => {}
        }
    }
    event
}

/// The client's end of a websocket.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next JSON frame.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap();
            match message.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(close) => panic!("closed: {close:?}"),
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Reads until the socket is closed; the close code, where there is one.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap() {
                Some(Ok(Message::Close(close))) => return close.map(|close| close.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}
