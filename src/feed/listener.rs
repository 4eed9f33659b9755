//! The ear on the log's channel: says when to look, survives every outage.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::Stream;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgListener;

use super::hub::Hub;
use crate::store::feed::CHANNEL;

/// First and longest pause between two attempts to listen; the log is looked at by timer meanwhile.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

struct Ear {
    url: SecretString,
    hub: Arc<Hub>,
    listener: Option<PgListener>,
    pauses: ExponentialBackoff,
    /// The outage has been logged.
    deaf: bool,
}

/// One item whenever the log should be looked at: after one or more notifications, and after each
/// (re)connection, since what was sent before it is lost. Never ends. The connection is its own: a pool's
/// would be missing there, and this one has to go to the primary.
pub(super) fn wakes(url: SecretString, hub: Arc<Hub>) -> impl Stream<Item = ()> + Send {
    let ear = Ear {
        url,
        hub,
        listener: None,
        pauses: pauses(),
        deaf: false,
    };
    futures::stream::unfold(ear, |mut ear| async move {
        ear.wait().await;
        Some(((), ear))
    })
}

impl Ear {
    async fn wait(&mut self) {
        loop {
            let outcome = match &mut self.listener {
                Some(listener) => hear(listener).await,
                None => self.connect().await,
            };
            let Err(error) = outcome else {
                return;
            };
            self.lose(&error).await;
        }
    }

    async fn connect(&mut self) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect(self.url.expose_secret()).await?;
        listener.listen(CHANNEL).await?;
        self.listener = Some(listener);
        self.hub.set_listening(true);
        self.pauses = pauses();
        if std::mem::take(&mut self.deaf) {
            tracing::info!(channel = CHANNEL, "listening to the feed again");
        }
        Ok(())
    }

    async fn lose(&mut self, error: &sqlx::Error) {
        self.listener = None;
        self.hub.set_listening(false);
        if !std::mem::replace(&mut self.deaf, true) {
            tracing::warn!(
                channel = CHANNEL,
                error = error as &(dyn std::error::Error + 'static),
                "can't listen to the feed; looking by timer until it works again"
            );
        }
        tokio::time::sleep(self.pauses.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}

/// Returns after at least one notification (all that are there count as one), or after the connection was
/// lost and made anew.
async fn hear(listener: &mut PgListener) -> Result<(), sqlx::Error> {
    if listener.try_recv().await?.is_none() {
        tracing::debug!(channel = CHANNEL, "the feed's listener has reconnected");
    }
    while listener.next_buffered().is_some() {}
    Ok(())
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}
