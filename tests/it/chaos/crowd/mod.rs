//! Listeners of every kind, which come and go.

mod guest;
mod polls;
mod record;
mod sockets;
mod streams;
mod webhooks;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use self::guest::Guest;
pub(super) use self::record::Record;
use self::webhooks::Hooks;
use super::schedule::Settings;
use super::stage::Stage;
use super::truth::Truth;

/// One of so many wants everything, the others up to so many systems.
const EVERYTHING_OF: u32 = 10;
const MOST_SYSTEMS: usize = 5;
/// Between two looks whether everybody has everything.
const LOOK: Duration = Duration::from_millis(100);
/// Most listeners of the kinds that ask for each killmail by itself.
const MOST_SINGLE: usize = 10;

/// A way to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    LongPoll,
    ClientId,
    Sse,
    Websocket,
    Phoenix,
    V1Stream,
    RedisQ,
    R2z2,
    Webhook,
}

impl Kind {
    /// With its share of a hundred listeners.
    const SHARES: [(Self, usize); 9] = [
        (Self::LongPoll, 16),
        (Self::ClientId, 8),
        (Self::Sse, 20),
        (Self::Websocket, 20),
        (Self::Phoenix, 20),
        (Self::V1Stream, 10),
        (Self::RedisQ, 1),
        (Self::R2z2, 1),
        (Self::Webhook, 4),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LongPoll => "killfeed, long poll",
            Self::ClientId => "killfeed, client_id",
            Self::Sse => "killfeed, events",
            Self::Websocket => "killfeed, websocket",
            Self::Phoenix => "Phoenix channel",
            Self::V1Stream => "v1 event stream",
            Self::RedisQ => "RedisQ",
            Self::R2z2 => "R2Z2",
            Self::Webhook => "webhook",
        }
    }

    /// How many killmails may go with an answer that breaks off: none where the client keeps the cursor.
    pub(super) fn lost_with_an_answer(self) -> usize {
        match self {
            Self::RedisQ => 1,
            Self::ClientId => polls::CLIENT_PAGE,
            Self::LongPoll
            | Self::Sse
            | Self::Websocket
            | Self::Phoenix
            | Self::V1Stream
            | Self::R2z2
            | Self::Webhook => 0,
        }
    }

    /// One request or two for each killmail of all.
    fn asks_for_each(self) -> bool {
        matches!(self, Self::RedisQ | Self::R2z2)
    }

    /// How many of so many listeners are of this kind; at least two.
    fn of(self, share: usize, listeners: usize) -> usize {
        let count = (listeners * share / 100).max(2);
        if self.asks_for_each() {
            count.min(MOST_SINGLE)
        } else {
            count
        }
    }
}

/// One listener: what it wants, and what it has seen.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) kind: Kind,
    number: usize,
    /// Empty for everything.
    systems: Vec<i64>,
    record: Mutex<Record>,
}

impl Seat {
    pub(super) fn new(kind: Kind, number: usize, systems: Vec<i64>) -> Self {
        Self {
            kind,
            number,
            systems,
            record: Mutex::default(),
        }
    }

    pub(super) fn wants(&self, system: i64) -> bool {
        self.systems.is_empty() || self.systems.contains(&system)
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    /// What it is called where it has to have a name.
    pub(super) fn name(&self) -> String {
        format!("chaos-{}", self.number)
    }

    /// Nothing is lost, and nothing more is to come of what there was at that moment: an answer that broke off may explain
    /// what has only not come yet, so that the server has to say so itself.
    fn is_complete(&self, truth: &Truth, since: Instant) -> bool {
        let record = self.record();
        let all_came = self.kind.lost_with_an_answer() == 0 || record.had_nothing_more_since(since);
        all_came && truth.audit(self, &record).lost == 0
    }

    /// `name=1,2,3`, or nothing for everything.
    fn query(&self, name: &str) -> String {
        let systems: Vec<String> = self.systems.iter().map(ToString::to_string).collect();
        if systems.is_empty() {
            return String::new();
        }
        format!("{name}={}", systems.join(","))
    }

    /// Listens until the connection ends.
    async fn visit(&self, address: SocketAddr, hooks: &Hooks) -> anyhow::Result<()> {
        match self.kind {
            Kind::LongPoll => polls::long_poll(self, address).await,
            Kind::ClientId => polls::client_id(self, address).await,
            Kind::RedisQ => polls::redisq(self, address).await,
            Kind::R2z2 => polls::r2z2(self, address).await,
            Kind::Sse => streams::killfeed(self, address).await,
            Kind::V1Stream => streams::v1(self, address).await,
            Kind::Websocket => sockets::websocket(self, address).await,
            Kind::Phoenix => sockets::phoenix(self, address).await,
            Kind::Webhook => hooks.visit(self, address).await,
        }
    }
}

/// Everybody.
pub(super) struct Crowd {
    seats: Vec<Arc<Seat>>,
    calm: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Crowd {
    /// Everybody is known where the server keeps the place, and begins to come and go.
    pub(super) async fn gather(stage: &Stage, settings: &Settings) -> Self {
        let mut random = StdRng::seed_from_u64(settings.seed.wrapping_add(1));
        let seats = seats(&mut random, &stage.systems, settings.listeners);
        let hooks = Arc::new(Hooks::start(&seats).await);
        let doors = stage.services.each_ref().map(|it| it.address);
        let mut known = JoinSet::new();
        for seat in &seats {
            let (seat, hooks) = (Arc::clone(seat), Arc::clone(&hooks));
            known.spawn(async move {
                while introduce(&seat, doors[0], &hooks).await.is_err() {
                    sleep(LOOK).await;
                }
            });
        }
        known.join_all().await;
        let (calm, _) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for seat in &seats {
            let guest = Guest {
                seat: Arc::clone(seat),
                hooks: Arc::clone(&hooks),
                doors,
                random: StdRng::seed_from_u64(random.random()),
                calm: calm.subscribe(),
            };
            tasks.spawn(guest.come_and_go());
        }
        Self { seats, calm, tasks }
    }

    /// From now on whoever is there stays, and whoever is away comes.
    pub(super) fn stay(&self) {
        self.calm.send_replace(true);
    }

    /// Waits until nobody lacks anything.
    pub(super) async fn complete(&self, truth: &Truth) {
        let since = Instant::now();
        for seat in &self.seats {
            while !seat.is_complete(truth, since) {
                sleep(LOOK).await;
            }
        }
    }

    /// Everybody goes.
    pub(super) fn leave(self) -> Vec<Arc<Seat>> {
        drop(self.tasks);
        self.seats
    }
}

fn seats(random: &mut StdRng, systems: &[i64], listeners: usize) -> Vec<Arc<Seat>> {
    let mut seats = Vec::new();
    for (kind, share) in Kind::SHARES {
        for place in 0..kind.of(share, listeners) {
            // The first of a kind wants everything, whatever the seed says.
            let everything =
                place == 0 || kind.asks_for_each() || random.random_ratio(1, EVERYTHING_OF);
            let wanted = if everything {
                // These take no absent list for everything.
                let lists = matches!(kind, Kind::ClientId | Kind::Phoenix);
                systems[..if lists { systems.len() } else { 0 }].to_vec()
            } else {
                let count = random.random_range(1..=MOST_SYSTEMS);
                systems.sample(random, count).copied().collect()
            };
            seats.push(Arc::new(Seat::new(kind, seats.len(), wanted)));
        }
    }
    seats
}

/// Makes a listener known before anything happens, where its place is the server's.
async fn introduce(seat: &Seat, address: SocketAddr, hooks: &Hooks) -> anyhow::Result<()> {
    if seat.kind == Kind::RedisQ {
        polls::open_queue(seat, address).await?;
    } else if seat.kind == Kind::Webhook {
        hooks.subscribe(seat, address).await?;
    }
    Ok(())
}
