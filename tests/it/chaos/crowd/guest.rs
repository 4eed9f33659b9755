use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::time::sleep;

use super::webhooks::Hooks;
use super::{Kind, Seat};

/// How long a listener stays, and how long it is away, milliseconds.
const STAY: Range<u64> = 200..8_000;
const AWAY: Range<u64> = 0..4_000;
/// Before a listener whose connection failed tries again, milliseconds.
const RECONNECT: Range<u64> = 50..300;

/// A listener at large.
pub(super) struct Guest {
    pub(super) seat: Arc<Seat>,
    pub(super) hooks: Arc<Hooks>,
    pub(super) doors: [SocketAddr; 2],
    pub(super) random: StdRng,
    pub(super) calm: watch::Receiver<bool>,
}

impl Guest {
    /// Connects to either process, leaves whenever it likes, and comes back with its cursor.
    pub(super) async fn come_and_go(mut self) {
        loop {
            let address = self.doors[self.random.random_range(0..self.doors.len())];
            let stay = Duration::from_millis(self.random.random_range(STAY));
            let leaves = leave_after(stay, self.calm.clone());
            self.seat.record().connections += 1;
            let ended = tokio::select! {
                ended = self.seat.visit(address, &self.hooks) => Some(ended),
                () = leaves => None,
            };
            match ended {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    self.seat.record().failed(&error);
                    let pause = self.random.random_range(RECONNECT);
                    sleep(Duration::from_millis(pause)).await;
                }
                None => self.be_away(address).await,
            }
        }
    }

    async fn be_away(&mut self, address: SocketAddr) {
        if self.seat.kind == Kind::Webhook {
            self.hooks.pause(&self.seat, address).await;
        }
        let away = Duration::from_millis(self.random.random_range(AWAY));
        let calm = self.calm.wait_for(|calm| *calm);
        // Either is a reason to come back.
        drop(tokio::time::timeout(away, calm).await);
    }
}

/// Ends when it is time to leave: never once it is calm.
async fn leave_after(stay: Duration, calm: watch::Receiver<bool>) {
    sleep(stay).await;
    if *calm.borrow() {
        std::future::pending::<()>().await;
    }
}
